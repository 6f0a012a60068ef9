#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <pthread.h>
#include <string.h>

static struct fixture fx;

static void
open_fixture(void)
{
    fixture_open(&fx);
    fixture_token(&fx);
}

static void
close_fixture(void)
{
    fixture_close(&fx);
}

static enum ts_error
put(const char *name, const char *text)
{
    return ts_value_put(fx.store, fx.keyring, fx.token, name, (const uint8_t *)text, strlen(text));
}

static enum ts_error
expect(const char *name, const char *text)
{
    struct ts_buf out;

    ts_buf_init_secret(&out, 256);
    enum ts_error result = ts_value_get(&out, fx.store, fx.keyring, fx.token, name);
    ck_assert_uint_eq(out.len, result == TS_OK ? strlen(text) : 0);
    ck_assert(out.len == 0 || memcmp(out.data, text, out.len) == 0);
    ts_buf_clear(&out);
    return result;
}

START_TEST(values_come_back_and_are_replaced)
{
    ck_assert_int_eq(expect("identity", ""), TS_NOT_FOUND);
    ck_assert_int_eq(put("identity", "first"), TS_OK);
    ck_assert_int_eq(put("hedge", ""), TS_OK);
    ck_assert_int_eq(expect("identity", "first"), TS_OK);
    ck_assert_int_eq(put("identity", "second"), TS_OK);
    fixture_reopen(&fx);
    ck_assert_int_eq(expect("identity", "second"), TS_OK);
    ck_assert_int_eq(expect("hedge", ""), TS_OK);
    ck_assert_int_eq(put("", "x"), TS_USAGE);
    ck_assert_int_eq(put("has space", "x"), TS_USAGE);
    ck_assert_int_eq(put("123456789012345678901234567890123", "x"), TS_USAGE);
    ck_assert_int_eq(put("12345678901234567890123456789012", "x"), TS_OK);
    fx.token++;
    ck_assert_int_eq(put("identity", "x"), TS_USAGE);
}
END_TEST

START_TEST(values_do_not_open_under_another_name)
{
    ck_assert_int_eq(put("identity", "first"), TS_OK);
    ck_assert_int_eq(put("hedge", "other"), TS_OK);
    fixture_tamper(&fx, "UPDATE value SET sealed = (SELECT sealed FROM value WHERE name = 'hedge')");
    ck_assert_int_eq(expect("identity", ""), TS_STORAGE);
    ck_assert_int_eq(expect("hedge", "other"), TS_OK);
}
END_TEST

static enum ts_error
take(uint32_t bits, char *out_char)
{
    struct ts_buf out;

    ts_buf_init_secret(&out, 64);
    enum ts_error result = ts_primes_take(&out, fx.store, fx.keyring, fx.token, bits);
    ck_assert_uint_eq(out.len, result == TS_OK ? 1 : 0);
    if (result == TS_OK && out_char)
        *out_char = (char)out.data[0];
    ts_buf_clear(&out);
    return result;
}

static size_t
count(uint32_t bits)
{
    size_t number = 99;

    ck_assert_int_eq(ts_primes_count(&number, fx.store, fx.token, bits), TS_OK);
    return number;
}

START_TEST(primes_are_taken_once_in_order)
{
    char got = 0;

    ck_assert_int_eq(take(2048, NULL), TS_NOT_FOUND);
    for (const char *c = "ab"; *c; c++)
        ck_assert_int_eq(ts_primes_put(fx.store, fx.keyring, fx.token, 2048, (const uint8_t *)c, 1), TS_OK);
    ck_assert_int_eq(ts_primes_put(fx.store, fx.keyring, fx.token, 3072, (const uint8_t *)"c", 1), TS_OK);
    ck_assert(count(2048) == 2 && count(3072) == 1 && count(4096) == 0);
    ck_assert_int_eq(take(2048, &got), TS_OK);
    ck_assert_int_eq(got, 'a');
    fixture_reopen(&fx);
    ck_assert_int_eq(take(2048, &got), TS_OK);
    ck_assert_int_eq(got, 'b');
    ck_assert_int_eq(take(2048, NULL), TS_NOT_FOUND);
    ck_assert_int_eq(take(3072, &got), TS_OK);
    ck_assert_int_eq(got, 'c');
}
END_TEST

START_TEST(moved_primes_do_not_open)
{
    for (const char *c = "ab"; *c; c++)
        ck_assert_int_eq(ts_primes_put(fx.store, fx.keyring, fx.token, 2048, (const uint8_t *)c, 1), TS_OK);
    fixture_tamper(&fx, "UPDATE primes SET sealed = (SELECT sealed FROM primes WHERE id = 2) WHERE id = 1");
    ck_assert_int_eq(take(2048, NULL), TS_STORAGE);
    ck_assert_uint_eq(count(2048), 2); /* nothing is deleted that could not be handed out */
}
END_TEST

static void *
take_many(void *arg)
{
    unsigned *seen = arg;
    char got;

    while (take(2048, &got) == TS_OK)
        (void)__atomic_fetch_add(&seen[(unsigned char)got], 1, __ATOMIC_SEQ_CST);
    return NULL;
}

START_TEST(threads_never_get_the_same_primes)
{
    unsigned seen[256] = {0};
    pthread_t threads[3];

    for (uint8_t i = 0; i < 30; i++)
        ck_assert_int_eq(ts_primes_put(fx.store, fx.keyring, fx.token, 2048, &i, 1), TS_OK);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many, seen), 0);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < 256; i++)
        ck_assert_uint_eq(seen[i], i < 30 ? 1 : 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("value");
    TCase *tests = tcase_create("value");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, values_come_back_and_are_replaced);
    tcase_add_test(tests, values_do_not_open_under_another_name);
    tcase_add_test(tests, primes_are_taken_once_in_order);
    tcase_add_test(tests, moved_primes_do_not_open);
    tcase_add_test(tests, threads_never_get_the_same_primes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
