#include "session/mobile_internal.h"

#include <stdlib.h>
#include <string.h>

/* What a device computes while nobody asks (protocol.md 6): after a signature its part of the batch that will come next on
   the connection, by its number. One such batch for each connection, of the key that signed last; used once, by the
   thread that it fits, and erased when anything else comes. */

struct ts_ahead_slot {
    struct ts_ahead batch; /* machine NULL: none, or not done */
    uint8_t key[TS_ID_BYTES];
    uint32_t generation;
    uint64_t number;
    bool filling; /* a thread works on the machine, which only it knows */
    bool wanted;  /* another waits for what is done by now */
    bool stale;   /* and nobody will want it */
};

static bool
fits(const struct ts_ahead_slot *slot, const struct ts_request_place *place)
{
    return slot->number == place->batch && slot->generation == place->generation &&
           memcmp(slot->key, place->key, sizeof slot->key) == 0;
}

/* Under the lock: what a slot held, for the caller to use or to erase without the lock. */
static struct ts_ahead
take_out(struct ts_ahead_slot *slot)
{
    const struct ts_ahead batch = slot->batch;

    slot->batch = (struct ts_ahead){0};
    slot->stale |= slot->filling;
    return batch;
}

void
ts_ahead_free(struct ts_mobile *mobile, struct ts_ahead *ahead)
{
    ts_machine_free(ahead->machine);
    ts_half_free(ahead->half);
    ts_parameters_release(&mobile->parameters, ahead->pairing);
    *ahead = (struct ts_ahead){0};
}

bool
ts_ahead_take(struct ts_ahead *out, struct ts_mobile_connection *connection, const struct ts_request_place *place)
{
    struct ts_mobile *mobile = connection->mobile;
    struct ts_ahead_slot *slot;
    struct ts_ahead other = {0};

    *out = (struct ts_ahead){0};
    pthread_mutex_lock(&mobile->lock);
    slot = connection->ahead;
    while (slot && slot->filling && !slot->stale && fits(slot, place)) {
        slot->wanted = true;
        pthread_cond_wait(&mobile->ended, &mobile->lock); /* for one presignature at most */
    }
    if (slot && fits(slot, place))
        *out = take_out(slot);
    else if (slot)
        other = take_out(slot);
    pthread_mutex_unlock(&mobile->lock);
    ts_ahead_free(mobile, &other);
    if (out->machine)
        ts_step(mobile->env, "SIGN_PREPARED");
    return out->machine;
}

/* Whether there is still nothing better to do. */
static bool
goes_on(struct ts_mobile_connection *connection)
{
    struct ts_mobile *mobile = connection->mobile;

    pthread_mutex_lock(&mobile->lock);
    bool idle = !mobile->stopping && !connection->ahead->stale && !connection->ahead->wanted;
    pthread_mutex_unlock(&mobile->lock);
    return idle && ts_link_alive(connection->link);
}

static enum ts_error
prepare(struct ts_ahead *out, struct ts_mobile_connection *connection, uint32_t count)
{
    struct ts_mobile *mobile = connection->mobile;
    const struct ts_ahead_slot *slot = connection->ahead;
    const struct ts_parameters_source source = {mobile->mpc, mobile->options.store, mobile->options.keyring};
    struct ts_half_row row;
    bool more = true;

    enum ts_error error = ts_half_get(&row, mobile->options.store, slot->key, false);
    if (error == TS_OK && (row.locked || row.generation != slot->generation))
        error = TS_NOT_FOUND;
    if (error == TS_OK)
        error = ts_half_open(&out->half, &source, &row);
    if (error == TS_OK)
        error = ts_mobile_pairing(&out->pairing, mobile, row.pairing, row.parameters);
    const struct ts_presign_place place = {.mpc = mobile->mpc,
        .pairing = out->pairing,
        .half = out->half,
        .n1 = connection->n1,
        .n2 = connection->n2,
        .batch = slot->number};
    if (error == TS_OK)
        error = ts_presign_p2_new(&out->machine, &place);
    while (error == TS_OK && more && goes_on(connection))
        error = ts_presign_p2_idle(&more, out->machine, count);
    return error;
}

/* Whether this thread may fill the slot: nobody else is at work on the connection. */
static bool
reserve(struct ts_mobile_connection *connection, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_mobile *mobile = connection->mobile;
    bool mine = false;

    pthread_mutex_lock(&mobile->lock);
    if (!connection->ahead)
        connection->ahead = calloc(1, sizeof *connection->ahead);
    struct ts_ahead_slot *slot = connection->ahead;
    if (slot && !slot->filling && !slot->batch.machine && connection->sessions == 1 && !mobile->stopping) {
        *slot = (struct ts_ahead_slot){.filling = true, .generation = generation, .number = connection->batch_next};
        memcpy(slot->key, key, sizeof slot->key);
        mine = true;
    }
    pthread_mutex_unlock(&mobile->lock);
    return mine;
}

void
ts_ahead_fill(
    struct ts_mobile_connection *connection, const uint8_t key[TS_ID_BYTES], uint32_t generation, uint32_t count)
{
    struct ts_mobile *mobile = connection->mobile;
    struct ts_ahead batch = {0};

    if (count > mobile->options.config->presignatures)
        count = mobile->options.config->presignatures;
    if (count == 0 || !reserve(connection, key, generation))
        return;
    enum ts_error error = prepare(&batch, connection, count);
    pthread_mutex_lock(&mobile->lock);
    struct ts_ahead_slot *slot = connection->ahead;
    slot->filling = false;
    if (error == TS_OK && !slot->stale) {
        slot->batch = batch;
        batch = (struct ts_ahead){0};
    }
    pthread_cond_broadcast(&mobile->ended);
    pthread_mutex_unlock(&mobile->lock);
    ts_ahead_free(mobile, &batch);
}

void
ts_ahead_forget(struct ts_mobile *mobile, const uint8_t key[TS_ID_BYTES])
{
    bool found = true;

    while (found) { /* one at a time: erasing is not for under the lock */
        struct ts_ahead batch = {0};
        pthread_mutex_lock(&mobile->lock);
        for (struct ts_mobile_connection *connection = mobile->connections; connection && !batch.machine;
             connection = connection->next)
            if (connection->ahead && memcmp(connection->ahead->key, key, TS_ID_BYTES) == 0)
                batch = take_out(connection->ahead);
        pthread_mutex_unlock(&mobile->lock);
        found = batch.machine;
        ts_ahead_free(mobile, &batch);
    }
}

void
ts_ahead_clear(struct ts_mobile_connection *connection)
{
    if (connection->ahead)
        ts_ahead_free(connection->mobile, &connection->ahead->batch);
    free(connection->ahead);
    connection->ahead = NULL;
}
