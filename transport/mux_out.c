#include "transport/mux_internal.h"

#include <string.h>

static enum ts_error
put_note(struct ts_buf *out, struct ts_mux *mux)
{
    static const struct ts_failure failure = {TS_IO, "too many sessions at once"};
    const struct ts_note *note = &mux->notes[mux->notes_first];
    struct ts_envelope envelope = {.type = TS_MESSAGE_SESSION_OVER, .acknowledge = note->acknowledge};
    enum ts_error error = TS_OK;
    struct ts_buf payload;

    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    memcpy(envelope.session, note->id, sizeof envelope.session);
    if (note->refuse) {
        error = ts_failure_encode(&payload, &failure);
        envelope.type = TS_MESSAGE_FAILURE;
        envelope.sequence = 1;
        envelope.payload = payload.data;
        envelope.payload_len = payload.len;
    }
    if (error == TS_OK)
        error = ts_envelope_encode(out, &envelope);
    ts_buf_clear(&payload);
    mux->notes_first = (mux->notes_first + 1) % TS_MUX_NOTES_MAX;
    mux->notes_count--;
    return error;
}

/* Closed sessions whose time is up. */
static void
remove_expired(struct ts_mux *mux, uint64_t now)
{
    for (struct ts_lane *lane = mux->lanes, *next; lane; lane = next) {
        next = lane->next;
        if (lane->closed && lane->reliable.deadline_ms <= now)
            ts_lane_remove(mux, lane);
    }
}

/* Who has sent goes behind the others. The order in which sessions were offered is not lost: it is among those that
 * have not answered. */
static void
move_last(struct ts_mux *mux, struct ts_lane *lane)
{
    struct ts_lane **place = &mux->lanes;

    while (*place != lane)
        place = &(*place)->next;
    *place = lane->next;
    while (*place)
        place = &(*place)->next;
    *place = lane;
    lane->next = NULL;
}

enum ts_error
ts_mux_out(struct ts_buf *out, struct ts_lane **lane, struct ts_mux *mux, uint64_t now)
{
    struct ts_envelope envelope;

    *lane = NULL;
    remove_expired(mux, now);
    if (mux->notes_count > 0)
        return put_note(out, mux);
    for (struct ts_lane *each = mux->lanes; each; each = each->next) {
        if (each->over || ts_reliable_out(&envelope, &each->reliable, now) != TS_OK)
            continue;
        memcpy(envelope.session, each->id, sizeof envelope.session);
        *lane = each;
        if (!each->theirs || each->accepted)
            move_last(mux, each);
        return ts_envelope_encode(out, &envelope);
    }
    return TS_NOT_FOUND;
}

uint64_t
ts_mux_next(const struct ts_mux *mux, uint64_t now)
{
    uint64_t next = mux->notes_count > 0 ? 0 : TS_NEVER;

    for (const struct ts_lane *lane = mux->lanes; lane; lane = lane->next) {
        uint64_t due = lane->over ? TS_NEVER : ts_reliable_next(&lane->reliable, now);
        if (lane->closed && lane->reliable.deadline_ms < due)
            due = lane->reliable.deadline_ms;
        next = due < next ? due : next;
    }
    return next;
}

void
ts_mux_reconnect(struct ts_mux *mux, uint64_t now)
{
    for (struct ts_lane *lane = mux->lanes; lane; lane = lane->next)
        ts_reliable_reconnect(&lane->reliable, now);
}
