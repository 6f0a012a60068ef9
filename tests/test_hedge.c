#include "mpc/hedge.h"
#include "tests/check_main.h"

#include <stdio.h>
#include <string.h>

static struct ts_env env;
static struct ts_mpc *mpc;
static struct ts_scope *scope;
static struct ts_place place;
static const uint8_t hk[TS_HEDGE_KEY_BYTES] = {1, 2, 3};

/* A generator and a clock that stand still, as after a virtual machine was cloned. */
static enum ts_error
stuck(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 5, len);
    return TS_OK;
}

static uint64_t
no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    env.entropy.fill = stuck;
    env.clock.realtime_ns = no_time;
    ck_assert_int_eq(ts_mpc_new(&mpc, &env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    place = (struct ts_place){.mpc = mpc, .curve = TS_CURVE_P256, .sid_len = 32, .role = TS_ROLE_P2, .index = 5};
}

static void
teardown(void)
{
    ts_scope_free(scope);
    ts_mpc_free(mpc);
    ts_env_clear(&env);
}

static void
unhex(uint8_t *out, size_t len, const char *text)
{
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

/* protocol-equations.md 7 */
START_TEST(known_seed_and_scalar)
{
    uint8_t random[64], key[32], seed[TS_SEED_BYTES], expected[TS_SEED_BYTES], k2[32], found[32];
    struct ts_hedge hedge = {.fixed_seed = seed};

    unhex(place.sid, 32, "6325bd3a9a36a91c4fdb0a8da6ae662a82673173010dfc1e20bf1d4c7667960c");
    unhex(expected, 64,
        "f8be641bb3606866dda53cbabba8b83d2cacad37056c042bb173a32744f498d9"
        "4344db77a2c49dd9ab4e548585e0687548b9890d520ba977f402f9fdc45801ac");
    unhex(k2, 32, "0f91e215ed0ab9cb3e3d3e75de252300cae2c257f2fb442941f3507405ff034d");
    memset(random, 0x77, sizeof random);
    memset(key, 0x88, sizeof key);
    ck_assert_int_eq(ts_hedge_seed(seed, &place, "k2", NULL, 0, random, key, 0, 0), TS_OK);
    ck_assert_mem_eq(seed, expected, sizeof seed);
    const struct ts_num *scalar = ts_hedge_scalar(scope, &place, &hedge, "k2", NULL, 0, false);
    ck_assert_int_eq(ts_num_to_bytes(found, sizeof found, scalar), TS_OK);
    ck_assert_mem_eq(found, k2, sizeof k2);
}
END_TEST

START_TEST(every_input_changes_the_seed)
{
    uint8_t random[64] = {0}, key[32] = {0}, bind[1] = {0}, seeds[8][TS_SEED_BYTES];
    struct ts_place other = place;

    other.index++;
    ts_hedge_seed(seeds[0], &place, "k2", NULL, 0, random, key, 0, 0);
    ts_hedge_seed(seeds[1], &other, "k2", NULL, 0, random, key, 0, 0);
    ts_hedge_seed(seeds[2], &place, "k1", NULL, 0, random, key, 0, 0);
    ts_hedge_seed(seeds[3], &place, "k2", bind, 1, random, key, 0, 0);
    ts_hedge_seed(seeds[4], &place, "k2", NULL, 0, random, key, 1, 0);
    ts_hedge_seed(seeds[5], &place, "k2", NULL, 0, random, key, 0, 1);
    random[63] = 1;
    ts_hedge_seed(seeds[6], &place, "k2", NULL, 0, random, key, 0, 0);
    random[63] = 0;
    key[31] = 1;
    ts_hedge_seed(seeds[7], &place, "k2", NULL, 0, random, key, 0, 0);
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < i; j++)
            ck_assert_mem_ne(seeds[i], seeds[j], TS_SEED_BYTES);
    }
}
END_TEST

START_TEST(counter_separates_runs_of_a_stuck_generator)
{
    const struct ts_hedge hedge = {.hk = hk};
    const struct ts_num *first = ts_hedge_scalar(scope, &place, &hedge, "k1", NULL, 0, false);
    const struct ts_num *second = ts_hedge_scalar(scope, &place, &hedge, "k1", NULL, 0, false);

    ck_assert_ptr_nonnull(first);
    ck_assert(!ts_num_equal_vartime(first, second));
    ck_assert_uint_eq(ts_mpc_count(mpc), 2);
}
END_TEST

START_TEST(values_are_in_their_ranges)
{
    static const uint8_t seed[TS_SEED_BYTES] = {9};
    struct ts_stream *stream = ts_stream_from_seed(scope, mpc, seed);
    bool negative = false, positive = false;

    for (int i = 0; i < 200; i++) {
        const struct ts_num *z = ts_stream_signed(stream, 3);
        ck_assert(ts_num_in_range_vartime(z, 3));
        ck_assert(!ts_num_equal_vartime(z, ts_num_from_u64(scope, 8)));
        negative = negative || ts_num_is_negative_vartime(z);
        positive = positive || ts_num_cmp_vartime(z, ts_num_from_u64(scope, 0)) > 0;
        ck_assert_uint_le(ts_num_bits_vartime(ts_stream_bits(stream, 9)), 9);
        const struct ts_num *modulus = ts_num_from_u64(scope, i % 2 ? 15 : 16);
        ck_assert(ts_num_is_reduced_vartime(ts_stream_residue(stream, modulus), modulus));
        ck_assert(ts_num_is_unit_vartime(ts_stream_unit(stream, modulus), modulus));
    }
    ck_assert(negative && positive);
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
}
END_TEST

START_TEST(stream_is_one_stream)
{
    static const uint8_t seed[TS_SEED_BYTES] = {9};
    struct ts_stream *long_one = ts_stream_from_seed(scope, mpc, seed);
    struct ts_stream *short_one = ts_stream_from_seed(scope, mpc, seed);
    const size_t bytes = 5000; /* more than what is made at first */
    const struct ts_num *whole = ts_stream_bits(long_one, 8 * bytes);
    uint8_t expected[5000], byte;

    ck_assert_int_eq(ts_num_to_bytes(expected, bytes, whole), TS_OK);
    for (size_t i = 0; i < bytes; i++) {
        ck_assert_int_eq(ts_num_to_bytes(&byte, 1, ts_stream_bits(short_one, 8)), TS_OK);
        ck_assert_uint_eq(byte, expected[i]);
    }
}
END_TEST

START_TEST(moduli_without_elements_are_refused)
{
    static const uint8_t seed[TS_SEED_BYTES] = {9};
    struct ts_stream *stream = ts_stream_from_seed(scope, mpc, seed);

    ck_assert_ptr_null(ts_stream_unit(stream, ts_num_from_u64(scope, _i ? 1 : 0)));
    ck_assert_int_ne(ts_scope_error(scope), TS_OK);
}
END_TEST

START_TEST(no_values_after_failed_entropy)
{
    ts_scope_fail(scope, TS_INTERNAL);
    ck_assert_ptr_null(ts_stream_new(scope, &place, hk, "x", NULL, 0));
    ck_assert_ptr_null(ts_stream_signed(NULL, 8));
    ck_assert_ptr_null(ts_stream_unit(NULL, NULL));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("hedge");
    TCase *tcase = tcase_create("hedge");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, known_seed_and_scalar);
    tcase_add_test(tcase, every_input_changes_the_seed);
    tcase_add_test(tcase, counter_separates_runs_of_a_stuck_generator);
    tcase_add_test(tcase, values_are_in_their_ranges);
    tcase_add_test(tcase, stream_is_one_stream);
    tcase_add_loop_test(tcase, moduli_without_elements_are_refused, 0, 2);
    tcase_add_test(tcase, no_values_after_failed_entropy);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
