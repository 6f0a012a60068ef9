#include "store/connection.h"
#include "store/db.h"
#include "store/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_TIMEOUT_MS 5000
#define COUNT_MASK 0xffffff

/* Set for this connection only: the host process may use SQLite too. */
static const struct ts_db_kind store_kind = {
    .settings = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    .busy_ms = BUSY_TIMEOUT_MS,
    .schema = &ts_store_schema,
    .check = true,
};

/* SQLite would make the file with mode 0644. It is made without opening it: closing a descriptor of a database drops
   all locks that this process holds on it, also those of another handle. */
static enum ts_error
create_file(const struct ts_env *env, const char *path)
{
    struct stat status;

    if (mknod(path, S_IFREG | 0600, 0) == 0) {
        if (chmod(path, 0600) == 0) /* whatever the umask */
            return TS_OK;
    } else if (errno == EEXIST && stat(path, &status) == 0) {
        if (S_ISREG(status.st_mode) && (status.st_mode & 077) != 0)
            ts_log(env, TS_LOG_WARNING, "database %s is open to others than its owner; chmod 600 it", path);
        return TS_OK;
    }
    ts_log(env, TS_LOG_ERROR, "database %s cannot be made: %s; check that the folder exists and can be written", path,
        strerrordesc_np(errno));
    return TS_STORAGE;
}

static enum ts_error
make_handle(struct ts_store **out, const struct ts_env *env, const char *path)
{
    pthread_mutexattr_t kind;
    struct ts_store *store = calloc(1, sizeof *store);

    if (store)
        store->path = strdup(path);
    if (!store || !store->path || pthread_mutexattr_init(&kind) != 0) {
        free(store ? store->path : NULL);
        free(store);
        return TS_INTERNAL;
    }
    store->env = env;
    /* Recursive, so that calls inside a transaction of the same thread go on. */
    (void)pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&store->mutex, &kind);
    (void)pthread_mutexattr_destroy(&kind);
    *out = store;
    return TS_OK;
}

static enum ts_error
check_pages(struct ts_store *store)
{
    struct ts_query query;
    char answer[8] = "";

    ts_query_start(&query, store, "SELECT substr(quick_check, 1, 7) FROM pragma_quick_check(1)");
    bool found = ts_query_row(&query);
    if (found)
        ts_query_get_text(&query, 0, answer, sizeof answer);
    enum ts_error result = ts_query_end_found(&query, found);
    if (result == TS_OK && strcmp(answer, "ok") == 0)
        return TS_OK;
    ts_log(store->env, TS_LOG_ERROR, "database %s is damaged; restore it from a backup", store->path);
    return result == TS_INTERNAL ? TS_INTERNAL : TS_STORAGE;
}

static enum ts_error
set_up(struct ts_store *store)
{
    enum ts_error result = ts_connection_open(store);

    if (result == TS_OK)
        result = ts_schema_prepare(store, store->kind->schema);
    if (result == TS_OK && store->kind->check)
        result = check_pages(store);
    return result;
}

enum ts_error
ts_db_open(struct ts_store **out, const struct ts_env *env, const char *path, const struct ts_db_kind *kind)
{
    struct ts_store *store = NULL;

    *out = NULL;
    /* Names that SQLite may take for something else than a file. */
    if (!path || !*path || *path == ':' || strncmp(path, "file:", 5) == 0) {
        ts_log(env, TS_LOG_ERROR, "the name of the database must be a path");
        return TS_STORAGE;
    }
    enum ts_error result = create_file(env, path);
    if (result == TS_OK)
        result = make_handle(&store, env, path);
    if (result == TS_OK) {
        store->kind = kind;
        ts_fork_gate_enter();
        result = set_up(store);
        ts_fork_gate_leave();
    }
    if (result != TS_OK) {
        ts_store_close(store);
        return result;
    }
    *out = store;
    return TS_OK;
}

enum ts_error
ts_store_open(struct ts_store **out, const struct ts_env *env, const char *path)
{
    return ts_db_open(out, env, path, &store_kind);
}

void
ts_store_close(struct ts_store *store)
{
    if (!store)
        return;
    ts_fork_gate_enter();
    bool closed = ts_connection_close(store);
    ts_fork_gate_leave();
    if (!closed)
        return;
    (void)pthread_mutex_destroy(&store->mutex);
    free(store->path);
    free(store);
}

enum ts_error
ts_store_begin(struct ts_store *store)
{
    char sql[48] = "BEGIN IMMEDIATE";

    ts_db_lock(store);
    enum ts_error result = TS_OK;
    if (store->depth > 0) {
        (void)sqlite3_snprintf(sizeof sql, sql, "SAVEPOINT unit%u", store->depth);
        if (sqlite3_get_autocommit(store->db))
            result = TS_STORAGE; /* see ts_query_start */
    }
    if (result == TS_OK)
        result = ts_db_execute(store, sql);
    if (result == TS_OK)
        store->depth++;
    else
        ts_db_unlock(store);
    return result;
}

/* Leave the innermost unit: its mark on the mutex and the one of the caller. */
static void
leave_unit(struct ts_store *store)
{
    store->depth--;
    ts_db_unlock(store);
    ts_db_unlock(store);
}

static void
undo(struct ts_store *store)
{
    char sql[96] = "ROLLBACK";

    if (sqlite3_get_autocommit(store->db))
        return; /* SQLite has rolled back by itself */
    if (store->depth > 1)
        (void)sqlite3_snprintf(
            sizeof sql, sql, "ROLLBACK TO unit%u; RELEASE unit%u", store->depth - 1, store->depth - 1);
    (void)ts_db_execute(store, sql);
}

enum ts_error
ts_store_commit(struct ts_store *store)
{
    char sql[48] = "COMMIT";

    ts_db_lock(store);
    if (store->depth == 0) {
        ts_db_unlock(store);
        return TS_USAGE;
    }
    enum ts_error result = TS_STORAGE;
    if (!sqlite3_get_autocommit(store->db)) {
        if (store->depth > 1)
            (void)sqlite3_snprintf(sizeof sql, sql, "RELEASE unit%u", store->depth - 1);
        result = ts_db_execute(store, sql);
    }
    if (result != TS_OK)
        undo(store);
    leave_unit(store);
    return result;
}

void
ts_store_rollback(struct ts_store *store)
{
    ts_db_lock(store);
    if (store->depth == 0) {
        ts_db_unlock(store);
        return;
    }
    undo(store);
    leave_unit(store);
}

bool
ts_store_in_transaction(struct ts_store *store)
{
    ts_db_lock(store);
    bool inside = store->depth > 0;
    ts_db_unlock(store);
    return inside;
}

enum ts_error
ts_store_finish(struct ts_store *store, enum ts_error result)
{
    if (result == TS_OK)
        return ts_store_commit(store);
    ts_store_rollback(store);
    return result;
}

enum ts_error
ts_store_version(uint64_t *out, struct ts_store *store)
{
    struct ts_query query;

    *out = 0;
    /* data_version tells the commits of other connections, the counter those of this one; both begin anew with each
       opening. 2^24 commits between two looks are too many to be made. */
    ts_query_start(&query, store, "PRAGMA data_version");
    bool found = ts_query_row(&query);
    uint64_t others = (uint64_t)ts_query_get_int(&query, 0) & COUNT_MASK;
    uint64_t own = found ? (uint64_t)sqlite3_total_changes(store->db) & COUNT_MASK : 0;
    uint64_t version = (uint64_t)store->openings << 48 | others << 24 | own;
    enum ts_error result = ts_query_end_found(&query, found);
    if (result == TS_OK)
        *out = version;
    return result;
}
