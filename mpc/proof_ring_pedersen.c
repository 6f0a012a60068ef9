#include "mpc/crt.h"
#include "mpc/proof_parts.h"

/* Pi-prm, protocol-equations.md 4.3. */

#define NAME "ring_pedersen"
#define BIT(e16, i) (((e16)[(i) >> 3] >> ((i)&7)) & 1)

static void
put_statement(struct ts_buf *out, const struct ts_place *place, const struct ts_num *N, const struct ts_num *s,
    const struct ts_num *t)
{
    ts_transcript_init(out, place, NAME);
    ts_item_put_int(out, "N", N);
    ts_item_put_int(out, "s", s);
    ts_item_put_int(out, "t", t);
}

enum ts_error
ts_ring_pedersen_challenge(uint8_t e16[16], const struct ts_place *place, const struct ts_num *N,
    const struct ts_num *s, const struct ts_num *t, const struct ts_num *const A[TS_REPETITIONS])
{
    struct ts_buf transcript;

    put_statement(&transcript, place, N, s, t);
    for (size_t i = 0; i < TS_REPETITIONS; i++)
        ts_item_put_int(&transcript, "A", A[i]);
    enum ts_error error = ts_buf_error(&transcript);
    if (error == TS_OK)
        error = ts_shake256(e16, TS_REPETITIONS / 8, place->mpc, transcript.data, transcript.len);
    ts_buf_clear(&transcript);
    return error;
}

/* --- proving --- */

static enum ts_error
commit(struct ts_ring_pedersen *out, const struct ts_num *masks[TS_REPETITIONS], struct ts_scope *scope,
    struct ts_stream *stream, const struct ts_trapdoor *key)
{
    struct ts_crt crt;

    ts_crt_init(&crt, scope, key);
    for (size_t i = 0; i < TS_REPETITIONS; i++) {
        masks[i] = ts_stream_residue_secret(stream, key->phi, key->key.bits);
        struct ts_crt_exponent exponent = ts_crt_reduce(scope, &crt, masks[i]);
        const struct ts_num *A = ts_crt_power(scope, &crt, key->pedersen.t, &exponent);
        out->A[i] = ts_num_publish(A, "a first message");
    }
    return ts_scope_error(scope);
}

enum ts_error
ts_ring_pedersen_prove(struct ts_ring_pedersen *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_trapdoor *key)
{
    const struct ts_num *N = ts_modulus_num(key->pedersen.N);
    const struct ts_num *masks[TS_REPETITIONS];
    uint8_t e[TS_REPETITIONS / 8];
    struct ts_buf statement;

    put_statement(&statement, place, N, key->pedersen.s, key->pedersen.t);
    struct ts_stream *stream = ts_prover_stream(scope, place, hedge, NAME, &statement);
    enum ts_error error = commit(out, masks, scope, stream, key);
    if (error != TS_OK)
        return error;
    error = ts_ring_pedersen_challenge(e, place, N, key->pedersen.s, key->pedersen.t, out->A);
    if (error != TS_OK)
        ts_scope_fail(scope, error);
    for (size_t i = 0; i < TS_REPETITIONS && error == TS_OK; i++) {
        const struct ts_num *sum = BIT(e, i) ? ts_num_add(scope, masks[i], key->lambda) : masks[i];
        out->z[i] = ts_num_publish(ts_num_mod(scope, sum, key->phi), "a response, hidden by its mask");
    }
    return ts_scope_error(scope);
}

/* --- verifying --- */

/* s or t is one of the elements that generate nothing. */
static bool
is_trivial(struct ts_scope *scope, const struct ts_num *x, const struct ts_num *N)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1);

    return !one || ts_num_equal_vartime(x, one) || ts_num_equal_vartime(ts_num_add(scope, x, one), N);
}

static bool
members(struct ts_scope *scope, uint32_t bits, const struct ts_num *N, const struct ts_num *s, const struct ts_num *t,
    const struct ts_ring_pedersen *proof)
{
    if (!ts_is_modulus(N, bits) || !ts_num_is_unit_vartime(s, N) || !ts_num_is_unit_vartime(t, N))
        return false;
    if (is_trivial(scope, s, N) || is_trivial(scope, t, N) || ts_num_equal_vartime(s, t))
        return false;
    if (!ts_all_units(proof->A, TS_REPETITIONS, N))
        return false;
    for (size_t i = 0; i < TS_REPETITIONS; i++) {
        if (!ts_num_is_reduced_vartime(proof->z[i], N))
            return false;
    }
    return true;
}

/* t^z_i = A_i s^e_i mod N for every i */
static bool
equations_hold(struct ts_scope *scope, const uint8_t e[TS_REPETITIONS / 8], const struct ts_num *N,
    const struct ts_num *s, const struct ts_num *t, const struct ts_ring_pedersen *proof)
{
    const struct ts_modulus *m = ts_modulus_new(scope, N);
    bool all = true;

    for (size_t i = 0; i < TS_REPETITIONS && all; i++) {
        const struct ts_num *right = BIT(e, i) ? ts_mod_mul(scope, proof->A[i], s, m) : proof->A[i];
        all = ts_num_equal_vartime(ts_mod_power_vartime(scope, t, proof->z[i], m), right);
    }
    return all;
}

enum ts_error
ts_ring_pedersen_verify(const struct ts_place *place, uint32_t bits, const struct ts_num *N, const struct ts_num *s,
    const struct ts_num *t, const struct ts_ring_pedersen *proof)
{
    uint8_t e[TS_REPETITIONS / 8];
    struct ts_scope *scope;
    bool accepted = false;

    if (ts_scope_borrow(&scope, place->mpc) != TS_OK)
        return TS_INTERNAL;
    if (members(scope, bits, N, s, t, proof)) {
        enum ts_error error = ts_ring_pedersen_challenge(e, place, N, s, t, proof->A);
        if (error != TS_OK)
            ts_scope_fail(scope, error);
        else
            accepted = equations_hold(scope, e, N, s, t, proof);
    }
    return ts_verdict(place->mpc, scope, accepted);
}

/* --- wire form --- */

void
ts_ring_pedersen_encode(struct ts_buf *out, const struct ts_ring_pedersen *proof)
{
    for (size_t i = 0; i < TS_REPETITIONS; i++)
        ts_item_put_int(out, "A", proof->A[i]);
    for (size_t i = 0; i < TS_REPETITIONS; i++)
        ts_item_put_int(out, "z", proof->z[i]);
}

enum ts_error
ts_ring_pedersen_decode(struct ts_ring_pedersen *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits)
{
    for (size_t i = 0; i < TS_REPETITIONS; i++)
        out->A[i] = ts_item_take_int(scope, in, "A", bits / 8);
    for (size_t i = 0; i < TS_REPETITIONS; i++)
        out->z[i] = ts_item_take_int(scope, in, "z", bits / 8);
    return ts_decoded(scope, in);
}
