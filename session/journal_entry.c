#include "base/text.h"
#include "session/journal_internal.h"
#include "transport/link.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>

struct ts_journal_entry {
    struct ts_journal *journal;
    struct ts_journal_row row;
};

/* A disk that is full is not asked again at each step. */
#define PAUSE_MS 5000u

/* A journal that cannot be written is told once, not at each step. */
static void
note(struct ts_journal *journal, enum ts_error error)
{
    if (error == TS_OK)
        return;
    pthread_mutex_lock(&journal->lock);
    journal->retry_ms = ts_now_ms(journal->env) + PAUSE_MS;
    bool tell = !journal->warned;
    journal->warned = true;
    pthread_mutex_unlock(&journal->lock);
    if (tell)
        ts_log(journal->env, TS_LOG_WARNING,
            "the journal of sessions beside %s cannot be written (%s): its records have gaps", journal->store,
            ts_error_text(error));
}

static bool
paused(struct ts_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    bool paused = ts_now_ms(journal->env) < journal->retry_ms;
    pthread_mutex_unlock(&journal->lock);
    return paused;
}

static void
write_row(struct ts_journal_entry *entry)
{
    entry->row.updated_ms = ts_journal_now(entry->journal);
    if (!paused(entry->journal))
        note(entry->journal, ts_journal_rows_put(entry->journal->rows, &entry->row, entry->row.step));
}

static void
fill(struct ts_journal_entry *entry, const struct ts_journal_start *start)
{
    struct ts_journal_row *row = &entry->row;

    row->kind = start->kind;
    row->status = TS_JOURNAL_RUNNING;
    row->holder = ts_holder_number(entry->journal->holder);
    row->started_ms = row->updated_ms = ts_journal_now(entry->journal);
    (void)snprintf(row->step, sizeof row->step, "STARTED");
    if (start->key)
        ts_journal_key(entry, start->key, start->label);
    ts_text_copy(row->label, sizeof row->label, start->label);
    ts_text_copy(row->partner, sizeof row->partner, start->partner);
    ts_journal_asker(entry, start->application, start->host, start->user);
}

/* TS_EXISTS for an id of the caller's that was used; what else goes wrong is not his affair. */
static enum ts_error
add(struct ts_journal_entry *entry, const uint8_t *id)
{
    struct ts_journal *journal = entry->journal;
    enum ts_error error = id ? TS_OK : ts_random(journal->env, entry->row.id, TS_ID_BYTES);

    if (error != TS_OK)
        return error;
    if (id)
        memcpy(entry->row.id, id, TS_ID_BYTES);
    error = ts_journal_rows_add(journal->rows, &entry->row);
    if (error == TS_EXISTS)
        return error;
    note(journal, error); /* the record is made up at the end */
    if (ts_journal_expire_due(journal))
        ts_journal_expire(journal);
    return TS_OK;
}

enum ts_error
ts_journal_begin(struct ts_journal_entry **out, struct ts_journal *journal, const struct ts_journal_start *start)
{
    *out = NULL;
    if (!journal || ts_journal_ready(journal, true) != TS_OK)
        return TS_OK;
    struct ts_journal_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return TS_INTERNAL;
    entry->journal = journal;
    fill(entry, start);
    enum ts_error error = add(entry, start->id);
    if (error != TS_OK)
        free(entry);
    else
        *out = entry;
    return error;
}

void
ts_journal_attach(struct ts_journal_entry *entry, struct ts_session *session)
{
    ts_session_set_context(session, entry);
    if (entry)
        ts_session_id(session, entry->row.conversation);
}

void
ts_journal_step(struct ts_journal_entry *entry, const char *step)
{
    if (!entry)
        return;
    (void)snprintf(entry->row.step, sizeof entry->row.step, "%s", step);
    entry->row.status = TS_JOURNAL_RUNNING;
    write_row(entry);
}

void
ts_journal_wait(struct ts_journal_entry *entry, bool waiting)
{
    enum ts_journal_status status = waiting ? TS_JOURNAL_WAITING : TS_JOURNAL_RUNNING;

    if (!entry || entry->row.status == status)
        return;
    entry->row.status = status;
    write_row(entry);
}

void
ts_journal_key(struct ts_journal_entry *entry, const uint8_t key[TS_ID_BYTES], const char *label)
{
    if (!entry)
        return;
    entry->row.has_key = true;
    memcpy(entry->row.key, key, TS_ID_BYTES);
    if (label)
        ts_text_copy(entry->row.label, sizeof entry->row.label, label);
}

void
ts_journal_partner(struct ts_journal_entry *entry, const char *name)
{
    if (entry)
        ts_text_copy(entry->row.partner, sizeof entry->row.partner, name);
}

void
ts_journal_asker(struct ts_journal_entry *entry, const char *application, const char *host, const char *user)
{
    if (!entry)
        return;
    ts_text_copy(entry->row.application, sizeof entry->row.application, application);
    ts_text_copy(entry->row.host, sizeof entry->row.host, host);
    ts_text_copy(entry->row.user, sizeof entry->row.user, user);
}

void
ts_journal_words(struct ts_journal_entry *entry, const char *words)
{
    if (entry && !*entry->row.words)
        ts_text_copy(entry->row.words, sizeof entry->row.words, words);
}

void
ts_journal_change_kind(struct ts_journal_entry *entry, enum ts_journal_kind kind)
{
    if (entry)
        entry->row.kind = kind;
}

/* The first half of SHA-256. Without it (no memory) it stays zero, which is "not there". */
static void
short_hash(uint8_t out[TS_ID_BYTES], const struct ts_env *env, const uint8_t *bytes, size_t len)
{
    uint8_t digest[32];
    size_t digest_len = 0;

    ERR_set_mark();
    if (EVP_Q_digest(env->libctx, "SHA2-256", NULL, bytes, len, digest, &digest_len) == 1)
        memcpy(out, digest, TS_ID_BYTES);
    ERR_pop_to_mark();
}

void
ts_journal_presignature(
    struct ts_journal_entry *entry, const uint8_t presignature[TS_ID_BYTES], const uint8_t *request, size_t request_len)
{
    if (!entry)
        return;
    memcpy(entry->row.presignature, presignature, TS_ID_BYTES);
    short_hash(entry->row.request, entry->journal->env, request, request_len);
}

void
ts_journal_answer(struct ts_journal_entry *entry, const uint8_t *answer, size_t len)
{
    if (entry)
        short_hash(entry->row.answer, entry->journal->env, answer, len);
}

void
ts_journal_presignature_id(uint8_t out[TS_ID_BYTES], const struct ts_env *env, const uint8_t key[TS_ID_BYTES],
    uint32_t generation, const uint8_t n1[32], const uint8_t n2[32], uint64_t batch, uint32_t index)
{
    struct ts_buf bytes;

    memset(out, 0, TS_ID_BYTES);
    ts_buf_init(&bytes, TS_ID_BYTES + 4 + 32 + 32 + 8 + 4);
    (void)ts_buf_put(&bytes, key, TS_ID_BYTES);
    (void)ts_buf_put_u32(&bytes, generation);
    (void)ts_buf_put(&bytes, n1, 32);
    (void)ts_buf_put(&bytes, n2, 32);
    (void)ts_buf_put_u64(&bytes, batch);
    if (ts_buf_put_u32(&bytes, index) == TS_OK)
        short_hash(out, env, bytes.data, bytes.len);
    ts_buf_clear(&bytes);
}

static void
end(struct ts_journal_entry *entry, enum ts_journal_status status, enum ts_error error, const char *words)
{
    if (!entry)
        return;
    struct ts_journal_row *row = &entry->row;
    const char *name = ts_journal_status_name(status);
    row->status = status;
    row->error = error;
    row->updated_ms = ts_journal_now(entry->journal);
    if (status == TS_JOURNAL_COMPLETED)
        (void)snprintf(row->step, sizeof row->step, "%s", name);
    if (words && *words)
        ts_text_copy(row->words, sizeof row->words, words);
    note(entry->journal, ts_journal_rows_put(entry->journal->rows, row, name));
    free(entry);
}

void
ts_journal_end(struct ts_journal_entry *entry, enum ts_error error, const char *words)
{
    enum ts_journal_status status = error == TS_OK                                 ? TS_JOURNAL_COMPLETED
                                    : error == TS_REFUSED || error == TS_INCAPABLE ? TS_JOURNAL_REFUSED
                                    : error == TS_TIMEOUT                          ? TS_JOURNAL_TIMED_OUT
                                                                                   : TS_JOURNAL_FAILED;

    end(entry, status, error, words);
}

void
ts_journal_cancel(struct ts_journal_entry *entry, const char *words)
{
    end(entry, TS_JOURNAL_CANCELLED, TS_IO, words);
}
