#include "session/enterprise_internal.h"
#include "session/talk.h"
#include "store/holder.h"

#include <stdlib.h>
#include <string.h>

/* How a key that lives only as long as a session ends: its half here at once, with a note that the peer must be told;
   the peer's half when it can be reached. */

static enum ts_error
note_farewell(struct ts_store *store, const struct ts_half_row *half)
{
    struct ts_farewell_row row = {.generation = half->generation};

    memcpy(row.key, half->key, sizeof row.key);
    memcpy(row.pairing, half->pairing, sizeof row.pairing);
    memcpy(row.confirmation, half->confirmation, sizeof row.confirmation);
    return ts_farewell_put(store, &row);
}

static enum ts_error
destroy_halves(struct ts_store *store, const uint8_t key[TS_ID_BYTES])
{
    struct ts_half_row row;
    uint64_t holder = 0;
    enum ts_error error = ts_temporary_get(&holder, store, key);
    bool temporary = error == TS_OK;

    if (error != TS_OK && error != TS_NOT_FOUND)
        return error;
    while ((error = ts_half_get(&row, store, key, true)) == TS_OK) {
        if (temporary)
            error = note_farewell(store, &row);
        if (error == TS_OK)
            error = ts_half_delete(store, key, row.generation);
        if (error != TS_OK)
            return error;
    }
    return error == TS_NOT_FOUND ? TS_OK : error;
}

enum ts_error
ts_key_destroy(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES])
{
    enum ts_error error = ts_store_begin(enterprise->store);

    if (error != TS_OK)
        return error;
    error = destroy_halves(enterprise->store, key);
    if (error == TS_OK)
        return ts_store_commit(enterprise->store);
    ts_store_rollback(enterprise->store);
    return error;
}

enum ts_error
ts_key_keep(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES])
{
    return ts_temporary_keep(enterprise->store, key);
}

enum ts_error
ts_key_lend(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES])
{
    return ts_temporary_put(enterprise->store, key, ts_holder_number(enterprise->holder));
}

enum ts_error
ts_keys_bury(struct ts_enterprise *enterprise, uint64_t token)
{
    struct ts_temporary_row *rows = NULL;
    size_t count = 0;
    enum ts_error error = ts_temporary_list(&rows, &count, enterprise->store, token);

    for (size_t i = 0; error == TS_OK && i < count; i++) {
        if (ts_holder_alive(enterprise->holder, rows[i].holder))
            continue;
        error = ts_key_destroy(enterprise, rows[i].key);
        if (error == TS_OK)
            ts_log(
                enterprise->env, TS_LOG_INFO, "a session's key was left by a process that ended: its half is erased");
    }
    free(rows);
    return error;
}

/* --- telling the peer --- */

static enum ts_error
tell_as(
    struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_farewell_row *row, int type, int reply_type)
{
    struct ts_commit end = {.generation = row->generation};
    struct ts_session *session = NULL;
    struct ts_message reply = {0};
    struct ts_buf payload;

    memcpy(end.key, row->key, sizeof end.key);
    memcpy(end.confirmation, row->confirmation, sizeof end.confirmation);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_commit_encode(&payload, &end);
    if (error == TS_OK)
        error = ts_session_open(&session, link);
    if (error == TS_OK)
        error =
            ts_talk(&reply, enterprise->env, session, type, &payload, reply_type, enterprise->config->timeout.connect);
    ts_message_clear(&reply);
    ts_session_close(session);
    ts_buf_clear(&payload);
    return error;
}

/* The end of a session's key; or, when it was made to stay, of a run that never became a key. */
static enum ts_error
tell_one(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_farewell_row *row)
{
    enum ts_error error = tell_as(enterprise, link, row, TS_MESSAGE_DESTROY, TS_MESSAGE_DESTROY_DONE);

    return error == TS_REFUSED ? tell_as(enterprise, link, row, TS_MESSAGE_ABORT, TS_MESSAGE_ABORT_DONE) : error;
}

/* A run of keygen that somebody still works on is no farewell so far (session/keygen_enterprise.c). */
static bool
still_running(struct ts_enterprise *enterprise, const struct ts_farewell_row *row)
{
    uint64_t holder = 0;

    return ts_temporary_get(&holder, enterprise->store, row->key) == TS_OK &&
           ts_holder_alive(enterprise->holder, holder);
}

static enum ts_error
forget(struct ts_enterprise *enterprise, const struct ts_farewell_row *row)
{
    enum ts_error error = ts_farewell_delete(enterprise->store, row->key, row->generation);

    return error == TS_OK ? ts_temporary_keep(enterprise->store, row->key) : error;
}

/* A refusal is an answer, too: then the half is the peer's own affair. What it has not heard is told next time. */
void
ts_farewells_tell(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_peer_row *peer)
{
    struct ts_farewell_row *rows = NULL;
    size_t count = 0;
    enum ts_error error = ts_farewell_list(&rows, &count, enterprise->store, peer->pairing);

    for (size_t i = 0; error == TS_OK && i < count; i++) {
        if (still_running(enterprise, &rows[i]))
            continue;
        error = tell_one(enterprise, link, &rows[i]);
        bool kept = error == TS_REFUSED || error == TS_USAGE;
        if (kept)
            ts_log(enterprise->env, TS_LOG_WARNING, "peer %s keeps its half of a key that has ended here", peer->name);
        if (error == TS_OK || kept)
            error = forget(enterprise, &rows[i]);
    }
    free(rows);
}

void
ts_enterprise_farewell(struct ts_enterprise *enterprise, uint64_t token)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;

    if (ts_peer_list(&rows, &count, enterprise->store, token) != TS_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        struct ts_connection *connection = ts_connection_current(enterprise, rows[i].pairing);
        if (!connection)
            continue;
        ts_farewells_tell(enterprise, connection->link, &rows[i]);
        ts_connection_release(enterprise, connection);
    }
    free(rows);
}
