#include "session/config_server.h"
#include "tests/check_main.h"
#include "tests/config_text.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct {
    const char *text, *operation, *pattern; /* pattern NULL: refused */
} grants[] = {
    {"keygen:*", "keygen", "*"},
    {"sign:web-*", "sign", "web-*"},
    {"read:a:b", "read", "a:b"},
    {"cancel: ", "cancel", " "},
    {"sign", NULL, NULL},
    {"sign:", NULL, NULL},
    {":*", NULL, NULL},
    {"", NULL, NULL},
    {"*:*", NULL, NULL},
    {"SIGN:*", NULL, NULL},
    {"sig:*", NULL, NULL},
    {"signs:*", NULL, NULL},
    {" sign:*", NULL, NULL},
};

START_TEST(reads_a_grant)
{
    size_t len = 0;
    const char *pattern = ts_config_grant(&len, grants[_i].text);

    if (!grants[_i].pattern) {
        ck_assert_ptr_null(pattern);
        return;
    }
    ck_assert_str_eq(pattern, grants[_i].pattern);
    ck_assert_uint_eq(len, strlen(grants[_i].operation));
}
END_TEST

#define CALLER(lines) "server: {callers: [{" lines "}]}\n"
static const struct {
    const char *text, *message;
} bad[] = {
    {CALLER("name: a"), "server.callers[0]: not complete: a token or a certificate is needed"},
    {CALLER("token: " HASH), "server.callers[0].name: not there"},
    {CALLER("name: '', token: " HASH), "server.callers[0].name: not a name of 1 to 64 bytes"},
    {CALLER("name: a, token: secret"), "server.callers[0].token: not 64 lower-case hexadecimal digits of a SHA-256"},
    {CALLER("name: a, token: " HASH "0"), "server.callers[0].token: not 64 lower-case hexadecimal digits of a SHA-256"},
    {CALLER("name: a, token: " HASH "x"), "server.callers[0].token: not 64 lower-case hexadecimal digits of a SHA-256"},
    {CALLER("name: a, certificate: 'AA112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'"),
        "server.callers[0].certificate: not 64 lower-case hexadecimal digits of a SHA-256"},
    {CALLER("name: a, rate: 0, token: " HASH), "server.callers[0].rate: not "},
    {CALLER("name: a, token: " HASH ", allow: ['sign:*', 'destroy:*']"),
        "server.callers[0].allow[1]: not operation:pattern with one of keygen, sign, read, cancel"},
    {CALLER("name: a, token: " HASH "}, {name: a, token: " HASH), "server.callers[1].name: not a name of its own"},
    {CALLER("name: a, admin: yes, token: " HASH), "unknown key \"server.callers[0].admin\""},
    {"capabilities: [sign, fly]\n", "capabilities[1]: not one of keygen, sign"},
    {"partners: ['']\n", "partners[0]: not a name of 1 to 64 bytes"},
    {"role: boss\n", "role: \"boss\" is not "},
    {"server: {audit-keep: 0d}\n", "server.audit-keep: \"0d\" is not an age"},
};

START_TEST(refuses)
{
    char message[256];
    struct ts_config *config = config_from(bad[_i].text, message);

    ck_assert_ptr_null(config);
    ck_assert_msg(strstr(message, bad[_i].message) != NULL, "%s instead of %s", message, bad[_i].message);
}
END_TEST

START_TEST(has_its_numbers_without_a_file_saying_so)
{
    char message[256];
    struct ts_config *config = config_from("role: enterprise\n", message);

    ck_assert_ptr_nonnull(config);
    ck_assert_uint_eq(config->server.workers, 4);
    ck_assert_uint_eq(config->server.queue, 256);
    ck_assert_uint_eq(config->server.rate, 600);
    ck_assert_uint_eq(config->server.body, 131072);
    ck_assert_uint_eq(config->server.deadline, 60000);
    ck_assert_uint_eq(config->server.read, 10000);
    ck_assert_uint_eq(config->server.stop, 20000);
    ck_assert_uint_eq(config->server.keep, 86400);
    ck_assert_uint_eq(config->server.audit_keep, 365 * 86400);
    ck_assert_uint_eq(config->server.callers_count, 0);
    ck_assert(ts_config_capable(config, "sign"));
    ck_assert(ts_config_partner(config, "anybody"));
    ts_config_free(config);
}
END_TEST

/* A list that is there limits, also an empty one. */
START_TEST(lists_limit)
{
    char message[256];
    struct ts_config *some = config_from("capabilities: [sign]\npartners: [phone]\n", message);
    struct ts_config *none = config_from("capabilities: []\npartners: []\n", message);

    ck_assert_ptr_nonnull(some);
    ck_assert_ptr_nonnull(none);
    ck_assert(ts_config_capable(some, "sign"));
    ck_assert(!ts_config_capable(some, "keygen"));
    ck_assert(!ts_config_capable(some, "sig"));
    ck_assert(ts_config_partner(some, "phone"));
    ck_assert(!ts_config_partner(some, "phone2"));
    ck_assert(!ts_config_capable(none, "sign"));
    ck_assert(!ts_config_partner(none, "phone"));
    ts_config_free(some);
    ts_config_free(none);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("config_server");
    TCase *tests = tcase_create("server");

    tcase_add_loop_test(tests, reads_a_grant, 0, sizeof grants / sizeof *grants);
    tcase_add_loop_test(tests, refuses, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tests, has_its_numbers_without_a_file_saying_so);
    tcase_add_test(tests, lists_limit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
