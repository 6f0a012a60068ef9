#include "transport/mux_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* Above TCP nothing is lost while a connection lasts: what is sent again then is for a partner that was too busy. */
#define FIRST_MS 3000
#define MOST_MS 30000
#define ACKNOWLEDGE_MS 200

enum ts_error
ts_mux_new(struct ts_mux **out, const struct ts_mux_options *options)
{
    struct ts_mux *mux = calloc(1, sizeof *mux);

    *out = NULL;
    if (!mux)
        return TS_INTERNAL;
    *mux = (struct ts_mux){.env = options->env,
        .name = options->name,
        .seed = options->seed,
        .max_sessions = options->max_sessions,
        .linger_ms = options->linger_ms};
    ERR_set_mark();
    mux->digest = EVP_MD_fetch(options->env->libctx, "SHA256", NULL);
    ERR_pop_to_mark();
    if (!mux->digest) {
        free(mux);
        return TS_INTERNAL;
    }
    mux->times = (struct ts_reliable_times){.digest = mux->digest,
        .first_ms = options->first_ms ? options->first_ms : FIRST_MS,
        .most_ms = options->most_ms ? options->most_ms : MOST_MS,
        .acknowledge_ms = options->acknowledge_ms ? options->acknowledge_ms : ACKNOWLEDGE_MS};
    *out = mux;
    return TS_OK;
}

void
ts_mux_free(struct ts_mux *mux)
{
    if (!mux)
        return;
    while (mux->lanes)
        ts_lane_remove(mux, mux->lanes);
    EVP_MD_free(mux->digest);
    free(mux);
}

struct ts_lane *
ts_lane_add(struct ts_mux *mux, const uint8_t id[TS_SESSION_ID_BYTES], bool theirs)
{
    struct ts_lane **place = &mux->lanes;
    struct ts_lane *lane = calloc(1, sizeof *lane);

    if (!lane)
        return NULL;
    lane->theirs = theirs;
    memcpy(lane->id, id, TS_SESSION_ID_BYTES);
    /* Golden ratio: neighbours get unlike seeds. */
    mux->seed += 0x9e3779b97f4a7c15u;
    ts_reliable_init(&lane->reliable, &mux->times, theirs ? 0 : ++mux->serial, mux->seed);
    while (*place)
        place = &(*place)->next;
    *place = lane;
    mux->open++;
    mux->their_open += theirs ? 1 : 0;
    return lane;
}

enum ts_error
ts_lane_open(struct ts_lane **out, struct ts_mux *mux, const uint8_t id[TS_SESSION_ID_BYTES])
{
    *out = ts_lane_add(mux, id, false);
    return *out ? TS_OK : TS_INTERNAL;
}

static void
take_first(struct ts_mux *mux, struct ts_lane *lane, struct ts_message *out)
{
    struct ts_queued *item = lane->queue;

    lane->queue = item->next;
    lane->queue_count--;
    mux->queued_bytes -= item->message.payload.len;
    *out = item->message;
    free(item);
}

static void
drop_queue(struct ts_mux *mux, struct ts_lane *lane)
{
    struct ts_message message;

    while (lane->queue) {
        take_first(mux, lane, &message);
        ts_message_clear(&message);
    }
}

static void
uncount_open(struct ts_mux *mux, const struct ts_lane *lane)
{
    mux->open--;
    mux->their_open -= lane->theirs ? 1 : 0;
}

void
ts_lane_remove(struct ts_mux *mux, struct ts_lane *lane)
{
    struct ts_lane **place = &mux->lanes;

    drop_queue(mux, lane);
    mux->unacked_bytes -= lane->reliable.unacked_bytes;
    ts_reliable_clear(&lane->reliable);
    while (*place != lane)
        place = &(*place)->next;
    *place = lane->next;
    if (lane->closed)
        mux->closed--;
    else
        uncount_open(mux, lane);
    free(lane);
}

struct ts_lane *
ts_mux_offered(const struct ts_mux *mux)
{
    struct ts_lane *lane = mux->lanes;

    while (lane && (!lane->theirs || lane->accepted))
        lane = lane->next;
    return lane;
}

uint64_t
ts_mux_fresh(const struct ts_mux *mux)
{
    return mux->fresh;
}

unsigned
ts_mux_open_count(const struct ts_mux *mux)
{
    return mux->open;
}

bool
ts_mux_has_room(const struct ts_mux *mux)
{
    return mux->unacked_bytes <= TS_MUX_QUEUE_MAX_BYTES;
}

enum ts_error
ts_lane_send(struct ts_mux *mux, struct ts_lane *lane, int type, const uint8_t *payload, size_t len, uint64_t now)
{
    enum ts_error error = ts_reliable_send(&lane->reliable, type, payload, len, now);

    if (error == TS_OK)
        mux->unacked_bytes += len;
    return error;
}

bool
ts_lane_ready(const struct ts_lane *lane)
{
    return lane->queue || lane->failed || lane->over;
}

enum ts_error
ts_lane_take(struct ts_mux *mux, struct ts_lane *lane, struct ts_message *out)
{
    if (lane->queue) {
        take_first(mux, lane, out);
        return TS_OK;
    }
    if (lane->failed)
        return lane->failure.error;
    return lane->over ? TS_IO : TS_NOT_FOUND;
}

void
ts_lane_extend(struct ts_lane *lane, uint64_t deadline_ms)
{
    struct ts_reliable *reliable = &lane->reliable;

    if (reliable->deadline_ms == TS_NEVER || deadline_ms > reliable->deadline_ms)
        reliable->deadline_ms = deadline_ms;
}

void
ts_mux_note(struct ts_mux *mux, const uint8_t id[TS_SESSION_ID_BYTES], uint64_t acknowledge, bool refuse)
{
    if (mux->notes_count == TS_MUX_NOTES_MAX)
        return;
    struct ts_note *note = &mux->notes[(mux->notes_first + mux->notes_count++) % TS_MUX_NOTES_MAX];
    memcpy(note->id, id, sizeof note->id);
    note->acknowledge = acknowledge;
    note->refuse = refuse;
}

void
ts_lane_settle(struct ts_mux *mux, struct ts_lane *lane)
{
    struct ts_reliable *reliable = &lane->reliable;

    if (!lane->closed || (reliable->unacked && !lane->over))
        return;
    /* Whoever says that a session is over needs no answer; and who never heard of one neither. */
    if (!lane->over && (reliable->sent > 0 || reliable->received > 0))
        ts_mux_note(mux, lane->id, reliable->received, false);
    ts_lane_remove(mux, lane);
}

static void
remove_oldest_closed(struct ts_mux *mux)
{
    struct ts_lane *lane = mux->lanes;

    while (!lane->closed)
        lane = lane->next;
    ts_lane_remove(mux, lane);
}

void
ts_lane_close(struct ts_mux *mux, struct ts_lane *lane, uint64_t now)
{
    drop_queue(mux, lane);
    uncount_open(mux, lane);
    lane->closed = true;
    mux->closed++;
    lane->reliable.deadline_ms = now + mux->linger_ms;
    if (lane->failed) { /* after its last word the other side hears nothing more */
        mux->unacked_bytes -= lane->reliable.unacked_bytes;
        ts_reliable_forget(&lane->reliable, UINT64_MAX);
    }
    ts_lane_settle(mux, lane);
    if (mux->closed > TS_MUX_CLOSED_MAX)
        remove_oldest_closed(mux);
}
