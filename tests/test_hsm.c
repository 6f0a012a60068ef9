#include "store/hsm.h"
#include "tests/check_main.h"
#include "tests/softhsm.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct softhsm soft;
static struct ts_env env;
static struct ts_hsm *hsm;
static char uri[1024], log_lines[8192];
static const uint8_t aad[] = "where it belongs";

static void
keep_line(void *ctx, enum ts_log_level level, const char *line)
{
    size_t used = strlen(log_lines);

    (void)ctx;
    (void)level;
    (void)snprintf(log_lines + used, sizeof log_lines - used, "%s\n", line);
}

static void
start(void)
{
    if (!softhsm_start(&soft))
        abort();
}

static void
stop(void)
{
    softhsm_stop(&soft);
}

static void
open_env(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    env.log = (struct ts_log){NULL, TS_LOG_DEBUG, keep_line};
}

static void
close_env(void)
{
    ts_hsm_free(hsm);
    ts_env_clear(&env);
}

/* Each test has a key of its own name. */
static enum ts_error
make_hsm(const char *key, const char *pin)
{
    struct ts_hsm_options options = {.env = &env, .uri = uri};

    ts_hsm_free(hsm);
    softhsm_uri(uri, sizeof uri, &soft, key, pin);
    return ts_hsm_new(&hsm, &options);
}

static void
make_hsm_with_key(const char *key)
{
    ck_assert_int_eq(make_hsm(key, NULL), TS_OK);
    ck_assert_int_eq(ts_hsm_generate(hsm), TS_OK);
}

static void
expect_seal_and_open(void)
{
    struct ts_buf sealed, opened;

    ts_buf_init(&sealed, 256);
    ts_buf_init_secret(&opened, 256);
    ck_assert_int_eq(ts_hsm_seal(&sealed, hsm, (const uint8_t *)"secret", 6, aad, sizeof aad), TS_OK);
    ck_assert_uint_eq(sealed.len, 12 + 6 + 16);
    ck_assert_int_eq(ts_hsm_open(&opened, hsm, sealed.data, sealed.len, aad, sizeof aad), TS_OK);
    ck_assert_uint_eq(opened.len, 6);
    ck_assert_mem_eq(opened.data, "secret", 6);
    ts_buf_clear(&opened);
    ts_buf_clear(&sealed);
}

START_TEST(the_key_is_generated_once_and_seals)
{
    ck_assert_int_eq(make_hsm("once", NULL), TS_OK);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_NOT_FOUND);
    ck_assert_int_eq(ts_hsm_generate(hsm), TS_OK);
    ck_assert_int_eq(ts_hsm_generate(hsm), TS_EXISTS);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_OK);
    expect_seal_and_open();
    /* what another application of the same key would see */
    ck_assert_int_eq(make_hsm("once", NULL), TS_OK);
    expect_seal_and_open();
}
END_TEST

START_TEST(every_changed_bit_is_refused)
{
    struct ts_buf sealed, opened;

    make_hsm_with_key("bits");
    ts_buf_init(&sealed, 256);
    ts_buf_init(&opened, 256);
    ck_assert_int_eq(ts_hsm_seal(&sealed, hsm, (const uint8_t *)"secret", 6, aad, sizeof aad), TS_OK);
    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(ts_hsm_open(&opened, hsm, sealed.data, sealed.len, aad, sizeof aad), TS_STORAGE);
        sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(ts_hsm_open(&opened, hsm, sealed.data, sealed.len, aad, sizeof aad - 1), TS_STORAGE);
    for (size_t len = 0; len < sealed.len; len++)
        ck_assert_int_eq(ts_hsm_open(&opened, hsm, sealed.data, len, aad, sizeof aad), TS_STORAGE);
    ck_assert_uint_eq(opened.len, 0);
    ck_assert_int_eq(ts_hsm_open(&opened, hsm, sealed.data, sealed.len, aad, sizeof aad), TS_OK);
    ts_buf_clear(&opened);
    ts_buf_clear(&sealed);
}
END_TEST

START_TEST(a_key_with_other_properties_is_refused)
{
    struct ts_buf sealed;

    ts_buf_init(&sealed, 256);
    ck_assert(softhsm_make_key(&soft, "loose", "--extractable"));
    ck_assert_int_eq(make_hsm("loose", NULL), TS_OK);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_STORAGE);
    ck_assert_int_eq(ts_hsm_seal(&sealed, hsm, (const uint8_t *)"x", 1, aad, sizeof aad), TS_STORAGE);
    ck_assert_uint_eq(sealed.len, 0);
    ck_assert_int_eq(ts_hsm_generate(hsm), TS_EXISTS);
    /* two of the same name */
    make_hsm_with_key("twin");
    ck_assert(softhsm_make_key(&soft, "twin", "--sensitive"));
    ck_assert_int_eq(ts_hsm_check(hsm), TS_STORAGE);
    ts_buf_clear(&sealed);
}
END_TEST

START_TEST(a_key_deleted_by_somebody_else_is_not_found)
{
    struct ts_buf sealed;

    make_hsm_with_key("gone");
    expect_seal_and_open();
    ck_assert(softhsm_delete_key(&soft, "gone"));
    ts_buf_init(&sealed, 256);
    ck_assert_int_eq(ts_hsm_seal(&sealed, hsm, (const uint8_t *)"x", 1, aad, sizeof aad), TS_NOT_FOUND);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(log_lines, "is not there"));
    /* the same object goes on with a new key */
    ck_assert_int_eq(ts_hsm_generate(hsm), TS_OK);
    expect_seal_and_open();
    ts_buf_clear(&sealed);
}
END_TEST

START_TEST(a_wrong_pin_is_tried_only_once)
{
    ck_assert_int_eq(make_hsm("pin", "pin-value=wrong-pin"), TS_OK);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_IO);
    ck_assert_ptr_nonnull(strstr(log_lines, "C_Login"));
    ck_assert_ptr_null(strstr(log_lines, "not tried again"));
    ck_assert_int_eq(ts_hsm_check(hsm), TS_IO);
    ck_assert_ptr_nonnull(strstr(log_lines, "not tried again"));
    ck_assert_ptr_null(strstr(log_lines, "wrong-pin"));
}
END_TEST

START_TEST(the_pin_comes_from_a_file_that_may_be_corrected)
{
    char path[128], source[256];

    softhsm_path(path, sizeof path, &soft, "pin");
    (void)snprintf(source, sizeof source, "pin-source=file:%s", path);
    ck_assert_int_eq(make_hsm("file", source), TS_OK);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_IO); /* no such file */
    for (int right = 0; right <= 1; right++) {
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        (void)fprintf(file, "%s\n", right ? SOFTHSM_PIN : "not-the-pin");
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_eq(chmod(path, 0600), 0);
        ck_assert_int_eq(ts_hsm_check(hsm), right ? TS_NOT_FOUND : TS_IO);
    }
}
END_TEST

static void
expect_uri(enum ts_error expected, const char *text)
{
    struct ts_hsm_options options = {.env = &env, .uri = text};

    ts_hsm_free(hsm);
    ck_assert_int_eq(ts_hsm_new(&hsm, &options), expected);
    ck_assert(expected == TS_OK || !hsm);
}

START_TEST(uris_are_checked)
{
    expect_uri(TS_USAGE, "");
    expect_uri(TS_USAGE, "http://example.org/");
    expect_uri(TS_USAGE, "pkcs11:object=k?module-path=/m.so&pin-value=1234");
    expect_uri(TS_USAGE, "pkcs11:token=t?module-path=/m.so&pin-value=1234");
    expect_uri(TS_USAGE, "pkcs11:token=t;object=k?pin-value=1234");
    expect_uri(TS_USAGE, "pkcs11:token=t;object=k?module-path=/m.so");
    expect_uri(TS_USAGE, "pkcs11:token=t;object=k;type=private?module-path=/m.so&pin-value=1234");
    expect_uri(TS_USAGE, "pkcs11:token=t;object=k;colour=red?module-path=/m.so&pin-value=1234");
    ck_assert_ptr_null(strstr(log_lines, "1234"));
    expect_uri(TS_OK, "pkcs11:token=t;object=k?module-path=/m.so&pin-value=1234");
    expect_uri(TS_OK, "pkcs11:serial=5;id=%01?module-name=m&pin-source=env:PIN");
}
END_TEST

START_TEST(a_wrong_module_or_token_is_unreachable)
{
    expect_uri(TS_OK, "pkcs11:token=hsm;object=k?module-path=/nonexistent/m.so&pin-value=1234");
    ck_assert_int_eq(ts_hsm_check(hsm), TS_IO);
    ck_assert_ptr_nonnull(strstr(log_lines, "/nonexistent/m.so"));
    expect_uri(TS_OK, "pkcs11:token=hsm;object=k?module-name=no-such-module&pin-value=1234");
    ck_assert_int_eq(ts_hsm_check(hsm), TS_IO);
    ck_assert_ptr_nonnull(strstr(log_lines, "no-such-module"));
    (void)snprintf(uri, sizeof uri, "pkcs11:token=other;object=k?module-path=%s&pin-value=1234", soft.module);
    expect_uri(TS_OK, uri);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_IO);
    ck_assert_ptr_nonnull(strstr(log_lines, "no token fits"));
}
END_TEST

START_TEST(a_registered_module_is_found_by_name)
{
    make_hsm_with_key("name");
    expect_uri(TS_OK, "pkcs11:token=hsm;object=name?module-name=softhsm2&pin-value=" SOFTHSM_PIN);
    ck_assert_int_eq(ts_hsm_check(hsm), TS_OK);
    expect_seal_and_open();
}
END_TEST

START_TEST(a_forked_child_abandons)
{
    int status = -1;

    make_hsm_with_key("fork");
    expect_seal_and_open();
    pid_t pid = fork();
    if (pid == 0) {
        ts_hsm_abandon(hsm);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_seal_and_open();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("hsm");
    TCase *tests = tcase_create("hsm");

    tcase_add_unchecked_fixture(tests, start, stop);
    tcase_add_checked_fixture(tests, open_env, close_env);
    tcase_add_test(tests, the_key_is_generated_once_and_seals);
    tcase_add_test(tests, every_changed_bit_is_refused);
    tcase_add_test(tests, a_key_with_other_properties_is_refused);
    tcase_add_test(tests, a_key_deleted_by_somebody_else_is_not_found);
    tcase_add_test(tests, a_wrong_pin_is_tried_only_once);
    tcase_add_test(tests, the_pin_comes_from_a_file_that_may_be_corrected);
    tcase_add_test(tests, uris_are_checked);
    tcase_add_test(tests, a_wrong_module_or_token_is_unreachable);
    tcase_add_test(tests, a_registered_module_is_found_by_name);
    tcase_add_test(tests, a_forked_child_abandons);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
