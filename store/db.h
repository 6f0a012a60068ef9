#ifndef TS_STORE_DB_H
#define TS_STORE_DB_H

/* Inside store/ only: the open database and one SQL statement at a time. */

#include "store/fork_gate.h"
#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

struct ts_db_kind;

struct ts_store {
    const struct ts_env *env;
    const struct ts_db_kind *kind;
    sqlite3 *db; /**< NULL between a fork and the next use (store/connection.h) */
    pid_t pid;   /**< the process that opened it */
    dev_t device;
    ino_t inode;       /**< with the device: which file the path names */
    uint32_t openings; /**< how often it was opened */
    struct ts_fork_guest guest;
    char *path;
    pthread_mutex_t mutex; /**< recursive; held by a transaction and by each running statement */
    unsigned depth; /**< begins without their end; the thread that sees it above 0 under the mutex is the owner */
};

struct ts_schema;

/** How a kind of database is opened. */
struct ts_db_kind {
    const char *settings; /**< PRAGMAs of the connection */
    int busy_ms;          /**< how long to wait for another process that writes */
    const struct ts_schema *schema;
    bool check;     /**< read every page at opening */
    bool exclusive; /**< no other process may have it, also not for the moment of a fork */
};

/** Open a database (mode 0600), made when absent, with its schema. The kind must stay. ts_store_close gives it back.
 *  Returns: as ts_store_open. */
enum ts_error ts_db_open(
    struct ts_store **out, const struct ts_env *env, const char *path, const struct ts_db_kind *kind);

/** The store's mutex, inside the gate that fork waits for (store/fork_gate.h), with the database open; if that failed, db
 *  is NULL and every query fails. Recursive. */
void ts_db_lock(struct ts_store *store);
void ts_db_unlock(struct ts_store *store);

/** One statement, from start to end. It holds the store's mutex between the two. The first failure sticks: what follows
 *  does nothing and ts_query_end tells it. Values are always bound, never part of the text. */
struct ts_query {
    struct ts_store *store;
    sqlite3_stmt *statement;
    int bound; /**< parameters bound so far */
    int rc;    /**< SQLITE_OK, SQLITE_ROW, SQLITE_DONE or the failure */
};

/** Prepare. In every case ts_query_end (or run, change) must follow. */
void ts_query_start(struct ts_query *query, struct ts_store *store, const char *sql);

/** Bind the next parameter. Bytes must live until the end of the query. */
void ts_query_int(struct ts_query *query, int64_t value);
void ts_query_blob(struct ts_query *query, const uint8_t *bytes, size_t len);
void ts_query_text(struct ts_query *query, const char *text);

/** Step. Returns: true when there is a row to read. */
bool ts_query_row(struct ts_query *query);

/** Read a column of the row. A value that does not fit is damage: the failure sticks. */
int64_t ts_query_get_int(struct ts_query *query, int column);
void ts_query_get_blob(struct ts_query *query, int column, uint8_t *out, size_t len);
void ts_query_get_text(struct ts_query *query, int column, char *out, size_t size);
/** Append a whole blob. The buffer's own failure is left in it. */
void ts_query_get_bytes(struct ts_query *query, int column, struct ts_buf *out);

/** Finish and release the mutex.
 *  Returns: TS_OK; TS_EXISTS when it broke a uniqueness; TS_NOT_FOUND when it named a row of another table that is not
 *  there; TS_INTERNAL without memory; TS_STORAGE (logged). */
enum ts_error ts_query_end(struct ts_query *query);

/** Step until done and finish. */
enum ts_error ts_query_run(struct ts_query *query);

/** The same; TS_NOT_FOUND when no row was changed. */
enum ts_error ts_query_change(struct ts_query *query);

/** Finish a query that was to find one row: `found` is what ts_query_row said.
 *  Returns: as ts_query_end; TS_NOT_FOUND when there was no row. */
enum ts_error ts_query_end_found(struct ts_query *query, bool found);

/** Run statements without parameters and rows. Returns: TS_OK; TS_INTERNAL; TS_STORAGE (logged). */
enum ts_error ts_db_execute(struct ts_store *store, const char *sql);

/** True when the calling thread is inside begin and commit. */
bool ts_store_in_transaction(struct ts_store *store);

/** Commit when `result` is TS_OK, else roll back. Returns: the result, or the failure of the commit. */
enum ts_error ts_store_finish(struct ts_store *store, enum ts_error result);

/** Append one row to a growing array.
 *  In:   list, count  the array, NULL and 0 at first; row, size  what to append
 *  Returns: TS_OK; TS_INTERNAL without memory (the array stays as it is). */
enum ts_error ts_list_append(void **list, size_t *count, const void *row, size_t size);

#endif
