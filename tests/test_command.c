#include "base/command.h"
#include "tests/check_main.h"

static int
count(void *ctx, int argc, char **argv)
{
    (void)argv;
    *(int *)ctx += argc;
    return 7;
}

static const struct ts_command commands[] = {{"count", "", "Count.", "", count}};
static const struct ts_program program = {"program", "Tests.", commands, 1};

static int
run(int *counted, int argc, char **argv)
{
    *counted = 0;
    return ts_command_run(&program, counted, argc, argv);
}

START_TEST(finds_the_command)
{
    char name[] = "count", argument[] = "x", help[] = "--help", end[] = "--", other[] = "counter";
    int counted;

    ck_assert_int_eq(run(&counted, 2, (char *[]){name, argument, NULL}), 7);
    ck_assert_int_eq(counted, 2);
    ck_assert_int_eq(run(&counted, 2, (char *[]){name, help, NULL}), TS_EXIT_OK);
    ck_assert_int_eq(counted, 0);
    ck_assert_int_eq(run(&counted, 3, (char *[]){name, end, help, NULL}), 7);
    ck_assert_int_eq(counted, 3);
    ck_assert_int_eq(run(&counted, 1, (char *[]){other, NULL}), TS_EXIT_USAGE);
    ck_assert_int_eq(counted, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("command");
    TCase *tests = tcase_create("command");

    tcase_add_test(tests, finds_the_command);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
