#include "store/gcm.h"
#include "store/pin.h"
#include "store/pin_source.h"
#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct fixture fx;
static const uint8_t pin[] = "a-pin";
static const uint8_t token_key[TS_TOKEN_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const struct ts_pin_place place = {1, "00112233aabbccdd", {1, 2, 3}, TS_USER};

static void
open_fixture(void)
{
    fixture_open(&fx);
}

static void
close_fixture(void)
{
    fixture_close(&fx);
}

static enum ts_error
open_at(const struct ts_pin_place *where, const uint8_t *sealed, size_t len)
{
    uint8_t key[TS_TOKEN_KEY_BYTES] = {0}, nothing[TS_TOKEN_KEY_BYTES] = {0};

    enum ts_error result = ts_pin_open(key, &fx.env, NULL, where, pin, sizeof pin, sealed, len);
    ck_assert_mem_eq(key, result == TS_OK ? token_key : nothing, sizeof key);
    return result;
}

static void
seal(struct ts_buf *sealed)
{
    ck_assert_int_eq(ts_pin_seal(sealed, &fx.env, NULL, &place, pin, sizeof pin, token_key), TS_OK);
    ck_assert_uint_eq(sealed->len, 21 + 32 + 28);
}

START_TEST(a_sealed_key_belongs_to_its_place)
{
    struct ts_buf sealed;

    seal(&sealed);
    ck_assert_int_eq(open_at(&place, sealed.data, sealed.len), TS_OK);
    struct ts_pin_place other = place;
    other.token++;
    ck_assert_int_eq(open_at(&other, sealed.data, sealed.len), TS_PIN_INCORRECT);
    other = place;
    other.serial[15] = 'e';
    ck_assert_int_eq(open_at(&other, sealed.data, sealed.len), TS_PIN_INCORRECT);
    other = place;
    other.key_id[7] = 1;
    ck_assert_int_eq(open_at(&other, sealed.data, sealed.len), TS_PIN_INCORRECT);
    other = place;
    other.user = TS_USER_SO;
    ck_assert_int_eq(open_at(&other, sealed.data, sealed.len), TS_PIN_INCORRECT);
    ts_buf_clear(&sealed);
}
END_TEST

START_TEST(two_seals_have_nothing_in_common)
{
    struct ts_buf first, second;

    seal(&first);
    seal(&second);
    ck_assert_mem_eq(first.data, second.data, 5);
    for (size_t at = 5; at + 8 <= first.len; at++)
        ck_assert_mem_ne(first.data + at, second.data + at, 8);
    ts_buf_clear(&second);
    ts_buf_clear(&first);
}
END_TEST

START_TEST(changed_bytes_are_refused)
{
    static const size_t places[] = {5, 20, 21, 32, 33, 64, 65, 80};
    struct ts_buf sealed;

    seal(&sealed);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        sealed.data[places[i]] ^= 0x40;
        ck_assert_int_eq(open_at(&place, sealed.data, sealed.len), TS_PIN_INCORRECT);
        sealed.data[places[i]] ^= 0x40;
    }
    for (size_t len = 0; len < sealed.len; len++)
        ck_assert_int_eq(open_at(&place, sealed.data, len), TS_STORAGE);
    /* fewer rounds than it was made with: allowed by the bounds, refused by the associated data */
    sealed.data[2]--;
    ck_assert_int_eq(open_at(&place, sealed.data, sealed.len), TS_PIN_INCORRECT);
    ts_buf_clear(&sealed);
}
END_TEST

START_TEST(scrypt_parameters_have_bounds)
{
    static const uint8_t bad[][2] = {{0, 2}, {1, 0}, {1, 3}, {2, 0}, {2, 13}, {2, 19}, {2, 255}, {3, 0}, {3, 7},
        {3, 17}, {3, 255}, {4, 0}, {4, 5}, {4, 255}};
    struct ts_buf sealed;

    seal(&sealed);
    ck_assert_int_eq(ts_pin_check(&fx.env, NULL, sealed.data, sealed.len), TS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t good = sealed.data[bad[i][0]];
        sealed.data[bad[i][0]] = bad[i][1];
        ck_assert_int_eq(ts_pin_check(&fx.env, NULL, sealed.data, sealed.len), TS_STORAGE);
        ck_assert_int_eq(open_at(&place, sealed.data, sealed.len), TS_STORAGE);
        sealed.data[bad[i][0]] = good;
    }
    sealed.data[2] = 18; /* each within its bounds, together more memory than allowed */
    sealed.data[3] = 16;
    ck_assert_int_eq(ts_pin_check(&fx.env, NULL, sealed.data, sealed.len), TS_STORAGE);
    ts_buf_clear(&sealed);
}
END_TEST

/* --- where a PIN is read from --- */

static enum ts_error
read_pin(const char *source, const char *expected)
{
    struct ts_buf out;

    fx.log[0] = 0;
    ts_buf_init_secret(&out, 512);
    enum ts_error result = ts_pin_source_read(&out, &fx.env, source);
    size_t len = result == TS_OK ? strlen(expected) : 0;
    ck_assert_uint_eq(out.len, len);
    ck_assert(len == 0 || memcmp(out.data, expected, len) == 0);
    ck_assert(result == TS_OK || fx.log[0]);
    ts_buf_clear(&out);
    return result;
}

static void
write_file(const char *name, const char *content, mode_t mode)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", fx.dir, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(a_pin_comes_from_a_file)
{
    static const char *const forms[] = {"", "file:", "file://"};
    static const char *const contents[] = {"1234", "1234\n", "1234\r\n"};
    char source[200], longest[TS_PIN_MAX + 2];

    for (size_t i = 0; i < 3; i++) {
        write_file("pin", contents[i], 0600);
        (void)snprintf(source, sizeof source, "%s%s/pin", forms[i], fx.dir);
        ck_assert_int_eq(read_pin(source, "1234"), TS_OK);
        ck_assert_str_eq(fx.log, "");
    }
    write_file("pin", "12\n34\n\n", 0600);
    ck_assert_int_eq(read_pin(source, "12\n34\n"), TS_OK);
    write_file("pin", "1234", 0640);
    ck_assert_int_eq(read_pin(source, "1234"), TS_OK);
    ck_assert_ptr_nonnull(strstr(fx.log, "chmod 600"));
    write_file("pin", "\n", 0600);
    ck_assert_int_eq(read_pin(source, ""), TS_USAGE);
    memset(longest, 'x', sizeof longest);
    longest[TS_PIN_MAX + 1] = 0;
    write_file("pin", longest, 0600);
    ck_assert_int_eq(read_pin(source, ""), TS_USAGE);
    longest[TS_PIN_MAX] = 0;
    write_file("pin", longest, 0600);
    ck_assert_int_eq(read_pin(source, longest), TS_OK);
}
END_TEST

START_TEST(what_is_no_file_is_refused_at_once)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/none", fx.dir);
    ck_assert_int_eq(read_pin(path, ""), TS_IO);
    ck_assert_int_eq(read_pin(fx.dir, ""), TS_IO);
    (void)snprintf(path, sizeof path, "%s/pipe", fx.dir);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(read_pin(path, ""), TS_IO);
}
END_TEST

START_TEST(a_pin_comes_from_the_environment_or_a_credential)
{
    ck_assert_int_eq(setenv("TS_TEST_PIN", "5678", 1), 0);
    ck_assert_int_eq(read_pin("env:TS_TEST_PIN", "5678"), TS_OK);
    ck_assert_int_eq(read_pin("env:TS_TEST_NO_PIN", ""), TS_IO);
    ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    ck_assert_int_eq(read_pin("credential:hsm", ""), TS_IO);
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", fx.dir, 1), 0);
    ck_assert_int_eq(read_pin("credential:hsm", ""), TS_IO);
    write_file("hsm", "9999\n", 0400);
    ck_assert_int_eq(read_pin("credential:hsm", "9999"), TS_OK);
    ck_assert_int_eq(read_pin("credential:", ""), TS_USAGE);
    ck_assert_int_eq(read_pin("credential:..", ""), TS_USAGE);
    ck_assert_int_eq(read_pin("credential:../hsm", ""), TS_USAGE);
}
END_TEST

START_TEST(other_forms_are_refused_and_not_logged)
{
    static const char *const forms[] = {"", "my-real-pin", "env:", "file:", "file://host/my-real-pin", "|my-real-pin"};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        ck_assert_int_eq(read_pin(forms[i], ""), TS_USAGE);
        ck_assert_ptr_null(strstr(fx.log, "my-real-pin"));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pin");
    TCase *tests = tcase_create("pin");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, a_sealed_key_belongs_to_its_place);
    tcase_add_test(tests, two_seals_have_nothing_in_common);
    tcase_add_test(tests, changed_bytes_are_refused);
    tcase_add_test(tests, scrypt_parameters_have_bounds);
    tcase_add_test(tests, a_pin_comes_from_a_file);
    tcase_add_test(tests, what_is_no_file_is_refused_at_once);
    tcase_add_test(tests, a_pin_comes_from_the_environment_or_a_credential);
    tcase_add_test(tests, other_forms_are_refused_and_not_logged);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
