#include "mpc/num_table.h"
#include "tests/check_main.h"

#include <stdint.h>

static struct ts_env env;
static struct ts_scope *scope;

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
}

static void
teardown(void)
{
    ts_scope_free(scope);
    ts_env_clear(&env);
}

static const struct ts_num *
drawn(size_t bits)
{
    uint8_t bytes[1024];

    ck_assert_int_eq(ts_random(&env, bytes, sizeof bytes), TS_OK);
    return ts_num_low_bits(scope, ts_num_from_bytes(scope, bytes, sizeof bytes), bits);
}

/* Odd, with the highest bit set. */
static const struct ts_modulus *
drawn_modulus(size_t bits)
{
    const struct ts_num *top = ts_num_power_of_two(scope, bits - 1), *one = ts_num_from_u64(scope, 1);
    const struct ts_num *even = ts_num_mul(scope, drawn(bits - 3), ts_num_from_u64(scope, 2));

    return ts_modulus_new(scope, ts_num_resize(scope, ts_num_add(scope, ts_num_add(scope, top, even), one), bits));
}

static const struct ts_num *
drawn_unit(const struct ts_modulus *m)
{
    const struct ts_num *unit;

    do
        unit = ts_mod(scope, drawn(4200), m);
    while (!ts_num_is_unit_vartime(unit, ts_modulus_num(m)));
    return unit;
}

static bool
same(const struct ts_num *a, const struct ts_num *b)
{
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
    return ts_num_equal_vartime(a, b);
}

#define WIDTH ((size_t)700)

static const struct ts_num *
exponent_of(int i)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1), *top = ts_num_power_of_two(scope, WIDTH - 1);
    const struct ts_num *const exponents[] = {ts_num_from_u64(scope, 0), one, ts_num_neg(scope, one), top,
        ts_num_neg(scope, top), ts_num_resize(scope, ts_num_sub(scope, top, one), WIDTH), drawn(WIDTH),
        ts_num_neg(scope, drawn(WIDTH)), drawn(144), ts_num_neg(scope, drawn(143)), drawn(256)};

    return exponents[i];
}
#define EXPONENTS 11

static const size_t sizes[] = {1024, 2048, 3072, 4096};

/* With and without tables, made at the first use and used again. */
START_TEST(powers_agree)
{
    const struct ts_modulus *m = drawn_modulus(sizes[_i]);
    struct ts_table_base bases[2] = {
        {drawn_unit(m), ts_table_slot_new(scope), WIDTH}, {drawn_unit(m), ts_table_slot_new(scope), WIDTH}};

    for (int i = 0; i < EXPONENTS; i++) {
        const struct ts_num *const exponents[2] = {exponent_of(i), exponent_of((3 * i + 1) % EXPONENTS)};
        const struct ts_num *left = ts_mod_power_vartime(scope, bases[0].base, exponents[0], m);
        const struct ts_num *right = ts_mod_power_vartime(scope, bases[1].base, exponents[1], m);
        ck_assert(same(ts_table_power(scope, bases, exponents, 1, m), left));
        ck_assert(same(ts_table_power(scope, bases, exponents, 2, m), ts_mod_mul(scope, left, right, m)));
        struct ts_table_base plain = {bases[0].base, NULL, WIDTH};
        ck_assert(same(ts_table_power(scope, &plain, exponents, 1, m), left));
    }
}
END_TEST

START_TEST(refused)
{
    const struct ts_modulus *m = drawn_modulus(2048);
    struct ts_table_base base = {drawn_unit(m), ts_table_slot_new(scope), 100};
    const struct ts_num *exponent = drawn(145); /* of a second block, which the table does not have */

    ck_assert_ptr_null(ts_table_power(scope, &base, &exponent, 1, m));
    ck_assert_int_eq(ts_scope_error(scope), TS_INTERNAL);
}
END_TEST

/* A base without an inverse makes no table. */
START_TEST(not_a_unit)
{
    const struct ts_num *factor =
        ts_num_add(scope, ts_num_mul(scope, drawn(1022), ts_num_from_u64(scope, 2)), ts_num_from_u64(scope, 3));
    const struct ts_num *product = ts_num_mul(scope, factor, ts_modulus_num(drawn_modulus(1024)));
    const struct ts_modulus *m = ts_modulus_new(scope, ts_num_resize(scope, product, 2048));
    struct ts_table_base base = {factor, ts_table_slot_new(scope), WIDTH};
    const struct ts_num *exponent = drawn(WIDTH);

    ck_assert(m != NULL);
    ck_assert_ptr_null(ts_table_power(scope, &base, &exponent, 1, m));
    ck_assert_int_eq(ts_scope_error(scope), TS_INTERNAL);
}
END_TEST

START_TEST(two_at_once)
{
    for (int i = 0; i < 4; i++) {
        const struct ts_modulus *const m[2] = {drawn_modulus(sizes[_i]), drawn_modulus(sizes[i])};
        const struct ts_num *const base[2] = {drawn(sizes[_i] + 5), drawn(100)};
        const struct ts_num *const exponent[2] = {drawn(sizes[_i]), i % 2 ? drawn(128) : drawn(sizes[i])};
        const struct ts_num *out[2];
        ts_mod_power_secret_base_x2(out, scope, base, exponent, m);
        for (int k = 0; k < 2; k++)
            ck_assert(same(out[k], ts_mod_power_vartime(scope, base[k], exponent[k], m[k])));
    }
    const struct ts_modulus *const m[2] = {drawn_modulus(1024), drawn_modulus(1024)};
    const struct ts_num *const base[2] = {drawn(100), drawn(100)};
    const struct ts_num *const exponent[2] = {drawn(100), ts_num_neg(scope, drawn(100))};
    const struct ts_num *out[2];
    ts_mod_power_secret_base_x2(out, scope, base, exponent, m);
    ck_assert(!out[0] && !out[1]);
    ck_assert_int_eq(ts_scope_error(scope), TS_INTERNAL);
}
END_TEST

/* One bad value among good ones, at every place. */
START_TEST(units_together)
{
    const struct ts_num *N = ts_num_from_u64(scope, 15), *square = ts_num_from_u64(scope, 225);
    const uint64_t bad[] = {0, 3, 5, 15, 30, 225, 226};
    const struct ts_num *values[3];

    for (size_t i = 0; i < 3; i++)
        values[i] = ts_num_from_u64(scope, 224 - i * 6); /* 224, 218, 212 */
    ck_assert(ts_num_are_units_vartime(values, 3, square, N));
    ck_assert(!ts_num_are_units_vartime(values, 3, N, N));
    for (size_t i = 0; i < 3; i++) {
        const struct ts_num *good = values[i];
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            values[i] = ts_num_from_u64(scope, bad[k]);
            ck_assert(!ts_num_are_units_vartime(values, 3, square, N));
        }
        values[i] = ts_num_neg(scope, good);
        ck_assert(!ts_num_are_units_vartime(values, 3, square, N));
        values[i] = NULL;
        ck_assert(!ts_num_are_units_vartime(values, 3, square, N));
        values[i] = good;
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("num_table");
    TCase *tcase = tcase_create("num_table");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, powers_agree, 0, 4);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, not_a_unit);
    tcase_add_loop_test(tcase, two_at_once, 0, 4);
    tcase_add_test(tcase, units_together);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
