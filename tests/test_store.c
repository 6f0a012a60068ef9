#include "store/db.h"
#include "store/schema.h"
#include "store/keyring.h"
#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fx;

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

START_TEST(the_file_is_private_whatever_the_umask)
{
    char path[160];
    struct stat status;
    struct ts_store *store;

    (void)umask(0);
    (void)snprintf(path, sizeof path, "%s/open.db", fx.dir);
    ck_assert_int_eq(ts_store_open(&store, &fx.env, path), TS_OK);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    strcat(path, "-wal");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ts_store_close(store);
}
END_TEST

START_TEST(settings_hold)
{
    static const char *const pragmas[] = {"PRAGMA synchronous", "PRAGMA foreign_keys", "PRAGMA secure_delete",
        "PRAGMA temp_store", "PRAGMA trusted_schema", "PRAGMA user_version"};
    static const int64_t expected[] = {2, 1, 1, 2, 0, TS_SCHEMA_VERSION};

    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        struct ts_query query;
        ts_query_start(&query, fx.store, pragmas[i]);
        ck_assert(ts_query_row(&query));
        ck_assert_int_eq(ts_query_get_int(&query, 0), expected[i]);
        ck_assert_int_eq(ts_query_end(&query), TS_OK);
    }
}
END_TEST

static void
expect_refused(const char *why)
{
    struct ts_store *store = fx.store;

    fx.log[0] = 0;
    ck_assert_int_eq(ts_store_open(&store, &fx.env, fx.path), TS_STORAGE);
    ck_assert_ptr_null(store);
    ck_assert_msg(strstr(fx.log, why), "log: %s", fx.log);
}

static void
overwrite(long at, size_t len)
{
    FILE *file = fopen(fx.path, "r+b");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
    for (size_t i = 0; i < len; i++)
        ck_assert_int_ne(fputc(0x5a, file), EOF);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_damaged_file_is_refused)
{
    struct stat before, after;

    fixture_token(&fx);
    ts_store_close(fx.store);
    fx.store = NULL;
    overwrite(4096 + 8, 2000); /* the second page: a table's root */
    ck_assert_int_eq(stat(fx.path, &before), 0);
    expect_refused("damaged");
    overwrite(0, 100);
    expect_refused("not a database");
    ck_assert_int_eq(stat(fx.path, &after), 0);
    ck_assert_int_eq(before.st_size, after.st_size);
}
END_TEST

START_TEST(other_and_newer_databases_are_refused)
{
    sqlite3 *db;
    char newer[64];

    ts_store_close(fx.store);
    fx.store = NULL;
    ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
    (void)snprintf(newer, sizeof newer, "PRAGMA user_version = %d", TS_SCHEMA_VERSION + 1);
    ck_assert_int_eq(sqlite3_exec(db, newer, NULL, NULL, NULL), SQLITE_OK);
    expect_refused("upgrade");
    ck_assert_int_eq(
        sqlite3_exec(db, "PRAGMA user_version = 2; PRAGMA application_id = 7", NULL, NULL, NULL), SQLITE_OK);
    expect_refused("another program");
    ck_assert_int_eq(
        sqlite3_exec(db, "PRAGMA user_version = 0; PRAGMA application_id = 0", NULL, NULL, NULL), SQLITE_OK);
    expect_refused("another program");
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

START_TEST(names_that_are_no_paths_are_refused)
{
    struct ts_store *store;

    ck_assert_int_eq(ts_store_open(&store, &fx.env, ""), TS_STORAGE);
    ck_assert_int_eq(ts_store_open(&store, &fx.env, ":memory:"), TS_STORAGE);
    ck_assert_int_eq(ts_store_open(&store, &fx.env, "file:/tmp/x?mode=memory"), TS_STORAGE);
    ck_assert_int_eq(ts_store_open(&store, &fx.env, "/nonexistent/folder/store.db"), TS_STORAGE);
    ck_assert_int_eq(ts_store_open(&store, &fx.env, fx.dir), TS_STORAGE);
}
END_TEST

/* As an ordinary user, for whom permissions count. */
static bool
open_as_nobody(const char *path)
{
    struct ts_store *store;

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return false;
    return ts_store_open(&store, &fx.env, path) == TS_STORAGE;
}

START_TEST(a_read_only_folder_is_refused)
{
    char fresh[160];
    const char *paths[] = {fx.path, fresh};

    (void)snprintf(fresh, sizeof fresh, "%s/new.db", fx.dir);
    ts_store_close(fx.store);
    fx.store = NULL;
    ck_assert_int_eq(chmod(fx.path, 0666), 0);
    ck_assert_int_eq(chmod(fx.dir, 0555), 0);
    for (size_t i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0)
            fixture_leave(open_as_nobody(paths[i]));
        ck_assert(fixture_left_well(pid));
    }
    ck_assert_int_eq(access(fresh, F_OK), -1);
    ck_assert_int_eq(chmod(fx.dir, 0700), 0);
}
END_TEST

START_TEST(a_unit_is_stored_whole_or_not_at_all)
{
    fixture_token(&fx);
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 1), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "b", 1), TS_OK);
    ts_store_rollback(fx.store);
    ck_assert_uint_eq(fixture_get(&fx, "a"), UINT32_MAX);
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 2), TS_OK);
    /* an inner unit that fails takes back only itself */
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "b", 2), TS_OK);
    ts_store_rollback(fx.store);
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "c", 2), TS_OK);
    ck_assert_int_eq(ts_store_commit(fx.store), TS_OK);
    ck_assert_int_eq(ts_store_commit(fx.store), TS_OK);
    ck_assert_uint_eq(fixture_get(&fx, "a"), 2);
    ck_assert_uint_eq(fixture_get(&fx, "b"), UINT32_MAX);
    ck_assert_uint_eq(fixture_get(&fx, "c"), 2);
    ck_assert_int_eq(ts_store_commit(fx.store), TS_USAGE);
    ts_store_rollback(fx.store);
}
END_TEST

START_TEST(nothing_is_written_after_sqlite_rolled_back_by_itself)
{
    fixture_token(&fx);
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 1), TS_OK);
    /* as SQLite does on a full disk */
    ck_assert_int_eq(sqlite3_exec(fx.store->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "b", 1), TS_STORAGE);
    ck_assert_int_eq(ts_store_commit(fx.store), TS_STORAGE);
    ck_assert_uint_eq(fixture_get(&fx, "a"), UINT32_MAX);
    ck_assert_uint_eq(fixture_get(&fx, "b"), UINT32_MAX);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "b", 2), TS_OK);
}
END_TEST

START_TEST(the_version_changes_with_every_write)
{
    struct ts_store *other;
    uint64_t first, second, third, fourth;

    fixture_token(&fx);
    ck_assert_int_eq(ts_store_open(&other, &fx.env, fx.path), TS_OK);
    ck_assert_int_eq(ts_store_version(&first, fx.store), TS_OK);
    ck_assert_int_eq(ts_store_version(&second, fx.store), TS_OK);
    ck_assert_uint_eq(first, second);
    ck_assert_int_eq(fixture_put(&fx, other, "a", 1), TS_OK);
    ck_assert_int_eq(ts_store_version(&third, fx.store), TS_OK);
    ck_assert_uint_ne(second, third);
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 2), TS_OK);
    ck_assert_int_eq(ts_store_version(&fourth, fx.store), TS_OK);
    ck_assert_uint_ne(third, fourth);
    ts_store_close(other);
}
END_TEST

#define COUNTS 40

static int
count_in_child(void)
{
    struct ts_store *store;

    if (ts_store_open(&store, &fx.env, fx.path) != TS_OK)
        return 1;
    for (int i = 0; i < COUNTS; i++) {
        struct ts_query query;
        int64_t value = 0;
        if (ts_store_begin(store) != TS_OK)
            return 2;
        ts_query_start(&query, store, "SELECT round FROM pin WHERE token = 1 AND user = 0");
        if (ts_query_row(&query))
            value = ts_query_get_int(&query, 0);
        if (ts_query_end(&query) != TS_OK)
            return 3;
        ts_query_start(&query, store, "UPDATE pin SET round = ? WHERE token = 1 AND user = 0");
        ts_query_int(&query, value + 1);
        if (ts_query_change(&query) != TS_OK || ts_store_commit(store) != TS_OK)
            return 4;
    }
    ts_store_close(store);
    return 0;
}

START_TEST(processes_write_at_once)
{
    struct ts_query query;
    pid_t children[3];

    fixture_token(&fx);
    fixture_tamper(&fx, "UPDATE pin SET round = 0");
    for (size_t i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0)
            fixture_leave(count_in_child() == 0);
    }
    for (size_t i = 0; i < 3; i++)
        ck_assert(fixture_left_well(children[i]));
    ts_query_start(&query, fx.store, "SELECT round FROM pin");
    ck_assert(ts_query_row(&query));
    ck_assert_int_eq(ts_query_get_int(&query, 0), 3 * COUNTS);
    ck_assert_int_eq(ts_query_end(&query), TS_OK);
}
END_TEST

START_TEST(processes_create_at_once)
{
    char path[160];
    pid_t children[6];

    (void)snprintf(path, sizeof path, "%s/race.db", fx.dir);
    for (size_t i = 0; i < 6; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct ts_store *store;
            fixture_leave(ts_store_open(&store, &fx.env, path) == TS_OK);
        }
    }
    for (size_t i = 0; i < 6; i++)
        ck_assert(fixture_left_well(children[i]));
}
END_TEST

static void *
write_pairs(void *arg)
{
    uintptr_t failures = 0;

    for (uint32_t i = 1; i <= 50; i++) {
        uint32_t number = *(uint32_t *)arg * 1000 + i;
        failures += ts_store_begin(fx.store) != TS_OK;
        failures += fixture_put(&fx, fx.store, "a", number) != TS_OK;
        failures += fixture_put(&fx, fx.store, "b", number) != TS_OK;
        failures += ts_store_commit(fx.store) != TS_OK;
    }
    return (void *)failures;
}

START_TEST(threads_share_a_handle)
{
    uint32_t numbers[] = {1, 2, 3};
    pthread_t threads[3];

    fixture_token(&fx);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_pairs, &numbers[i]), 0);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
        ck_assert_uint_eq(fixture_get(&fx, "a"), fixture_get(&fx, "b"));
        ck_assert_int_eq(ts_store_commit(fx.store), TS_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        void *failures;
        ck_assert_int_eq(pthread_join(threads[i], &failures), 0);
        ck_assert_ptr_null(failures);
    }
    ck_assert_uint_eq(fixture_get(&fx, "a"), fixture_get(&fx, "b"));
}
END_TEST

/* Write pairs for ever, telling each step by a byte, until killed. The keyring is unlocked anew: a child's is empty. */
static int
write_until_killed(int to)
{
    struct ts_store *store;

    if (ts_store_open(&store, &fx.env, fx.path) != TS_OK ||
        ts_token_unlock(
            &fx.keyring, store, NULL, fx.token, TS_USER_SO, (const uint8_t *)FIXTURE_PIN, strlen(FIXTURE_PIN)) != TS_OK)
        return 1;
    for (uint32_t i = 1;; i++) {
        bool ok = ts_store_begin(store) == TS_OK && write(to, "1", 1) == 1 &&
                  fixture_put(&fx, store, "a", i) == TS_OK && write(to, "2", 1) == 1 &&
                  fixture_put(&fx, store, "b", i) == TS_OK && write(to, "3", 1) == 1 &&
                  ts_store_commit(store) == TS_OK && write(to, "4", 1) == 1;
        if (!ok)
            return 2;
    }
}

/* Kill the writer when it has told `steps` bytes. Returns: how many commits it had told before. */
static uint32_t
kill_after(int steps)
{
    int ends[2], status = -1;
    uint32_t commits = 0;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(write_until_killed(ends[1]));
    ck_assert_int_eq(close(ends[1]), 0);
    for (int i = 0; i < steps; i++) {
        char step = 0;
        ck_assert_int_eq(read(ends[0], &step, 1), 1);
        commits += step == '4';
    }
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(close(ends[0]), 0);
    return commits;
}

START_TEST(kill_leaves_units_whole)
{
    fixture_token(&fx);
    for (int steps = 1; steps <= 12; steps++) {
        ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 0), TS_OK);
        ck_assert_int_eq(fixture_put(&fx, fx.store, "b", 0), TS_OK);
        uint32_t commits = kill_after(steps);
        ck_assert_uint_eq(fixture_get(&fx, "a"), fixture_get(&fx, "b"));
        ck_assert_uint_ge(fixture_get(&fx, "a"), commits); /* what was told as stored is there */
    }
}
END_TEST

START_TEST(a_database_held_by_another_process_is_given_up)
{
    char byte;
    int ready[2], done[2];

    fixture_token(&fx);
    ck_assert(pipe2(ready, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ts_store *store;
        (void)close(done[1]);
        bool held = ts_store_open(&store, &fx.env, fx.path) == TS_OK && ts_store_begin(store) == TS_OK;
        (void)!write(ready[1], held ? "y" : "n", 1);
        (void)!read(done[0], &byte, 1);
        fixture_leave(held);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    ck_assert_int_eq(ts_store_begin(fx.store), TS_STORAGE);
    ck_assert_int_eq(close(done[1]), 0);
    ck_assert(fixture_left_well(pid));
    ck_assert_int_eq(fixture_put(&fx, fx.store, "a", 1), TS_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, the_file_is_private_whatever_the_umask);
    tcase_add_test(tests, settings_hold);
    tcase_add_test(tests, a_damaged_file_is_refused);
    tcase_add_test(tests, other_and_newer_databases_are_refused);
    tcase_add_test(tests, names_that_are_no_paths_are_refused);
    tcase_add_test(tests, a_read_only_folder_is_refused);
    tcase_add_test(tests, a_unit_is_stored_whole_or_not_at_all);
    tcase_add_test(tests, nothing_is_written_after_sqlite_rolled_back_by_itself);
    tcase_add_test(tests, the_version_changes_with_every_write);
    tcase_add_test(tests, processes_write_at_once);
    tcase_add_test(tests, processes_create_at_once);
    tcase_add_test(tests, threads_share_a_handle);
    tcase_add_test(tests, kill_leaves_units_whole);
    tcase_add_test(tests, a_database_held_by_another_process_is_given_up);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
