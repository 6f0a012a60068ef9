#ifndef TS_TRANSPORT_MUX_H
#define TS_TRANSPORT_MUX_H

#include "base/env.h"
#include "transport/link.h"
#include "transport/message.h"
#include "transport/reliable.h"

/** All sessions of one link, over one connection after the other: envelopes in, envelopes out. A state machine without
 *  sockets, threads, locks or a clock of its own; `now` as in reliable.h. Bounded: a partner that exceeds what it may
 *  have is reported as a violation, and whoever owns the connection drops it.
 *  Sessions take turns in sending. A session that its owner closed lives on until the other side has its last
 *  messages; after that it is unknown, and whoever still speaks of it is told so. Each side numbers the sessions that
 *  it starts, and the other remembers which numbers it has seen: a first message that comes twice starts nothing. */
struct ts_mux;

struct ts_mux_options {
    const struct ts_env *env; /**< libctx and log */
    const char *name;         /**< the other side in log lines; must outlive the mux */
    uint64_t seed;            /**< of the jitter */
    uint32_t max_sessions;    /**< that the other side may hold open at once */
    uint32_t linger_ms;       /**< how long the last messages of a closed session are kept for the other side */
    uint32_t first_ms;        /**< as in struct ts_reliable_times; 0 takes the defaults of a link */
    uint32_t most_ms;
    uint32_t acknowledge_ms;
};

struct ts_queued {
    struct ts_queued *next;
    struct ts_message message;
};

/** One session. The fields are the mux's, but for `mark` and `accepted`. */
struct ts_lane {
    struct ts_lane *next;
    uint8_t id[TS_SESSION_ID_BYTES];
    bool theirs;   /* started by the other side */
    bool accepted; /* handed to the layer above */
    bool closed;   /* by its owner; kept for the other side only */
    bool failed;   /* `failure` has come, or was found here */
    bool told;     /* it has come */
    bool over;     /* the other side has it no more */
    struct ts_reliable reliable;
    struct ts_queued *queue; /* oldest first */
    unsigned queue_count;
    struct ts_failure failure;
    uint64_t mark; /* the owner's */
};

/** Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_mux_new(struct ts_mux **out, const struct ts_mux_options *options);
void ts_mux_free(struct ts_mux *mux);

/** Start a session. Returns: TS_OK; TS_INTERNAL without memory. */
enum ts_error ts_lane_open(struct ts_lane **out, struct ts_mux *mux, const uint8_t id[TS_SESSION_ID_BYTES]);

/** The oldest session that the other side started and nobody accepted. Returns: NULL when there is none. */
struct ts_lane *ts_mux_offered(const struct ts_mux *mux);

/** Sessions that are open here, the other side's included. */
unsigned ts_mux_open_count(const struct ts_mux *mux);

/** How many messages have been handed on so far. */
uint64_t ts_mux_fresh(const struct ts_mux *mux);

/** Is there room for another message to send? */
bool ts_mux_has_room(const struct ts_mux *mux);

/** Queue a message. Returns: TS_OK; TS_USAGE when too many are on the way; TS_INTERNAL. */
enum ts_error ts_lane_send(
    struct ts_mux *mux, struct ts_lane *lane, int type, const uint8_t *payload, size_t len, uint64_t now);

/** Is there something for ts_lane_take? */
bool ts_lane_ready(const struct ts_lane *lane);

/** Take the oldest message. When none is left: the failure that came (its words stay in lane->failure).
 *  Returns: TS_OK and a message to clear; TS_NOT_FOUND when nothing has come; the failure's error; TS_IO when the other
 *  side has the session no more. */
enum ts_error ts_lane_take(struct ts_mux *mux, struct ts_lane *lane, struct ts_message *out);

/** Somebody waits until then: sending again goes on at least so long. The first call replaces "for ever". */
void ts_lane_extend(struct ts_lane *lane, uint64_t deadline_ms);

/** The owner is done; the lane must not be used any more. */
void ts_lane_close(struct ts_mux *mux, struct ts_lane *lane, uint64_t now);

/** Take one message of the connection, an encoded envelope.
 *  Returns: TS_OK; TS_FORMAT on a violation, logged; TS_INTERNAL. */
enum ts_error ts_mux_in(struct ts_mux *mux, const uint8_t *bytes, size_t len, uint64_t now);

/** Append the next envelope to send.
 *  Out:  lane  whose message it is; NULL when no session's
 *  Returns: TS_OK; TS_NOT_FOUND when there is nothing to send now; TS_INTERNAL. */
enum ts_error ts_mux_out(struct ts_buf *out, struct ts_lane **lane, struct ts_mux *mux, uint64_t now);

/** When ts_mux_out has something again, or something ends by itself; TS_NEVER for never. */
uint64_t ts_mux_next(const struct ts_mux *mux, uint64_t now);

/** There is a new connection: what the other side does not have goes again. */
void ts_mux_reconnect(struct ts_mux *mux, uint64_t now);

#endif
