#include "peer/question.h"
#include "tests/check_main.h"

#include <string.h>

static const uint8_t digest[32] = {0xab, 0xcd};
static const uint8_t key[TS_ID_BYTES] = {1, 2, 3};

static struct ts_question
signing(void)
{
    return (struct ts_question){.kind = TS_ASK_SIGN,
        .partner = "office",
        .label = "invoice",
        .application = "nginx",
        .host = "web1",
        .user = "www",
        .curve = "P-256",
        .mechanism = "ECDSA-SHA256",
        .digest = digest,
        .digest_len = sizeof digest,
        .key = key};
}

static char *
show(const struct ts_question *question)
{
    static char shown[TS_QUESTION_MAX_BYTES + 1];
    struct ts_buf out;

    ts_buf_init(&out, TS_QUESTION_MAX_BYTES);
    ck_assert_int_eq(ts_question_show(&out, question), TS_OK);
    memcpy(shown, out.data, out.len);
    shown[out.len] = 0;
    ts_buf_clear(&out);
    return shown;
}

START_TEST(shows_every_field)
{
    static const char *const wanted[] = {"asks for a signature", "partner      office\n", "key label    invoice\n",
        "key          01020300000000000000000000000000\n", "curve        P-256\n", "application  nginx\n",
        "host         web1\n", "user         www\n", "mechanism    ECDSA-SHA256\n",
        "digest       abcd000000000000000000000000000000000000000000000000000000000000\n", "only its digest is known"};
    struct ts_question question = signing();
    const char *shown = show(&question);

    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_msg(strstr(shown, wanted[i]) != NULL, "%s lacks %s", shown, wanted[i]);
}
END_TEST

START_TEST(shows_text_behind_a_bar)
{
    static const char text[] = "Pay 5 \xe2\x82\xac\n  partner      somebody else\n";
    struct ts_question question = signing();

    question.message = (const uint8_t *)text;
    question.message_len = sizeof text - 1;
    const char *shown = show(&question);
    ck_assert_ptr_nonnull(strstr(shown, "    | Pay 5 \xe2\x82\xac\n    |   partner      somebody else\n"));
    ck_assert_ptr_null(strstr(shown, "\n  partner      somebody else"));
    ck_assert_ptr_null(strstr(shown, "NOT shown"));
}
END_TEST

START_TEST(dumps_what_is_no_text)
{
    static const char text[] = "good\x1b[2J\x1b[1;1Hevil";
    struct ts_question question = signing();

    question.message = (const uint8_t *)text;
    question.message_len = sizeof text - 1;
    const char *shown = show(&question);
    ck_assert_ptr_null(strchr(shown, '\x1b'));
    ck_assert_ptr_nonnull(strstr(shown, "not plain text"));
    ck_assert_ptr_nonnull(strstr(shown, "    | 0000  676f6f641b5b324a1b5b313b31486576\n    | 0010  696c\n"));
}
END_TEST

START_TEST(says_what_it_leaves_out)
{
    static uint8_t large[65536];
    struct ts_question question = signing();

    question.message = large;
    question.message_len = sizeof large;
    memset(large, 'a', sizeof large);
    ck_assert_ptr_nonnull(strstr(show(&question), "... 61440 more bytes are NOT shown"));
    memset(large, '\n', sizeof large); /* one line for each byte: the longest that text becomes */
    ck_assert_ptr_nonnull(strstr(show(&question), "... 61440 more bytes are NOT shown"));
    large[65535] = 0;
    ck_assert_ptr_nonnull(strstr(show(&question), "... 65024 more bytes are NOT shown"));
    memset(large, 'a', sizeof large);
    memcpy(large + 4095, "\xe2\x82\xac", 3); /* not cut inside a character */
    ck_assert_ptr_nonnull(strstr(show(&question), "... 61441 more bytes are NOT shown"));
}
END_TEST

START_TEST(names_cannot_steer_the_terminal)
{
    struct ts_question question = signing();

    question.label = "a\x1b[31m\nuser root";
    question.partner = "\xe2\x80\xae"
                       "evil";
    const char *shown = show(&question);
    ck_assert_ptr_null(strchr(shown, '\x1b'));
    ck_assert_ptr_nonnull(strstr(shown, "a\\x1b[31m\\x0auser root\n"));
    ck_assert_ptr_nonnull(strstr(shown, "\\xe2\\x80\\xaeevil"));
}
END_TEST

START_TEST(tells_the_kinds_apart)
{
    struct ts_question question = {.kind = TS_ASK_PAIR, .partner = "office", .label = "", .application = ""};

    ck_assert_ptr_nonnull(strstr(show(&question), "pair with this device"));
    ck_assert_ptr_null(strstr(show(&question), "digest"));
    ck_assert_ptr_null(strstr(show(&question), "application"));
    question.kind = TS_ASK_KEYGEN;
    ck_assert_ptr_nonnull(strstr(show(&question), "make a new key"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("question");
    TCase *tests = tcase_create("question");

    tcase_add_test(tests, shows_every_field);
    tcase_add_test(tests, shows_text_behind_a_bar);
    tcase_add_test(tests, dumps_what_is_no_text);
    tcase_add_test(tests, says_what_it_leaves_out);
    tcase_add_test(tests, names_cannot_steer_the_terminal);
    tcase_add_test(tests, tells_the_kinds_apart);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
