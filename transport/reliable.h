#ifndef TS_TRANSPORT_RELIABLE_H
#define TS_TRANSPORT_RELIABLE_H

#include "transport/envelope.h"

struct evp_md_st;

/** One session's messages over a connection that may lose, double, reorder and delay them: numbers, acknowledgements,
 *  sending again. A state machine without sockets, threads or a clock of its own: `now` is the caller's, in
 *  milliseconds that never go back. Each message is kept until the other side has it; sending again goes on until the
 *  session's deadline, with times that double and are jittered. A message that came before is answered from what is
 *  kept, never handed on a second time; the same number with other bytes is a violation.
 *  The receiver takes messages in order only, and lets go of what comes too early: it will come again. */

#define TS_NEVER UINT64_MAX
#define TS_RELIABLE_UNACKED_MAX 32 /**< messages on the way in one direction of a session */
#define TS_RELIABLE_REMEMBERED 32  /**< of so many received messages the digest is kept */

/** Shared by all sessions of a link. */
struct ts_reliable_times {
    const struct evp_md_st *digest; /**< SHA-256 */
    uint32_t first_ms;              /**< until a message is sent again for the first time */
    uint32_t most_ms;               /**< bound of the doubled time */
    uint32_t acknowledge_ms;        /**< how long an acknowledgement waits for a message to ride on */
};

struct ts_unacked {
    struct ts_unacked *next;
    uint64_t sequence;
    int type;
    struct ts_buf payload;
    unsigned tries;   /* times sent */
    uint64_t sent_ms; /* last time */
    uint64_t due_ms;
};

struct ts_remembered {
    int type;
    size_t len;
    uint8_t digest[32];
};

struct ts_reliable {
    const struct ts_reliable_times *times;
    uint64_t serial;       /**< goes with every message; 0 when the other side started the session */
    uint64_t sent;         /**< number of the last message, 0 before the first */
    uint64_t received;     /**< number of the last message handed on */
    uint64_t acknowledged; /**< highest of ours that the other side has */
    uint64_t deadline_ms;  /**< sending again ends here */
    uint64_t acknowledge_ms;
    uint64_t random; /* of the jitter: needs no secrecy */
    struct ts_unacked *unacked;
    unsigned unacked_count;
    size_t unacked_bytes;
    struct ts_remembered remembered[TS_RELIABLE_REMEMBERED];
};

/** What a received envelope is. */
enum ts_arrival {
    TS_ARRIVAL_FRESH, /**< the next message: to be handed on */
    TS_ARRIVAL_AGAIN, /**< known already; the answer is on its way again */
    TS_ARRIVAL_EARLY, /**< one before it is missing */
    TS_ARRIVAL_NOTE   /**< only an acknowledgement */
};

/** times: must outlive the session. seed: of the jitter. */
void ts_reliable_init(
    struct ts_reliable *session, const struct ts_reliable_times *times, uint64_t serial, uint64_t seed);
void ts_reliable_clear(struct ts_reliable *session);

/** Number a message, keep a copy, and have it sent.
 *  Returns: TS_OK; TS_USAGE with TS_RELIABLE_UNACKED_MAX on the way; TS_INTERNAL without memory. */
enum ts_error ts_reliable_send(struct ts_reliable *session, int type, const uint8_t *payload, size_t len, uint64_t now);

/** Judge a received envelope. The state changes only on success.
 *  Returns: TS_OK; TS_FORMAT when a number came with other bytes before, or something was acknowledged that was never
 *  sent; TS_INTERNAL. */
enum ts_error ts_reliable_receive(
    enum ts_arrival *arrival, struct ts_reliable *session, const struct ts_envelope *envelope, uint64_t now);

/** The next envelope that is due, without its session id; the payload stays the session's.
 *  Returns: TS_OK; TS_NOT_FOUND when there is nothing to send now. */
enum ts_error ts_reliable_out(struct ts_envelope *out, struct ts_reliable *session, uint64_t now);

/** When ts_reliable_out will have something, TS_NEVER for never. */
uint64_t ts_reliable_next(const struct ts_reliable *session, uint64_t now);

/** A new connection: what is not acknowledged is due at once, and so is what we have. */
void ts_reliable_reconnect(struct ts_reliable *session, uint64_t now);

/** Has every message left at least once? */
bool ts_reliable_flushed(const struct ts_reliable *session);

/** Forget what is on the way up to this number. */
void ts_reliable_forget(struct ts_reliable *session, uint64_t acknowledge);

#endif
