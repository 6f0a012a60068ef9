#include "base/thread.h"
#include "mpc/machine.h"
#include "session/enterprise_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Presignatures that wait for their requests: in memory, of one connection, each taken out before it is used. One thread
   of the process makes them, in batches, while the callers' threads sign. A child of a fork has neither the thread nor
   the presignatures (secret memory is zero there), and its copy of this is never used. */

#define OFTEN 2         /* signatures of a key on a connection before it is worth while */
#define KEYS_MAX 16     /* keys with a pool on one connection */
#define LIFE_MS 300000u /* the peer keeps its part for longer */
#define LOOK_S 60       /* how often the thread looks for old ones */

struct entry {
    struct entry *next;
    struct ts_ready ready;
    uint64_t made_ms;
};

struct ts_pool_key {
    struct ts_pool_key *next;
    struct ts_half_row row;
    unsigned signatures;
    struct ts_half *half; /* once it signs often; goes with the connection */
    const struct ts_pairing *pairing;
    bool wanted, busy; /* for the thread; it has it */
    bool gone;         /* locked or refreshed: nothing of it is used any more */
    unsigned count;
    struct entry *entries; /* oldest first */
};

static void
entry_free(struct entry *entry)
{
    ts_presig_p1_free(entry->ready.presig);
    free(entry);
}

/* Under the lock. */
static void
drop_entries(struct ts_pool_key *key)
{
    while (key->entries) {
        struct entry *entry = key->entries;
        key->entries = entry->next;
        entry_free(entry);
    }
    key->count = 0;
}

static void
key_free(struct ts_enterprise *enterprise, struct ts_pool_key *key)
{
    drop_entries(key);
    ts_half_free(key->half);
    ts_parameters_release(&enterprise->parameters, key->pairing);
    free(key);
}

/* Under the lock. */
static void
sweep(struct ts_enterprise *enterprise, struct ts_connection *connection)
{
    for (struct ts_pool_key **at = &connection->pool; *at;) {
        struct ts_pool_key *key = *at;
        if (!key->gone || key->busy) {
            at = &key->next;
            continue;
        }
        *at = key->next;
        key_free(enterprise, key);
    }
}

static struct ts_pool_key *
find(struct ts_connection *connection, const struct ts_half_row *row)
{
    struct ts_pool_key *key = connection->pool;

    while (key && (key->gone || key->row.generation != row->generation ||
                      memcmp(key->row.key, row->key, sizeof row->key) != 0))
        key = key->next;
    return key;
}

/* Under the lock: what has waited too long is never used. */
static void
drop_old(struct ts_pool_key *key, uint64_t now_ms)
{
    while (key->entries && now_ms - key->entries->made_ms > LIFE_MS) {
        struct entry *entry = key->entries;
        key->entries = entry->next;
        key->count--;
        entry_free(entry);
    }
}

bool
ts_pool_take(struct ts_ready *out, struct ts_enterprise *enterprise, struct ts_connection *connection,
    const struct ts_half_row *row)
{
    struct entry *entry = NULL;

    pthread_mutex_lock(&enterprise->lock);
    struct ts_pool_key *key = find(connection, row);
    if (key) {
        drop_old(key, ts_now_ms(enterprise->env));
        entry = key->entries;
    }
    if (entry) {
        key->entries = entry->next;
        key->count--;
        *out = entry->ready;
        free(entry);
    }
    pthread_mutex_unlock(&enterprise->lock);
    return entry != NULL;
}

/* --- the thread --- */

struct job {
    struct ts_connection *connection;
    struct ts_pool_key *key;
};

/* Under the lock: a key that wants presignatures; its connection is used until finish_job. */
static bool
find_job(struct job *job, struct ts_enterprise *enterprise)
{
    for (struct ts_partner *partner = enterprise->partners; partner; partner = partner->next) {
        struct ts_connection *connection = partner->current;
        for (struct ts_pool_key *key = connection ? connection->pool : NULL; key; key = key->next) {
            if (!key->wanted || key->gone || !ts_link_alive(connection->link))
                continue;
            key->wanted = false;
            key->busy = true;
            enterprise->filled = connection;
            connection->users++;
            partner->users++;
            partner->busy++;
            *job = (struct job){connection, key};
            return true;
        }
    }
    return false;
}

/* Under the lock. */
static enum ts_error
keep(struct ts_enterprise *enterprise, struct ts_pool_key *key, struct ts_batch *batch, uint32_t index)
{
    struct entry **end = &key->entries, *entry = calloc(1, sizeof *entry);

    if (!entry)
        return TS_INTERNAL;
    enum ts_error error = ts_presign_p1_take(&entry->ready.presig, batch->machine, index);
    if (error != TS_OK) {
        free(entry);
        return error;
    }
    entry->ready.batch = batch->number;
    entry->ready.index = index;
    entry->made_ms = ts_now_ms(enterprise->env);
    while (*end)
        end = &(*end)->next;
    *end = entry;
    key->count++;
    return TS_OK;
}

static enum ts_error
converse(struct ts_batch *batch, struct ts_journal_entry *entry, uint32_t count)
{
    uint32_t timeout = batch->enterprise->config->timeout.step;
    struct ts_message first = {0}, second = {0};
    struct ts_sign_round2_reply round = {0};
    struct ts_buf inner;

    ts_buf_init(&inner, TS_ROUND_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_batch_begin(batch, count);
    if (error == TS_OK)
        ts_journal_attach(entry, batch->session);
    if (error == TS_OK)
        error = ts_batch_round_1(batch, &first);
    if (error == TS_OK)
        error = ts_batch_open(&inner, batch, &first);
    if (error == TS_OK)
        error = ts_batch_round_2(&second, batch, &inner, NULL, timeout);
    if (error == TS_OK)
        error = ts_sign_round2_reply_decode(&round, second.payload.data, second.payload.len);
    if (error == TS_OK)
        error = ts_batch_finish(batch, &round);
    ts_sign_round2_reply_clear(&round);
    ts_message_clear(&first);
    ts_message_clear(&second);
    ts_buf_clear(&inner);
    return error;
}

static struct ts_journal_entry *
begin_entry(struct ts_enterprise *enterprise, const struct job *job, const struct ts_half_row *row)
{
    const struct ts_journal_start start = {.kind = TS_JOURNAL_PRESIGN,
        .key = row->key,
        .label = row->label,
        .partner = job->connection->partner->row.name};
    struct ts_journal_entry *entry = NULL;

    (void)ts_journal_begin(&entry, enterprise->journal, &start);
    return entry;
}

/* Cheating is cheating here, too. Anything else costs nobody a signature: the next one is made without. */
static void
explain(struct ts_batch *batch, const struct ts_half_row *row, struct ts_journal_entry *entry, enum ts_error error)
{
    const char *said = batch->session ? ts_session_reason(batch->session) : "";
    const char *peer = batch->connection->partner->row.name;

    if (error == TS_CHEATED || (error == TS_LOCKED && *said))
        ts_lock_enterprise(batch->enterprise, row,
            &(struct ts_fault){peer, batch->machine ? ts_machine_state(batch->machine) : "SIGN_ROUND_1", error,
                batch->session, batch->connection->link, entry});
    else if (error != TS_IO)
        ts_log(batch->enterprise->env, TS_LOG_WARNING, "key %s: peer %s gave no presignatures: %s%s%s", row->label,
            peer, ts_error_text(error), *said ? "; it said: " : "", said);
    if (batch->session && error != TS_CHEATED)
        (void)ts_session_fail(batch->session, error, NULL);
    if (error == TS_FORMAT && batch->session)
        ts_connection_malformed(batch->enterprise, batch->connection, batch->session);
}

/* The lock is held before and after, not meanwhile. */
static void
do_job(struct ts_enterprise *enterprise, const struct job *job)
{
    struct ts_pool_key *key = job->key;
    uint32_t count = enterprise->config->presignatures - key->count;
    struct ts_half_row row = key->row;
    struct ts_batch batch = {
        .enterprise = enterprise, .connection = job->connection, .half = key->half, .pairing = key->pairing};

    pthread_mutex_unlock(&enterprise->lock);
    struct ts_journal_entry *entry = begin_entry(enterprise, job, &row);
    enum ts_error error = converse(&batch, entry, count);
    if (error != TS_OK)
        explain(&batch, &row, entry, error);
    ts_journal_end(entry, error, NULL);
    pthread_mutex_lock(&enterprise->lock);
    for (uint32_t i = 0; error == TS_OK && !key->gone && i < count; i++)
        error = keep(enterprise, key, &batch, i);
    key->busy = false;
    enterprise->filled = NULL;
    sweep(enterprise, job->connection);
    pthread_mutex_unlock(&enterprise->lock);
    ts_batch_end(&batch);
    ts_connection_release(enterprise, job->connection);
    pthread_mutex_lock(&enterprise->lock);
}

/* Under the lock. Returns: whether anything is left that grows old. */
static bool
drop_all_old(struct ts_enterprise *enterprise)
{
    uint64_t now_ms = ts_now_ms(enterprise->env);
    bool left = false;

    for (struct ts_partner *partner = enterprise->partners; partner; partner = partner->next) {
        struct ts_connection *connection = partner->current;
        for (struct ts_pool_key *key = connection ? connection->pool : NULL; key; key = key->next) {
            drop_old(key, now_ms);
            left |= key->count > 0;
        }
    }
    return left;
}

/* Under the lock: until there is something to do, or to be dropped. */
static void
rest(struct ts_enterprise *enterprise)
{
    struct timespec until;

    if (!drop_all_old(enterprise)) {
        pthread_cond_wait(&enterprise->pool_wake, &enterprise->lock);
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_S;
    (void)pthread_cond_timedwait(&enterprise->pool_wake, &enterprise->lock, &until);
}

static void *
fill(void *argument)
{
    struct ts_enterprise *enterprise = argument;
    struct job job;

    pthread_mutex_lock(&enterprise->lock);
    while (!enterprise->stopping && atomic_load(&enterprise->threads_allowed)) {
        if (find_job(&job, enterprise))
            do_job(enterprise, &job);
        else
            rest(enterprise);
    }
    pthread_mutex_unlock(&enterprise->lock);
    return NULL;
}

/* Under the lock. */
static void
start_thread(struct ts_enterprise *enterprise)
{
    if (!enterprise->filling && !enterprise->stopping && atomic_load(&enterprise->threads_allowed))
        enterprise->filling = ts_thread_start(&enterprise->filler, fill, enterprise);
}

void
ts_pool_stop(struct ts_enterprise *enterprise)
{
    if (enterprise->filled)
        ts_link_shutdown(enterprise->filled->link);
    pthread_cond_broadcast(&enterprise->pool_wake);
}

void
ts_pool_join(struct ts_enterprise *enterprise)
{
    pthread_mutex_lock(&enterprise->lock);
    atomic_store(&enterprise->threads_allowed, false);
    ts_pool_stop(enterprise);
    bool join = enterprise->filling;
    enterprise->filling = false;
    pthread_mutex_unlock(&enterprise->lock);
    if (join)
        pthread_join(enterprise->filler, NULL);
}

/* --- what the callers' threads do --- */

/* Under the lock. NULL when there are too many, or no memory. */
static struct ts_pool_key *
add_key(struct ts_connection *connection, const struct ts_half_row *row)
{
    unsigned keys = 0;

    for (const struct ts_pool_key *key = connection->pool; key; key = key->next)
        keys++;
    struct ts_pool_key *key = keys < KEYS_MAX ? calloc(1, sizeof *key) : NULL;
    if (!key)
        return NULL;
    key->row = *row;
    key->next = connection->pool;
    connection->pool = key;
    return key;
}

/* Under the lock; reads the store. Its own copies, that live as long as the connection. */
static bool
give_half(struct ts_enterprise *enterprise, struct ts_pool_key *key, const struct ts_keyring *keyring)
{
    const struct ts_parameters_source source = {enterprise->mpc, enterprise->store, keyring};

    if (!key->pairing &&
        ts_enterprise_pairing(&key->pairing, enterprise, keyring, key->row.pairing, key->row.parameters) != TS_OK)
        return false;
    return key->half || ts_half_open(&key->half, &source, &key->row) == TS_OK;
}

void
ts_pool_used(struct ts_enterprise *enterprise, struct ts_connection *connection, const struct ts_half_row *row,
    const struct ts_keyring *keyring)
{
    unsigned most = enterprise->config->presignatures;

    if (most == 0 || !atomic_load(&enterprise->threads_allowed))
        return;
    pthread_mutex_lock(&enterprise->lock);
    struct ts_pool_key *key = find(connection, row);
    if (!key)
        key = add_key(connection, row);
    if (key && ++key->signatures >= OFTEN && !key->busy && key->count <= most / 2 &&
        give_half(enterprise, key, keyring)) {
        key->wanted = true;
        start_thread(enterprise);
        pthread_cond_signal(&enterprise->pool_wake);
    }
    pthread_mutex_unlock(&enterprise->lock);
}

void
ts_pool_forget(struct ts_enterprise *enterprise, const uint8_t id[TS_ID_BYTES])
{
    pthread_mutex_lock(&enterprise->lock);
    for (struct ts_partner *partner = enterprise->partners; partner; partner = partner->next) {
        struct ts_connection *connection = partner->current;
        for (struct ts_pool_key *key = connection ? connection->pool : NULL; key; key = key->next) {
            if (memcmp(key->row.key, id, TS_ID_BYTES) != 0)
                continue;
            drop_entries(key);
            key->gone = true;
        }
        if (connection)
            sweep(enterprise, connection);
    }
    pthread_mutex_unlock(&enterprise->lock);
}

void
ts_pool_clear(struct ts_enterprise *enterprise, struct ts_connection *connection)
{
    while (connection->pool) {
        struct ts_pool_key *key = connection->pool;
        connection->pool = key->next;
        key_free(enterprise, key);
    }
}
