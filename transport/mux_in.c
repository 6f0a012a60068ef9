#include "transport/mux_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ts_lane *
find(const struct ts_mux *mux, const uint8_t id[TS_SESSION_ID_BYTES])
{
    for (struct ts_lane *lane = mux->lanes; lane; lane = lane->next)
        if (memcmp(lane->id, id, TS_SESSION_ID_BYTES) == 0)
            return lane;
    return NULL;
}

/* A bucket that empties with time. */
static enum ts_error
count_junk(struct ts_mux *mux, uint64_t now)
{
    uint64_t forgiven = (now - mux->junk_ms) / TS_MUX_JUNK_MS;

    mux->junk -= forgiven < mux->junk ? (unsigned)forgiven : mux->junk;
    mux->junk_ms = mux->junk ? mux->junk_ms + forgiven * TS_MUX_JUNK_MS : now;
    if (++mux->junk <= TS_MUX_JUNK_MAX)
        return TS_OK;
    ts_log(mux->env, TS_LOG_WARNING, "%s sends too much that nobody needs; the connection is dropped", mux->name);
    return TS_FORMAT;
}

static enum ts_error
enqueue(struct ts_mux *mux, struct ts_lane *lane, const struct ts_envelope *envelope)
{
    struct ts_queued **place = &lane->queue;

    if (lane->queue_count == TS_LANE_QUEUE_MAX || envelope->payload_len > TS_MUX_QUEUE_MAX_BYTES - mux->queued_bytes) {
        ts_log(mux->env, TS_LOG_WARNING, "%s sends more than is asked for; the connection is dropped", mux->name);
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
    lane->queue_count++;
    mux->queued_bytes += envelope->payload_len;
    return TS_OK;
}

/* The session ends on both sides; the link goes on. */
static void
fail_lane(struct ts_mux *mux, struct ts_lane *lane, const struct ts_envelope *envelope, uint64_t now)
{
    struct ts_buf payload;

    lane->failed = true;
    lane->failure.error = TS_FORMAT;
    (void)snprintf(lane->failure.reason, sizeof lane->failure.reason,
        "%s number %llu (acknowledging %llu of %llu) contradicts what came before", ts_message_name(envelope->type),
        (unsigned long long)envelope->sequence, (unsigned long long)envelope->acknowledge,
        (unsigned long long)lane->reliable.sent);
    ts_log(mux->env, TS_LOG_WARNING, "%s broke a session: %s", mux->name, lane->failure.reason);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    if (ts_failure_encode(&payload, &lane->failure) == TS_OK)
        (void)ts_lane_send(mux, lane, TS_MESSAGE_FAILURE, payload.data, payload.len, now);
    ts_buf_clear(&payload);
}

static enum ts_error
take_failure(struct ts_lane *lane, const struct ts_envelope *envelope)
{
    struct ts_failure failure;
    enum ts_error error = ts_failure_decode(&failure, envelope->payload, envelope->payload_len);

    if (error != TS_OK)
        return error;
    if (!lane->failed)
        lane->failure = failure; /* the first is the cause */
    lane->failed = lane->told = true;
    return TS_OK;
}

static enum ts_error
hand_on(struct ts_mux *mux, struct ts_lane *lane, const struct ts_envelope *envelope)
{
    if (lane->closed || lane->failed)
        return TS_OK;
    return envelope->type == TS_MESSAGE_FAILURE ? take_failure(lane, envelope) : enqueue(mux, lane, envelope);
}

static enum ts_error
deliver(struct ts_mux *mux, struct ts_lane *lane, const struct ts_envelope *envelope, uint64_t now)
{
    enum ts_arrival arrival;
    size_t before = lane->reliable.unacked_bytes;
    enum ts_error error = ts_reliable_receive(&arrival, &lane->reliable, envelope, now);

    mux->unacked_bytes -= before - lane->reliable.unacked_bytes;
    if (error == TS_FORMAT) {
        if (!lane->failed)
            fail_lane(mux, lane, envelope, now);
        return count_junk(mux, now);
    }
    if (error == TS_OK && arrival == TS_ARRIVAL_FRESH) {
        mux->fresh++;
        error = hand_on(mux, lane, envelope);
    } else if (error == TS_OK && arrival != TS_ARRIVAL_NOTE) {
        error = count_junk(mux, now);
    }
    if (error == TS_OK)
        ts_lane_settle(mux, lane);
    return error;
}

static void
end(struct ts_mux *mux, struct ts_lane *lane)
{
    mux->unacked_bytes -= lane->reliable.unacked_bytes;
    ts_reliable_forget(&lane->reliable, UINT64_MAX);
    lane->over = true;
    ts_lane_settle(mux, lane);
}

/* Has a session with this number been here? What is too old to be known counts as seen. */
static bool
serial_seen(const struct ts_mux *mux, uint64_t serial)
{
    if (serial > mux->highest_serial)
        return false;
    if (mux->highest_serial - serial >= TS_MUX_SERIALS)
        return true;
    return mux->seen[serial % TS_MUX_SERIALS / 64] >> (serial % 64) & 1;
}

static void
see_serial(struct ts_mux *mux, uint64_t serial)
{
    if (serial > mux->highest_serial && serial - mux->highest_serial >= TS_MUX_SERIALS)
        memset(mux->seen, 0, sizeof mux->seen);
    else /* those between have places that belonged to others */
        for (uint64_t each = mux->highest_serial + 1; each < serial; each++)
            mux->seen[each % TS_MUX_SERIALS / 64] &= ~((uint64_t)1 << (each % 64));
    mux->seen[serial % TS_MUX_SERIALS / 64] |= (uint64_t)1 << (serial % 64);
    if (serial > mux->highest_serial)
        mux->highest_serial = serial;
}

static enum ts_error
refuse(struct ts_mux *mux, const struct ts_envelope *envelope, uint64_t now)
{
    if (!mux->refusing)
        ts_log(
            mux->env, TS_LOG_WARNING, "%s opens more than %u sessions at once; refused", mux->name, mux->max_sessions);
    mux->refusing = true;
    ts_mux_note(mux, envelope->session, envelope->sequence, true);
    return count_junk(mux, now);
}

static enum ts_error
answer_unknown(struct ts_mux *mux, const struct ts_envelope *envelope, uint64_t now)
{
    if (envelope->type == TS_MESSAGE_SESSION_OVER)
        return TS_OK;
    ts_log(mux->env, TS_LOG_DEBUG, "%s from %s is for a session that is over; answered so",
        ts_message_name(envelope->type), mux->name);
    ts_mux_note(mux, envelope->session, envelope->sequence, false);
    return count_junk(mux, now);
}

static enum ts_error
route(struct ts_mux *mux, const struct ts_envelope *envelope, uint64_t now)
{
    struct ts_lane *lane = find(mux, envelope->session);

    if (lane && envelope->type == TS_MESSAGE_SESSION_OVER) {
        end(mux, lane);
        return TS_OK;
    }
    if (lane)
        return deliver(mux, lane, envelope, now);
    /* A late first message of a session that was here already must not start it a second time. */
    if (envelope->serial == 0 || envelope->acknowledge > 0 || serial_seen(mux, envelope->serial))
        return answer_unknown(mux, envelope, now);
    if (envelope->sequence != 1) /* too early, or a side that never sent a message ends its session */
        return count_junk(mux, now);
    see_serial(mux, envelope->serial);
    if (mux->their_open >= mux->max_sessions)
        return refuse(mux, envelope, now);
    mux->refusing = false;
    lane = ts_lane_add(mux, envelope->session, true);
    return lane ? deliver(mux, lane, envelope, now) : TS_INTERNAL;
}

enum ts_error
ts_mux_in(struct ts_mux *mux, const uint8_t *bytes, size_t len, uint64_t now)
{
    struct ts_envelope envelope;

    enum ts_error error = ts_envelope_decode(&envelope, bytes, len);
    if (error != TS_OK) {
        ts_log(mux->env, TS_LOG_WARNING,
            "%s sent a message that does not decode (%s); the connection is dropped; check that both sides run the "
            "same version",
            mux->name, ts_error_text(error));
        return error;
    }
    error = route(mux, &envelope, now);
    ts_envelope_clear(&envelope);
    return error;
}
