#include "mpc/signature.h"
#include "mpc/hedge.h"
#include "tests/check_main.h"

#include <string.h>

/* One signature by both parties, without Paillier: V = x1/k2 + x2/k2 + beta is computed in the clear. */
static struct ts_env env;
static struct ts_mpc *mpc;
static struct ts_scope *scope;
static const struct ts_group *group;
static const struct ts_num *a, *b, *beta, *h, *delta, *r, *sigma, *zero;
static struct ts_sign_p1_input in;

static const struct ts_num *
scalar(enum ts_curve curve)
{
    static const uint8_t hk[TS_HEDGE_KEY_BYTES];
    const struct ts_hedge hedge = {.hk = hk};
    const struct ts_place place = {.mpc = mpc, .curve = curve};

    return ts_hedge_scalar(scope, &place, &hedge, "test", NULL, 0, false);
}

/* All values of one signature under a curve. */
static void
make(enum ts_curve curve)
{
    group = ts_mpc_group(mpc, curve);
    const struct ts_modulus *q = ts_group_order(group);
    const struct ts_num *x1 = scalar(curve), *x2 = scalar(curve), *k1 = scalar(curve), *k2 = scalar(curve);
    const struct ts_num *nu = ts_num_from_u64(scope, 12345);

    beta = scalar(curve);
    h = scalar(curve);
    delta = scalar(curve);
    ck_assert_int_eq(ts_presign_p2_values(&a, &b, scope, group, k2, x2, beta, nu), TS_OK);
    const struct ts_num *M = ts_num_add(scope, ts_num_mul(scope, a, x1), b);
    const struct ts_point *R = ts_point_mul(scope, group, k1, ts_point_mul_base(scope, group, k2));
    r = ts_rerandomised_r(scope, group, delta, R);
    sigma = ts_sign_p2(scope, group, a, beta, h, r);
    in = (struct ts_sign_p1_input){.X = ts_point_mul_base(scope, group, ts_mod_add(scope, x1, x2, q)),
        .k1 = k1,
        .V = ts_presign_p1_value(scope, group, M),
        .h = h,
        .delta = delta,
        .r = r,
        .sigma = sigma};
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
}

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_mpc_new(&mpc, &env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    zero = ts_num_from_u64(scope, 0);
    make(TS_CURVE_P256);
}

static void
teardown(void)
{
    ts_scope_free(scope);
    ts_mpc_free(mpc);
    ts_env_clear(&env);
}

/* What P1 answers to an input, in a scope of its own. */
static enum ts_error
answer(const struct ts_sign_p1_input *input)
{
    struct ts_scope *own;

    ck_assert_int_eq(ts_scope_new(&own), TS_OK);
    const struct ts_num *s = ts_sign_p1(own, group, input);
    enum ts_error error = ts_scope_error(own);
    ck_assert_int_eq(s != NULL, error == TS_OK);
    ts_scope_free(own);
    return error;
}

static const struct ts_num *
plus_one(const struct ts_num *value)
{
    return ts_num_add(scope, value, ts_num_from_u64(scope, 1));
}

START_TEST(signature_verifies_and_is_low)
{
    for (int i = 0; i < 8; i++) { /* s is high before the choice in about half of the runs */
        make((enum ts_curve)_i);
        const struct ts_num *s = ts_sign_p1(scope, group, &in);
        const struct ts_num *q = ts_modulus_num(ts_group_order(group));
        ck_assert_ptr_nonnull(s);
        ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, r, s), TS_OK);
        ck_assert_int_lt(ts_num_cmp_vartime(ts_num_add(scope, s, s), q), 0);
        uint8_t encoded[2 * TS_SCALAR_MAX_BYTES];
        ck_assert_int_eq(ts_signature_encode(encoded, group, r, s), TS_OK);
        size_t size = ts_group_scalar_bytes(group);
        ck_assert(ts_num_equal_vartime(ts_num_from_bytes(scope, encoded + size, size), s));
    }
}
END_TEST

START_TEST(presign_values)
{
    const struct ts_num *q = ts_modulus_num(ts_group_order(group));
    const struct ts_num *rest = ts_num_sub(scope, b, ts_num_mul(scope, ts_num_from_u64(scope, 12345), q));

    ck_assert(ts_num_is_reduced_vartime(rest, q));
    ck_assert(ts_num_is_reduced_vartime(a, q));
}
END_TEST

START_TEST(sigma_out_of_range_is_refused)
{
    const struct ts_num *q = ts_modulus_num(ts_group_order(group));
    struct ts_sign_p1_input wrong = in;

    wrong.sigma = ts_num_add(scope, sigma, q);
    ck_assert_int_eq(answer(&wrong), TS_FORMAT);
    wrong.sigma = ts_num_sub(scope, sigma, q);
    ck_assert_int_eq(answer(&wrong), TS_FORMAT);
    wrong.sigma = q;
    ck_assert_int_eq(answer(&wrong), TS_FORMAT);
}
END_TEST

START_TEST(wrong_values_are_refused)
{
    const struct ts_modulus *q = ts_group_order(group);
    struct ts_sign_p1_input wrong = in;

    wrong.sigma = ts_mod(scope, plus_one(sigma), q);
    ck_assert_int_eq(answer(&wrong), TS_CHEATED);
    wrong = in;
    wrong.V = ts_mod(scope, plus_one(in.V), q);
    ck_assert_int_eq(answer(&wrong), TS_CHEATED);
    wrong = in;
    wrong.h = ts_mod(scope, plus_one(h), q);
    ck_assert_int_eq(answer(&wrong), TS_CHEATED);
    wrong = in;
    wrong.X = ts_point_mul_base(scope, group, h);
    ck_assert_int_eq(answer(&wrong), TS_CHEATED);
    ck_assert_int_eq(answer(&in), TS_OK);
}
END_TEST

START_TEST(zero_s_is_refused)
{
    const struct ts_modulus *q = ts_group_order(group);
    struct ts_sign_p1_input wrong = in;

    /* sigma = -r V */
    wrong.sigma = ts_mod_sub(scope, zero, ts_mod_mul(scope, r, in.V, q), q);
    ck_assert_int_eq(answer(&wrong), TS_CHEATED);
}
END_TEST

START_TEST(infinity_has_no_r)
{
    ck_assert_ptr_null(ts_rerandomised_r(scope, group, zero, in.X));
    ck_assert_int_eq(ts_scope_error(scope), TS_CHEATED);
}
END_TEST

START_TEST(verification_refuses_what_is_out_of_range)
{
    const struct ts_num *s = ts_sign_p1(scope, group, &in);
    const struct ts_num *q = ts_modulus_num(ts_group_order(group));
    const struct ts_point *infinity = ts_point_mul_base(scope, group, zero);

    ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, r, s), TS_OK);
    ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, r, ts_num_add(scope, s, q)), TS_CHEATED);
    ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, ts_num_add(scope, r, q), s), TS_CHEATED);
    ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, r, ts_num_neg(scope, s)), TS_CHEATED);
    ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, zero, s), TS_CHEATED);
    ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, r, zero), TS_CHEATED);
    ck_assert_int_eq(ts_ecdsa_verify(group, infinity, h, r, s), TS_CHEATED);
    ck_assert_int_eq(ts_ecdsa_verify(group, NULL, h, r, s), TS_CHEATED);
    ck_assert_int_eq(ts_ecdsa_verify(group, in.X, h, r, NULL), TS_CHEATED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("signature");
    TCase *tcase = tcase_create("signature");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, signature_verifies_and_is_low, TS_CURVE_P256, TS_CURVE_P521 + 1);
    tcase_add_test(tcase, presign_values);
    tcase_add_test(tcase, sigma_out_of_range_is_refused);
    tcase_add_test(tcase, wrong_values_are_refused);
    tcase_add_test(tcase, zero_s_is_refused);
    tcase_add_test(tcase, infinity_has_no_r);
    tcase_add_test(tcase, verification_refuses_what_is_out_of_range);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
