#include "mpc/proof_parts.h"

/* Pi-fac in the form of the 2024 version of CGGMP, protocol-equations.md 4.4. */

#define NAME "no_small_factor"

/* Acceptance ranges |z| <= 2^k; n and nv are the same. */
#define FACTOR_RANGE(n) ((size_t)(n) / 2 + 256)
#define WIDE_RANGE(n) ((size_t)(n) + 384)
#define CROSS_RANGE(n) ((size_t)(n) + (size_t)(n) / 2 + 384)

/* Masks of one run of the prover; secret. */
struct masks {
    const struct ts_num *al, *be, *mu, *nu, *x, *y, *r;
};

static void
put_statement(struct ts_buf *out, const struct ts_place *place, const struct ts_num *N, const struct ts_pedersen *v)
{
    ts_transcript_init(out, place, NAME);
    ts_item_put_int(out, "N", N);
    ts_put_verifier(out, v);
}

static void
put_first(struct ts_buf *out, const struct ts_no_small_factor *proof)
{
    ts_item_put_int(out, "P", proof->P);
    ts_item_put_int(out, "Q", proof->Q);
    ts_item_put_int(out, "A", proof->A);
    ts_item_put_int(out, "B", proof->B);
    ts_item_put_int(out, "T", proof->T);
}

const struct ts_num *
ts_no_small_factor_challenge(struct ts_scope *scope, const struct ts_place *place, const struct ts_num *N,
    const struct ts_pedersen *v, const struct ts_no_small_factor *first)
{
    struct ts_buf transcript;

    put_statement(&transcript, place, N, v);
    put_first(&transcript, first);
    return ts_challenge(scope, place, &transcript);
}

static bool
in_ranges(const struct ts_no_small_factor *proof, uint32_t bits)
{
    return ts_num_in_range_vartime(proof->z1, FACTOR_RANGE(bits)) &&
           ts_num_in_range_vartime(proof->z2, FACTOR_RANGE(bits)) &&
           ts_num_in_range_vartime(proof->w1, WIDE_RANGE(bits)) &&
           ts_num_in_range_vartime(proof->w2, WIDE_RANGE(bits)) && ts_num_in_range_vartime(proof->v, CROSS_RANGE(bits));
}

/* --- proving --- */

static struct masks
draw(struct ts_stream *stream, uint32_t n)
{
    struct masks m;

    m.al = ts_stream_signed(stream, FACTOR_RANGE(n));
    m.be = ts_stream_signed(stream, FACTOR_RANGE(n));
    m.mu = ts_stream_signed(stream, (size_t)n + 128);
    m.nu = ts_stream_signed(stream, (size_t)n + 128);
    m.x = ts_stream_signed(stream, WIDE_RANGE(n));
    m.y = ts_stream_signed(stream, WIDE_RANGE(n));
    m.r = ts_stream_signed(stream, CROSS_RANGE(n));
    return m;
}

static const struct ts_num *
commit(struct ts_scope *scope, const struct ts_pedersen *v, const struct ts_num *x, const struct ts_num *y)
{
    return ts_num_publish(ts_pedersen_commit(scope, v, x, y), "a hiding commitment of no_small_factor");
}

static void
commit_all(struct ts_no_small_factor *out, struct ts_scope *scope, const struct ts_trapdoor *key,
    const struct ts_pedersen *v, const struct masks *m)
{
    out->P = commit(scope, v, ts_modulus_num(key->p), m->mu);
    out->Q = commit(scope, v, ts_modulus_num(key->q), m->nu);
    out->A = commit(scope, v, m->al, m->x);
    out->B = commit(scope, v, m->be, m->y);
    const struct ts_pedersen under_q = {.N = v->N, .s = out->Q, .t = v->t};
    out->T = commit(scope, &under_q, m->al, m->r);
}

static void
respond(struct ts_no_small_factor *out, struct ts_scope *scope, const struct ts_trapdoor *key, const struct masks *m,
    const struct ts_num *e)
{
    const struct ts_num *p = ts_modulus_num(key->p);

    out->z1 = ts_response(scope, m->al, e, p);
    out->z2 = ts_response(scope, m->be, e, ts_modulus_num(key->q));
    out->w1 = ts_response(scope, m->x, e, m->mu);
    out->w2 = ts_response(scope, m->y, e, m->nu);
    out->v = ts_response(scope, m->r, ts_num_neg(scope, e), ts_num_mul(scope, m->nu, p));
}

enum ts_error
ts_no_small_factor_prove(struct ts_no_small_factor *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_trapdoor *key, const struct ts_pedersen *v)
{
    const struct ts_num *N = ts_modulus_num(key->key.N);
    struct ts_buf statement;

    for (int i = 0; i < TS_PROVER_TRIES && ts_scope_error(scope) == TS_OK; i++) {
        put_statement(&statement, place, N, v);
        struct ts_stream *stream = ts_prover_stream(scope, place, hedge, NAME, &statement);
        struct masks m = draw(stream, key->key.bits);
        commit_all(out, scope, key, v, &m);
        respond(out, scope, key, &m, ts_no_small_factor_challenge(scope, place, N, v, out));
        if (in_ranges(out, key->key.bits))
            return ts_scope_error(scope);
    }
    ts_scope_fail(scope, TS_INTERNAL);
    return ts_scope_error(scope);
}

/* --- verifying --- */

static bool
members(uint32_t bits, const struct ts_num *N, const struct ts_pedersen *v, const struct ts_no_small_factor *proof)
{
    const struct ts_num *const elements[] = {proof->P, proof->Q, proof->A, proof->B, proof->T};
    const struct ts_num *Nv = ts_modulus_num(v->N);

    return ts_is_modulus(N, bits) && ts_is_modulus(Nv, bits) &&
           ts_all_units(elements, sizeof elements / sizeof *elements, Nv) && in_ranges(proof, bits);
}

/* Q^z1 t^v = T s^(N e) */
static bool
product_holds(struct ts_scope *scope, const struct ts_num *N, const struct ts_pedersen *v,
    const struct ts_no_small_factor *proof, const struct ts_num *e)
{
    const struct ts_num *left = ts_mod_power2_vartime(scope, proof->Q, proof->z1, v->t, proof->v, v->N);
    const struct ts_num *power = ts_mod_power_vartime(scope, v->s, ts_num_mul(scope, N, e), v->N);

    return ts_num_equal_vartime(left, ts_mod_mul(scope, proof->T, power, v->N));
}

static bool
equations_hold(struct ts_scope *scope, const struct ts_place *place, const struct ts_num *N,
    const struct ts_pedersen *v, const struct ts_no_small_factor *proof)
{
    const struct ts_num *e = ts_no_small_factor_challenge(scope, place, N, v, proof);

    return ts_commitment_holds(scope, v, proof->z1, proof->w1, proof->A, proof->P, e) &&
           ts_commitment_holds(scope, v, proof->z2, proof->w2, proof->B, proof->Q, e) &&
           product_holds(scope, N, v, proof, e);
}

enum ts_error
ts_no_small_factor_verify(const struct ts_place *place, uint32_t bits, const struct ts_num *N,
    const struct ts_pedersen *v, const struct ts_no_small_factor *proof)
{
    struct ts_scope *scope;

    if (ts_scope_borrow(&scope, place->mpc) != TS_OK)
        return TS_INTERNAL;
    return ts_verdict(place->mpc, scope, members(bits, N, v, proof) && equations_hold(scope, place, N, v, proof));
}

/* --- wire form --- */

void
ts_no_small_factor_encode(struct ts_buf *out, const struct ts_no_small_factor *proof)
{
    put_first(out, proof);
    ts_item_put_int(out, "z1", proof->z1);
    ts_item_put_int(out, "z2", proof->z2);
    ts_item_put_int(out, "w1", proof->w1);
    ts_item_put_int(out, "w2", proof->w2);
    ts_item_put_int(out, "v", proof->v);
}

enum ts_error
ts_no_small_factor_decode(struct ts_no_small_factor *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits)
{
    const size_t size = bits / 8;

    out->P = ts_item_take_int(scope, in, "P", size);
    out->Q = ts_item_take_int(scope, in, "Q", size);
    out->A = ts_item_take_int(scope, in, "A", size);
    out->B = ts_item_take_int(scope, in, "B", size);
    out->T = ts_item_take_int(scope, in, "T", size);
    out->z1 = ts_item_take_int(scope, in, "z1", TS_RANGE_BYTES(FACTOR_RANGE(bits)));
    out->z2 = ts_item_take_int(scope, in, "z2", TS_RANGE_BYTES(FACTOR_RANGE(bits)));
    out->w1 = ts_item_take_int(scope, in, "w1", TS_RANGE_BYTES(WIDE_RANGE(bits)));
    out->w2 = ts_item_take_int(scope, in, "w2", TS_RANGE_BYTES(WIDE_RANGE(bits)));
    out->v = ts_item_take_int(scope, in, "v", TS_RANGE_BYTES(CROSS_RANGE(bits)));
    return ts_decoded(scope, in);
}
