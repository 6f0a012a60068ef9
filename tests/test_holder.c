#include "store/holder.h"
#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fx;
static const uint8_t thing[16] = {1, 2, 3}, other[16] = {4};

static void
open_fixture(void)
{
    fixture_open(&fx);
}

static void
close_fixture(void)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s-live", fx.path);
    (void)unlink(path);
    fixture_close(&fx);
}

/* A child that does something, tells its number, and stays until it is let go. */
struct child {
    pid_t pid;
    int say, hear;
    uint64_t number; /* 0: it failed */
};

static uint64_t
take(bool claim)
{
    struct ts_holder *holder = NULL;
    enum ts_error error =
        claim ? ts_holder_claim(&holder, &fx.env, fx.path, thing) : ts_holder_open(&holder, &fx.env, fx.path);

    return error == TS_OK ? ts_holder_number(holder) : 0;
}

static struct child
start_child(bool claim)
{
    struct child child = {0};
    int to[2], from[2];

    ck_assert(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    child.pid = fork();
    ck_assert_int_ge(child.pid, 0);
    if (child.pid == 0) {
        uint64_t number = take(claim);
        char byte;
        (void)close(to[1]);
        bool told = write(from[1], &number, sizeof number) == sizeof number;
        bool let_go = read(to[0], &byte, 1) == 0;
        _exit(told && let_go ? 0 : 1); /* gives nothing back itself */
    }
    (void)close(to[0]);
    (void)close(from[1]);
    child.say = to[1];
    child.hear = from[0];
    ck_assert_int_eq(read(child.hear, &child.number, sizeof child.number), sizeof child.number);
    return child;
}

static void
end_child(struct child *child)
{
    int status = -1;

    (void)close(child->say);
    ck_assert_int_eq(waitpid(child->pid, &status, 0), child->pid);
    ck_assert_int_eq(status, 0);
    (void)close(child->hear);
}

START_TEST(the_living_are_told_from_the_dead)
{
    struct ts_holder *mine = NULL, *second = NULL;

    ck_assert_int_eq(ts_holder_open(&mine, &fx.env, fx.path), TS_OK);
    ck_assert(ts_holder_alive(mine, ts_holder_number(mine)));
    ck_assert_uint_ge(ts_holder_number(mine), 1);
    ck_assert(!ts_holder_alive(mine, ts_holder_number(mine) ^ 2));
    struct child child = start_child(false);
    ck_assert_uint_ne(child.number, 0);
    ck_assert_uint_ne(child.number, ts_holder_number(mine));
    ck_assert(ts_holder_alive(mine, child.number));
    end_child(&child);
    ck_assert(!ts_holder_alive(mine, child.number));
    /* Another handle of this process is a stranger. */
    ck_assert_int_eq(ts_holder_open(&second, &fx.env, fx.path), TS_OK);
    uint64_t number = ts_holder_number(second);
    ck_assert(ts_holder_alive(mine, number));
    ts_holder_close(second);
    ck_assert(!ts_holder_alive(mine, number));
    ck_assert(ts_holder_alive(mine, UINT64_MAX)); /* cannot be told */
    ts_holder_close(mine);
    ts_holder_close(NULL);
}
END_TEST

START_TEST(the_child_of_a_fork_gives_nothing_up)
{
    struct ts_holder *mine = NULL, *watch = NULL;
    int status = -1;

    ck_assert_int_eq(ts_holder_open(&mine, &fx.env, fx.path), TS_OK);
    ck_assert_int_eq(ts_holder_open(&watch, &fx.env, fx.path), TS_OK);
    pid_t pid = fork();
    if (pid == 0) {
        ts_holder_close(mine);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(ts_holder_alive(watch, ts_holder_number(mine)));
    ts_holder_close(mine);
    ts_holder_close(watch);
}
END_TEST

START_TEST(a_claim_is_for_one)
{
    struct ts_holder *mine = NULL, *again = NULL, *watch = NULL;

    ck_assert_int_eq(ts_holder_claim(&mine, &fx.env, fx.path, thing), TS_OK);
    ck_assert_int_eq(ts_holder_claim(&again, &fx.env, fx.path, thing), TS_EXISTS); /* this process, too */
    ck_assert_ptr_null(again);
    ck_assert_int_eq(ts_holder_claim(&again, &fx.env, fx.path, other), TS_OK);
    ts_holder_close(again);
    struct child late = start_child(true);
    ck_assert_uint_eq(late.number, 0);
    end_child(&late);
    ts_holder_close(mine);
    struct child child = start_child(true);
    ck_assert_uint_ne(child.number, 0);
    ck_assert_int_eq(ts_holder_claim(&mine, &fx.env, fx.path, thing), TS_EXISTS);
    end_child(&child); /* the kernel gives it up */
    ck_assert_int_eq(ts_holder_claim(&mine, &fx.env, fx.path, thing), TS_OK);
    /* A claim is nobody's number. */
    ck_assert_int_eq(ts_holder_open(&watch, &fx.env, fx.path), TS_OK);
    ck_assert(!ts_holder_alive(watch, ts_holder_number(mine) & (((uint64_t)1 << 62) - 1)));
    ts_holder_close(watch);
    ts_holder_close(mine);
}
END_TEST

START_TEST(a_place_that_cannot_be_is_told)
{
    struct ts_holder *holder = NULL;
    char path[5000];

    (void)snprintf(path, sizeof path, "%s/no such folder/file", fx.dir);
    ck_assert_int_eq(ts_holder_open(&holder, &fx.env, path), TS_STORAGE);
    ck_assert_ptr_null(holder);
    ck_assert_ptr_nonnull(strstr(fx.log, "cannot be opened"));
    ck_assert_int_eq(ts_holder_claim(&holder, &fx.env, path, thing), TS_STORAGE);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    ck_assert_int_eq(ts_holder_open(&holder, &fx.env, path), TS_STORAGE);
    /* A link that somebody laid there is not followed. */
    (void)snprintf(path, sizeof path, "%s-live", fx.path);
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_int_eq(ts_holder_open(&holder, &fx.env, fx.path), TS_STORAGE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("holder");
    TCase *tests = tcase_create("holder");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, the_living_are_told_from_the_dead);
    tcase_add_test(tests, the_child_of_a_fork_gives_nothing_up);
    tcase_add_test(tests, a_claim_is_for_one);
    tcase_add_test(tests, a_place_that_cannot_be_is_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
