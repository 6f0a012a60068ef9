#include "mpc/proof_affine_range.h"

/* Pi-aff-g with the group relation on base R2, protocol-equations.md 4.6. */

#define NAME "affine_range"

/* Acceptance ranges |z| <= 2^k. */
#define Z1_RANGE(l) ((size_t)(l) + 256)
#define Z2_RANGE(l) (TS_AFFINE_BITS((size_t)(l)) + 256)
#define WIDE_RANGE(n) ((size_t)(n) + 384)

/* Section 5: no accepted plaintext wraps around N, 2^(2(l+257)) + 2^(lb+257) < N/2, for every permitted pair. */
#define NO_WRAP(l, n) (2 * ((l) + 257) + 1 < (n)-2 && TS_AFFINE_BITS(l) + 257 + 1 < (n)-2)
_Static_assert(NO_WRAP(256, 2048), "a plaintext of a 256-bit curve fits 2048 bits");
_Static_assert(NO_WRAP(384, 3072), "a plaintext of P-384 fits 3072 bits");
_Static_assert(NO_WRAP(521, 3072), "a plaintext of P-521 fits 3072 bits");

/* The witness and the masks of one run of the prover; secret. */
struct witness {
    const struct ts_num *a, *b, *rho;
};
struct masks {
    const struct ts_num *al, *be, *r, *ga, *de, *k, *mu;
};

static const struct ts_group *
group_of(const struct ts_place *place)
{
    return ts_mpc_group(place->mpc, place->curve);
}

static void
put_statement(struct ts_buf *out, const struct ts_place *place, const struct ts_pedersen *v, const struct ts_num *C,
    const struct ts_num *D, const struct ts_point *R2)
{
    ts_transcript_init(out, place, NAME);
    ts_item_put_int(out, "N", ts_modulus_num(v->N));
    ts_item_put_int(out, "sv", v->s);
    ts_item_put_int(out, "tv", v->t);
    ts_item_put_int(out, "C", C);
    ts_item_put_int(out, "D", D);
    ts_item_put_point(out, "R2", group_of(place), R2);
}

static void
put_first(struct ts_buf *out, const struct ts_group *group, const struct ts_affine_range *proof)
{
    ts_item_put_int(out, "A", proof->A);
    ts_item_put_point(out, "B", group, proof->B);
    ts_item_put_int(out, "E", proof->E);
    ts_item_put_int(out, "F", proof->F);
    ts_item_put_int(out, "S", proof->S);
    ts_item_put_int(out, "T", proof->T);
}

const struct ts_num *
ts_affine_range_challenge(struct ts_scope *scope, const struct ts_place *place, const struct ts_pedersen *v,
    const struct ts_num *C, const struct ts_num *D, const struct ts_point *R2, const struct ts_affine_range *first)
{
    struct ts_buf transcript;

    put_statement(&transcript, place, v, C, D, R2);
    put_first(&transcript, group_of(place), first);
    return ts_challenge(scope, place, &transcript);
}

static bool
in_ranges(const struct ts_affine_range *proof, const struct ts_group *group, uint32_t bits)
{
    size_t l = ts_group_bits(group);

    return ts_num_in_range_vartime(proof->z1, Z1_RANGE(l)) && ts_num_in_range_vartime(proof->z2, Z2_RANGE(l)) &&
           ts_num_in_range_vartime(proof->z3, WIDE_RANGE(bits)) && ts_num_in_range_vartime(proof->z4, WIDE_RANGE(bits));
}

/* --- proving --- */

static struct masks
draw(struct ts_stream *stream, const struct ts_group *group, const struct ts_paillier *key)
{
    size_t n = key->bits;
    struct masks m;

    m.al = ts_stream_signed(stream, Z1_RANGE(ts_group_bits(group)));
    m.be = ts_stream_signed(stream, Z2_RANGE(ts_group_bits(group)));
    m.r = ts_stream_unit(stream, ts_modulus_num(key->N));
    m.ga = ts_stream_signed(stream, WIDE_RANGE(n));
    m.de = ts_stream_signed(stream, WIDE_RANGE(n));
    m.k = ts_stream_signed(stream, n + 128);
    m.mu = ts_stream_signed(stream, n + 128);
    return m;
}

static const struct ts_num *
commit(struct ts_scope *scope, const struct ts_pedersen *v, const struct ts_num *x, const struct ts_num *y)
{
    return ts_num_publish(ts_pedersen_commit(scope, v, x, y), "a hiding commitment of affine_range");
}

static void
commit_all(struct ts_affine_range *out, struct ts_scope *scope, const struct ts_affine_statement *st,
    const struct masks *m, const struct witness *w)
{
    out->A = ts_paillier_affine(scope, st->key, st->C, m->al, m->be, m->r);
    out->A = ts_num_publish(out->A, "the affine image of the masks, hidden by r");
    out->E = commit(scope, st->v, m->al, m->ga);
    out->F = commit(scope, st->v, m->be, m->de);
    out->S = commit(scope, st->v, w->a, m->k);
    out->T = commit(scope, st->v, w->b, m->mu);
}

static void
respond(struct ts_affine_range *out, struct ts_scope *scope, const struct ts_modulus *N, const struct masks *m,
    const struct witness *w, const struct ts_num *e)
{
    const struct ts_num *root = ts_mod_mul(scope, m->r, ts_mod_power_secret_base(scope, w->rho, e, N), N);

    out->z1 = ts_response(scope, m->al, e, w->a);
    out->z2 = ts_response(scope, m->be, e, w->b);
    out->z3 = ts_response(scope, m->ga, e, m->k);
    out->z4 = ts_response(scope, m->de, e, m->mu);
    out->w = ts_num_publish(root, "a response, hidden by r");
}

/* One run. Returns: whether a response came out that may be sent. */
static bool
attempt(struct ts_affine_range *out, struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const struct ts_affine_statement *st, const struct witness *w)
{
    const struct ts_group *group = group_of(place);
    struct ts_buf statement;

    put_statement(&statement, place, st->v, st->C, st->D, st->R2);
    struct masks m = draw(ts_prover_stream(scope, place, hedge, NAME, &statement), group, st->key);
    out->B = ts_point_mul(scope, group, m.al, st->R2);
    if (!ts_is_point(group, out->B))
        return false;
    commit_all(out, scope, st, &m, w);
    const struct ts_num *e = ts_affine_range_challenge(scope, place, st->v, st->C, st->D, st->R2, out);
    respond(out, scope, st->key->N, &m, w, e);
    return in_ranges(out, group, st->key->bits);
}

enum ts_error
ts_affine_range_prove(struct ts_affine_range *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_paillier *key, const struct ts_pedersen *v, const struct ts_num *C,
    const struct ts_num *D, const struct ts_point *R2, const struct ts_num *a, const struct ts_num *b,
    const struct ts_num *rho)
{
    const struct ts_affine_statement st = {.key = key, .v = v, .C = C, .D = D, .R2 = R2};
    const struct witness w = {.a = a, .b = b, .rho = rho};

    for (int i = 0; i < TS_PROVER_TRIES && ts_scope_error(scope) == TS_OK && group_of(place); i++) {
        if (attempt(out, scope, place, hedge, &st, &w))
            return ts_scope_error(scope);
    }
    ts_scope_fail(scope, TS_INTERNAL);
    return ts_scope_error(scope);
}

/* --- verifying --- */

bool
ts_affine_range_members(
    const struct ts_place *place, const struct ts_affine_statement *st, const struct ts_affine_range *proof)
{
    const struct ts_num *const squared[] = {st->D, proof->A};
    const struct ts_num *const plain[] = {proof->w, proof->E, proof->F, proof->S, proof->T};
    const struct ts_group *group = group_of(place);
    const struct ts_num *N = ts_modulus_num(st->key->N);

    return ts_is_modulus(N, st->key->bits) && ts_num_equal_vartime(N, ts_modulus_num(st->v->N)) &&
           ts_num_are_units_vartime(squared, sizeof squared / sizeof *squared, ts_modulus_num(st->key->N2), N) &&
           ts_all_units(plain, sizeof plain / sizeof *plain, N) && ts_is_point(group, st->R2) &&
           ts_is_point(group, proof->B) && in_ranges(proof, group, st->key->bits);
}

bool
ts_affine_range_group_holds(struct ts_scope *scope, const struct ts_place *place, const struct ts_affine_statement *st,
    const struct ts_affine_range *proof, const struct ts_num *e)
{
    const struct ts_group *group = group_of(place);
    const struct ts_point *B = ts_point_mul2_vartime(scope, group, ts_num_neg(scope, e), proof->z1, st->R2);

    return ts_point_equal(group, B, proof->B);
}

/* C^z1 (1+N)^z2 w^N = A D^e mod N^2 */
static bool
paillier_holds(struct ts_scope *scope, const struct ts_affine_statement *st, const struct ts_affine_range *proof,
    const struct ts_num *e)
{
    const struct ts_modulus *N2 = st->key->N2;
    const struct ts_num *left = ts_paillier_affine_vartime(scope, st->key, st->C, proof->z1, proof->z2, proof->w);
    const struct ts_num *right = ts_mod_mul(scope, proof->A, ts_mod_power_vartime(scope, st->D, e, N2), N2);

    return ts_num_equal_vartime(left, right);
}

static bool
equations_hold(struct ts_scope *scope, const struct ts_place *place, const struct ts_affine_statement *st,
    const struct ts_affine_range *proof)
{
    const struct ts_num *e = ts_affine_range_challenge(scope, place, st->v, st->C, st->D, st->R2, proof);

    return ts_affine_range_group_holds(scope, place, st, proof, e) && paillier_holds(scope, st, proof, e) &&
           ts_commitment_holds(scope, st->v, proof->z1, proof->z3, proof->E, proof->S, e) &&
           ts_commitment_holds(scope, st->v, proof->z2, proof->z4, proof->F, proof->T, e);
}

enum ts_error
ts_affine_range_verify(const struct ts_place *place, const struct ts_paillier *key, const struct ts_pedersen *v,
    const struct ts_num *C, const struct ts_num *D, const struct ts_point *R2, const struct ts_affine_range *proof)
{
    const struct ts_affine_statement st = {.key = key, .v = v, .C = C, .D = D, .R2 = R2};
    struct ts_scope *scope;

    if (ts_scope_borrow(&scope, place->mpc) != TS_OK)
        return TS_INTERNAL;
    return ts_verdict(
        place->mpc, scope, ts_affine_range_members(place, &st, proof) && equations_hold(scope, place, &st, proof));
}

/* --- wire form --- */

void
ts_affine_range_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_affine_range *proof)
{
    put_first(out, group, proof);
    ts_item_put_int(out, "z1", proof->z1);
    ts_item_put_int(out, "z2", proof->z2);
    ts_item_put_int(out, "z3", proof->z3);
    ts_item_put_int(out, "z4", proof->z4);
    ts_item_put_int(out, "w", proof->w);
}

enum ts_error
ts_affine_range_decode(struct ts_affine_range *out, struct ts_scope *scope, struct ts_reader *in,
    const struct ts_group *group, uint32_t bits)
{
    const size_t size = bits / 8;
    size_t l = ts_group_bits(group);

    out->A = ts_item_take_int(scope, in, "A", 2 * size);
    out->B = ts_item_take_point(scope, in, "B", group);
    out->E = ts_item_take_int(scope, in, "E", size);
    out->F = ts_item_take_int(scope, in, "F", size);
    out->S = ts_item_take_int(scope, in, "S", size);
    out->T = ts_item_take_int(scope, in, "T", size);
    out->z1 = ts_item_take_int(scope, in, "z1", TS_RANGE_BYTES(Z1_RANGE(l)));
    out->z2 = ts_item_take_int(scope, in, "z2", TS_RANGE_BYTES(Z2_RANGE(l)));
    out->z3 = ts_item_take_int(scope, in, "z3", TS_RANGE_BYTES(WIDE_RANGE(bits)));
    out->z4 = ts_item_take_int(scope, in, "z4", TS_RANGE_BYTES(WIDE_RANGE(bits)));
    out->w = ts_item_take_int(scope, in, "w", size);
    return ts_decoded(scope, in);
}
