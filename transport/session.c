#include "transport/link.h"
#include "transport/link_internal.h"
#include "base/text.h"
#include "transport/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAIL_MS 2000

static struct ts_session *
make(struct ts_link *link, struct ts_lane *lane)
{
    struct ts_session *session = calloc(1, sizeof *session);

    if (session)
        *session = (struct ts_session){.link = link, .lane = lane};
    return session;
}

/* With the mutex. */
static enum ts_error
open_lane(struct ts_session *session)
{
    struct ts_link *link = session->link;
    uint8_t id[TS_SESSION_ID_BYTES];

    if (ts_link_ended(link))
        return TS_IO;
    if (ts_random(link->env, id, sizeof id) != TS_OK)
        return TS_INTERNAL;
    return ts_lane_open(&session->lane, link->mux, id);
}

enum ts_error
ts_session_open(struct ts_session **out, struct ts_link *link)
{
    struct ts_session *session = make(link, NULL);

    *out = NULL;
    if (!session)
        return TS_INTERNAL;
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = open_lane(session);
    (void)pthread_mutex_unlock(&link->mutex);
    if (error != TS_OK)
        free(session);
    else
        *out = session;
    return error;
}

static bool
ready_offered(const void *ctx)
{
    const struct ts_link *link = ctx;
    return ts_mux_offered(link->mux) != NULL;
}

/* With the mutex. */
static enum ts_error
accept_lane(struct ts_session **out, struct ts_link *link)
{
    struct ts_lane *lane = ts_mux_offered(link->mux);

    *out = make(link, lane);
    if (!*out)
        return TS_INTERNAL;
    lane->accepted = true;
    return TS_OK;
}

enum ts_error
ts_session_accept(struct ts_session **out, struct ts_link *link, uint32_t timeout_ms)
{
    *out = NULL;
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = ts_link_wait(link, ready_offered, link, ts_deadline_after(link->env, timeout_ms));
    if (error == TS_OK)
        error = accept_lane(out, link);
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}

static bool
ready_room(const void *ctx)
{
    const struct ts_session *session = ctx;
    const struct ts_link *link = session->link;

    if (session->lane->over)
        return true;
    return !ts_link_ended(link) && ts_mux_has_room(link->mux) &&
           session->lane->reliable.unacked_count < TS_RELIABLE_UNACKED_MAX;
}

static bool
ready_sent(const void *ctx)
{
    const struct ts_session *session = ctx;
    const struct ts_lane *lane = session->lane;

    return lane->over || (ts_reliable_flushed(&lane->reliable) && ts_link_has_sent(session->link, lane->mark));
}

/* Nobody answered in time because there was nobody: that is not the other side being slow. */
static enum ts_error
judge_timeout(struct ts_session *session, enum ts_error error)
{
    if (error != TS_TIMEOUT || session->link->channel)
        return error;
    (void)snprintf(session->reason, sizeof session->reason, "the connection was lost and did not come back in time");
    return TS_IO;
}

static enum ts_error
say_over(struct ts_session *session)
{
    (void)snprintf(session->reason, sizeof session->reason, "the other side does not have this session any more");
    return TS_IO;
}

static enum ts_error
send_locked(struct ts_session *session, int type, const uint8_t *payload, size_t len, uint64_t deadline_ms)
{
    struct ts_link *link = session->link;

    enum ts_error error = ts_link_wait(link, ready_room, session, deadline_ms);
    if (error != TS_OK)
        return judge_timeout(session, error);
    if (session->lane->over)
        return say_over(session);
    ts_lane_extend(session->lane, deadline_ms);
    error = ts_lane_send(link->mux, session->lane, type, payload, len, ts_now_ms(link->env));
    if (error != TS_OK)
        return TS_INTERNAL;
    ts_link_transmit(link);
    if (ts_link_ended(link))
        return TS_IO;
    if (ready_sent(session))
        return TS_OK;
    ts_link_poke(link);
    return judge_timeout(session, ts_link_wait(link, ready_sent, session, deadline_ms));
}

enum ts_error
ts_session_send(struct ts_session *session, int type, const uint8_t *payload, size_t len, uint32_t timeout_ms)
{
    struct ts_link *link = session->link;

    if (!(ts_message_sender(type) & TS_FROM_BOTH) || len > ts_message_max(type))
        return TS_FORMAT;
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = send_locked(session, type, payload, len, ts_deadline_after(link->env, timeout_ms));
    (void)pthread_mutex_unlock(&link->mutex);
    if (error == TS_OK)
        session->state = type;
    return error;
}

static bool
ready_message(const void *ctx)
{
    const struct ts_session *session = ctx;
    return ts_lane_ready(session->lane) || session->interrupted;
}

/* The other side's storage is not ours: what we see is that it cannot serve. */
static enum ts_error
judge_failure(struct ts_session *session, enum ts_error error)
{
    if (!session->lane->failed)
        return say_over(session);
    memcpy(session->reason, session->lane->failure.reason, sizeof session->reason);
    session->told = session->lane->told;
    session->broken |= !session->told;
    return error == TS_STORAGE ? TS_IO : error;
}

static enum ts_error
receive_locked(struct ts_session *session, struct ts_message *out, uint64_t deadline_ms)
{
    struct ts_link *link = session->link;

    ts_lane_extend(session->lane, deadline_ms);
    enum ts_error error = ts_link_wait(link, ready_message, session, deadline_ms);
    if (error != TS_OK)
        return judge_timeout(session, error);
    if (session->interrupted)
        return TS_TIMEOUT;
    error = ts_lane_take(link->mux, session->lane, out);
    return error == TS_OK ? TS_OK : judge_failure(session, error);
}

enum ts_error
ts_session_receive(struct ts_session *session, struct ts_message *out, uint32_t timeout_ms)
{
    struct ts_link *link = session->link;

    memset(out, 0, sizeof *out);
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = receive_locked(session, out, ts_deadline_after(link->env, timeout_ms));
    (void)pthread_mutex_unlock(&link->mutex);
    if (error == TS_OK)
        session->state = out->type;
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

static enum ts_error
end_unexpected(struct ts_session *session, int state, int type)
{
    int due = ts_message_next(state);
    char words[TS_REASON_BYTES];

    (void)snprintf(words, sizeof words, "%s came %s%s, where %s was due", ts_message_name(type),
        state == TS_MESSAGE_NONE ? "to begin a session" : "after ",
        state == TS_MESSAGE_NONE ? "" : ts_message_name(state),
        due == TS_MESSAGE_NONE ? "something else" : ts_message_name(due));
    ts_log(session->link->env, TS_LOG_WARNING, "%s broke a session: %s", session->link->name, words);
    (void)ts_session_fail(session, TS_FORMAT, words);
    session->broken = true;
    return TS_FORMAT;
}

enum ts_error
ts_session_next(struct ts_session *session, struct ts_message *out, uint32_t timeout_ms)
{
    int state = session->state;
    enum ts_error error = ts_session_receive(session, out, timeout_ms);

    if (error != TS_OK || ts_message_is_due(state, out->type))
        return error;
    error = end_unexpected(session, state, out->type);
    ts_message_clear(out);
    return error;
}

int
ts_session_state(const struct ts_session *session)
{
    return session->state;
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

bool
ts_session_told(const struct ts_session *session)
{
    return session->told;
}

bool
ts_session_broken(const struct ts_session *session)
{
    return session->broken;
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
    bool cancelled = session->lane->failed || session->lane->over;
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
    memcpy(id, session->lane->id, TS_SESSION_ID_BYTES);
}

void
ts_session_close(struct ts_session *session)
{
    if (!session)
        return;
    struct ts_link *link = session->link;
    (void)pthread_mutex_lock(&link->mutex);
    ts_lane_close(link->mux, session->lane, ts_now_ms(link->env));
    ts_link_transmit(link);
    (void)pthread_mutex_unlock(&link->mutex);
    free(session);
}
