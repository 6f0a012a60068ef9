#include "session/mobile_internal.h"

#include <stdlib.h>
#include <string.h>

/* One presignature, one request, one answer (protocol.md 7). An entry is erased when it is used; the record of its use
   stays for a while, so that the same bytes get the same answer. After that, and for any index that was never here, there
   is no answer at all: a number of a batch is used once in a connection. */

#define WAITING_MAX 512 /* entries on one connection */
#define USED_MAX 64     /* records of used ones */
#define LIFE_MS 600000u /* longer than the enterprise side keeps its part */

struct ts_waiting {
    struct ts_waiting *next; /* newest first */
    struct ts_presig_p2 *presig;
    uint8_t key[TS_ID_BYTES];
    uint32_t generation, index;
    uint64_t batch;
    uint64_t made_ms;
    bool used, busy;
};

static void
waiting_free(struct ts_waiting *entry)
{
    ts_presig_p2_free(entry->presig);
    free(entry);
}

static bool
is_there(const struct ts_waiting *entry, const struct ts_request_place *place)
{
    return entry->batch == place->batch && entry->index == place->index && entry->generation == place->generation &&
           memcmp(entry->key, place->key, sizeof entry->key) == 0;
}

/* Under the lock: what has waited too long, and the oldest records. */
static void
sweep(struct ts_mobile_connection *connection)
{
    uint64_t now_ms = ts_now_ms(connection->mobile->env);
    unsigned used = 0;

    for (struct ts_waiting **at = &connection->waiting; *at;) {
        struct ts_waiting *entry = *at;
        used += entry->used;
        if (entry->busy || (entry->used ? used <= USED_MAX : now_ms - entry->made_ms <= LIFE_MS)) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        waiting_free(entry);
    }
}

static enum ts_error
add_one(struct ts_waiting **list, struct ts_machine *machine, const struct ts_request_place *place, uint32_t index)
{
    struct ts_waiting *entry = calloc(1, sizeof *entry);

    if (!entry)
        return TS_INTERNAL;
    enum ts_error error = ts_presign_p2_take(&entry->presig, machine, index);
    if (error != TS_OK) {
        free(entry);
        return error;
    }
    memcpy(entry->key, place->key, sizeof entry->key);
    entry->generation = place->generation;
    entry->batch = place->batch;
    entry->index = index;
    entry->next = *list;
    *list = entry;
    return TS_OK;
}

static void
free_list(struct ts_waiting *list)
{
    while (list) {
        struct ts_waiting *entry = list;
        list = entry->next;
        waiting_free(entry);
    }
}

enum ts_error
ts_waiting_add(
    struct ts_mobile_connection *connection, struct ts_machine *machine, const struct ts_request_place *place)
{
    struct ts_waiting *list = NULL, **end = &list;
    uint32_t count = ts_presign_count(machine), there = 0;
    enum ts_error error = TS_OK;

    for (uint32_t i = 0; error == TS_OK && i < count; i++)
        error = add_one(&list, machine, place, i);
    pthread_mutex_lock(&connection->mobile->lock);
    sweep(connection);
    for (const struct ts_waiting *entry = connection->waiting; entry; entry = entry->next)
        there++;
    if (error == TS_OK && there + count > WAITING_MAX)
        error = TS_USAGE;
    if (error == TS_OK) {
        for (; *end; end = &(*end)->next)
            (*end)->made_ms = ts_now_ms(connection->mobile->env);
        *end = connection->waiting;
        connection->waiting = list;
        list = NULL;
    }
    pthread_mutex_unlock(&connection->mobile->lock);
    free_list(list);
    return error;
}

/* Under the lock, which is given up while another thread is at it. */
static struct ts_waiting *
find_free(struct ts_mobile_connection *connection, const struct ts_request_place *place)
{
    struct ts_waiting *entry;

    for (;;) {
        entry = connection->waiting;
        while (entry && !is_there(entry, place))
            entry = entry->next;
        if (!entry || !entry->busy)
            return entry;
        pthread_cond_wait(&connection->mobile->ended, &connection->mobile->lock); /* its question has a deadline */
    }
}

/* Under the lock. Two threads with different bytes: the second must not wait for the first to be judged, and must not
   look at what the first is at. */
static enum ts_error
bind(struct ts_waiting **out, struct ts_mobile_connection *connection, const struct ts_request_place *place,
    const uint8_t *request, size_t len)
{
    struct ts_waiting *entry = connection->waiting;

    while (entry && !is_there(entry, place))
        entry = entry->next;
    if (!entry)
        return TS_NOT_FOUND;
    if (entry->busy) {
        enum ts_error error = ts_presig_p2_check_bound(entry->presig, request, len);
        if (error != TS_OK)
            return error;
    }
    *out = find_free(connection, place);
    return *out ? ts_presig_p2_bind((*out)->presig, request, len) : TS_NOT_FOUND;
}

enum ts_error
ts_waiting_bind(struct ts_presig_p2 **out, struct ts_mobile_connection *connection,
    const struct ts_request_place *place, const uint8_t *request, size_t len)
{
    struct ts_waiting *entry = NULL;

    *out = NULL;
    pthread_mutex_lock(&connection->mobile->lock);
    sweep(connection);
    enum ts_error error = bind(&entry, connection, place, request, len);
    if (error == TS_OK) {
        entry->used = true;
        entry->busy = true;
        *out = entry->presig;
    }
    pthread_mutex_unlock(&connection->mobile->lock);
    return error;
}

void
ts_waiting_release(struct ts_mobile_connection *connection, struct ts_presig_p2 *presig)
{
    pthread_mutex_lock(&connection->mobile->lock);
    for (struct ts_waiting *entry = connection->waiting; entry; entry = entry->next)
        if (entry->presig == presig)
            entry->busy = false;
    pthread_cond_broadcast(&connection->mobile->ended);
    pthread_mutex_unlock(&connection->mobile->lock);
}

void
ts_waiting_forget(struct ts_mobile *mobile, const uint8_t key[TS_ID_BYTES])
{
    pthread_mutex_lock(&mobile->lock);
    for (struct ts_mobile_connection *connection = mobile->connections; connection; connection = connection->next)
        for (struct ts_waiting *entry = connection->waiting; entry; entry = entry->next)
            if (!entry->busy && memcmp(entry->key, key, sizeof entry->key) == 0) {
                ts_presig_p2_refuse(entry->presig); /* erased; whoever still asks for it is told no */
                entry->used = true;
            }
    pthread_mutex_unlock(&mobile->lock);
    ts_ahead_forget(mobile, key);
}

void
ts_waiting_clear(struct ts_mobile_connection *connection)
{
    free_list(connection->waiting);
    connection->waiting = NULL;
}
