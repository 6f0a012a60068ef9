#include "server/policy.h"
#include "tests/check_main.h"
#include "tests/config_text.h"

#include <string.h>

/* Hashes that differ in their first byte. */
#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccdd"
static const char text[] = "server:\n"
                           "  rate: 60\n"
                           "  callers:\n"
                           "    - name: alice\n"
                           "      token: aa00" DIGITS "\n"
                           "      allow: ['sign:web-*', 'read:*', 'keygen:exact']\n"
                           "    - name: bob\n"
                           "      certificate: bb00" DIGITS "\n"
                           "      rate: 2\n"
                           "      allow: ['cancel:web-[ab]']\n"
                           "    - name: nobody\n"
                           "      token: cc00" DIGITS "\n";
static struct ts_policy *policy;

static void
set_up(void)
{
    char message[256];
    struct ts_config *config = config_from(text, message);

    ck_assert_msg(config != NULL, "%s", message);
    policy = ts_policy_new(config, 1000);
    ck_assert_ptr_nonnull(policy);
}

static void
tear_down(void)
{
    ts_policy_release(policy);
}

static void
hash_of(uint8_t out[32], uint8_t first)
{
    out[0] = first;
    out[1] = 0;
    for (unsigned i = 2; i < 32; i++)
        out[i] = (uint8_t)((i - 2) % 16 * 0x11);
}

static const char *
name_of(const struct ts_caller *caller)
{
    return caller ? caller->config->name : "";
}

START_TEST(finds_who_has_the_token)
{
    uint8_t hash[32];

    hash_of(hash, 0xaa);
    ck_assert_str_eq(name_of(ts_policy_by_token(policy, hash)), "alice");
    hash_of(hash, 0xcc);
    ck_assert_str_eq(name_of(ts_policy_by_token(policy, hash)), "nobody");
    for (unsigned bit = 0; bit < 256; bit++) { /* all of it counts */
        hash_of(hash, 0xaa);
        hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_str_eq(name_of(ts_policy_by_token(policy, hash)), "");
    }
}
END_TEST

START_TEST(finds_who_has_the_certificate)
{
    uint8_t hash[32];

    hash_of(hash, 0xbb);
    ck_assert_str_eq(name_of(ts_policy_by_certificate(policy, hash)), "bob");
    for (unsigned bit = 0; bit < 256; bit++) {
        hash_of(hash, 0xbb);
        hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_str_eq(name_of(ts_policy_by_certificate(policy, hash)), "");
    }
}
END_TEST

/* A hash is no secret; who has no token must not be opened by zeros, nor by the hash of the certificate. */
START_TEST(a_token_is_no_certificate)
{
    uint8_t hash[32];

    hash_of(hash, 0xbb);
    ck_assert_str_eq(name_of(ts_policy_by_token(policy, hash)), "");
    hash_of(hash, 0xaa);
    ck_assert_str_eq(name_of(ts_policy_by_certificate(policy, hash)), "");
    memset(hash, 0, sizeof hash);
    ck_assert_str_eq(name_of(ts_policy_by_token(policy, hash)), "");
    ck_assert_str_eq(name_of(ts_policy_by_certificate(policy, hash)), "");
}
END_TEST

static const struct {
    unsigned caller;
    const char *operation, *label;
    bool may;
} grants[] = {
    {0, "sign", "web-1", true},
    {0, "sign", "web-", true},
    {0, "sign", "web", false},
    {0, "sign", "my-web-1", false},
    {0, "sign", "", false},
    {0, "read", "", true},
    {0, "read", "anything", true},
    {0, "keygen", "exact", true},
    {0, "keygen", "exactly", false},
    {0, "keygen", "web-1", false}, /* a grant is for its operation */
    {0, "cancel", "web-1", false},
    {0, "sig", "web-1", false},
    {0, "signs", "web-1", false},
    {0, "", "web-1", false},
    {1, "cancel", "web-a", true},
    {1, "cancel", "web-c", false},
    {1, "sign", "web-a", false},
    {1, "read", "web-a", false},
    {2, "sign", "web-1", false}, /* without a grant nothing */
    {2, "read", "", false},
    {2, "keygen", "exact", false},
    {2, "cancel", "web-a", false},
};

START_TEST(may_what_is_granted_and_nothing_else)
{
    const struct ts_caller *caller = &policy->callers[grants[_i].caller];

    ck_assert_int_eq(ts_caller_may(caller, grants[_i].operation, grants[_i].label), grants[_i].may);
}
END_TEST

START_TEST(may_some)
{
    ck_assert(ts_caller_may_some(&policy->callers[0], "sign"));
    ck_assert(!ts_caller_may_some(&policy->callers[0], "cancel"));
    ck_assert(ts_caller_may_some(&policy->callers[1], "cancel"));
    ck_assert(!ts_caller_may_some(&policy->callers[1], "read"));
    ck_assert(!ts_caller_may_some(&policy->callers[2], "read"));
}
END_TEST

START_TEST(a_bucket_runs_empty_and_fills_with_time)
{
    struct ts_bucket *slow = &policy->callers[1].bucket, *usual = &policy->callers[0].bucket;

    ck_assert_uint_eq(usual->rate, 60);
    ck_assert(ts_bucket_take(slow, 1000));
    ck_assert(ts_bucket_take(slow, 1000));
    ck_assert(!ts_bucket_take(slow, 1000));
    ck_assert(!ts_bucket_take(slow, 30999)); /* two a minute: one in 30 s */
    ck_assert(ts_bucket_take(slow, 31000));
    ck_assert(!ts_bucket_take(slow, 31000));
    ck_assert(ts_bucket_take(slow, 100000000)); /* however long it was quiet, no more than its rate at once */
    ck_assert(ts_bucket_take(slow, 100000000));
    ck_assert(!ts_bucket_take(slow, 100000000));
    for (unsigned i = 0; i < 60; i++)
        ck_assert(ts_bucket_take(usual, 1000));
    ck_assert(!ts_bucket_take(usual, 1000));
}
END_TEST

START_TEST(lives_as_long_as_it_is_held)
{
    struct ts_policy *held = ts_policy_hold(policy);
    uint8_t hash[32];

    ts_policy_release(held);
    hash_of(hash, 0xaa);
    ck_assert_str_eq(name_of(ts_policy_by_token(policy, hash)), "alice");
    ts_policy_release(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("callers");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, finds_who_has_the_token);
    tcase_add_test(tests, finds_who_has_the_certificate);
    tcase_add_test(tests, a_token_is_no_certificate);
    tcase_add_loop_test(tests, may_what_is_granted_and_nothing_else, 0, sizeof grants / sizeof *grants);
    tcase_add_test(tests, may_some);
    tcase_add_test(tests, a_bucket_runs_empty_and_fills_with_time);
    tcase_add_test(tests, lives_as_long_as_it_is_held);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
