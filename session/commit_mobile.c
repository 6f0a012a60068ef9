#include "session/mobile_internal.h"
#include "session/talk.h"

#include <string.h>

/* A half of the caller's own pairing, or none. */
static enum ts_error
own_half(
    struct ts_half_row *out, struct ts_conversation *conversation, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    enum ts_error error = ts_half_get_generation(out, conversation->mobile->options.store, key, generation);

    if (error == TS_OK && memcmp(out->pairing, conversation->connection->peer.pairing, TS_ID_BYTES) != 0)
        error = TS_NOT_FOUND;
    if (error == TS_NOT_FOUND)
        conversation->reason = "no such half";
    return error;
}

/* The answer repeats the question: the same bytes, so that a repeated commit gets a repeated answer. */
static enum ts_error
echo(struct ts_conversation *conversation, int type, const struct ts_commit *commit)
{
    struct ts_buf payload;

    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_commit_encode(&payload, commit);
    if (error == TS_OK)
        error = ts_mobile_tell(conversation, type, &payload, TS_CURVE_NONE);
    ts_buf_clear(&payload);
    return error;
}

/* The first commit of a refresh lifts the lock; a repeated one must not touch a later lock. */
static enum ts_error
activate(struct ts_store *store, const struct ts_half_row *row, const struct ts_commit *commit)
{
    struct ts_half_row before;
    enum ts_error error = ts_half_get(&before, store, row->key, false);
    bool refreshed = error == TS_OK && before.generation < row->generation;

    if (error == TS_OK || error == TS_NOT_FOUND)
        error = ts_half_activate(store, commit->key, commit->generation, commit->confirmation);
    if (error == TS_OK && refreshed)
        error = ts_half_unlock(store, commit->key, commit->generation);
    if (error == TS_OK)
        error = ts_half_succeed(store, commit->key, commit->generation);
    return error;
}

static enum ts_error
make_active(struct ts_mobile *mobile, const struct ts_half_row *row, const struct ts_commit *commit)
{
    struct ts_store *store = mobile->options.store;
    enum ts_error error = ts_store_begin(store);

    if (error != TS_OK)
        return error;
    error = activate(store, row, commit);
    if (error == TS_OK)
        error = ts_store_commit(store);
    else
        ts_store_rollback(store);
    if (error == TS_OK && row->state == TS_HALF_PENDING) {
        ts_waiting_forget(mobile, row->key);
        ts_parameters_drop(&mobile->parameters, row->pairing);
    }
    return error;
}

enum ts_error
ts_commit_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct ts_commit commit;
    struct ts_half_row row;
    enum ts_error error = ts_commit_decode(&commit, first->payload.data, first->payload.len);

    if (error == TS_OK)
        error = own_half(&row, conversation, commit.key, commit.generation);
    if (error == TS_OK) {
        error = make_active(conversation->mobile, &row, &commit);
        if (error == TS_CHEATED)
            conversation->reason = "this half was made in another run";
    }
    if (error == TS_OK)
        error = echo(conversation, TS_MESSAGE_COMMIT_DONE, &commit);
    return error;
}

enum ts_error
ts_commit_wait(struct ts_conversation *conversation)
{
    struct ts_message commit = {0};
    enum ts_error error = ts_hear(&commit, conversation->mobile->env, conversation->session, TS_MESSAGE_COMMIT,
        conversation->mobile->options.config->timeout.step);

    if (error == TS_OK)
        error = ts_commit_mobile(conversation, &commit);
    else
        conversation->reason = "no commit came; the half stays pending";
    ts_message_clear(&commit);
    return error;
}

enum ts_error
ts_abort_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct ts_commit abort;
    struct ts_half_row row;
    enum ts_error error = ts_commit_decode(&abort, first->payload.data, first->payload.len);

    if (error == TS_OK)
        error = own_half(&row, conversation, abort.key, abort.generation);
    if (error == TS_NOT_FOUND) /* gone already: an abort may be repeated */
        return echo(conversation, TS_MESSAGE_ABORT_DONE, &abort);
    if (error == TS_OK &&
        (row.state != TS_HALF_PENDING || memcmp(row.confirmation, abort.confirmation, sizeof row.confirmation) != 0)) {
        conversation->reason = "only a pending half of exactly this run can be aborted";
        error = TS_USAGE;
    }
    if (error == TS_OK)
        error = ts_half_withdraw(conversation->mobile->options.store, abort.key, abort.generation, abort.confirmation);
    if (error == TS_OK)
        error = echo(conversation, TS_MESSAGE_ABORT_DONE, &abort);
    return error;
}

/* From afar only a key that was made for a session can be ended: whoever steals the enterprise's identity must not be
   able to erase the others. */
static enum ts_error
check_farewell(struct ts_conversation *conversation, const struct ts_half_row *row,
    const uint8_t confirmation[sizeof row->confirmation])
{
    uint64_t holder = 0;
    enum ts_error error = ts_temporary_get(&holder, conversation->mobile->options.store, row->key);

    if (error == TS_OK && memcmp(row->confirmation, confirmation, sizeof row->confirmation) != 0)
        error = TS_NOT_FOUND;
    if (error != TS_NOT_FOUND)
        return error;
    conversation->reason = "only a half that was made for a session can be ended by the other side";
    return TS_REFUSED;
}

enum ts_error
ts_farewell_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct ts_commit end;
    struct ts_half_row row;
    enum ts_error error = ts_commit_decode(&end, first->payload.data, first->payload.len);

    if (error == TS_OK)
        error = own_half(&row, conversation, end.key, end.generation);
    if (error == TS_NOT_FOUND) /* gone already: a farewell may be repeated */
        return echo(conversation, TS_MESSAGE_DESTROY_DONE, &end);
    if (error == TS_OK)
        error = check_farewell(conversation, &row, end.confirmation);
    if (error == TS_OK)
        error = ts_half_delete(conversation->mobile->options.store, end.key, end.generation);
    if (error == TS_OK) {
        ts_waiting_forget(conversation->mobile, end.key);
        error = echo(conversation, TS_MESSAGE_DESTROY_DONE, &end);
    }
    return error;
}

enum ts_error
ts_lock_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct ts_store *store = conversation->mobile->options.store;
    struct ts_half_row row;
    struct ts_lock lock;
    enum ts_error error = ts_lock_decode(&lock, first->payload.data, first->payload.len);

    if (error == TS_OK)
        error = ts_half_get(&row, store, lock.key, true);
    if (error == TS_OK)
        error = own_half(&row, conversation, lock.key, row.generation);
    if (error != TS_OK)
        return error;
    error = ts_half_lock(store, lock.key, lock.reason);
    ts_waiting_forget(conversation->mobile, lock.key);
    ts_log(conversation->mobile->env, TS_LOG_ERROR,
        "key %s is locked: partner %s says that this device cheated or failed: %s", row.label,
        conversation->connection->peer.name, lock.reason);
    if (error == TS_OK) {
        struct ts_buf payload;
        ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
        error = ts_lock_encode(&payload, &lock);
        if (error == TS_OK)
            error = ts_mobile_tell(conversation, TS_MESSAGE_LOCK_DONE, &payload, TS_CURVE_NONE);
        ts_buf_clear(&payload);
    }
    return error;
}
