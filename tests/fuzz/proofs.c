#include "tests/fuzz/proofs.h"

#include "tests/fuzz/fuzz.h"
#include "tests/safe_primes.h"

#define WIRE_MAX ((size_t)1 << 20)

static const uint8_t seed[TS_SEED_BYTES] = {42};

static void
make_key(struct fuzz_world *w, struct ts_trapdoor *out, unsigned pair)
{
    uint8_t primes[FUZZ_BITS / 8];
    size_t len = sizeof primes / 2;

    fuzz_need(load_safe_primes(primes, FUZZ_BITS, pair));
    fuzz_need(ts_trapdoor_init(out, w->scope, FUZZ_BITS, ts_num_from_bytes(w->scope, primes, len),
                  ts_num_from_bytes(w->scope, primes + len, len), ts_num_from_u64(w->scope, 9),
                  ts_num_from_u64(w->scope, 123456789 + pair)) == TS_OK);
}

void
fuzz_open(struct fuzz_world *w)
{
    fuzz_need(ts_env_init(&w->env) == TS_OK && ts_mpc_new(&w->mpc, &w->env) == TS_OK);
    fuzz_need(ts_scope_new(&w->scope) == TS_OK);
    w->group = ts_mpc_group(w->mpc, TS_CURVE_P256);
    w->hedge = (struct ts_hedge){.fixed_seed = seed};
    w->pairing = (struct ts_place){.mpc = w->mpc, .sid_len = TS_SID_BYTES, .role = TS_ROLE_P1};
    w->key = w->pairing;
    w->key.curve = TS_CURVE_P256;
    make_key(w, &w->p1, 0);
    make_key(w, &w->p2, 1);
    const struct ts_num *N = ts_modulus_num(w->p1.key.N), *k2 = ts_num_from_u64(w->scope, 987654321);
    struct ts_stream *stream = ts_hedge_stream(w->scope, &w->key, &w->hedge, "x", NULL, 0);
    w->x = ts_stream_bits(stream, 255);
    w->X = ts_point_mul_base(w->scope, w->group, w->x);
    w->rho = ts_stream_unit(stream, N);
    w->C = ts_paillier_encrypt(w->scope, &w->p1.key, w->x, w->rho);
    w->R2 = ts_point_mul_base(w->scope, w->group, k2);
    w->a = ts_mod_inverse(w->scope, k2, ts_group_order(w->group));
    w->b = ts_stream_bits(stream, TS_AFFINE_BITS(256));
    w->r = ts_stream_unit(stream, N);
    w->D = ts_paillier_affine(w->scope, &w->p1.key, w->C, w->a, w->b, w->r);
    fuzz_need(ts_scope_error(w->scope) == TS_OK);
}

void
fuzz_prove(struct fuzz_world *w)
{
    static union fuzz_any p;

    for (int kind = 0; kind < FUZZ_PROOFS; kind++)
        ts_buf_init(&w->good[kind], WIRE_MAX);
    fuzz_need(ts_dlog_prove(&p.dlog, w->scope, &w->key, &w->hedge, w->X, w->x) == TS_OK);
    fuzz_encode(&w->good[FUZZ_DLOG], w, FUZZ_DLOG, &p);
    fuzz_need(ts_paillier_blum_prove(&p.blum, w->scope, &w->pairing, &w->hedge, &w->p1) == TS_OK);
    fuzz_encode(&w->good[FUZZ_BLUM], w, FUZZ_BLUM, &p);
    fuzz_need(ts_ring_pedersen_prove(&p.ring, w->scope, &w->pairing, &w->hedge, &w->p1) == TS_OK);
    fuzz_encode(&w->good[FUZZ_RING], w, FUZZ_RING, &p);
    fuzz_need(ts_no_small_factor_prove(&p.factor, w->scope, &w->pairing, &w->hedge, &w->p1, &w->p2.pedersen) == TS_OK);
    fuzz_encode(&w->good[FUZZ_FACTOR], w, FUZZ_FACTOR, &p);
    fuzz_need(ts_enc_range_dlog_prove(&p.enc, w->scope, &w->key, &w->hedge, &w->p1.key, w->C, w->X, &w->p2.pedersen,
                  w->x, w->rho) == TS_OK);
    fuzz_encode(&w->good[FUZZ_ENC], w, FUZZ_ENC, &p);
    fuzz_need(ts_affine_range_prove(&p.affine, w->scope, &w->key, &w->hedge, &w->p1.key, &w->p1.pedersen, w->C, w->D,
                  w->R2, w->a, w->b, w->r) == TS_OK);
    fuzz_encode(&w->good[FUZZ_AFFINE], w, FUZZ_AFFINE, &p);
}

static enum ts_error
decode_from(
    union fuzz_any *out, const struct fuzz_world *w, enum fuzz_proof kind, struct ts_scope *scope, struct ts_reader *in)
{
    switch (kind) {
    case FUZZ_DLOG:
        return ts_dlog_decode(&out->dlog, scope, in, w->group);
    case FUZZ_BLUM:
        return ts_paillier_blum_decode(&out->blum, scope, in, FUZZ_BITS);
    case FUZZ_RING:
        return ts_ring_pedersen_decode(&out->ring, scope, in, FUZZ_BITS);
    case FUZZ_FACTOR:
        return ts_no_small_factor_decode(&out->factor, scope, in, FUZZ_BITS);
    case FUZZ_ENC:
        return ts_enc_range_dlog_decode(&out->enc, scope, in, w->group, FUZZ_BITS);
    default:
        return ts_affine_range_decode(&out->affine, scope, in, w->group, FUZZ_BITS);
    }
}

enum ts_error
fuzz_decode(union fuzz_any *out, const struct fuzz_world *w, enum fuzz_proof kind, struct ts_scope *scope,
    const uint8_t *bytes, size_t len)
{
    struct ts_reader in;

    ts_reader_init(&in, bytes, len);
    enum ts_error error = decode_from(out, w, kind, scope, &in);
    return error == TS_OK ? ts_reader_end(&in) : error;
}

void
fuzz_encode(struct ts_buf *out, const struct fuzz_world *w, enum fuzz_proof kind, const union fuzz_any *proof)
{
    if (kind == FUZZ_DLOG)
        ts_dlog_encode(out, w->group, &proof->dlog);
    if (kind == FUZZ_BLUM)
        ts_paillier_blum_encode(out, &proof->blum);
    if (kind == FUZZ_RING)
        ts_ring_pedersen_encode(out, &proof->ring);
    if (kind == FUZZ_FACTOR)
        ts_no_small_factor_encode(out, &proof->factor);
    if (kind == FUZZ_ENC)
        ts_enc_range_dlog_encode(out, w->group, &proof->enc);
    if (kind == FUZZ_AFFINE)
        ts_affine_range_encode(out, w->group, &proof->affine);
    fuzz_need(ts_buf_error(out) == TS_OK);
}

enum ts_error
fuzz_verify(const struct fuzz_world *w, enum fuzz_proof kind, const union fuzz_any *proof)
{
    const struct ts_num *N = ts_modulus_num(w->p1.key.N);
    enum ts_error plain;

    switch (kind) {
    case FUZZ_DLOG:
        return ts_dlog_verify(&w->key, w->X, &proof->dlog);
    case FUZZ_BLUM:
        return ts_paillier_blum_verify(&w->pairing, FUZZ_BITS, N, &proof->blum);
    case FUZZ_RING:
        return ts_ring_pedersen_verify(&w->pairing, FUZZ_BITS, N, w->p1.pedersen.s, w->p1.pedersen.t, &proof->ring);
    case FUZZ_FACTOR:
        return ts_no_small_factor_verify(&w->pairing, FUZZ_BITS, N, &w->p2.pedersen, &proof->factor);
    case FUZZ_ENC:
        return ts_enc_range_dlog_verify(&w->key, &w->p1.key, w->C, w->X, &w->p2.pedersen, &proof->enc);
    default:
        plain = ts_affine_range_verify(&w->key, &w->p1.key, &w->p1.pedersen, w->C, w->D, w->R2, &proof->affine);
        fuzz_need(ts_affine_range_verify_trapdoor(&w->key, &w->p1, w->C, w->D, w->R2, &proof->affine) == plain);
        return plain;
    }
}
