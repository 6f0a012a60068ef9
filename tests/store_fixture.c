#include "tests/store_fixture.h"

#include "tests/softhsm.h"

#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
keep_line(void *ctx, enum ts_log_level level, const char *line)
{
    struct fixture *fixture = ctx;
    size_t used = strlen(fixture->log);

    (void)snprintf(fixture->log + used, sizeof fixture->log - used, "%d %s\n", (int)level, line);
}

void
fixture_open(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    ck_assert_int_eq(ts_env_init(&fixture->env), TS_OK);
    fixture->env.log = (struct ts_log){fixture, TS_LOG_DEBUG, keep_line};
    strcpy(fixture->dir, "/tmp/tallystick-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture->dir));
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->dir);
    ck_assert_int_eq(ts_store_open(&fixture->store, &fixture->env, fixture->path), TS_OK);
}

void
fixture_close(struct fixture *fixture)
{
    ts_keyring_free(fixture->keyring);
    ts_store_close(fixture->store);
    ts_env_clear(&fixture->env);
    remove_tree(fixture->dir);
}

void
fixture_token(struct fixture *fixture)
{
    const uint8_t *pin = (const uint8_t *)FIXTURE_PIN;

    ck_assert_int_eq(ts_token_create(&fixture->token, fixture->store, NULL, "test", pin, strlen(FIXTURE_PIN)), TS_OK);
    ck_assert_int_eq(
        ts_token_unlock(&fixture->keyring, fixture->store, NULL, fixture->token, TS_USER_SO, pin, strlen(FIXTURE_PIN)),
        TS_OK);
}

void
fixture_reopen(struct fixture *fixture)
{
    ts_store_close(fixture->store);
    ck_assert_int_eq(ts_store_open(&fixture->store, &fixture->env, fixture->path), TS_OK);
}

enum ts_error
fixture_put(const struct fixture *fixture, struct ts_store *store, const char *name, uint32_t number)
{
    return ts_value_put(store, fixture->keyring, fixture->token, name, (const uint8_t *)&number, sizeof number);
}

uint32_t
fixture_get(const struct fixture *fixture, const char *name)
{
    uint32_t number = UINT32_MAX;
    struct ts_buf out;

    ts_buf_init(&out, 64);
    enum ts_error result = ts_value_get(&out, fixture->store, fixture->keyring, fixture->token, name);
    ck_assert(result == TS_OK || result == TS_NOT_FOUND);
    if (result == TS_OK) {
        ck_assert_uint_eq(out.len, sizeof number);
        memcpy(&number, out.data, sizeof number);
    }
    ts_buf_clear(&out);
    return number;
}

_Noreturn void
fixture_leave(bool good)
{
    if (good)
        (void)raise(SIGKILL);
    _exit(1);
}

bool
fixture_left_well(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

void
fixture_tamper(const struct fixture *fixture, const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(fixture->path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_gt(sqlite3_total_changes(db), 0);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static bool
file_holds(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    uint8_t *content = malloc(size + 1);
    ck_assert_ptr_nonnull(content);
    rewind(file);
    ck_assert_uint_eq(fread(content, 1, size, file), size);
    fclose(file);
    bool found = memmem(content, size, bytes, len) != NULL;
    free(content);
    return found;
}

bool
fixture_holds(const struct fixture *fixture, const void *bytes, size_t len)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char path[160];
    bool found = false;

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", fixture->path, endings[i]);
        found = found || file_holds(path, bytes, len);
    }
    return found;
}

struct ts_peer_row
fixture_peer(const struct fixture *fixture, uint8_t tag)
{
    struct ts_peer_row row = {.token = fixture->token, .bits = 2048, .state = TS_PEER_ACTIVE, .created = 1000 + tag};

    memset(row.pairing, tag, sizeof row.pairing);
    memset(row.key_hash, tag ^ 0x80, sizeof row.key_hash);
    memset(row.confirmation, tag, sizeof row.confirmation);
    (void)snprintf(row.name, sizeof row.name, "peer %u", tag);
    return row;
}
