#include "store/ledger.h"
#include "base/text.h"
#include "store/db.h"
#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct fixture fixture;
static struct ts_ledger *ledger;
static char path[200];

static void
open_ledger(void)
{
    ck_assert_int_eq(ts_ledger_open(&ledger, &fixture.env, path), TS_OK);
}

static void
set_up(void)
{
    fixture_open(&fixture);
    (void)snprintf(path, sizeof path, "%s/server.db", fixture.dir);
    open_ledger();
}

static void
tear_down(void)
{
    ts_ledger_close(ledger);
    ledger = NULL;
    fixture_close(&fixture);
}

static void
reopen(void)
{
    ts_ledger_close(ledger);
    open_ledger();
}

static struct ts_ledger_call
call_of(uint8_t id, const char *caller, const char *key)
{
    struct ts_ledger_call call = {.kind = 7, .started_ms = 1000, .label = "web", .partner = "phone"};

    memset(call.session, id, sizeof call.session);
    memset(call.request, id + 100, sizeof call.request);
    ts_text_copy(call.caller, sizeof call.caller, caller);
    ts_text_copy(call.key, sizeof call.key, key);
    return call;
}

static enum ts_error
begin(uint8_t id, const char *caller, const char *key, uint8_t *found)
{
    const struct ts_ledger_call call = call_of(id, caller, key);
    struct ts_ledger_call before = {0};
    enum ts_error error = ts_ledger_begin(&before, ledger, &call);

    *found = before.session[0];
    return error;
}

static void
end(uint8_t id, int64_t at_ms, int status, const char *body)
{
    uint8_t session[TS_ID_BYTES];

    memset(session, id, sizeof session);
    ck_assert_int_eq(ts_ledger_end(ledger, session, at_ms, status, body, strlen(body)), TS_OK);
}

static enum ts_error
get(struct ts_ledger_call *out, uint8_t id, char body[100])
{
    uint8_t session[TS_ID_BYTES];
    struct ts_buf bytes;

    memset(session, id, sizeof session);
    ts_buf_init(&bytes, 99);
    enum ts_error error = ts_ledger_get(out, &bytes, ledger, session);
    if (bytes.len > 0)
        memcpy(body, bytes.data, bytes.len);
    body[bytes.len] = 0;
    ts_buf_clear(&bytes);
    return error;
}

static int
state_of(uint8_t id)
{
    struct ts_ledger_call call;
    char body[100];

    return get(&call, id, body) == TS_OK ? (int)call.state : 0;
}

START_TEST(a_key_is_used_once_by_each_caller)
{
    uint8_t found;

    ck_assert_int_eq(begin(1, "alice", "k", &found), TS_OK);
    ck_assert_int_eq(begin(2, "alice", "k", &found), TS_EXISTS);
    ck_assert_uint_eq(found, 1);
    ck_assert_int_eq(state_of(2), 0);
    ck_assert_int_eq(begin(3, "bob", "k", &found), TS_OK);
    ck_assert_int_eq(begin(4, "alice", "K", &found), TS_OK);
    ck_assert_int_eq(begin(5, "alice", "", &found), TS_OK);
    ck_assert_int_eq(begin(6, "alice", "", &found), TS_OK); /* without a key each call is its own */
    ck_assert_int_ne(begin(6, "alice", "", &found), TS_OK); /* but a session begins once */
    end(1, 2000, 201, "{}");
    ck_assert_int_eq(begin(7, "alice", "k", &found), TS_EXISTS);
}
END_TEST

START_TEST(an_end_is_kept)
{
    struct ts_ledger_call call;
    char body[100];
    uint8_t found;

    ck_assert_int_eq(begin(1, "alice", "k", &found), TS_OK);
    ck_assert_int_eq(get(&call, 1, body), TS_OK);
    ck_assert_int_eq(call.state, TS_LEDGER_OPEN);
    ck_assert_str_eq(body, "");
    end(1, 2000, 403, "{\"type\":\"x\"}");
    reopen();
    ck_assert_int_eq(get(&call, 1, body), TS_OK);
    const struct ts_ledger_call expected = call_of(1, "alice", "k");
    ck_assert_int_eq(call.state, TS_LEDGER_DONE);
    ck_assert_int_eq(call.status, 403);
    ck_assert_int_eq(call.ended_ms, 2000);
    ck_assert_int_eq(call.started_ms, 1000);
    ck_assert_int_eq(call.kind, 7);
    ck_assert_str_eq(call.caller, "alice");
    ck_assert_str_eq(call.key, "k");
    ck_assert_str_eq(call.label, "web");
    ck_assert_str_eq(call.partner, "phone");
    ck_assert_mem_eq(call.request, expected.request, sizeof call.request);
    ck_assert_str_eq(body, "{\"type\":\"x\"}");
    ck_assert_int_eq(get(&call, 2, body), TS_NOT_FOUND);
    ck_assert_int_eq(ts_ledger_end(ledger, call_of(2, "", "").session, 1, 200, "", 0), TS_NOT_FOUND);
}
END_TEST

START_TEST(what_a_server_left_open_is_interrupted)
{
    uint8_t found;

    ck_assert_int_eq(begin(1, "alice", "open", &found), TS_OK);
    ck_assert_int_eq(begin(2, "alice", "done", &found), TS_OK);
    end(2, 2000, 201, "{}");
    reopen();
    ck_assert_int_eq(state_of(1), TS_LEDGER_INTERRUPTED);
    ck_assert_int_eq(state_of(2), TS_LEDGER_DONE);
    ck_assert_int_eq(begin(3, "alice", "open", &found), TS_EXISTS); /* never begun again */
}
END_TEST

START_TEST(what_was_not_begun_is_forgotten)
{
    uint8_t found;

    ck_assert_int_eq(begin(1, "alice", "k", &found), TS_OK);
    ck_assert_int_eq(ts_ledger_forget(ledger, call_of(1, "", "").session), TS_OK);
    ck_assert_int_eq(begin(2, "alice", "k", &found), TS_OK);
    end(2, 2000, 201, "{}");
    ck_assert_int_eq(ts_ledger_forget(ledger, call_of(2, "", "").session), TS_NOT_FOUND); /* it ended */
    ck_assert_int_eq(state_of(2), TS_LEDGER_DONE);
}
END_TEST

START_TEST(one_server_at_a_time)
{
    struct ts_ledger *other = ledger;
    struct stat info;

    ck_assert_int_eq(ts_ledger_open(&other, &fixture.env, path), TS_STORAGE);
    ck_assert_ptr_null(other);
    ck_assert_ptr_nonnull(strstr(fixture.log, "is there another server with it?"));
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
}
END_TEST

/* --- how long things are kept --- */

static int
count(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    ts_ledger_close(ledger); /* it lets nobody else in */
    ledger = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    int result = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    open_ledger();
    return result;
}

static struct ts_ledger_audit
record(int64_t at_ms, const char *path_called)
{
    struct ts_ledger_audit one = {
        .at_ms = at_ms, .caller = "alice", .remote = "192.0.2.1", .method = "GET", .status = 200};

    ts_text_copy(one.path, sizeof one.path, path_called);
    return one;
}

START_TEST(calls_are_forgotten_by_their_end)
{
    uint8_t found;

    ck_assert_int_eq(begin(1, "alice", "old", &found), TS_OK);
    ck_assert_int_eq(begin(2, "alice", "new", &found), TS_OK);
    ck_assert_int_eq(begin(3, "alice", "open", &found), TS_OK);
    end(1, 4999, 201, "{}");
    end(2, 5000, 201, "{}");
    ck_assert_int_eq(ts_ledger_expire(ledger, 5000, 0), TS_OK);
    ck_assert_int_eq(state_of(1), 0);
    ck_assert_int_eq(state_of(2), TS_LEDGER_DONE);
    ck_assert_int_eq(state_of(3), TS_LEDGER_OPEN); /* however long ago it began */
    ck_assert_int_eq(begin(4, "alice", "old", &found), TS_OK);
}
END_TEST

START_TEST(audit_records_are_forgotten_by_their_time)
{
    const struct ts_ledger_audit records[] = {
        record(100, "/a"), record(199, "/b"), record(200, "/c"), record(300, "/d")};
    uint8_t found;

    ck_assert_int_eq(begin(1, "alice", "k", &found), TS_OK);
    end(1, 100, 201, "{}");
    ck_assert_int_eq(ts_ledger_audit(ledger, records, 4), TS_OK);
    ck_assert_int_eq(ts_ledger_audit(ledger, records, 0), TS_OK);
    ck_assert_int_eq(count("SELECT count(*) FROM audit"), 4);
    ck_assert_int_eq(ts_ledger_expire(ledger, 50, 200), TS_OK);
    ck_assert_int_eq(count("SELECT count(*) FROM audit"), 2);
    ck_assert_int_eq(
        count("SELECT count(*) FROM audit WHERE path IN ('/c', '/d') AND caller = 'alice' AND status = 200"), 2);
    ck_assert_int_eq(state_of(1), TS_LEDGER_DONE); /* each by its own time */
}
END_TEST

START_TEST(audit_texts_are_data)
{
    struct ts_ledger_audit one = record(1, "/x'); DROP TABLE audit; --");

    ck_assert_int_eq(ts_ledger_audit(ledger, &one, 1), TS_OK);
    ck_assert_int_eq(count("SELECT count(*) FROM audit WHERE path = '/x''); DROP TABLE audit; --'"), 1);
}
END_TEST

START_TEST(an_older_file_gets_its_index)
{
    sqlite3 *db = NULL;
    uint8_t found;

    ck_assert_int_eq(begin(1, "alice", "k", &found), TS_OK);
    ts_ledger_close(ledger);
    ledger = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_exec(db, "DROP INDEX audit_by_time; PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
    open_ledger();
    ck_assert_int_eq(count("SELECT count(*) FROM sqlite_master WHERE name = 'audit_by_time'"), 1);
    ck_assert_int_eq(state_of(1), TS_LEDGER_INTERRUPTED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tests = tcase_create("calls");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_key_is_used_once_by_each_caller);
    tcase_add_test(tests, an_end_is_kept);
    tcase_add_test(tests, what_a_server_left_open_is_interrupted);
    tcase_add_test(tests, what_was_not_begun_is_forgotten);
    tcase_add_test(tests, one_server_at_a_time);
    tcase_add_test(tests, calls_are_forgotten_by_their_end);
    tcase_add_test(tests, audit_records_are_forgotten_by_their_time);
    tcase_add_test(tests, audit_texts_are_data);
    tcase_add_test(tests, an_older_file_gets_its_index);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
