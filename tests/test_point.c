#include "mpc/point_library.h"
#include "tests/check_main.h"

#include <string.h>

/* Each curve with each library that does it, so that both are tested in one build. */
static const struct {
    enum ts_curve curve;
    const struct ts_point_library *library;
} curves[] = {
    {TS_CURVE_P256, &ts_point_openssl},
    {TS_CURVE_SECP256K1, &ts_point_openssl},
    {TS_CURVE_P384, &ts_point_openssl},
    {TS_CURVE_P521, &ts_point_openssl},
#if defined(TS_LIBSECP256K1)
    {TS_CURVE_SECP256K1, &ts_point_secp256k1},
#endif
};
#define CURVES ((int)(sizeof curves / sizeof *curves))

static struct ts_env env;
static struct ts_scope *scope;
static struct ts_group *group;

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    group = NULL;
}

static void
teardown(void)
{
    ts_scope_free(scope);
    ts_group_free(group);
    ts_env_clear(&env);
}

static void
open_group(int i)
{
    ck_assert_int_eq(ts_group_new_with(&group, &env, curves[i].curve, curves[i].library), TS_OK);
}

static const struct ts_num *
small(uint64_t value)
{
    return ts_num_from_u64(scope, value);
}

static const struct ts_num *
scalar(void)
{
    uint8_t bytes[TS_SCALAR_MAX_BYTES];

    ck_assert_int_eq(ts_random(&env, bytes, sizeof bytes), TS_OK);
    return ts_num_from_bytes(scope, bytes, sizeof bytes);
}

static bool
same(const struct ts_point *a, const struct ts_point *b)
{
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
    return ts_point_equal(group, a, b);
}

START_TEST(names_and_sizes)
{
    static const enum ts_curve named[] = {TS_CURVE_P256, TS_CURVE_SECP256K1, TS_CURVE_P384, TS_CURVE_P521};
    static const struct {
        const char *name;
        size_t bits, scalar, hash, point;
    } expected[] = {{"P-256", 256, 32, 48, 65}, {"secp256k1", 256, 32, 48, 65}, {"P-384", 384, 48, 64, 97},
        {"P-521", 521, 66, 82, 133}};

    ck_assert_int_eq(ts_group_new(&group, &env, named[_i]), TS_OK);
    ck_assert_int_eq(ts_group_curve(group), named[_i]);
    ck_assert_str_eq(ts_curve_name(named[_i]), expected[_i].name);
    ck_assert_int_eq(ts_curve_by_name(expected[_i].name, strlen(expected[_i].name)), named[_i]);
    ck_assert_int_eq(ts_curve_by_name(expected[_i].name, strlen(expected[_i].name) - 1), TS_CURVE_NONE);
    ck_assert_uint_eq(ts_group_bits(group), expected[_i].bits);
    ck_assert_uint_eq(ts_group_scalar_bytes(group), expected[_i].scalar);
    ck_assert_uint_eq(ts_group_hash_bytes(group), expected[_i].hash);
    ck_assert_uint_eq(ts_group_point_bytes(group), expected[_i].point);
    ck_assert_uint_eq(ts_num_bits_vartime(ts_modulus_num(ts_group_order(group))), expected[_i].bits);
}
END_TEST

START_TEST(no_curve)
{
    ck_assert_int_eq(ts_group_new(&group, &env, TS_CURVE_NONE), TS_INTERNAL);
    ck_assert_ptr_null(group);
    ck_assert_str_eq(ts_curve_name(TS_CURVE_NONE), "");
    ck_assert_int_eq(ts_curve_by_name("", 0), TS_CURVE_NONE);
    ck_assert_int_eq(ts_curve_by_name("P-224", 5), TS_CURVE_NONE);
}
END_TEST

START_TEST(group_laws)
{
    open_group(_i);
    const struct ts_modulus *q = ts_group_order(group);
    for (int i = 0; i < 5; i++) {
        const struct ts_num *a = scalar(), *b = ts_num_neg(scope, scalar());
        const struct ts_point *A = ts_point_mul_base(scope, group, a), *B = ts_point_mul_base(scope, group, b);
        const struct ts_point *sum = ts_point_add(scope, group, A, B);
        ck_assert(same(sum, ts_point_mul_base(scope, group, ts_num_add(scope, a, b))));
        ck_assert(same(ts_point_mul(scope, group, b, A), ts_point_mul(scope, group, a, B)));
        ck_assert(same(ts_point_mul_base(scope, group, ts_mod_mul(scope, a, b, q)), ts_point_mul(scope, group, a, B)));
        const struct ts_point *mixed = ts_point_mul2_vartime(scope, group, a, b, A);
        ck_assert(same(mixed, ts_point_add(scope, group, A, ts_point_mul(scope, group, b, A))));
        ck_assert(!same(A, B));
        ck_assert(same(ts_point_add(scope, group, A, A), ts_point_mul(scope, group, small(2), A)));
        ck_assert(same(ts_point_copy(scope, group, A), A));
    }
}
END_TEST

START_TEST(infinity)
{
    uint8_t bytes[TS_POINT_MAX_BYTES];

    open_group(_i);
    const struct ts_num *q = ts_modulus_num(ts_group_order(group));
    const struct ts_point *none = ts_point_mul_base(scope, group, q);
    const struct ts_point *G = ts_point_mul_base(scope, group, small(1));
    ck_assert(ts_point_is_infinity(group, none));
    ck_assert(!ts_point_is_infinity(group, G));
    ck_assert(!ts_point_is_infinity(group, NULL));
    ck_assert(ts_point_is_infinity(group, ts_point_mul(scope, group, small(0), G)));
    ck_assert(ts_point_is_infinity(group, ts_point_mul(scope, group, small(5), none)));
    ck_assert(ts_point_is_infinity(group, ts_point_mul2_vartime(scope, group, small(0), small(0), G)));
    ck_assert(same(ts_point_add(scope, group, none, G), G));
    ck_assert(same(ts_point_mul2_vartime(scope, group, small(1), small(0), G), G));
    ck_assert(ts_point_is_infinity(group, ts_point_add(scope, group, none, none)));
    ck_assert(same(ts_point_add(scope, group, G, none), G));
    ck_assert(same(ts_point_mul2_vartime(scope, group, small(1), small(5), none), G));
    ck_assert(
        ts_point_is_infinity(group, ts_point_mul2_vartime(scope, group, small(5), ts_num_neg(scope, small(5)), G)));
    ck_assert(ts_point_is_infinity(group, ts_point_copy(scope, group, none)));
    ck_assert(same(none, ts_point_mul(scope, group, q, G)));
    ck_assert(!same(none, G) && !same(G, none));
    ck_assert_int_eq(ts_point_encode(bytes, group, none), TS_INTERNAL);
    ck_assert_ptr_null(ts_point_x(scope, group, none));
    ck_assert_int_eq(ts_scope_error(scope), TS_CHEATED);
}
END_TEST

/* q-1 and values with leading zero words: scalars go to OpenSSL at their full width. */
START_TEST(short_and_long_scalars)
{
    open_group(_i);
    const struct ts_num *q = ts_modulus_num(ts_group_order(group)), *one = small(1);
    const struct ts_point *G = ts_point_mul_base(scope, group, one), *sum = G;
    const struct ts_point *last = ts_point_mul_base(scope, group, ts_num_sub(scope, q, one));
    ck_assert(ts_point_is_infinity(group, ts_point_add(scope, group, last, G)));
    ck_assert(same(last, ts_point_mul(scope, group, ts_num_neg(scope, one), G)));
    for (uint64_t k = 1; k < 20; k++) {
        ck_assert(same(sum, ts_point_mul_base(scope, group, small(k))));
        ck_assert(same(sum, ts_point_mul(scope, group, small(k), G)));
        ck_assert(same(sum, ts_point_mul2_vartime(scope, group, small(k - 1), one, G)));
        sum = ts_point_add(scope, group, sum, G);
    }
}
END_TEST

/* x(G) of each curve, SEC 2 version 2 and FIPS 186-4 D.1.2. */
START_TEST(known_generators)
{
    static const uint64_t low_words[] = {
        0xf4a13945d898c296, 0x59f2815b16f81798, 0x3a545e3872760ab7, 0xf97e7e31c2e5bd66, 0x59f2815b16f81798};

    open_group(_i);
    const struct ts_num *x = ts_point_x(scope, group, ts_point_mul_base(scope, group, small(1)));
    ck_assert(ts_num_equal(ts_num_low_bits(scope, x, 64), small(low_words[_i])));
}
END_TEST

#if defined(TS_LIBSECP256K1)
static enum ts_error
no_entropy(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx, (void)out, (void)len;
    return TS_INTERNAL;
}

/* The two libraries of secp256k1 give the same bytes for the same scalars. */
START_TEST(both_libraries_agree)
{
    struct ts_group *groups[2];
    uint8_t bytes[2][3][65];

    ck_assert_int_eq(ts_group_new_with(&groups[0], &env, TS_CURVE_SECP256K1, &ts_point_openssl), TS_OK);
    ck_assert_int_eq(ts_group_new_with(&groups[1], &env, TS_CURVE_SECP256K1, &ts_point_secp256k1), TS_OK);
    ck_assert(ts_num_equal(ts_modulus_num(ts_group_order(groups[0])), ts_modulus_num(ts_group_order(groups[1]))));
    for (int round = 0; round < 20; round++) {
        const struct ts_num *a = scalar(), *b = scalar();
        for (int i = 0; i < 2; i++) {
            const struct ts_point *A = ts_point_mul_base(scope, groups[i], a);
            ck_assert_int_eq(ts_point_encode(bytes[i][0], groups[i], A), TS_OK);
            ck_assert_int_eq(ts_point_encode(bytes[i][1], groups[i], ts_point_mul(scope, groups[i], b, A)), TS_OK);
            const struct ts_point *mixed = ts_point_mul2_vartime(scope, groups[i], b, a, A);
            ck_assert_int_eq(ts_point_encode(bytes[i][2], groups[i], ts_point_add(scope, groups[i], mixed, A)), TS_OK);
        }
        ck_assert_mem_eq(bytes[0], bytes[1], sizeof bytes[0]);
    }
    ts_group_free(groups[0]);
    ts_group_free(groups[1]);
}
END_TEST

/* No other curve than its own, and nothing without the randomness that blinds it. */
START_TEST(the_other_library_refuses)
{
    ck_assert_int_eq(ts_group_new_with(&group, &env, TS_CURVE_P256, &ts_point_secp256k1), TS_INTERNAL);
    ck_assert_ptr_null(group);
    env.entropy.fill = no_entropy;
    ck_assert_int_eq(ts_group_new_with(&group, &env, TS_CURVE_SECP256K1, &ts_point_secp256k1), TS_INTERNAL);
    ck_assert_ptr_null(group);
}
END_TEST
#endif

static void
expect_refused(const uint8_t *bytes, size_t len)
{
    ck_assert_ptr_null(ts_point_decode(scope, group, bytes, len));
    ck_assert_int_eq(ts_scope_error(scope), TS_FORMAT);
    ts_scope_free(scope);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
}

START_TEST(decoding)
{
    uint8_t bytes[TS_POINT_MAX_BYTES + 1] = {0}, bad[TS_POINT_MAX_BYTES + 1];

    open_group(_i);
    size_t len = ts_group_point_bytes(group), half = len / 2;
    const struct ts_point *P = ts_point_mul_base(scope, group, scalar());
    ck_assert_int_eq(ts_point_encode(bytes, group, P), TS_OK);
    ck_assert(same(P, ts_point_decode(scope, group, bytes, len)));
    expect_refused(bytes, len - 1);
    expect_refused(bytes, len + 1);
    expect_refused(bytes, 0);
    expect_refused(bytes, 1);
    for (int first = 0; first < 256; first++) {
        memcpy(bad, bytes, sizeof bad);
        bad[0] = (uint8_t)first;
        if (first != 4)
            expect_refused(bad, len);
        if (first == 2 || first == 3)
            expect_refused(bad, 1 + half);
    }
    memcpy(bad, bytes, sizeof bad);
    bad[len - 1] ^= 1;
    expect_refused(bad, len);
    memset(bad + 1, 0, len - 1);
    expect_refused(bad, len);
    memcpy(bad, bytes, sizeof bad);
    memset(bad + 1, 0xff, half);
    expect_refused(bad, len);
    memcpy(bad, bytes, sizeof bad);
    memset(bad + 1 + half, 0xff, half);
    expect_refused(bad, len);
}
END_TEST

/* x + p encodes the same residue where there is room for it: P-521 has seven spare bits. */
START_TEST(unreduced_coordinates)
{
    uint8_t bytes[TS_POINT_MAX_BYTES];

    ck_assert_int_eq(ts_group_new(&group, &env, TS_CURVE_P521), TS_OK);
    ck_assert_int_eq(ts_point_encode(bytes, group, ts_point_mul_base(scope, group, small(1))), TS_OK);
    const struct ts_num *x = ts_num_from_bytes(scope, bytes + 1, 66);
    const struct ts_num *p = ts_num_sub(scope, ts_num_power_of_two(scope, 521), small(1));
    ck_assert_int_eq(ts_num_to_bytes(bytes + 1, 66, ts_num_add(scope, x, p)), TS_OK);
    expect_refused(bytes, sizeof bytes);
}
END_TEST

START_TEST(missing_arguments_fail)
{
    ck_assert_int_eq(ts_group_new(&group, &env, TS_CURVE_P256), TS_OK);
    ck_assert(!ts_point_equal(group, NULL, NULL));
    ck_assert_ptr_null(ts_point_add(scope, group, NULL, NULL));
    ck_assert_int_eq(ts_scope_error(scope), TS_INTERNAL);
    ck_assert_ptr_null(ts_point_mul_base(scope, group, NULL));
    ts_group_free(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("point");
    TCase *tcase = tcase_create("point");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, names_and_sizes, 0, 4);
    tcase_add_test(tcase, no_curve);
    tcase_add_loop_test(tcase, group_laws, 0, CURVES);
    tcase_add_loop_test(tcase, infinity, 0, CURVES);
    tcase_add_loop_test(tcase, short_and_long_scalars, 0, CURVES);
    tcase_add_loop_test(tcase, known_generators, 0, CURVES);
    tcase_add_loop_test(tcase, decoding, 0, CURVES);
    tcase_add_test(tcase, unreduced_coordinates);
#if defined(TS_LIBSECP256K1)
    tcase_add_test(tcase, both_libraries_agree);
    tcase_add_test(tcase, the_other_library_refuses);
#endif
    tcase_add_test(tcase, missing_arguments_fail);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
