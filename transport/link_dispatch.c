#include "transport/link_internal.h"

#include <stdlib.h>
#include <string.h>

/* The conversations of this protocol have one message on the way at a time; these are bounds against a peer that
 * does not keep to it. */
#define SESSION_QUEUE_MAX 16
#define LINK_QUEUE_MAX_BYTES ((size_t)16 << 20)

static struct ts_session *
find(const struct ts_link *link, const uint8_t id[TS_SESSION_ID_BYTES])
{
    for (struct ts_session *session = link->sessions; session; session = session->next)
        if (memcmp(session->id, id, TS_SESSION_ID_BYTES) == 0)
            return session;
    return NULL;
}

struct ts_session *
ts_session_add(struct ts_link *link, const uint8_t id[TS_SESSION_ID_BYTES], bool theirs)
{
    struct ts_session **place = &link->sessions;
    struct ts_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    session->link = link;
    session->theirs = theirs;
    memcpy(session->id, id, TS_SESSION_ID_BYTES);
    while (*place)
        place = &(*place)->next;
    *place = session;
    link->their_sessions += theirs ? 1 : 0;
    return session;
}

void
ts_session_take(struct ts_session *session, struct ts_message *out)
{
    struct ts_queued *item = session->queue;

    session->queue = item->next;
    session->queue_count--;
    session->link->queued_bytes -= item->message.payload.len;
    *out = item->message;
    free(item);
}

void
ts_session_remove(struct ts_session *session)
{
    struct ts_link *link = session->link;
    struct ts_session **place = &link->sessions;
    struct ts_message message;

    while (session->queue) {
        ts_session_take(session, &message);
        ts_message_clear(&message);
    }
    while (*place != session)
        place = &(*place)->next;
    *place = session->next;
    link->their_sessions -= session->theirs ? 1 : 0;
    free(session);
}

static enum ts_error
enqueue(struct ts_session *session, const struct ts_envelope *envelope)
{
    struct ts_link *link = session->link;
    struct ts_queued **place = &session->queue;

    if (session->queue_count == SESSION_QUEUE_MAX ||
        envelope->payload_len > LINK_QUEUE_MAX_BYTES - link->queued_bytes) {
        ts_log(link->env, TS_LOG_WARNING, "%s sends more than is asked for; the connection is dropped", link->name);
        return TS_FORMAT;
    }
    struct ts_queued *item = calloc(1, sizeof *item);
    if (!item)
        return TS_INTERNAL;
    item->message.type = envelope->type;
    ts_buf_init(&item->message.payload, envelope->payload_len);
    if (ts_buf_put(&item->message.payload, envelope->payload, envelope->payload_len) != TS_OK) {
        free(item);
        return TS_INTERNAL;
    }
    while (*place)
        place = &(*place)->next;
    *place = item;
    session->queue_count++;
    link->queued_bytes += envelope->payload_len;
    return TS_OK;
}

static enum ts_error
deliver(struct ts_session *session, const struct ts_envelope *envelope)
{
    const struct ts_link *link = session->link;
    struct ts_failure failure;

    if (ts_sequence_receive(&session->sequence, envelope->sequence, envelope->acknowledge) != TS_OK) {
        ts_log(link->env, TS_LOG_WARNING,
            "%s broke the sequence of a session: %s has number %llu after %llu; the connection is dropped", link->name,
            ts_message_name(envelope->type), (unsigned long long)envelope->sequence,
            (unsigned long long)session->sequence.received);
        return TS_FORMAT;
    }
    if (envelope->type != TS_MESSAGE_FAILURE)
        return enqueue(session, envelope);
    enum ts_error error = ts_failure_decode(&failure, envelope->payload, envelope->payload_len);
    if (error != TS_OK)
        return error;
    if (!session->failed)
        session->failure = failure; /* the first is the cause */
    session->failed = true;
    return TS_OK;
}

/* Answer without keeping anything. */
static enum ts_error
refuse_session(struct ts_link *link, const struct ts_envelope *envelope)
{
    static const struct ts_failure failure = {TS_IO, "too many sessions at once"};
    struct ts_envelope answer = {.sequence = 1, .acknowledge = envelope->sequence, .type = TS_MESSAGE_FAILURE};
    struct ts_buf payload, bytes;
    uint64_t mark = 0;

    ts_log(
        link->env, TS_LOG_WARNING, "%s opens more than %u sessions at once; refused", link->name, link->max_sessions);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    ts_buf_init(&bytes, TS_ENVELOPE_MAX_BYTES);
    enum ts_error error = ts_failure_encode(&payload, &failure);
    memcpy(answer.session, envelope->session, sizeof answer.session);
    answer.payload = payload.data;
    answer.payload_len = payload.len;
    if (error == TS_OK)
        error = ts_envelope_encode(&bytes, &answer);
    if (error == TS_OK)
        error = ts_channel_send(&mark, link->channel, bytes.data, bytes.len);
    ts_buf_clear(&payload);
    ts_buf_clear(&bytes);
    return error;
}

static enum ts_error
route(struct ts_link *link, const struct ts_envelope *envelope)
{
    struct ts_session *session = find(link, envelope->session);

    if (session)
        return deliver(session, envelope);
    if (!ts_sequence_starts(envelope->sequence, envelope->acknowledge)) {
        ts_log(link->env, TS_LOG_DEBUG, "%s from %s is for a session that is over; dropped",
            ts_message_name(envelope->type), link->name);
        return TS_OK;
    }
    if (link->their_sessions >= link->max_sessions)
        return refuse_session(link, envelope);
    session = ts_session_add(link, envelope->session, true);
    return session ? deliver(session, envelope) : TS_INTERNAL;
}

enum ts_error
ts_link_dispatch(void *ctx, const uint8_t *message, size_t len)
{
    struct ts_link *link = ctx;
    struct ts_envelope envelope;

    enum ts_error error = ts_envelope_decode(&envelope, message, len);
    if (error != TS_OK) {
        ts_log(link->env, TS_LOG_WARNING,
            "%s sent a message that does not decode (%s); the connection is dropped; check that both sides run the "
            "same version",
            link->name, ts_error_text(error));
        return error;
    }
    error = route(link, &envelope);
    ts_envelope_clear(&envelope);
    return error;
}
