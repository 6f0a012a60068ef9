#include "store/connection.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAL_TIMEOUT_MS 5000
#define BUSY_PAUSE_NS 20000000L

static enum ts_error
open_handle(struct ts_store *store)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int rc = sqlite3_open_v2(store->path, &store->db, flags, NULL);

    if (rc == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(store->db, 1);
        (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        rc = sqlite3_busy_timeout(store->db, store->kind->busy_ms);
    }
    if (rc == SQLITE_OK)
        return TS_OK;
    ts_log(store->env, TS_LOG_ERROR, "database %s cannot be opened: %s; check its path and permissions", store->path,
        sqlite3_errstr(rc));
    return TS_STORAGE;
}

/* SQLite does not wait by itself when two processes switch a new database to WAL at once. */
static enum ts_error
switch_to_wal(struct ts_store *store)
{
    uint64_t deadline = ts_now_ms(store->env) + WAL_TIMEOUT_MS;
    const struct timespec pause = {0, BUSY_PAUSE_NS};

    for (;;) {
        struct ts_query query;
        char mode[16] = "";
        ts_query_start(&query, store, "PRAGMA journal_mode = WAL");
        if (ts_query_row(&query))
            ts_query_get_text(&query, 0, mode, sizeof mode);
        bool busy = (query.rc & 0xff) == SQLITE_BUSY && ts_now_ms(store->env) < deadline;
        if (busy)
            query.rc = SQLITE_OK; /* not worth a line in the log */
        enum ts_error result = ts_query_end(&query);
        if (!busy && result == TS_OK && strcmp(mode, "wal") != 0) {
            ts_log(
                store->env, TS_LOG_ERROR, "database %s cannot keep a write-ahead log; check its folder", store->path);
            result = TS_STORAGE;
        }
        if (!busy)
            return result;
        (void)nanosleep(&pause, NULL);
    }
}

static bool
is_inherited(const struct ts_store *store)
{
    return store->db && store->pid != getpid();
}

static bool
is_inherited_file(const struct ts_fork_guest *guest, const void *file)
{
    const struct ts_store *store = guest->owner;
    const struct stat *status = file;

    return is_inherited(store) && store->device == status->st_dev && store->inode == status->st_ino;
}

/* Which file is it, and may this process open it? The first opening of a store finds it out. */
static enum ts_error
check_file(struct ts_store *store)
{
    struct stat status;

    if (stat(store->path, &status) != 0) {
        ts_log(store->env, TS_LOG_ERROR, "database %s cannot be opened: %s; check its path and permissions",
            store->path, strerrordesc_np(errno));
        return TS_STORAGE;
    }
    if (ts_fork_gate_any(is_inherited_file, &status)) {
        ts_log(store->env, TS_LOG_ERROR,
            "database %s: this process was copied while its parent was writing; start a new process instead",
            store->path);
        return TS_STORAGE;
    }
    if (store->openings > 0 && (store->device != status.st_dev || store->inode != status.st_ino)) {
        ts_log(
            store->env, TS_LOG_ERROR, "database %s is another file than before; start the program again", store->path);
        return TS_STORAGE;
    }
    store->device = status.st_dev;
    store->inode = status.st_ino;
    return TS_OK;
}

/* A process that has given up its privileges or its root folder could not open the file again; neither could its child. */
static bool
comes_back(const struct ts_store *store)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[PATH_MAX];
    struct stat status;

    if (stat(store->path, &status) != 0 || status.st_dev != store->device || status.st_ino != store->inode)
        return false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int len = snprintf(name, sizeof name, "%s%s", store->path, endings[i]);
        if (len < 0 || (size_t)len >= sizeof name || eaccess(name, R_OK | W_OK) != 0)
            return false;
    }
    return true;
}

/* Before fork. Other processes go on with the log, or the next one that opens the file finds it there. */
static void
put_away(struct ts_fork_guest *guest)
{
    struct ts_store *store = guest->owner;

    if (!store->db || is_inherited(store) || store->kind->exclusive || !comes_back(store))
        return;
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (sqlite3_close(store->db) == SQLITE_OK)
        store->db = NULL;
}

bool
ts_connection_close(struct ts_store *store)
{
    if (is_inherited(store))
        return false;
    if (store->guest.put_away)
        ts_fork_gate_part(&store->guest);
    store->guest.put_away = NULL;
    (void)sqlite3_close_v2(store->db);
    store->db = NULL;
    return true;
}

enum ts_error
ts_connection_open(struct ts_store *store)
{
    enum ts_error result = check_file(store);

    if (result != TS_OK)
        return result;
    store->pid = getpid();
    result = open_handle(store);
    if (result == TS_OK)
        result = switch_to_wal(store);
    if (result == TS_OK)
        result = ts_db_execute(store, store->kind->settings);
    if (result == TS_OK && store->openings++ == 0) {
        store->guest = (struct ts_fork_guest){.put_away = put_away, .owner = store};
        ts_fork_gate_join(&store->guest);
    }
    if (result != TS_OK) {
        (void)sqlite3_close_v2(store->db);
        store->db = NULL;
    }
    return result;
}

void
ts_connection_restore(struct ts_store *store)
{
    if (!store->db && store->openings > 0)
        (void)ts_connection_open(store);
}
