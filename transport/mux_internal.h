#ifndef TS_TRANSPORT_MUX_INTERNAL_H
#define TS_TRANSPORT_MUX_INTERNAL_H

#include "transport/mux.h"

/* The conversations of this protocol have one message on the way at a time; these are bounds against a partner that
 * does not keep to it. */
#define TS_LANE_QUEUE_MAX 16
#define TS_MUX_QUEUE_MAX_BYTES ((size_t)16 << 20)
#define TS_MUX_CLOSED_MAX 64
#define TS_MUX_NOTES_MAX 64
#define TS_MUX_SERIALS 1024 /* how much later than others a session's first message may come */

/* What nobody needs: doubled, too early, for nothing. An honest partner whose connection breaks makes some. */
#define TS_MUX_JUNK_MAX 1024
#define TS_MUX_JUNK_MS 10 /* so often one is forgiven */

/* A word about a session that is not kept. */
struct ts_note {
    uint8_t id[TS_SESSION_ID_BYTES];
    uint64_t acknowledge;
    bool refuse; /* too many sessions; else: it is over */
};

struct ts_mux {
    const struct ts_env *env;
    const char *name;
    uint32_t max_sessions, linger_ms;
    struct evp_md_st *digest;
    struct ts_reliable_times times;
    uint64_t seed;
    struct ts_lane *lanes; /* oldest first */
    uint64_t turn;         /* lanes that have sent go behind the others */
    unsigned their_open, open, closed;
    size_t queued_bytes, unacked_bytes;
    uint64_t serial;         /* of our last session */
    uint64_t highest_serial; /* of the other side's */
    uint64_t seen[TS_MUX_SERIALS / 64];
    struct ts_note notes[TS_MUX_NOTES_MAX];
    unsigned notes_first, notes_count;
    uint64_t fresh; /* messages that were new */
    unsigned junk;
    uint64_t junk_ms; /* since when `junk` holds */
    bool refusing;    /* logged already */
};

struct ts_lane *ts_lane_add(struct ts_mux *mux, const uint8_t id[TS_SESSION_ID_BYTES], bool theirs);

/** Unlink and free. */
void ts_lane_remove(struct ts_mux *mux, struct ts_lane *lane);

/** Free a closed lane that the other side needs no more. */
void ts_lane_settle(struct ts_mux *mux, struct ts_lane *lane);

/** Say something about a session that is not kept. When there is no room it is not said: the other side asks again. */
void ts_mux_note(struct ts_mux *mux, const uint8_t id[TS_SESSION_ID_BYTES], uint64_t acknowledge, bool refuse);

#endif
