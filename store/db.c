#include "store/db.h"

#include "store/connection.h"

#include <stdlib.h>
#include <string.h>

void
ts_db_lock(struct ts_store *store)
{
    /* The mutex first, so that who waits for it is not inside the gate and a fork's turn comes; but whoever waits for the
       gate must not have it, because the handlers of that fork may need the store. */
    (void)pthread_mutex_lock(&store->mutex);
    while (!ts_fork_gate_try()) {
        (void)pthread_mutex_unlock(&store->mutex);
        ts_fork_gate_enter();
        ts_fork_gate_leave();
        (void)pthread_mutex_lock(&store->mutex);
    }
    ts_connection_restore(store);
}

void
ts_db_unlock(struct ts_store *store)
{
    ts_fork_gate_leave();
    (void)pthread_mutex_unlock(&store->mutex);
}

void
ts_query_start(struct ts_query *query, struct ts_store *store, const char *sql)
{
    *query = (struct ts_query){.store = store};
    ts_db_lock(store);
    if (!store->db)
        query->rc = SQLITE_CANTOPEN;
    /* After some failures (disk full, no memory) SQLite has rolled back by itself. What is left of the caller's unit
       must then not be written, statement by statement. */
    else if (store->depth > 0 && sqlite3_get_autocommit(store->db))
        query->rc = SQLITE_ABORT_ROLLBACK;
    else
        query->rc = sqlite3_prepare_v2(store->db, sql, -1, &query->statement, NULL);
}

void
ts_query_int(struct ts_query *query, int64_t value)
{
    if (query->rc == SQLITE_OK)
        query->rc = sqlite3_bind_int64(query->statement, ++query->bound, value);
}

void
ts_query_blob(struct ts_query *query, const uint8_t *bytes, size_t len)
{
    if (query->rc != SQLITE_OK)
        return;
    /* A NULL pointer would be stored as SQL NULL, not as an empty value. */
    if (len == 0)
        query->rc = sqlite3_bind_zeroblob(query->statement, ++query->bound, 0);
    else
        query->rc = sqlite3_bind_blob64(query->statement, ++query->bound, bytes, len, SQLITE_STATIC);
}

void
ts_query_text(struct ts_query *query, const char *text)
{
    if (query->rc == SQLITE_OK)
        query->rc = sqlite3_bind_text(query->statement, ++query->bound, text, -1, SQLITE_STATIC);
}

bool
ts_query_row(struct ts_query *query)
{
    if (query->rc == SQLITE_OK || query->rc == SQLITE_ROW)
        query->rc = sqlite3_step(query->statement);
    return query->rc == SQLITE_ROW;
}

int64_t
ts_query_get_int(struct ts_query *query, int column)
{
    return query->rc == SQLITE_ROW ? sqlite3_column_int64(query->statement, column) : 0;
}

/* The bytes of a column and their number; the failure sticks when there is no memory for them. */
static const uint8_t *
column_bytes(struct ts_query *query, int column, size_t *len)
{
    *len = 0;
    if (query->rc != SQLITE_ROW)
        return NULL;
    const uint8_t *bytes = sqlite3_column_blob(query->statement, column);
    *len = (size_t)sqlite3_column_bytes(query->statement, column);
    if (!bytes && *len > 0)
        query->rc = SQLITE_NOMEM;
    return bytes;
}

void
ts_query_get_blob(struct ts_query *query, int column, uint8_t *out, size_t len)
{
    size_t stored;
    const uint8_t *bytes = column_bytes(query, column, &stored);

    if (query->rc != SQLITE_ROW)
        return;
    if (stored != len)
        query->rc = SQLITE_CORRUPT;
    else if (len > 0)
        memcpy(out, bytes, len);
}

void
ts_query_get_text(struct ts_query *query, int column, char *out, size_t size)
{
    size_t stored;
    const uint8_t *bytes = column_bytes(query, column, &stored);

    out[0] = 0;
    if (query->rc != SQLITE_ROW)
        return;
    if (stored >= size || (stored > 0 && memchr(bytes, 0, stored))) {
        query->rc = SQLITE_CORRUPT;
        return;
    }
    if (stored > 0)
        memcpy(out, bytes, stored);
    out[stored] = 0;
}

void
ts_query_get_bytes(struct ts_query *query, int column, struct ts_buf *out)
{
    size_t stored;
    const uint8_t *bytes = column_bytes(query, column, &stored);

    if (query->rc == SQLITE_ROW)
        (void)ts_buf_put(out, bytes, stored);
}

static enum ts_error
error_of(const struct ts_store *store, int rc)
{
    switch (rc) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return TS_OK;
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_ROWID:
        return TS_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return TS_NOT_FOUND;
    case SQLITE_NOMEM:
        return TS_INTERNAL;
    }
    /* Only the general text of the code: it never holds a value. */
    ts_log(store->env, TS_LOG_ERROR, "database %s: %s (SQLite %d); check the disk and the file, restore it if damaged",
        store->path, sqlite3_errstr(rc), rc);
    return TS_STORAGE;
}

enum ts_error
ts_query_end(struct ts_query *query)
{
    struct ts_store *store = query->store;

    (void)sqlite3_finalize(query->statement);
    query->statement = NULL;
    enum ts_error result = error_of(store, query->rc);
    ts_db_unlock(store);
    return result;
}

enum ts_error
ts_query_run(struct ts_query *query)
{
    while (ts_query_row(query))
        ;
    return ts_query_end(query);
}

enum ts_error
ts_query_change(struct ts_query *query)
{
    while (ts_query_row(query))
        ;
    bool changed = query->rc == SQLITE_DONE && sqlite3_changes(query->store->db) > 0;
    enum ts_error result = ts_query_end(query);
    return result == TS_OK && !changed ? TS_NOT_FOUND : result;
}

enum ts_error
ts_query_end_found(struct ts_query *query, bool found)
{
    enum ts_error result = ts_query_end(query);

    return result == TS_OK && !found ? TS_NOT_FOUND : result;
}

enum ts_error
ts_db_execute(struct ts_store *store, const char *sql)
{
    ts_db_lock(store);
    int rc = store->db ? sqlite3_exec(store->db, sql, NULL, NULL, NULL) : SQLITE_CANTOPEN;
    enum ts_error result = error_of(store, rc);
    ts_db_unlock(store);
    return result;
}

enum ts_error
ts_list_append(void **list, size_t *count, const void *row, size_t size)
{
    /* Grown at each power of two, so that a list costs few allocations. */
    if ((*count & (*count - 1)) == 0) {
        size_t room = *count ? *count * 2 : 1;
        void *bigger = room > SIZE_MAX / size ? NULL : realloc(*list, room * size);
        if (!bigger)
            return TS_INTERNAL;
        *list = bigger;
    }
    memcpy((uint8_t *)*list + *count * size, row, size);
    ++*count;
    return TS_OK;
}
