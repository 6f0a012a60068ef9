#include "session/prime_stock.h"
#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PRIMES TS_TESTDIR "/data/safe_primes.txt"
#define BITS 2048

static struct fixture it;
static char file[160];

static void
set_up(void)
{
    fixture_open(&it);
    fixture_token(&it);
    (void)snprintf(file, sizeof file, "%s/primes", it.dir);
}

static void
tear_down(void)
{
    fixture_close(&it);
}

static enum ts_error
import(const char *spec)
{
    return ts_prime_stock_import(&it.env, it.store, it.keyring, it.token, BITS, spec);
}

static size_t
waiting(void)
{
    size_t count = 99;
    ck_assert_int_eq(ts_primes_count(&count, it.store, it.token, BITS), TS_OK);
    return count;
}

static void
take(struct ts_buf *out)
{
    ts_buf_init_secret(out, BITS / 8);
    ck_assert_int_eq(ts_primes_take(out, it.store, it.keyring, it.token, BITS), TS_OK);
    ck_assert_uint_eq(out->len, BITS / 8);
}

START_TEST(takes_two_and_passes_over)
{
    struct ts_buf first, second;

    ck_assert_int_eq(import(PRIMES), TS_OK);
    ck_assert_uint_eq(waiting(), 1);
    take(&first);
    ck_assert_int_eq(import(PRIMES ":1"), TS_OK);
    take(&second);
    ck_assert_mem_eq(first.data + BITS / 16, second.data, BITS / 16); /* the second prime is now the first */
    ck_assert_mem_ne(first.data, second.data, BITS / 16);
    ck_assert_uint_eq(waiting(), 0);
    ts_buf_clear(&first);
    ts_buf_clear(&second);
}
END_TEST

START_TEST(refuses_what_is_not_there)
{
    ck_assert_int_eq(import(PRIMES ":9000"), TS_FORMAT);
    ck_assert_ptr_nonnull(strstr(it.log, "does not hold two more primes for a modulus of 2048 bits"));
    ck_assert_int_eq(import(""), TS_USAGE);
    ck_assert_int_eq(import(":0"), TS_USAGE);
    ck_assert_int_eq(import("none/such"), TS_IO);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

static void
write_lines(const char *first, const char *second)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    (void)fprintf(out, "# comment\n\n3072 ff\n%s\n%s\n", first, second);
    (void)fclose(out);
}

START_TEST(refuses_bad_lines)
{
    char odd[300] = "2048 ", shorter[300], junk[300];

    memset(odd + 5, 'f', BITS / 8);
    strcpy(shorter, odd);
    shorter[strlen(shorter) - 2] = 0;
    strcpy(junk, odd);
    junk[20] = 'g';

    write_lines(shorter, odd);
    ck_assert_int_eq(import(file), TS_FORMAT);
    ck_assert_ptr_nonnull(strstr(it.log, "primes:4: not \"BITS HEX\""));
    write_lines(odd, junk);
    ck_assert_int_eq(import(file), TS_FORMAT);
    ck_assert_ptr_nonnull(strstr(it.log, "primes:5: not \"BITS HEX\""));
    write_lines("what", odd);
    ck_assert_int_eq(import(file), TS_FORMAT);
    write_lines(odd, odd); /* right form, not prime, not different */
    ck_assert_int_eq(import(file), TS_FORMAT);
    ck_assert_ptr_nonnull(strstr(it.log, "not different safe primes"));
    ck_assert_uint_eq(waiting(), 0);
    (void)unlink(file);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("prime_stock");
    TCase *tests = tcase_create("prime_stock");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, takes_two_and_passes_over);
    tcase_add_test(tests, refuses_what_is_not_there);
    tcase_add_test(tests, refuses_bad_lines);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
