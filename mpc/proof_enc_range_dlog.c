#include "mpc/proof_parts.h"

/* Pi-log*, protocol-equations.md 4.5. */

#define NAME "enc_range_dlog"

/* Acceptance ranges |z| <= 2^k. */
#define Z1_RANGE(l) ((size_t)(l) + 256)
#define Z3_RANGE(n) ((size_t)(n) + 384)

/* What is proved. */
struct statement {
    const struct ts_paillier *key;
    const struct ts_num *C;
    const struct ts_point *X;
    const struct ts_pedersen *v;
    const struct ts_trapdoor *trapdoor; /* of key, for a prover that has it */
};

/* Masks of one run of the prover; secret. */
struct masks {
    const struct ts_num *al, *mu, *r, *ga;
};

static const struct ts_group *
group_of(const struct ts_place *place)
{
    return ts_mpc_group(place->mpc, place->curve);
}

static void
put_statement(struct ts_buf *out, const struct ts_place *place, const struct ts_num *N, const struct ts_num *C,
    const struct ts_point *X, const struct ts_pedersen *v)
{
    ts_transcript_init(out, place, NAME);
    ts_item_put_int(out, "N", N);
    ts_item_put_int(out, "C", C);
    ts_item_put_point(out, "X", group_of(place), X);
    ts_put_verifier(out, v);
}

static void
put_first(struct ts_buf *out, const struct ts_group *group, const struct ts_enc_range_dlog *proof)
{
    ts_item_put_int(out, "S", proof->S);
    ts_item_put_int(out, "A", proof->A);
    ts_item_put_point(out, "Y", group, proof->Y);
    ts_item_put_int(out, "D", proof->D);
}

const struct ts_num *
ts_enc_range_dlog_challenge(struct ts_scope *scope, const struct ts_place *place, const struct ts_num *N,
    const struct ts_num *C, const struct ts_point *X, const struct ts_pedersen *v,
    const struct ts_enc_range_dlog *first)
{
    struct ts_buf transcript;

    put_statement(&transcript, place, N, C, X, v);
    put_first(&transcript, group_of(place), first);
    return ts_challenge(scope, place, &transcript);
}

static const struct ts_num *
challenge(struct ts_scope *scope, const struct ts_place *place, const struct statement *st,
    const struct ts_enc_range_dlog *first)
{
    return ts_enc_range_dlog_challenge(scope, place, ts_modulus_num(st->key->N), st->C, st->X, st->v, first);
}

static bool
in_ranges(const struct ts_enc_range_dlog *proof, const struct ts_group *group, uint32_t bits)
{
    return ts_num_in_range_vartime(proof->z1, Z1_RANGE(ts_group_bits(group))) &&
           ts_num_in_range_vartime(proof->z3, Z3_RANGE(bits));
}

/* --- proving --- */

static struct masks
draw(struct ts_stream *stream, const struct ts_group *group, const struct ts_paillier *key)
{
    struct masks m;

    m.al = ts_stream_signed(stream, Z1_RANGE(ts_group_bits(group)));
    m.mu = ts_stream_signed(stream, (size_t)key->bits + 128);
    m.r = ts_stream_unit(stream, ts_modulus_num(key->N));
    m.ga = ts_stream_signed(stream, Z3_RANGE(key->bits));
    return m;
}

static void
commit_all(struct ts_enc_range_dlog *out, struct ts_scope *scope, const struct statement *st, const struct masks *m,
    const struct ts_num *x)
{
    out->S = ts_num_publish(ts_pedersen_commit(scope, st->v, x, m->mu), "a hiding commitment to the share");
    out->A = st->trapdoor ? ts_paillier_encrypt_crt(scope, st->trapdoor, m->al, m->r)
                          : ts_paillier_encrypt(scope, st->key, m->al, m->r);
    out->A = ts_num_publish(out->A, "the encrypted mask");
    out->D = ts_num_publish(ts_pedersen_commit(scope, st->v, m->al, m->ga), "a hiding commitment to the mask");
}

static void
respond(struct ts_enc_range_dlog *out, struct ts_scope *scope, const struct ts_modulus *N, const struct masks *m,
    const struct ts_num *e, const struct ts_num *x, const struct ts_num *rho)
{
    const struct ts_num *z2 = ts_mod_mul(scope, m->r, ts_mod_power_secret_base(scope, rho, e, N), N);

    out->z1 = ts_response(scope, m->al, e, x);
    out->z2 = ts_num_publish(z2, "a response, hidden by r");
    out->z3 = ts_response(scope, m->ga, e, m->mu);
}

/* One run. Returns: whether a response came out that may be sent. */
static bool
attempt(struct ts_enc_range_dlog *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct statement *st, const struct ts_num *x, const struct ts_num *rho)
{
    const struct ts_group *group = group_of(place);
    struct ts_buf statement;

    put_statement(&statement, place, ts_modulus_num(st->key->N), st->C, st->X, st->v);
    struct masks m = draw(ts_prover_stream(scope, place, hedge, NAME, &statement), group, st->key);
    out->Y = ts_point_mul_base(scope, group, m.al);
    if (!ts_is_point(group, out->Y))
        return false;
    commit_all(out, scope, st, &m, x);
    respond(out, scope, st->key->N, &m, challenge(scope, place, st, out), x, rho);
    return in_ranges(out, group, st->key->bits);
}

static enum ts_error
prove(struct ts_enc_range_dlog *out, struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const struct statement *st, const struct ts_num *x, const struct ts_num *rho)
{
    for (int i = 0; i < TS_PROVER_TRIES && ts_scope_error(scope) == TS_OK && group_of(place); i++) {
        if (attempt(out, scope, place, hedge, st, x, rho))
            return ts_scope_error(scope);
    }
    ts_scope_fail(scope, TS_INTERNAL);
    return ts_scope_error(scope);
}

enum ts_error
ts_enc_range_dlog_prove(struct ts_enc_range_dlog *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_paillier *key, const struct ts_num *C, const struct ts_point *X,
    const struct ts_pedersen *v, const struct ts_num *x, const struct ts_num *rho)
{
    const struct statement st = {.key = key, .C = C, .X = X, .v = v};

    return prove(out, scope, place, hedge, &st, x, rho);
}

enum ts_error
ts_enc_range_dlog_prove_trapdoor(struct ts_enc_range_dlog *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_trapdoor *key, const struct ts_num *C, const struct ts_point *X,
    const struct ts_pedersen *v, const struct ts_num *x, const struct ts_num *rho)
{
    const struct statement st = {.key = &key->key, .C = C, .X = X, .v = v, .trapdoor = key};

    return prove(out, scope, place, hedge, &st, x, rho);
}

/* --- verifying --- */

static bool
members(const struct ts_group *group, const struct statement *st, const struct ts_enc_range_dlog *proof)
{
    const struct ts_num *const squared[] = {st->C, proof->A};
    const struct ts_num *const committed[] = {proof->S, proof->D};
    const struct ts_num *N = ts_modulus_num(st->key->N);
    const struct ts_num *Nv = ts_modulus_num(st->v->N);

    return ts_is_modulus(N, st->key->bits) && ts_is_modulus(Nv, st->key->bits) &&
           ts_num_are_units_vartime(squared, 2, ts_modulus_num(st->key->N2), N) &&
           ts_num_is_unit_vartime(proof->z2, N) && ts_all_units(committed, 2, Nv) && ts_is_point(group, st->X) &&
           ts_is_point(group, proof->Y) && in_ranges(proof, group, st->key->bits);
}

/* (1+N)^z1 z2^N = A C^e mod N^2, written as C^-e (1+N)^z1 z2^N = A. */
static bool
paillier_holds(
    struct ts_scope *scope, const struct statement *st, const struct ts_enc_range_dlog *proof, const struct ts_num *e)
{
    const struct ts_num *A =
        ts_paillier_affine_vartime(scope, st->key, st->C, ts_num_neg(scope, e), proof->z1, proof->z2);

    return ts_num_equal_vartime(A, proof->A);
}

/* z1 G = Y + e X, written as z1 G - e X = Y. */
static bool
group_holds(struct ts_scope *scope, const struct ts_group *group, const struct statement *st,
    const struct ts_enc_range_dlog *proof, const struct ts_num *e)
{
    const struct ts_point *Y = ts_point_mul2_vartime(scope, group, proof->z1, ts_num_neg(scope, e), st->X);

    return ts_point_equal(group, Y, proof->Y);
}

static bool
equations_hold(struct ts_scope *scope, const struct ts_place *place, const struct statement *st,
    const struct ts_enc_range_dlog *proof)
{
    const struct ts_num *e = challenge(scope, place, st, proof);

    return group_holds(scope, group_of(place), st, proof, e) && paillier_holds(scope, st, proof, e) &&
           ts_commitment_holds(scope, st->v, proof->z1, proof->z3, proof->D, proof->S, e);
}

enum ts_error
ts_enc_range_dlog_verify(const struct ts_place *place, const struct ts_paillier *key, const struct ts_num *C,
    const struct ts_point *X, const struct ts_pedersen *v, const struct ts_enc_range_dlog *proof)
{
    const struct statement st = {.key = key, .C = C, .X = X, .v = v};
    struct ts_scope *scope;

    if (ts_scope_borrow(&scope, place->mpc) != TS_OK)
        return TS_INTERNAL;
    return ts_verdict(
        place->mpc, scope, members(group_of(place), &st, proof) && equations_hold(scope, place, &st, proof));
}

/* --- wire form --- */

void
ts_enc_range_dlog_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_enc_range_dlog *proof)
{
    put_first(out, group, proof);
    ts_item_put_int(out, "z1", proof->z1);
    ts_item_put_int(out, "z2", proof->z2);
    ts_item_put_int(out, "z3", proof->z3);
}

enum ts_error
ts_enc_range_dlog_decode(struct ts_enc_range_dlog *out, struct ts_scope *scope, struct ts_reader *in,
    const struct ts_group *group, uint32_t bits)
{
    const size_t size = bits / 8;

    out->S = ts_item_take_int(scope, in, "S", size);
    out->A = ts_item_take_int(scope, in, "A", 2 * size);
    out->Y = ts_item_take_point(scope, in, "Y", group);
    out->D = ts_item_take_int(scope, in, "D", size);
    out->z1 = ts_item_take_int(scope, in, "z1", TS_RANGE_BYTES(Z1_RANGE(ts_group_bits(group))));
    out->z2 = ts_item_take_int(scope, in, "z2", size);
    out->z3 = ts_item_take_int(scope, in, "z3", TS_RANGE_BYTES(Z3_RANGE(bits)));
    return ts_decoded(scope, in);
}
