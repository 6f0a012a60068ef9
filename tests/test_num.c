#include "mpc/num.h"
#include "tests/check_main.h"

#include <stdio.h>
#include <string.h>

#define MAX_BYTES 256

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
    scope = NULL;
    ts_env_clear(&env);
}

static uint8_t
nibble(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* A signed number from hexadecimal, with `spare` leading zero bytes. */
static const struct ts_num *
number(const char *hex, size_t spare)
{
    uint8_t bytes[MAX_BYTES] = {0};
    bool negative = hex[0] == '-';
    size_t digits = strlen(hex + negative), len = (digits + 1) / 2 + spare;

    ck_assert_uint_le(len, sizeof bytes);
    for (size_t i = 0; i < digits; i++)
        bytes[len - 1 - i / 2] |= (uint8_t)(nibble(hex[negative + digits - 1 - i]) << (4 * (i % 2)));
    const struct ts_num *value = ts_num_from_bytes(scope, bytes, len);
    return negative ? ts_num_neg(scope, value) : value;
}

static const struct ts_num *
small(int64_t value)
{
    const struct ts_num *magnitude = ts_num_from_u64(scope, (uint64_t)(value < 0 ? -value : value));

    return value < 0 ? ts_num_neg(scope, magnitude) : magnitude;
}

static const struct ts_num *
drawn(size_t bits)
{
    uint8_t bytes[2 * MAX_BYTES];
    size_t len = (bits + 7) / 8;

    ck_assert_int_eq(ts_random(&env, bytes, len), TS_OK);
    return ts_num_low_bits(scope, ts_num_from_bytes(scope, bytes, len), bits);
}

static const struct ts_num *
drawn_odd(size_t bits)
{
    const struct ts_num *one = small(1), *top = ts_num_power_of_two(scope, bits - 1);
    const struct ts_num *middle = ts_num_mul(scope, drawn(bits - 2), small(2));

    return ts_num_resize(scope, ts_num_add(scope, ts_num_add(scope, top, middle), one), bits);
}

static bool
same(const struct ts_num *a, const struct ts_num *b)
{
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
    ck_assert(ts_num_equal(a, b) == ts_num_equal_vartime(a, b));
    ck_assert((ts_num_cmp_vartime(a, b) == 0) == ts_num_equal(a, b));
    return ts_num_equal(a, b) == 1;
}

static const struct ts_num *
compute(const char *op, const struct ts_num *a, const struct ts_num *b, const struct ts_modulus *m)
{
    if (strcmp(op, "add") == 0)
        return ts_num_add(scope, a, b);
    if (strcmp(op, "sub") == 0)
        return ts_num_sub(scope, a, b);
    if (strcmp(op, "mul") == 0)
        return ts_num_mul(scope, a, b);
    if (strcmp(op, "div") == 0)
        return ts_num_div(scope, a, b);
    if (strcmp(op, "mod") == 0)
        return ts_mod(scope, a, ts_modulus_new(scope, b));
    if (strcmp(op, "imod") == 0)
        return ts_num_mod(scope, a, b);
    if (strcmp(op, "inv") == 0)
        return ts_num_inverse(scope, a, b);
    ck_assert_str_eq(op, "pow");
    ck_assert(same(ts_mod_power(scope, a, b, m), ts_mod_power_vartime(scope, a, b, m)));
    return ts_mod_power(scope, a, b, m);
}

START_TEST(known_answers)
{
    char path[1024], line[2048], op[16], a[600], b[600], c[600];
    const struct ts_modulus *m = NULL;
    int rows = 0;

    snprintf(path, sizeof path, "%s/data/arithmetic.txt", TS_TESTDIR);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#' || sscanf(line, "%15s %599s %599s %599s", op, a, b, c) != 4)
            continue;
        if (strcmp(op, "modulus") == 0) {
            m = ts_modulus_new(scope, number(a, 0));
            continue;
        }
        for (size_t spare = 0; spare < 20; spare += 9) /* the result does not depend on widths */
            ck_assert_msg(same(compute(op, number(a, spare), number(b, spare / 2), m), number(c, 0)), "%s", line);
        rows++;
    }
    fclose(file);
    ck_assert_int_eq(rows, 226);
}
END_TEST

START_TEST(signs_and_zero)
{
    const struct ts_num *zero = small(0), *minus_zero = ts_num_neg(scope, zero);
    const struct ts_num *product = ts_num_mul(scope, small(-5), zero);

    ck_assert_uint_eq(ts_num_is_negative(minus_zero), 0);
    ck_assert_uint_eq(ts_num_is_negative(product), 0);
    ck_assert(same(product, minus_zero));
    ck_assert_uint_eq(ts_num_is_zero(product), 1);
    ck_assert_uint_eq(ts_num_is_zero(small(-1)), 0);
    ck_assert_uint_eq(ts_num_is_negative(small(-1)), 1);
    ck_assert_uint_eq(ts_num_is_negative(ts_num_sub(scope, small(5), small(5))), 0);
    ck_assert(same(ts_num_sub(scope, small(3), small(5)), small(-2)));
    ck_assert_uint_eq(ts_num_is_negative(ts_num_div(scope, small(-1), small(2))), 0);
    for (int a = -3; a <= 3; a++)
        for (int b = -3; b <= 3; b++) {
            ck_assert_uint_eq(ts_num_less(small(a), small(b)), a < b);
            ck_assert_int_eq(ts_num_cmp_vartime(small(a), small(b)), (a > b) - (a < b));
            ck_assert(same(ts_num_select(scope, 1, small(a), small(b)), small(a)));
            ck_assert(same(ts_num_select(scope, 0, small(a), small(b)), small(b)));
        }
    const struct ts_num *wide = ts_num_power_of_two(scope, 200), *ones = ts_num_sub(scope, wide, small(1));
    ck_assert_uint_eq(ts_num_less(ones, wide), 1);
    ck_assert_uint_eq(ts_num_less(wide, ones), 0);
    ck_assert_uint_eq(ts_num_less(small(7), wide), 1);
    ck_assert_uint_eq(ts_num_less(ts_num_neg(scope, wide), small(7)), 1);
    ck_assert_uint_eq(ts_num_less(ts_num_neg(scope, wide), ts_num_neg(scope, ones)), 1);
}
END_TEST

START_TEST(widths_and_bytes)
{
    uint8_t in[11] = {0, 0, 0x80, 1, 2, 3, 4, 5, 6, 7, 8}, out[32];
    const struct ts_num *a = ts_num_from_bytes(scope, in, sizeof in);

    ck_assert_uint_eq(ts_num_width(a), 88);
    ck_assert_uint_eq(ts_num_bits_vartime(a), 72);
    ck_assert_int_eq(ts_num_to_bytes(out, 9, a), TS_OK);
    ck_assert_mem_eq(out, in + 2, 9);
    ck_assert_int_eq(ts_num_to_bytes(out, 8, a), TS_INTERNAL);
    ck_assert_int_eq(ts_num_to_bytes(out, 32, ts_num_neg(scope, a)), TS_OK);
    ck_assert_mem_eq(out + 21, in, 11);
    for (int i = 0; i < 21; i++)
        ck_assert_uint_eq(out[i], 0);
    ck_assert_int_eq(ts_num_to_bytes(out, 8, NULL), TS_INTERNAL);
    ck_assert_uint_eq(ts_num_width(ts_num_resize(scope, a, 72)), 72);
    ck_assert_uint_eq(ts_num_width(ts_num_resize(scope, a, 1000)), 1000);
    ck_assert(same(ts_num_resize(scope, a, 1000), a));
    ck_assert(same(ts_num_copy(scope, a), a));
    ck_assert(same(ts_num_low_bits(scope, a, 20), ts_num_from_u64(scope, 0x60708)));
    ck_assert(same(ts_num_low_bits(scope, a, 64), ts_num_from_u64(scope, 0x0102030405060708)));
    ck_assert(same(ts_num_low_bits(scope, a, 0), small(0)));
    ck_assert_uint_eq(ts_num_width(ts_num_add(scope, drawn(513), drawn(512))), 514);
    ck_assert_uint_eq(ts_num_width(ts_num_mul(scope, drawn(513), drawn(100))), 613);
    ck_assert(same(ts_num_from_bytes(scope, NULL, 0), small(0)));
    ck_assert_ptr_null(ts_num_resize(scope, a, 71));
    ck_assert_int_eq(ts_scope_error(scope), TS_INTERNAL);
}
END_TEST

START_TEST(the_first_failure_sticks)
{
    const struct ts_num *one = small(1), *even = small(10);

    ck_assert_ptr_null(ts_modulus_new(scope, even));
    ck_assert_int_eq(ts_scope_error(scope), TS_FORMAT);
    ts_scope_fail(scope, TS_CHEATED);
    ck_assert_int_eq(ts_scope_error(scope), TS_FORMAT);
    ck_assert_ptr_null(ts_num_add(scope, one, one));
    ck_assert_ptr_null(ts_num_from_u64(scope, 1));
    ck_assert_ptr_null(ts_scope_memory(scope, 1));
    ck_assert_ptr_null(ts_mod_power(scope, NULL, NULL, NULL));
    ck_assert_ptr_null(ts_mod_power2_vartime(scope, one, one, one, one, NULL));
    ck_assert_int_eq(ts_scope_error(NULL), TS_INTERNAL);
}
END_TEST

/* A missing argument in a scope without failure is a failure: an equation over it must not hold. */
START_TEST(missing_arguments_fail)
{
    const struct ts_num *one = small(1);

    ck_assert_uint_eq(ts_num_equal(NULL, NULL), 0);
    ck_assert_uint_eq(ts_num_less(NULL, one), 0);
    ck_assert(!ts_num_in_range_vartime(NULL, 5));
    ck_assert(!ts_num_is_unit_vartime(NULL, one));
    ck_assert(!ts_num_is_zero_vartime(NULL));
    ck_assert_int_eq(ts_num_jacobi_vartime(NULL, one), 0);
    ck_assert(!ts_num_is_prime_vartime(NULL, &env));
    ck_assert_ptr_null(ts_num_publish(NULL, ""));
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
    ck_assert_ptr_null(ts_num_add(scope, one, NULL));
    ck_assert_int_eq(ts_scope_error(scope), TS_INTERNAL);
}
END_TEST

static void
expect_failure(const struct ts_num *result, enum ts_error error)
{
    ck_assert_ptr_null(result);
    ck_assert_int_eq(ts_scope_error(scope), error);
    ts_scope_free(scope);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
}

START_TEST(refused_operations)
{
    expect_failure(ts_modulus_num(ts_modulus_new(scope, small(1))), TS_FORMAT);
    expect_failure(ts_modulus_num(ts_modulus_new(scope, small(0))), TS_FORMAT);
    expect_failure(ts_modulus_num(ts_modulus_new(scope, small(-7))), TS_FORMAT);
    expect_failure(ts_num_mod(scope, small(7), small(0)), TS_INTERNAL);
    expect_failure(ts_num_mod(scope, small(7), small(-3)), TS_INTERNAL);
    expect_failure(ts_num_div(scope, small(7), small(0)), TS_INTERNAL);
    expect_failure(ts_num_inverse_vartime(scope, small(6), small(15)), TS_CHEATED);
    expect_failure(ts_num_inverse(scope, small(6), small(10)), TS_INTERNAL);
    const struct ts_modulus *m = ts_modulus_new(scope, small(15));
    expect_failure(ts_mod_power(scope, small(3), small(-1), m), TS_CHEATED);
    m = ts_modulus_new(scope, small(15));
    expect_failure(ts_mod_power_vartime(scope, small(3), small(-1), m), TS_CHEATED);
    m = ts_modulus_new(scope, small(15));
    expect_failure(ts_mod_power_secret_base(scope, small(2), small(-1), m), TS_INTERNAL);
    expect_failure(ts_num_power_of_two(scope, (size_t)1 << 40), TS_INTERNAL);
}
END_TEST

START_TEST(ranges_are_exact)
{
    const struct ts_num *bound = ts_num_power_of_two(scope, 512), *one = small(1);
    const struct ts_num *above = ts_num_add(scope, bound, one);
    const struct ts_num *twice = ts_num_mul(scope, bound, small(2));

    ck_assert(ts_num_in_range_vartime(bound, 512));
    ck_assert(ts_num_in_range_vartime(ts_num_neg(scope, bound), 512));
    ck_assert(ts_num_in_range_vartime(ts_num_sub(scope, bound, one), 512));
    ck_assert(!ts_num_in_range_vartime(above, 512));
    ck_assert(!ts_num_in_range_vartime(ts_num_neg(scope, above), 512));
    ck_assert(!ts_num_in_range_vartime(twice, 512));
    ck_assert(!ts_num_in_range_vartime(bound, 511));
    ck_assert(ts_num_in_range_vartime(small(0), 0));
    ck_assert(ts_num_in_range_vartime(one, 0));
    ck_assert(!ts_num_in_range_vartime(small(2), 0));
}
END_TEST

START_TEST(units_and_residues)
{
    const struct ts_num *m = small(15);

    ck_assert(ts_num_is_unit_vartime(small(14), m));
    ck_assert(!ts_num_is_unit_vartime(small(0), m));
    ck_assert(!ts_num_is_unit_vartime(small(15), m));
    ck_assert(!ts_num_is_unit_vartime(small(16), m));
    ck_assert(!ts_num_is_unit_vartime(small(-1), m));
    ck_assert(!ts_num_is_unit_vartime(small(10), m));
    ck_assert(ts_num_is_reduced_vartime(small(0), m));
    ck_assert(!ts_num_is_reduced_vartime(small(15), m));
    ck_assert(!ts_num_is_reduced_vartime(small(-1), m));
    ck_assert(ts_num_coprime_vartime(small(-8), m));
    ck_assert(!ts_num_coprime_vartime(small(9), m));
    ck_assert_int_eq(ts_num_jacobi_vartime(small(2), m), 1);
    ck_assert_int_eq(ts_num_jacobi_vartime(small(7), m), -1);
    ck_assert_int_eq(ts_num_jacobi_vartime(small(3), m), 0);
    ck_assert_int_eq(ts_num_jacobi_vartime(small(3), small(4)), 0);
    ck_assert_uint_eq(ts_num_mod_u64_vartime(small(-1), 7), 6);
    ck_assert(same(ts_num_inverse_vartime(scope, small(7), m), small(13)));
    ck_assert(same(ts_mod_inverse(scope, small(-8), ts_modulus_new(scope, m)), small(13)));
    ck_assert(same(ts_mod_inverse(scope, small(5), ts_modulus_new(scope, m)), small(0)));
    ck_assert(same(ts_num_inverse(scope, small(15), small(10)), small(0)));
    ck_assert(same(ts_num_inverse(scope, small(7), small(10)), small(3)));
}
END_TEST

START_TEST(primes_and_composites)
{
    static const char *const primes[] = {
        "2", "3", "5", "7", "b", "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"};
    /* the last three are Carmichael numbers (561, 1729) and the first strong pseudoprime to base 2 (2047) */
    static const char *const others[] = {"0", "1", "4", "6", "8", "9", "f", "-7", "231", "6c1", "7ff"};

    for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
        ck_assert_msg(ts_num_is_prime_vartime(number(primes[i], 5), &env), "%s", primes[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!ts_num_is_prime_vartime(number(others[i], 5), &env), "%s", others[i]);
}
END_TEST

/* The constant-time and the variable-time way agree, and both obey the laws of powers. */
START_TEST(powers_agree)
{
    static const size_t sizes[] = {64, 65, 192, 256, 1024, 1536, 2048};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct ts_modulus *m = ts_modulus_new(scope, drawn_odd(sizes[i]));
        const struct ts_num *a = drawn(sizes[i]), *b = drawn(sizes[i]);
        while (!ts_num_coprime_vartime(a, ts_modulus_num(m)))
            a = drawn(sizes[i]);
        while (!ts_num_coprime_vartime(b, ts_modulus_num(m)))
            b = drawn(sizes[i]);
        const struct ts_num *x = drawn(300), *y = ts_num_neg(scope, drawn(190));
        const struct ts_num *ax = ts_mod_power(scope, a, x, m), *ay = ts_mod_power(scope, a, y, m);
        ck_assert(same(ax, ts_mod_power_vartime(scope, a, x, m)));
        ck_assert(same(ax, ts_mod_power_secret_base(scope, a, x, m)));
        ck_assert(same(ay, ts_mod_power_vartime(scope, a, y, m)));
        ck_assert(same(ts_mod_mul(scope, ax, ay, m), ts_mod_power(scope, a, ts_num_add(scope, x, y), m)));
        const struct ts_num *both = ts_mod_mul(scope, ax, ts_mod_power(scope, b, y, m), m);
        ck_assert(same(both, ts_mod_power2_vartime(scope, a, x, b, y, m)));
        ck_assert(same(ts_mod_inverse(scope, a, m), ts_mod_power(scope, a, small(-1), m)));
        ck_assert(same(ts_mod_power(scope, a, small(0), m), small(1)));
        ck_assert(same(ts_mod_power2_vartime(scope, a, small(0), b, small(0), m), small(1)));
        ck_assert_uint_eq(ts_num_width(ax), sizes[i]);
    }
}
END_TEST

/* Leading zero words in exponent and base, down to zero itself, change nothing but the time. */
START_TEST(powers_with_spare_width)
{
    const struct ts_modulus *m = ts_modulus_new(scope, drawn_odd(1024));

    for (size_t bits = 0; bits <= 1024; bits += 64) {
        const struct ts_num *a = drawn(bits), *e = drawn(bits);
        const struct ts_num *wide = ts_num_resize(scope, e, 1024);
        ck_assert(same(ts_mod_power_secret_base(scope, a, wide, m), ts_mod_power_vartime(scope, a, e, m)));
    }
}
END_TEST

START_TEST(ring_laws)
{
    for (size_t i = 0; i < 40; i++) {
        const struct ts_num *a = drawn(1 + 37 * i), *b = ts_num_neg(scope, drawn(700 - 17 * i)), *c = drawn(257);
        const struct ts_modulus *m = ts_modulus_new(scope, drawn_odd(60 + 31 * i));
        const struct ts_num *left = ts_num_mul(scope, ts_num_add(scope, a, b), c);
        const struct ts_num *right = ts_num_add(scope, ts_num_mul(scope, a, c), ts_num_mul(scope, b, c));
        ck_assert(same(left, right));
        ck_assert(same(ts_num_sub(scope, left, right), small(0)));
        ck_assert(same(ts_mod(scope, left, m), ts_mod_mul(scope, ts_mod_add(scope, a, b, m), c, m)));
        ck_assert(same(ts_mod_sub(scope, b, a, m), ts_mod(scope, ts_num_sub(scope, b, a), m)));
        ck_assert(ts_num_is_reduced_vartime(ts_mod(scope, b, m), ts_modulus_num(m)));
        const struct ts_num *d = ts_num_add(scope, c, small(1)), *q = ts_num_div(scope, a, d);
        const struct ts_num *r = ts_num_sub(scope, a, ts_num_mul(scope, q, d));
        ck_assert(same(r, ts_num_mod(scope, a, d)));
    }
}
END_TEST

static bool
all_zero(const uint8_t *memory, size_t size)
{
    uint8_t all = 0;

    for (size_t i = 0; i < size; i++)
        all |= memory[i];
    return all == 0;
}

START_TEST(memory_is_zero_and_aligned)
{
    for (size_t size = 1; size < (size_t)3 << 20; size = size * 3 + 1) {
        uint8_t *memory = ts_scope_memory(scope, size);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % 16, 0);
        ck_assert(all_zero(memory, size));
        memset(memory, 0xff, size);
    }
    ck_assert_ptr_null(ts_scope_memory(scope, SIZE_MAX));
}
END_TEST

START_TEST(reset_starts_anew)
{
    uint8_t *large = ts_scope_memory(scope, 300000), *after;

    memset(large, 0xff, 300000);
    ck_assert(same(ts_mod_power(scope, small(3), small(4), ts_modulus_new(scope, small(7))), small(4)));
    ts_scope_fail(scope, TS_CHEATED);
    ts_scope_reset(scope);
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
    after = ts_scope_memory(scope, 300000);
    ck_assert(all_zero(after, 300000));
    ck_assert(same(ts_mod_power(scope, small(3), small(4), ts_modulus_new(scope, small(7))), small(4)));
    ts_scope_reset(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("num");
    TCase *tcase = tcase_create("num");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, known_answers);
    tcase_add_test(tcase, signs_and_zero);
    tcase_add_test(tcase, widths_and_bytes);
    tcase_add_test(tcase, the_first_failure_sticks);
    tcase_add_test(tcase, missing_arguments_fail);
    tcase_add_test(tcase, refused_operations);
    tcase_add_test(tcase, ranges_are_exact);
    tcase_add_test(tcase, units_and_residues);
    tcase_add_test(tcase, primes_and_composites);
    tcase_add_test(tcase, powers_agree);
    tcase_add_test(tcase, powers_with_spare_width);
    tcase_add_test(tcase, ring_laws);
    tcase_add_test(tcase, memory_is_zero_and_aligned);
    tcase_add_test(tcase, reset_starts_anew);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
