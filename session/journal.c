#include "session/journal_internal.h"

#include <stdlib.h>
#include <strings.h>

/* How long a journal that could not be opened is left alone. */
#define RETRY_MS 60000u
/* What is too old is forgotten at the first use, and then at each so manieth record. */
#define EXPIRE_EVERY 1000u

static const char *const kinds[] = {NULL, "PAIRING", "KEYGEN", "PRESIGN", "SIGN", "REFRESH"};
static const char *const statuses[] = {
    NULL, "RUNNING", "WAITING_FOR_PARTNER", "COMPLETED", "FAILED", "REFUSED", "TIMED_OUT", "CANCELLED", "INTERRUPTED"};
#define KINDS (sizeof kinds / sizeof *kinds)
#define STATUSES (sizeof statuses / sizeof *statuses)

const char *
ts_journal_kind_name(enum ts_journal_kind kind)
{
    return (size_t)kind >= 1 && (size_t)kind < KINDS ? kinds[kind] : "?";
}

const char *
ts_journal_status_name(enum ts_journal_status status)
{
    return (size_t)status >= 1 && (size_t)status < STATUSES ? statuses[status] : "?";
}

bool
ts_journal_status_ended(enum ts_journal_status status)
{
    return status >= TS_JOURNAL_COMPLETED;
}

static unsigned
find_name(const char *const *names, size_t count, const char *name)
{
    for (unsigned i = 1; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return i;
    return 0;
}

enum ts_journal_kind
ts_journal_kind_find(const char *name)
{
    return (enum ts_journal_kind)find_name(kinds, KINDS, name);
}

enum ts_journal_status
ts_journal_status_find(const char *name)
{
    return (enum ts_journal_status)find_name(statuses, STATUSES, name);
}

int64_t
ts_journal_now(const struct ts_journal *journal)
{
    return (int64_t)(journal->env->clock.realtime_ns(journal->env->clock.ctx) / 1000000u);
}

enum ts_error
ts_journal_open(struct ts_journal **out, const struct ts_env *env, const char *store, uint32_t keep_s,
    const struct ts_holder *holder)
{
    struct ts_journal *journal = calloc(1, sizeof *journal);

    *out = NULL;
    if (journal)
        journal->store = strdup(store);
    if (!journal || !journal->store || pthread_mutex_init(&journal->lock, NULL) != 0) {
        free(journal ? journal->store : NULL);
        free(journal);
        return TS_INTERNAL;
    }
    journal->env = env;
    journal->keep_s = keep_s;
    journal->holder = holder;
    *out = journal;
    return TS_OK;
}

void
ts_journal_close(struct ts_journal *journal)
{
    if (!journal)
        return;
    ts_journal_rows_close(journal->rows);
    ts_holder_close(journal->own_holder);
    (void)pthread_mutex_destroy(&journal->lock);
    free(journal->store);
    free(journal);
}

void
ts_journal_abandon(struct ts_journal *journal)
{
    if (!journal)
        return;
    ts_journal_rows_close(journal->rows);
    ts_holder_close(journal->own_holder);
    free(journal->store);
    free(journal);
}

/* Under the lock. */
static enum ts_error
open_parts(struct ts_journal *journal)
{
    enum ts_error error = TS_OK;

    if (!journal->holder) {
        error = ts_holder_open(&journal->own_holder, journal->env, journal->store);
        journal->holder = journal->own_holder;
    }
    if (error == TS_OK)
        error = ts_journal_rows_open(&journal->rows, journal->env, journal->store);
    if (error == TS_OK)
        return TS_OK;
    journal->retry_ms = ts_now_ms(journal->env) + RETRY_MS;
    ts_log(journal->env, TS_LOG_WARNING,
        "the journal of sessions beside %s cannot be opened (%s): what is done now is not recorded", journal->store,
        ts_error_text(error));
    return error;
}

enum ts_error
ts_journal_ready(struct ts_journal *journal, bool make)
{
    enum ts_error error = TS_OK;
    bool expire = false;

    pthread_mutex_lock(&journal->lock);
    if (!journal->rows && !make && !ts_journal_rows_exist(journal->store)) {
        error = TS_NOT_FOUND;
    } else if (!journal->rows) {
        error = ts_now_ms(journal->env) < journal->retry_ms ? TS_STORAGE : open_parts(journal);
        expire = error == TS_OK && make;
    }
    pthread_mutex_unlock(&journal->lock);
    if (expire)
        ts_journal_expire(journal);
    return error;
}

void
ts_journal_expire(struct ts_journal *journal)
{
    (void)ts_journal_rows_expire(journal->rows, ts_journal_now(journal) - (int64_t)journal->keep_s * 1000);
}

bool
ts_journal_expire_due(struct ts_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    bool due = ++journal->begun % EXPIRE_EVERY == 0;
    pthread_mutex_unlock(&journal->lock);
    return due;
}

/* Reading shows the dead as such, also where the file cannot be written. No journal is an empty one. */
static enum ts_error
ready_to_read(struct ts_journal *journal)
{
    enum ts_error error = ts_journal_ready(journal, false);

    if (error == TS_OK)
        (void)ts_journal_rows_settle(journal->rows, journal->holder, ts_journal_now(journal));
    return error;
}

enum ts_error
ts_journal_list(
    struct ts_journal_row **out, size_t *count, struct ts_journal *journal, const struct ts_journal_filter *filter)
{
    enum ts_error error = ready_to_read(journal);

    *out = NULL;
    *count = 0;
    if (error == TS_OK)
        error = ts_journal_rows_list(out, count, journal->rows, filter);
    else if (error == TS_NOT_FOUND)
        error = TS_OK;
    return error;
}

enum ts_error
ts_journal_get(struct ts_journal_row *out, struct ts_journal *journal, const uint8_t id[TS_ID_BYTES])
{
    enum ts_error error = ready_to_read(journal);

    return error == TS_OK ? ts_journal_rows_get(out, journal->rows, id) : error;
}

enum ts_error
ts_journal_changes(
    struct ts_journal_event **out, size_t *count, struct ts_journal *journal, uint64_t cursor, unsigned limit)
{
    enum ts_error error = ready_to_read(journal);

    *out = NULL;
    *count = 0;
    if (error == TS_OK)
        error = ts_journal_rows_events(out, count, journal->rows, cursor, limit);
    else if (error == TS_NOT_FOUND)
        error = TS_OK;
    return error;
}

enum ts_error
ts_journal_cursor(uint64_t *out, struct ts_journal *journal)
{
    enum ts_error error = ready_to_read(journal);

    *out = 0;
    if (error == TS_OK)
        error = ts_journal_rows_cursor(out, journal->rows);
    else if (error == TS_NOT_FOUND)
        error = TS_OK;
    return error;
}
