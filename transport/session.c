#include "transport/link.h"
#include "transport/link_internal.h"
#include "base/text.h"
#include "transport/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above this nobody adds to what waits for room in the socket. */
#define BACKLOG_FULL_BYTES ((size_t)1 << 20)
#define FAIL_MS 2000

enum ts_error
ts_session_open(struct ts_session **out, struct ts_link *link)
{
    uint8_t id[TS_SESSION_ID_BYTES];

    *out = NULL;
    if (ts_random(link->env, id, sizeof id) != TS_OK)
        return TS_INTERNAL;
    enum ts_error error = TS_IO;
    (void)pthread_mutex_lock(&link->mutex);
    if (!ts_link_ended(link)) {
        *out = ts_session_add(link, id, false);
        error = *out ? TS_OK : TS_INTERNAL;
    }
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}

static struct ts_session *
find_offered(const struct ts_link *link)
{
    struct ts_session *session = link->sessions;

    while (session && (!session->theirs || session->accepted))
        session = session->next;
    return session;
}

static bool
ready_offered(const void *ctx)
{
    return find_offered(ctx) != NULL;
}

enum ts_error
ts_session_accept(struct ts_session **out, struct ts_link *link, uint32_t timeout_ms)
{
    *out = NULL;
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = ts_link_wait(link, ready_offered, link, ts_deadline_after(link->env, timeout_ms));
    if (error == TS_OK) {
        *out = find_offered(link);
        (*out)->accepted = true;
    }
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}

static bool
ready_room(const void *ctx)
{
    const struct ts_link *link = ctx;
    return !ts_link_ended(link) && ts_channel_backlog(link->channel) < BACKLOG_FULL_BYTES;
}

struct sent_mark {
    const struct ts_link *link;
    uint64_t mark;
};

static bool
ready_sent(const void *ctx)
{
    const struct sent_mark *sent = ctx;
    return ts_channel_sent(sent->link->channel) >= sent->mark;
}

/* Number, encode and queue a message: in one go, so that numbers leave in their order. */
static enum ts_error
transmit(uint64_t *mark, struct ts_session *session, int type, const uint8_t *payload, size_t len)
{
    struct ts_link *link = session->link;
    struct ts_envelope envelope = {.type = type, .payload = payload, .payload_len = len};
    struct ts_buf bytes;

    memcpy(envelope.session, session->id, sizeof envelope.session);
    ts_sequence_stamp(&session->sequence, &envelope.sequence, &envelope.acknowledge);
    ts_buf_init(&bytes, TS_ENVELOPE_MAX_BYTES);
    enum ts_error error = ts_envelope_encode(&bytes, &envelope);
    if (error == TS_OK)
        error = ts_channel_send(mark, link->channel, bytes.data, bytes.len);
    ts_buf_clear(&bytes);
    /* A number was given that will never arrive. */
    if (error != TS_OK)
        ts_link_die(link, ts_channel_words(link->channel));
    return error == TS_INTERNAL ? TS_INTERNAL : error == TS_OK ? TS_OK : TS_IO;
}

static enum ts_error
send_locked(struct ts_session *session, int type, const uint8_t *payload, size_t len, uint64_t deadline_ms)
{
    struct ts_link *link = session->link;
    struct sent_mark sent = {.link = link};

    enum ts_error error = ts_link_wait(link, ready_room, link, deadline_ms);
    if (error == TS_OK)
        error = transmit(&sent.mark, session, type, payload, len);
    if (error != TS_OK || ready_sent(&sent))
        return error;
    ts_link_poke(link);
    return ts_link_wait(link, ready_sent, &sent, deadline_ms);
}

enum ts_error
ts_session_send(struct ts_session *session, int type, const uint8_t *payload, size_t len, uint32_t timeout_ms)
{
    struct ts_link *link = session->link;

    if (ts_message_sender(type) == TS_FROM_NOBODY || len > ts_message_max(type))
        return TS_FORMAT;
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = send_locked(session, type, payload, len, ts_deadline_after(link->env, timeout_ms));
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}

static bool
ready_message(const void *ctx)
{
    const struct ts_session *session = ctx;
    return session->queue || session->failed || session->interrupted;
}

/* The other side's storage is not ours: what we see is that it cannot serve. */
static enum ts_error
take_failure(struct ts_session *session)
{
    memcpy(session->reason, session->failure.reason, sizeof session->reason);
    return session->failure.error == TS_STORAGE ? TS_IO : session->failure.error;
}

enum ts_error
ts_session_receive(struct ts_session *session, struct ts_message *out, uint32_t timeout_ms)
{
    struct ts_link *link = session->link;

    memset(out, 0, sizeof *out);
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = ts_link_wait(link, ready_message, session, ts_deadline_after(link->env, timeout_ms));
    if (error == TS_OK && session->interrupted)
        error = TS_TIMEOUT;
    else if (error == TS_OK && session->queue)
        ts_session_take(session, out);
    else if (error == TS_OK)
        error = take_failure(session);
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}

void
ts_session_interrupt(struct ts_session *session)
{
    struct ts_link *link = session->link;

    (void)pthread_mutex_lock(&link->mutex);
    session->interrupted = true;
    ts_link_wake_ready(link);
    (void)pthread_mutex_unlock(&link->mutex);
}

enum ts_error
ts_session_expect(struct ts_session *session, int type, struct ts_message *out, uint32_t timeout_ms)
{
    enum ts_error error = ts_session_receive(session, out, timeout_ms);

    if (error != TS_OK || out->type == type)
        return error;
    (void)snprintf(session->reason, sizeof session->reason, "%s came where %s was due", ts_message_name(out->type),
        ts_message_name(type));
    ts_message_clear(out);
    return TS_FORMAT;
}

enum ts_error
ts_session_fail(struct ts_session *session, enum ts_error error, const char *reason)
{
    struct ts_failure failure = {.error = error == TS_OK ? TS_INTERNAL : error};
    struct ts_buf payload;

    ts_text_copy(failure.reason, sizeof failure.reason, reason);
    memcpy(session->reason, failure.reason, sizeof session->reason);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error result = ts_failure_encode(&payload, &failure);
    if (result == TS_OK)
        result = ts_session_send(session, TS_MESSAGE_FAILURE, payload.data, payload.len, FAIL_MS);
    ts_buf_clear(&payload);
    return result;
}

const char *
ts_session_reason(const struct ts_session *session)
{
    return session->reason;
}

bool
ts_session_cancelled(struct ts_session *session)
{
    struct ts_link *link = session->link;

    (void)pthread_mutex_lock(&link->mutex);
    ts_link_pump(link);
    bool cancelled = session->failed;
    (void)pthread_mutex_unlock(&link->mutex);
    return cancelled;
}

void
ts_session_set_context(struct ts_session *session, void *context)
{
    session->context = context;
}

void *
ts_session_context(const struct ts_session *session)
{
    return session->context;
}

struct ts_link *
ts_session_link(const struct ts_session *session)
{
    return session->link;
}

void
ts_session_id(const struct ts_session *session, uint8_t id[TS_SESSION_ID_BYTES])
{
    memcpy(id, session->id, TS_SESSION_ID_BYTES);
}

void
ts_session_close(struct ts_session *session)
{
    if (!session)
        return;
    struct ts_link *link = session->link;
    (void)pthread_mutex_lock(&link->mutex);
    ts_session_remove(session);
    (void)pthread_mutex_unlock(&link->mutex);
}
