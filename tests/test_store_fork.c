#include "store/db.h"
#include "store/keyring.h"
#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture fx;

static void
open_fixture(void)
{
    fixture_open(&fx);
    fixture_token(&fx);
}

static void
close_fixture(void)
{
    fixture_close(&fx);
}

/* A child is without a keyring, so it writes this instead of a value. */
static bool
set_round(struct ts_store *store, int64_t round)
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE pin SET round = ?");
    ts_query_int(&query, round);
    return ts_query_change(&query) == TS_OK;
}

static int64_t
get_round(struct ts_store *store)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT round FROM pin");
    int64_t round = ts_query_row(&query) ? ts_query_get_int(&query, 0) : -1;
    ck_assert_int_eq(ts_query_end(&query), TS_OK);
    return round;
}

/* The child of an idle process: write, let the parent have its turn, write again. */
_Noreturn static void
write_twice(int to_parent, int from_parent)
{
    struct ts_store *own;
    char byte;

    ts_store_close(fx.store);
    bool good = ts_store_open(&own, &fx.env, fx.path) == TS_OK && set_round(own, 1);
    good = good && write(to_parent, "y", 1) == 1 && read(from_parent, &byte, 1) == 1;
    fixture_leave(good && set_round(own, 2));
}

/* SQLite knows an open file by its inode: a child that inherited the parent's handle would take the parent's locks for its
   own, and have none. Whoever closes the database last then deletes the log under it. A daemon is such a child. */
START_TEST(a_childs_locks_are_its_own)
{
    int up[2], down[2];
    char byte = 0;

    ck_assert(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0)
        write_twice(up[1], down[0]);
    ck_assert_int_eq(close(up[1]), 0);
    ck_assert_int_eq(read(up[0], &byte, 1), 1);
    ts_store_close(fx.store);
    fx.store = NULL;
    ck_assert_int_eq(write(down[1], "y", 1), 1);
    ck_assert(fixture_left_well(pid));
    fixture_reopen(&fx);
    ck_assert_int_eq(get_round(fx.store), 2);
    ck_assert(close(up[0]) == 0 && close(down[0]) == 0 && close(down[1]) == 0);
}
END_TEST

/* Make a child that ends at once. */
static void
fork_only(void)
{
    pid_t pid = fork();

    if (pid == 0)
        fixture_leave(true);
    ck_assert(fixture_left_well(pid));
}

static int64_t
pragma(const char *sql)
{
    struct ts_query query;

    ts_query_start(&query, fx.store, sql);
    int64_t value = ts_query_row(&query) ? ts_query_get_int(&query, 0) : -1;
    ck_assert_int_eq(ts_query_end(&query), TS_OK);
    return value;
}

START_TEST(the_parent_goes_on)
{
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 1), TS_OK);
    fork_only();
    ck_assert_uint_eq(fixture_get(&fx, "a"), 1);
    ck_assert_int_eq(pragma("PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(pragma("PRAGMA synchronous"), 2);
    ck_assert_int_eq(pragma("PRAGMA secure_delete"), 1);
    fork_only();
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 2), TS_OK);
    ck_assert_int_eq(ts_store_commit(fx.store), TS_OK);
    ck_assert_uint_eq(fixture_get(&fx, "a"), 2);
}
END_TEST

/* What was cached before a fork is not taken for the state after it, whoever wrote in between. */
START_TEST(the_version_changes_over_a_fork)
{
    struct ts_store *other;
    uint64_t before, after;

    ck_assert_int_eq(ts_store_version(&after, fx.store), TS_OK);
    for (uint32_t i = 0; i < 5; i++) {
        before = after;
        fork_only();
        ck_assert_int_eq(ts_store_open(&other, &fx.env, fx.path), TS_OK);
        ck_assert_int_eq(fixture_put(&fx, other, "a", i), TS_OK);
        ts_store_close(other);
        ck_assert_int_eq(ts_store_version(&after, fx.store), TS_OK);
        ck_assert_uint_ne(before, after);
        ck_assert_uint_eq(fixture_get(&fx, "a"), i);
    }
}
END_TEST

/* Looked for in the child. */
static bool
database_is_open(void)
{
    bool found = false;

    for (int fd = 0; fd < 1024; fd++) {
        char name[32], path[256];
        (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(name, path, sizeof path - 1);
        path[len > 0 ? len : 0] = 0;
        found = found || strncmp(path, fx.path, strlen(fx.path)) == 0;
    }
    return found;
}

START_TEST(a_child_inherits_no_descriptor)
{
    struct ts_store *other;

    ck_assert_int_eq(ts_store_open(&other, &fx.env, fx.path), TS_OK);
    ck_assert(database_is_open());
    pid_t pid = fork();
    if (pid == 0)
        fixture_leave(!database_is_open());
    ck_assert(fixture_left_well(pid));
    ts_store_close(other);
}
END_TEST

/* A database with its log. */
static void
move_database(const char *from, const char *to)
{
    static const char *const endings[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char old[160], new[160];
        (void)snprintf(old, sizeof old, "%s%s", from, endings[i]);
        (void)snprintf(new, sizeof new, "%s%s", to, endings[i]);
        ck_assert_int_eq(rename(old, new), 0);
    }
}

START_TEST(another_file_in_its_place_is_refused)
{
    char aside[140];
    struct ts_store *fresh;

    (void)snprintf(aside, sizeof aside, "%s/aside.db", fx.dir);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 1), TS_OK);
    fork_only();
    move_database(fx.path, aside);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 2), TS_STORAGE);
    ck_assert_msg(strstr(fx.log, "cannot be opened") != NULL, "%s", fx.log);
    ck_assert_int_eq(ts_store_open(&fresh, &fx.env, fx.path), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 2), TS_STORAGE);
    ck_assert_int_eq(ts_store_begin(fx.store), TS_STORAGE);
    ck_assert_msg(strstr(fx.log, "another file") != NULL, "%s", fx.log);
    ts_store_close(fresh);
    /* and taken again when it is back */
    move_database(aside, fx.path);
    ck_assert_uint_eq(fixture_get(&fx, "a"), 1);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 2), TS_OK);
}
END_TEST

/* What a daemon does: open, give up the privileges, fork. Its own child cannot open the file. */
static bool
goes_on_as_nobody(void)
{
    struct ts_store *own, *other;

    ts_store_close(fx.store);
    if (ts_store_open(&own, &fx.env, fx.path) != TS_OK || !set_round(own, 3))
        return false;
    if (geteuid() == 0 ? setgid(65534) != 0 || setuid(65534) != 0 : chmod(fx.path, 0) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        ts_store_close(own);
        fixture_leave(ts_store_open(&other, &fx.env, fx.path) == TS_STORAGE);
    }
    return fixture_left_well(pid) && set_round(own, 4);
}

START_TEST(privileges_may_be_given_up)
{
    pid_t pid = fork();

    if (pid == 0)
        fixture_leave(goes_on_as_nobody());
    ck_assert(fixture_left_well(pid));
    ck_assert_int_eq(chmod(fx.path, 0600), 0);
    ck_assert_int_eq(get_round(fx.store), 4);
}
END_TEST

/* A thread that forks in the middle of its unit keeps it. Its child has what it must not use and cannot get rid of. */
START_TEST(a_child_of_a_unit_is_refused)
{
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 1), TS_OK);
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 2), TS_OK);
    pid_t pid = fork();
    if (pid == 0) {
        struct ts_store *own;
        ts_store_close(fx.store);
        bool good = ts_store_open(&own, &fx.env, fx.path) == TS_STORAGE && strstr(fx.log, "a new process") != NULL;
        (void)snprintf(fx.path, sizeof fx.path, "%s/other.db", fx.dir);
        good = good && ts_store_open(&own, &fx.env, fx.path) == TS_OK;
        /* nor does a fork of its own touch what it has inherited */
        pid_t grandchild = fork();
        if (grandchild == 0)
            fixture_leave(true);
        fixture_leave(good && fixture_left_well(grandchild) && fx.store->db != NULL);
    }
    ck_assert(fixture_left_well(pid));
    ck_assert_int_eq(fixture_put(&fx, fx.store, "b", 2), TS_OK);
    ck_assert_int_eq(ts_store_commit(fx.store), TS_OK);
    fixture_reopen(&fx);
    ck_assert_uint_eq(fixture_get(&fx, "a"), 2);
    ck_assert_uint_eq(fixture_get(&fx, "b"), 2);
}
END_TEST

START_TEST(the_token_key_is_not_in_a_child)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct ts_buf out;
        ts_buf_init(&out, 64);
        bool empty = ts_keyring_seal(&out, fx.keyring, (const uint8_t *)"x", 1, NULL, 0) == TS_INTERNAL;
        ts_keyring_free(fx.keyring);
        fixture_leave(empty);
    }
    ck_assert(fixture_left_well(pid));
}
END_TEST

/* A host's handler of fork that was there before the store's, and works with the store: while fork waits for nobody. */
static bool handler_works;

static void
work_in_handler(void)
{
    if (handler_works)
        (void)get_round(fx.store);
}

#define BUSY_THREADS 48

static void *
work_until_told(void *stop)
{
    while (!atomic_load((atomic_bool *)stop))
        (void)fixture_put(&fx, fx.store, "a", 1);
    return NULL;
}

/* While threads are at work, a fork and its handlers have their turn, and the child opens the database of its own:
   SQLite's shared locks must be free in it. */
START_TEST(a_child_of_a_busy_process_goes_on)
{
    atomic_bool stop = false;
    pthread_t threads[BUSY_THREADS];
    int bad = 0;

    handler_works = _i == 1;
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 1), TS_OK);
    for (size_t i = 0; i < BUSY_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work_until_told, &stop), 0);
    for (int i = 0; i < 100; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct ts_store *own = NULL;
            (void)signal(SIGALRM, SIG_DFL); /* not the runner's, which would end the test */
            (void)alarm(30);
            fixture_leave(ts_store_open(&own, &fx.env, fx.path) == TS_OK);
        }
        bad += !fixture_left_well(pid);
        if (bad)
            break;
    }
    handler_works = false;
    atomic_store(&stop, true);
    for (size_t i = 0; i < BUSY_THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    ck_assert_int_eq(bad, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store_fork");
    TCase *tests = tcase_create("store_fork");

    if (pthread_atfork(work_in_handler, work_in_handler, NULL) != 0)
        return 1;
    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, a_childs_locks_are_its_own);
    tcase_add_test(tests, the_parent_goes_on);
    tcase_add_test(tests, the_version_changes_over_a_fork);
    tcase_add_test(tests, a_child_inherits_no_descriptor);
    tcase_add_test(tests, another_file_in_its_place_is_refused);
    tcase_add_test(tests, privileges_may_be_given_up);
    tcase_add_test(tests, a_child_of_a_unit_is_refused);
    tcase_add_test(tests, the_token_key_is_not_in_a_child);
#ifndef __SANITIZE_ADDRESS__ /* gcc 12's allocator may stay locked in the child of a busy process */
    tcase_add_loop_test(tests, a_child_of_a_busy_process_goes_on, 0, 2);
#else
    (void)a_child_of_a_busy_process_goes_on;
#endif
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
