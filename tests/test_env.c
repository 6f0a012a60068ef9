#include "base/env.h"
#include "tests/check_main.h"

#include <string.h>

static char last_line[2048];
static int lines;

static void
keep_line(void *ctx, enum ts_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    lines++;
    strncpy(last_line, line, sizeof last_line - 1);
}

START_TEST(random_bytes_differ)
{
    struct ts_env env;
    uint8_t a[32], b[32];

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_random(&env, a, sizeof a), TS_OK);
    ck_assert_int_eq(ts_random(&env, b, sizeof b), TS_OK);
    ck_assert_mem_ne(a, b, sizeof a);
    uint64_t before = ts_now_ms(&env);
    ck_assert_uint_le(before, ts_now_ms(&env));
    ts_env_clear(&env);
}
END_TEST

START_TEST(log_lines_are_filtered_bounded_and_printable)
{
    struct ts_env env;
    char longer[3000];

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ts_log(&env, TS_LOG_ERROR, "dropped: no hook");
    env.log = (struct ts_log){NULL, TS_LOG_WARNING, keep_line};
    ts_log(&env, TS_LOG_INFO, "dropped: level");
    ck_assert_int_eq(lines, 0);
    ts_log(&env, TS_LOG_ERROR, "peer says %s", "a\nb\x1b[2J");
    ck_assert_str_eq(last_line, "peer says a?b?[2J");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    ts_log(&env, TS_LOG_WARNING, "%s", longer);
    ck_assert_uint_lt(strlen(last_line), 1024);
    ts_env_clear(&env);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("env");
    TCase *tests = tcase_create("env");

    tcase_add_test(tests, random_bytes_differ);
    tcase_add_test(tests, log_lines_are_filtered_bounded_and_printable);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
