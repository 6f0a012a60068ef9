#include "mpc/proof.h"
#include "tests/check_main.h"
#include "tests/safe_primes.h"

#include <string.h>

/* Provers that do everything right but for one thing, so that all equations hold and only one check can refuse. */

#define BITS 2048u
#define FEWER_BITS (BITS - 64)
#define L 256

static struct {
    struct ts_env env;
    struct ts_mpc *mpc;
    struct ts_scope *scope;
    const struct ts_group *group;
    struct ts_trapdoor one, two, small; /* small: a modulus of fewer bits, its factors are no primes */
    struct ts_place pairing, key;
    struct ts_hedge hedge;
    const struct ts_num *x, *rho, *C, *a, *b, *r, *D;
    const struct ts_point *X, *R2;
} f;

static void
make_key(struct ts_trapdoor *out, unsigned pair, uint32_t bits)
{
    uint8_t primes[BITS / 8];
    size_t len = bits / 16;

    ck_assert(load_safe_primes(primes, BITS, pair));
    uint8_t *p = primes, *q = primes + sizeof primes / 2;
    p[len - 1] |= 1;
    q[len - 1] |= 1;
    const struct ts_num *t = ts_num_from_u64(f.scope, UINT64_C(65537) * 65537);
    ck_assert_int_eq(ts_trapdoor_init(out, f.scope, bits, ts_num_from_bytes(f.scope, p, len),
                         ts_num_from_bytes(f.scope, q, len), t, ts_num_from_u64(f.scope, 123456789)),
        TS_OK);
}

static void
make_statements(void)
{
    const struct ts_num *N = ts_modulus_num(f.one.key.N);
    struct ts_stream *stream = ts_hedge_stream(f.scope, &f.key, &f.hedge, "test", NULL, 0);
    const struct ts_num *k2 = ts_hedge_scalar(f.scope, &f.key, &f.hedge, "k2", NULL, 0, false);

    f.x = ts_hedge_scalar(f.scope, &f.key, &f.hedge, "x1", NULL, 0, false);
    f.X = ts_point_mul_base(f.scope, f.group, f.x);
    f.rho = ts_stream_unit(stream, N);
    f.C = ts_paillier_encrypt(f.scope, &f.one.key, f.x, f.rho);
    f.R2 = ts_point_mul_base(f.scope, f.group, k2);
    f.a = ts_mod_inverse(f.scope, k2, ts_group_order(f.group));
    f.b = ts_stream_bits(stream, TS_AFFINE_BITS(L));
    f.r = ts_stream_unit(stream, N);
    f.D = ts_paillier_affine(f.scope, &f.one.key, f.C, f.a, f.b, f.r);
    ck_assert_int_eq(ts_scope_error(f.scope), TS_OK);
}

static void
setup(void)
{
    static const uint8_t hk[TS_HEDGE_KEY_BYTES] = {7};

    ck_assert_int_eq(ts_env_init(&f.env), TS_OK);
    ck_assert_int_eq(ts_mpc_new(&f.mpc, &f.env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&f.scope), TS_OK);
    f.group = ts_mpc_group(f.mpc, TS_CURVE_P256);
    f.hedge = (struct ts_hedge){.hk = hk};
    f.pairing = (struct ts_place){.mpc = f.mpc, .sid_len = TS_SID_BYTES, .role = TS_ROLE_P1};
    f.key = f.pairing;
    f.key.curve = TS_CURVE_P256;
    make_key(&f.one, 0, BITS);
    make_key(&f.two, 1, BITS);
    make_key(&f.small, 2, FEWER_BITS);
    make_statements();
}

static void
teardown(void)
{
    ts_scope_free(f.scope);
    ts_mpc_free(f.mpc);
    ts_env_clear(&f.env);
}

/* With fewer bits its factors are smaller than the proof promises. */
START_TEST(small_modulus)
{
    struct ts_no_small_factor proof;
    const struct ts_pedersen *v = &f.two.pedersen;

    ck_assert_int_eq(ts_no_small_factor_prove(&proof, f.scope, &f.pairing, &f.hedge, &f.one, v), TS_OK);
    ck_assert_int_eq(ts_no_small_factor_verify(&f.pairing, BITS, ts_modulus_num(f.one.key.N), v, &proof), TS_OK);
    ck_assert_int_eq(ts_no_small_factor_prove(&proof, f.scope, &f.pairing, &f.hedge, &f.small, v), TS_OK);
    ck_assert_int_eq(ts_no_small_factor_verify(&f.pairing, BITS, ts_modulus_num(f.small.key.N), v, &proof), TS_CHEATED);
}
END_TEST

/* A verifier whose own parameters are too small for the soundness that it counts on. */
START_TEST(small_verifier)
{
    struct ts_no_small_factor factor;
    struct ts_enc_range_dlog enc;
    const struct ts_pedersen *v = _i ? &f.small.pedersen : &f.two.pedersen;
    enum ts_error expected = _i ? TS_CHEATED : TS_OK;

    ck_assert_int_eq(ts_no_small_factor_prove(&factor, f.scope, &f.pairing, &f.hedge, &f.one, v), TS_OK);
    ck_assert_int_eq(ts_no_small_factor_verify(&f.pairing, BITS, ts_modulus_num(f.one.key.N), v, &factor), expected);
    ck_assert_int_eq(
        ts_enc_range_dlog_prove(&enc, f.scope, &f.key, &f.hedge, &f.one.key, f.C, f.X, v, f.x, f.rho), TS_OK);
    ck_assert_int_eq(ts_enc_range_dlog_verify(&f.key, &f.one.key, f.C, f.X, v, &enc), expected);
}
END_TEST

/* The prover knows the factors of the parameters that it commits under. */
START_TEST(parameters_of_the_prover)
{
    struct ts_affine_range proof;
    const struct ts_pedersen *v = _i ? &f.two.pedersen : &f.one.pedersen;

    ck_assert_int_eq(
        ts_affine_range_prove(&proof, f.scope, &f.key, &f.hedge, &f.one.key, v, f.C, f.D, f.R2, f.a, f.b, f.r), TS_OK);
    ck_assert_int_eq(ts_affine_range_verify(&f.key, &f.one.key, v, f.C, f.D, f.R2, &proof), _i ? TS_CHEATED : TS_OK);
}
END_TEST

/* 1 modulo the one prime, 2 modulo the other. */
static const struct ts_num *
one_half(const struct ts_modulus *right, const struct ts_modulus *wrong)
{
    const struct ts_num *step = ts_mod_inverse(f.scope, ts_modulus_num(right), wrong);
    const struct ts_num *number = ts_num_mul(f.scope, step, ts_modulus_num(right));

    return ts_num_add(f.scope, number, ts_num_from_u64(f.scope, 1));
}

static const struct ts_num *
respond(const struct ts_num *mask, const struct ts_num *e, const struct ts_num *secret)
{
    return ts_num_add(f.scope, mask, ts_num_mul(f.scope, e, secret));
}

/* affine_range with a factor on E, taken up in the challenge. */
static void
prove_with_factor(struct ts_affine_range *out, const struct ts_num *factor)
{
    struct ts_scope *scope = f.scope;
    const struct ts_modulus *N = f.one.key.N;
    const struct ts_pedersen *v = &f.one.pedersen;
    struct ts_stream *stream = ts_hedge_stream(scope, &f.key, &f.hedge, "masks", NULL, 0);
    const struct ts_num *al = ts_stream_signed(stream, L + 250),
                        *be = ts_stream_signed(stream, TS_AFFINE_BITS(L) + 250);
    const struct ts_num *ga = ts_stream_signed(stream, BITS + 380), *de = ts_stream_signed(stream, BITS + 380);
    const struct ts_num *k = ts_stream_signed(stream, BITS + 128), *mu = ts_stream_signed(stream, BITS + 128);
    const struct ts_num *r = ts_stream_unit(stream, ts_modulus_num(N));

    out->A = ts_paillier_affine(scope, &f.one.key, f.C, al, be, r);
    out->B = ts_point_mul(scope, f.group, al, f.R2);
    out->E = ts_mod_mul(scope, ts_pedersen_commit(scope, v, al, ga), factor, N);
    out->F = ts_pedersen_commit(scope, v, be, de);
    out->S = ts_pedersen_commit(scope, v, f.a, k);
    out->T = ts_pedersen_commit(scope, v, f.b, mu);
    const struct ts_num *e = ts_affine_range_challenge(scope, &f.key, v, f.C, f.D, f.R2, out);
    out->z1 = respond(al, e, f.a);
    out->z2 = respond(be, e, f.b);
    out->z3 = respond(ga, e, k);
    out->z4 = respond(de, e, mu);
    out->w = ts_mod_mul(scope, r, ts_mod_power_vartime(scope, f.r, e, N), N);
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
}

/* Right modulo one of the factors, wrong modulo the other. */
START_TEST(half_a_proof)
{
    struct ts_affine_range proof;
    const struct ts_num *factors[] = {
        ts_num_from_u64(f.scope, 1), one_half(f.one.q, f.one.p), one_half(f.one.p, f.one.q)};

    prove_with_factor(&proof, factors[_i]);
    enum ts_error expected = _i ? TS_CHEATED : TS_OK;
    ck_assert_int_eq(ts_affine_range_verify_trapdoor(&f.key, &f.one, f.C, f.D, f.R2, &proof), expected);
    ck_assert_int_eq(ts_affine_range_verify(&f.key, &f.one.key, &f.one.pedersen, f.C, f.D, f.R2, &proof), expected);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cheating provers");
    TCase *all = tcase_create("cheating provers");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, small_modulus);
    tcase_add_loop_test(all, small_verifier, 0, 2);
    tcase_add_loop_test(all, parameters_of_the_prover, 0, 2);
    tcase_add_loop_test(all, half_a_proof, 0, 3);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
