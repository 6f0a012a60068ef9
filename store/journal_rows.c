#include "store/journal_db.h"

#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "TSSJ" */
#define APPLICATION_ID 1414747978
/* Nobody waits longer for a record than this. */
#define BUSY_MS 500
#define PATH_BYTES 4096
/* A session has about ten. */
#define EVENTS_MAX ((int64_t)TS_JOURNAL_RECORDS_MAX * 16)

_Static_assert(TS_JOURNAL_RUNNING == 1 && TS_JOURNAL_WAITING == 2 && TS_JOURNAL_INTERRUPTED == 8,
    "the numbers are stored, and the statements know which of them go on");

static const char *const migrations[] = {
    "CREATE TABLE session(number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE,"
    "  conversation BLOB NOT NULL, kind INTEGER NOT NULL, status INTEGER NOT NULL, key BLOB NOT NULL,"
    "  label TEXT NOT NULL, partner TEXT NOT NULL, step TEXT NOT NULL, error INTEGER NOT NULL, words TEXT NOT NULL,"
    "  started INTEGER NOT NULL, updated INTEGER NOT NULL, application TEXT NOT NULL, host TEXT NOT NULL,"
    "  user TEXT NOT NULL, presignature BLOB NOT NULL, request BLOB NOT NULL, answer BLOB NOT NULL,"
    "  holder INTEGER NOT NULL);"
    "CREATE INDEX session_going_on ON session(holder) WHERE status < 3;"
    "CREATE TABLE event(number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, status INTEGER NOT NULL,"
    "  step TEXT NOT NULL, at INTEGER NOT NULL);",
};

static const struct ts_schema schema = {APPLICATION_ID, sizeof migrations / sizeof *migrations, migrations};

/* Not durable on purpose, see the header. */
static const struct ts_db_kind kind = {
    /* In other people's processes: the pages it keeps (KiB) do not grow with what was recorded. */
    .settings =
        "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -128;",
    .busy_ms = BUSY_MS,
    .schema = &schema,
};

/* Can both tables be read? */
static enum ts_error
try_reading(struct ts_store *db)
{
    struct ts_query query;

    ts_query_start(&query, db,
        "SELECT (SELECT count(*) FROM session WHERE status < 3), (SELECT max(number) FROM event),"
        " (SELECT max(number) FROM session)");
    (void)ts_query_row(&query);
    return ts_query_end(&query);
}

static enum ts_error
open_file(struct ts_store **out, const struct ts_env *env, const char *path)
{
    enum ts_error error = ts_db_open(out, env, path, &kind);

    if (error == TS_OK)
        error = try_reading(*out);
    if (error != TS_OK) {
        ts_store_close(*out);
        *out = NULL;
    }
    return error;
}

/* What belongs to the log of a file that is no longer there must not be applied to the new one. */
static bool
put_aside(const struct ts_env *env, const char *path)
{
    static const char *const logs[] = {"-wal", "-shm"};
    char other[PATH_BYTES + 16];

    (void)snprintf(other, sizeof other, "%s.damaged", path);
    if (rename(path, other) != 0)
        return false;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        (void)snprintf(other, sizeof other, "%s%s", path, logs[i]);
        (void)remove(other);
    }
    ts_log(env, TS_LOG_WARNING,
        "the journal of sessions %s was damaged: put aside as %s.damaged, a new one is begun; "
        "no key depends on it",
        path, path);
    return true;
}

static bool
name_file(char name[PATH_BYTES], const char *path)
{
    int len = snprintf(name, PATH_BYTES, "%s-sessions", path);

    return len > 0 && len < PATH_BYTES;
}

bool
ts_journal_rows_exist(const char *path)
{
    char name[PATH_BYTES];

    return name_file(name, path) && access(name, F_OK) == 0;
}

enum ts_error
ts_journal_rows_open(struct ts_journal_rows **out, const struct ts_env *env, const char *path)
{
    char name[PATH_BYTES];
    struct ts_journal_rows *rows = calloc(1, sizeof *rows);

    *out = NULL;
    if (!rows)
        return TS_INTERNAL;
    enum ts_error error = TS_STORAGE;
    if (name_file(name, path)) {
        error = open_file(&rows->db, env, name);
        if (error == TS_STORAGE && put_aside(env, name))
            error = open_file(&rows->db, env, name);
    }
    if (error != TS_OK) {
        free(rows);
        return error;
    }
    *out = rows;
    return TS_OK;
}

void
ts_journal_rows_close(struct ts_journal_rows *rows)
{
    if (!rows)
        return;
    ts_store_close(rows->db);
    free(rows);
}

/* --- writing --- */

static enum ts_error
add_event(
    struct ts_store *db, const uint8_t id[TS_ID_BYTES], enum ts_journal_status status, const char *step, int64_t at_ms)
{
    struct ts_query query;

    ts_query_start(&query, db, "INSERT INTO event(id, status, step, at) VALUES(?, ?, ?, ?)");
    ts_query_blob(&query, id, TS_ID_BYTES);
    ts_query_int(&query, status);
    ts_query_text(&query, step);
    ts_query_int(&query, at_ms);
    return ts_query_run(&query);
}

static void
bind_row(struct ts_query *query, const struct ts_journal_row *row)
{
    ts_query_blob(query, row->id, sizeof row->id);
    ts_query_blob(query, row->conversation, sizeof row->conversation);
    ts_query_int(query, row->kind);
    ts_query_int(query, row->status);
    ts_query_blob(query, row->key, row->has_key ? sizeof row->key : 0);
    ts_query_text(query, row->label);
    ts_query_text(query, row->partner);
    ts_query_text(query, row->step);
    ts_query_int(query, row->error);
    ts_query_text(query, row->words);
    ts_query_int(query, row->started_ms);
    ts_query_int(query, row->updated_ms);
    ts_query_text(query, row->application);
    ts_query_text(query, row->host);
    ts_query_text(query, row->user);
    ts_query_blob(query, row->presignature, sizeof row->presignature);
    ts_query_blob(query, row->request, sizeof row->request);
    ts_query_blob(query, row->answer, sizeof row->answer);
    ts_query_int(query, (int64_t)row->holder);
}

/* One statement with the whole record, and its event, in one unit. */
static enum ts_error
write_row(struct ts_journal_rows *rows, const char *sql, const struct ts_journal_row *row, const char *event)
{
    struct ts_query query;
    enum ts_error error = ts_store_begin(rows->db);

    if (error != TS_OK)
        return error;
    ts_query_start(&query, rows->db, sql);
    bind_row(&query, row);
    error = ts_query_run(&query);
    if (error == TS_OK)
        error = add_event(rows->db, row->id, row->status, event, row->updated_ms);
    return ts_store_finish(rows->db, error);
}

enum ts_error
ts_journal_rows_add(struct ts_journal_rows *rows, const struct ts_journal_row *row)
{
    return write_row(rows,
        "INSERT INTO session(" TS_JOURNAL_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row, row->step);
}

enum ts_error
ts_journal_rows_put(struct ts_journal_rows *rows, const struct ts_journal_row *row, const char *event)
{
    return write_row(rows,
        "INSERT INTO session(" TS_JOURNAL_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(id) DO UPDATE SET conversation = excluded.conversation, kind = excluded.kind,"
        " status = excluded.status, key = excluded.key, label = excluded.label, partner = excluded.partner,"
        " step = excluded.step, error = excluded.error, words = excluded.words, updated = excluded.updated,"
        " application = excluded.application, host = excluded.host, user = excluded.user,"
        " presignature = excluded.presignature, request = excluded.request, answer = excluded.answer",
        row, event);
}

static enum ts_error
delete_up_to(struct ts_store *db, const char *sql, int64_t number)
{
    struct ts_query query;

    ts_query_start(&query, db, sql);
    ts_query_int(&query, number);
    return ts_query_run(&query);
}

/* Both tables are numbered in the order of time: only what is deleted is looked at. */
enum ts_error
ts_journal_rows_expire(struct ts_journal_rows *rows, int64_t before_ms)
{
    static const char *const by_time[] = {
        "DELETE FROM session WHERE status > 2 AND updated < ?1 AND number < coalesce("
        "(SELECT number FROM session WHERE started >= ?1 ORDER BY number LIMIT 1), 1 << 62)",
        "DELETE FROM event WHERE number < coalesce("
        "(SELECT number FROM event WHERE at >= ?1 ORDER BY number LIMIT 1), 1 << 62)",
    };
    enum ts_error error = ts_store_begin(rows->db);

    if (error != TS_OK)
        return error;
    for (size_t i = 0; error == TS_OK && i < sizeof by_time / sizeof *by_time; i++)
        error = delete_up_to(rows->db, by_time[i], before_ms);
    if (error == TS_OK)
        error = delete_up_to(rows->db, "DELETE FROM session WHERE number <= (SELECT max(number) FROM session) - ?",
            TS_JOURNAL_RECORDS_MAX);
    if (error == TS_OK)
        error =
            delete_up_to(rows->db, "DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?", EVENTS_MAX);
    return ts_store_finish(rows->db, error);
}
