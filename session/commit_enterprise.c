#include "session/enterprise_internal.h"
#include "session/talk.h"

#include <stdlib.h>
#include <string.h>

/* Both sides have the generation now: what was before it goes. */
static enum ts_error
note_acknowledged(struct ts_store *store, const struct ts_half_row *row)
{
    enum ts_error error = ts_store_begin(store);

    if (error != TS_OK)
        return error;
    error = ts_half_set_acknowledged(store, row->key, row->generation);
    if (error == TS_OK)
        error = ts_half_succeed(store, row->key, row->generation);
    if (error == TS_OK)
        return ts_store_commit(store);
    ts_store_rollback(store);
    return error;
}

enum ts_error
ts_commit_send(struct ts_enterprise *enterprise, struct ts_session *session, const struct ts_half_row *row)
{
    struct ts_commit commit = {.generation = row->generation}, done;
    struct ts_message reply = {0};
    struct ts_buf payload;

    memcpy(commit.key, row->key, sizeof commit.key);
    memcpy(commit.confirmation, row->confirmation, sizeof commit.confirmation);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_commit_encode(&payload, &commit);
    if (error == TS_OK)
        error = ts_talk(&reply, enterprise->env, session, TS_MESSAGE_COMMIT, &payload, TS_MESSAGE_COMMIT_DONE,
            enterprise->config->timeout.step);
    if (error == TS_OK)
        error = ts_commit_decode(&done, reply.payload.data, reply.payload.len);
    if (error == TS_OK && memcmp(&done, &commit, sizeof done) != 0)
        error = TS_FORMAT;
    if (error == TS_OK)
        error = note_acknowledged(enterprise->store, row);
    if (error != TS_OK)
        ts_log(enterprise->env, TS_LOG_WARNING,
            "key %s: the peer has not acknowledged the commit (%s %s); it will be repeated at the next connection",
            row->label, ts_error_text(error), ts_session_reason(session));
    ts_message_clear(&reply);
    ts_buf_clear(&payload);
    return error;
}

void
ts_commit_repeat(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_half_row *row)
{
    struct ts_session *session = NULL;

    if (row->acknowledged || row->state != TS_HALF_ACTIVE)
        return;
    if (ts_session_open(&session, link) == TS_OK)
        (void)ts_commit_send(enterprise, session, row);
    ts_session_close(session);
}

void
ts_commits_repeat(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_peer_row *peer)
{
    struct ts_half_row *rows = NULL;
    size_t count = 0;

    if (ts_half_list(&rows, &count, enterprise->store, peer->token) == TS_OK)
        for (size_t i = 0; i < count && ts_link_alive(link); i++)
            if (memcmp(rows[i].pairing, peer->pairing, TS_ID_BYTES) == 0)
                ts_commit_repeat(enterprise, link, &rows[i]);
    free(rows);
}

void
ts_abort_send(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_half_row *row)
{
    struct ts_commit abort = {.generation = row->generation};
    struct ts_session *session = NULL;
    struct ts_message reply = {0};
    struct ts_buf payload;

    memcpy(abort.key, row->key, sizeof abort.key);
    memcpy(abort.confirmation, row->confirmation, sizeof abort.confirmation);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    if (ts_commit_encode(&payload, &abort) == TS_OK && ts_session_open(&session, link) == TS_OK)
        (void)ts_talk(&reply, enterprise->env, session, TS_MESSAGE_ABORT, &payload, TS_MESSAGE_ABORT_DONE,
            enterprise->config->timeout.step);
    ts_message_clear(&reply);
    ts_session_close(session);
    ts_buf_clear(&payload);
}
