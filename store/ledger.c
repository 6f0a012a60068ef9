#include "store/ledger.h"

#include "store/db.h"
#include "store/schema.h"

#include <stdlib.h>

/* "TSSL" */
#define APPLICATION_ID 1414747980
#define BUSY_MS 500

static const char *const migrations[] = {
    "CREATE TABLE call(session BLOB PRIMARY KEY, kind INTEGER NOT NULL, state INTEGER NOT NULL, caller TEXT NOT NULL,"
    "  key TEXT NOT NULL, request BLOB NOT NULL, label TEXT NOT NULL, partner TEXT NOT NULL, started INTEGER NOT NULL,"
    "  ended INTEGER NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX call_by_key ON call(caller, key) WHERE key <> '';"
    "CREATE INDEX call_by_end ON call(ended);"
    "CREATE TABLE audit(number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, caller TEXT NOT NULL,"
    "  remote TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, session TEXT NOT NULL, label TEXT NOT NULL,"
    "  status INTEGER NOT NULL);",
    "CREATE INDEX audit_by_time ON audit(at);",
};
static const struct ts_schema schema = {APPLICATION_ID, sizeof migrations / sizeof *migrations, migrations};

/* Another server with the same file would take this one's open calls for interrupted ones. */
static const struct ts_db_kind kind = {
    .settings = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;",
    .exclusive = true,
    .busy_ms = BUSY_MS,
    .schema = &schema,
};

struct ts_ledger {
    struct ts_store *db;
};

static enum ts_error
interrupt_open(struct ts_ledger *ledger, const struct ts_env *env)
{
    struct ts_query query;

    ts_query_start(&query, ledger->db, "UPDATE call SET state = 3, ended = ? WHERE state = 1");
    ts_query_int(&query, (int64_t)(env->clock.realtime_ns(env->clock.ctx) / 1000000));
    return ts_query_run(&query);
}

enum ts_error
ts_ledger_open(struct ts_ledger **out, const struct ts_env *env, const char *path)
{
    struct ts_ledger *ledger = calloc(1, sizeof *ledger);

    *out = NULL;
    if (!ledger)
        return TS_INTERNAL;
    enum ts_error error = ts_db_open(&ledger->db, env, path, &kind);
    if (error == TS_OK)
        error = interrupt_open(ledger, env);
    if (error != TS_OK) {
        ts_log(env, TS_LOG_ERROR, "%s cannot be used; is there another server with it?", path);
        ts_ledger_close(ledger);
        return error;
    }
    *out = ledger;
    return TS_OK;
}

void
ts_ledger_close(struct ts_ledger *ledger)
{
    if (!ledger)
        return;
    ts_store_close(ledger->db);
    free(ledger);
}

/* --- calls --- */

#define COLUMNS "session, kind, state, caller, key, request, label, partner, started, ended, status"

static void
read_call(struct ts_ledger_call *out, struct ts_query *query)
{
    *out = (struct ts_ledger_call){0};
    ts_query_get_blob(query, 0, out->session, sizeof out->session);
    out->kind = (int)ts_query_get_int(query, 1);
    out->state = (enum ts_ledger_state)ts_query_get_int(query, 2);
    ts_query_get_text(query, 3, out->caller, sizeof out->caller);
    ts_query_get_text(query, 4, out->key, sizeof out->key);
    ts_query_get_blob(query, 5, out->request, sizeof out->request);
    ts_query_get_text(query, 6, out->label, sizeof out->label);
    ts_query_get_text(query, 7, out->partner, sizeof out->partner);
    out->started_ms = ts_query_get_int(query, 8);
    out->ended_ms = ts_query_get_int(query, 9);
    out->status = (int)ts_query_get_int(query, 10);
}

static enum ts_error
find_by_key(struct ts_ledger_call *out, struct ts_ledger *ledger, const struct ts_ledger_call *call)
{
    struct ts_query query;

    ts_query_start(&query, ledger->db, "SELECT " COLUMNS " FROM call WHERE caller = ? AND key = ? AND key <> ''");
    ts_query_text(&query, call->caller);
    ts_query_text(&query, call->key);
    bool found = ts_query_row(&query);
    if (found)
        read_call(out, &query);
    return ts_query_end_found(&query, found);
}

static enum ts_error
insert(struct ts_ledger *ledger, const struct ts_ledger_call *call)
{
    struct ts_query query;

    ts_query_start(&query, ledger->db, "INSERT INTO call VALUES(?, ?, 1, ?, ?, ?, ?, ?, ?, 0, 0, x'')");
    ts_query_blob(&query, call->session, sizeof call->session);
    ts_query_int(&query, call->kind);
    ts_query_text(&query, call->caller);
    ts_query_text(&query, call->key);
    ts_query_blob(&query, call->request, sizeof call->request);
    ts_query_text(&query, call->label);
    ts_query_text(&query, call->partner);
    ts_query_int(&query, call->started_ms);
    return ts_query_run(&query);
}

enum ts_error
ts_ledger_begin(struct ts_ledger_call *before, struct ts_ledger *ledger, const struct ts_ledger_call *call)
{
    enum ts_error error = ts_store_begin(ledger->db);

    if (error != TS_OK)
        return error;
    error = find_by_key(before, ledger, call);
    if (error == TS_OK)
        error = TS_EXISTS;
    else if (error == TS_NOT_FOUND)
        error = insert(ledger, call);
    return ts_store_finish(ledger->db, error);
}

enum ts_error
ts_ledger_forget(struct ts_ledger *ledger, const uint8_t session[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, ledger->db, "DELETE FROM call WHERE session = ? AND state = 1");
    ts_query_blob(&query, session, TS_ID_BYTES);
    return ts_query_change(&query);
}

enum ts_error
ts_ledger_end(struct ts_ledger *ledger, const uint8_t session[TS_ID_BYTES], int64_t now_ms, int status,
    const char *body, size_t len)
{
    struct ts_query query;

    ts_query_start(&query, ledger->db, "UPDATE call SET state = 2, ended = ?, status = ?, body = ? WHERE session = ?");
    ts_query_int(&query, now_ms);
    ts_query_int(&query, status);
    ts_query_blob(&query, (const uint8_t *)body, len);
    ts_query_blob(&query, session, TS_ID_BYTES);
    return ts_query_change(&query);
}

enum ts_error
ts_ledger_get(
    struct ts_ledger_call *out, struct ts_buf *body, struct ts_ledger *ledger, const uint8_t session[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, ledger->db, "SELECT " COLUMNS ", body FROM call WHERE session = ?");
    ts_query_blob(&query, session, TS_ID_BYTES);
    bool found = ts_query_row(&query);
    if (found)
        read_call(out, &query);
    if (found && body)
        ts_query_get_bytes(&query, 11, body);
    return ts_query_end_found(&query, found);
}

static enum ts_error
delete_before(struct ts_ledger *ledger, const char *sql, int64_t before_ms)
{
    struct ts_query query;

    ts_query_start(&query, ledger->db, sql);
    ts_query_int(&query, before_ms);
    return ts_query_run(&query);
}

enum ts_error
ts_ledger_expire(struct ts_ledger *ledger, int64_t calls_ms, int64_t audit_ms)
{
    enum ts_error error = delete_before(ledger, "DELETE FROM call WHERE ended > 0 AND ended < ?", calls_ms);

    return error == TS_OK ? delete_before(ledger, "DELETE FROM audit WHERE at < ?", audit_ms) : error;
}

/* --- audit --- */

static enum ts_error
append(struct ts_ledger *ledger, const struct ts_ledger_audit *record)
{
    struct ts_query query;

    ts_query_start(&query, ledger->db,
        "INSERT INTO audit(at, caller, remote, method, path, session, label, status) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    ts_query_int(&query, record->at_ms);
    ts_query_text(&query, record->caller);
    ts_query_text(&query, record->remote);
    ts_query_text(&query, record->method);
    ts_query_text(&query, record->path);
    ts_query_text(&query, record->session);
    ts_query_text(&query, record->label);
    ts_query_int(&query, record->status);
    return ts_query_run(&query);
}

enum ts_error
ts_ledger_audit(struct ts_ledger *ledger, const struct ts_ledger_audit *records, size_t count)
{
    enum ts_error error = ts_store_begin(ledger->db);

    if (error != TS_OK)
        return error;
    for (size_t i = 0; error == TS_OK && i < count; i++)
        error = append(ledger, &records[i]);
    return ts_store_finish(ledger->db, error);
}
