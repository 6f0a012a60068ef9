#include "base/text.h"
#include "tests/check_main.h"

#include <string.h>

START_TEST(hex_digits)
{
    static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char out[9];

    ts_text_hex(out, bytes, sizeof bytes);
    ck_assert_str_eq(out, "000fa5ff");
    ts_text_hex(out, bytes, 0);
    ck_assert_str_eq(out, "");
}
END_TEST

static const struct {
    const char *text, *safe;
} cases[] = {
    {"plain", "plain"},
    {"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x91", "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x91"},
    {"a\x1b[2Jb", "a\\x1b[2Jb"}, /* an escape sequence */
    {"a\xc2\x9b"
     "2Jb",
        "a\\xc2\\x9b2Jb"}, /* the same as one C1 control */
    {"a\nb\tc", "a\\x0ab\\x09c"},
    {"del\x7f", "del\\x7f"},
    {"back\\slash", "back\\\\slash"},
    {"\xe2\x80\xae"
     "fdp.exe",
        "\\xe2\\x80\\xaefdp.exe"}, /* right-to-left override */
    {"zero\xe2\x80\x8bwidth", "zero\\xe2\\x80\\x8bwidth"},
    {"\xff\xfe", "\\xff\\xfe"},
    {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
    {"cut\xe2\x82", "cut\\xe2\\x82"},
};

START_TEST(makes_text_safe)
{
    char out[64];
    const char *text = cases[_i].text;

    ck_assert_str_eq(ts_text_safe(out, sizeof out, text, strlen(text)), cases[_i].safe);
    if (!strchr(text, '\\'))
        ck_assert_int_eq(ts_text_is_plain(text, strlen(text), false), strcmp(text, cases[_i].safe) == 0);
}
END_TEST

START_TEST(cuts_between_characters)
{
    char out[8];

    ck_assert_str_eq(ts_text_safe(out, sizeof out, "abcdef\x1b", 7), "abcdef");
    ck_assert_str_eq(ts_text_safe(out, sizeof out, "abcdef\xe2\x82\xac", 9), "abcdef");
    ck_assert_str_eq(ts_text_safe(out, sizeof out, "abcdefghi", 9), "abcdefg");
}
END_TEST

START_TEST(allows_lines_when_told)
{
    ck_assert(ts_text_is_plain("a\nb\tc", 5, true));
    ck_assert(!ts_text_is_plain("a\nb", 3, false));
    ck_assert(!ts_text_is_plain("a\rb", 3, true));
    ck_assert(!ts_text_is_plain("a\0b", 3, true));
    ck_assert(ts_text_is_plain("", 0, false));
}
END_TEST

START_TEST(bad_forms_and_copies)
{
    static const char *const bad[] = {"\n", "a\x7f", "\xc2\x85", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xff", "\xc3", "a\xe2\x82", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\xa8"};
    char out[5];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!ts_text_is_plain(bad[i], strlen(bad[i]), false), "%zu", i);
    static const char good[] = "Gr\xc3\xbc\xc3\x9f"
                               "e \xf0\x9f\x94\x91 \xe6\xbc\xa2";
    ck_assert(ts_text_is_plain(good, strlen(good), false));
    ck_assert(ts_text_is_plain("", 0, false));
    ts_text_copy(out, sizeof out,
        "a\n\xc3\xbc"
        "bc");
    ck_assert_str_eq(out, "a?\xc3\xbc");
    ts_text_copy(out, sizeof out, "abc\xc3\xbc");
    ck_assert_str_eq(out, "abc");
    ts_text_copy(out, sizeof out, NULL);
    ck_assert_str_eq(out, "");
    ts_text_copy(out, 1, "x");
    ck_assert_str_eq(out, "");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");

    tcase_add_test(tests, hex_digits);
    tcase_add_test(tests, bad_forms_and_copies);
    tcase_add_loop_test(tests, makes_text_safe, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tests, cuts_between_characters);
    tcase_add_test(tests, allows_lines_when_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
