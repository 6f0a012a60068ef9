#ifndef TS_TRANSPORT_LINK_INTERNAL_H
#define TS_TRANSPORT_LINK_INTERNAL_H

#include "transport/channel.h"
#include "transport/envelope.h"
#include "transport/link.h"
#include "transport/message.h"
#include "transport/sequence.h"

#include <pthread.h>
#include <stdatomic.h>

/** How threads share a link. `mutex` guards everything below it and is never held while waiting for the network.
 *  Of the threads that wait, one leads: it polls without the mutex, then reads and hands out what came. The others
 * sleep on a condition of their own. A leader who leaves appoints the next. */

#define TS_NAME_BYTES 272

struct ts_queued {
    struct ts_queued *next;
    struct ts_message message;
};

struct ts_session {
    struct ts_link *link;
    struct ts_session *next;
    uint8_t id[TS_SESSION_ID_BYTES];
    bool theirs;   /* started by the other side */
    bool accepted; /* handed out by ts_session_accept */
    struct ts_sequence sequence;
    struct ts_queued *queue; /* oldest first */
    unsigned queue_count;
    bool interrupted;
    bool failed; /* `failure` has come */
    struct ts_failure failure;
    char reason[TS_REASON_BYTES]; /* the owner's, not guarded */
    void *context;                /* the same */
};

/* A thread that waits until `ready` says so; lives on its stack. */
struct ts_waiter {
    struct ts_waiter *next;
    pthread_cond_t wake;
    bool (*ready)(const void *ctx);
    const void *ctx;
};

struct ts_link {
    const struct ts_env *env;
    char name[TS_NAME_BYTES];
    uint32_t idle_ms;
    uint32_t max_sessions;
    uint8_t peer[TS_KEY_HASH_BYTES];
    int wake; /* eventfd: makes the leader look again */
    atomic_bool stopped;

    pthread_mutex_t mutex;
    struct ts_channel *channel;
    bool dead;
    struct ts_waiter *leader; /* polls now, without the mutex */
    struct ts_waiter *waiters;
    struct ts_session *sessions; /* oldest first */
    unsigned their_sessions;
    size_t queued_bytes; /* of all sessions */
};

/** All of these: with the mutex held. */

/** Wait until `ready(ctx)`, reading and writing for everybody meanwhile.
 *  Returns: TS_OK; TS_TIMEOUT; TS_IO when the link is dead. */
enum ts_error ts_link_wait(struct ts_link *link, bool (*ready)(const void *ctx), const void *ctx, uint64_t deadline_ms);

/** Read and write what is possible now. */
void ts_link_pump(struct ts_link *link);

/** Make the thread that polls look again, because there is more to send. */
void ts_link_poke(struct ts_link *link);

/** Those whose wait is over by now look again. */
void ts_link_wake_ready(struct ts_link *link);

/** The connection is lost; every wait ends. Logged once. */
void ts_link_die(struct ts_link *link, const char *words);

bool ts_link_ended(const struct ts_link *link);

/** The sink of the channel: one received envelope goes to its session. ctx: the link. */
enum ts_error ts_link_dispatch(void *ctx, const uint8_t *message, size_t len);

/** Make a session and put it behind the others. Returns: NULL without memory. */
struct ts_session *ts_session_add(struct ts_link *link, const uint8_t id[TS_SESSION_ID_BYTES], bool theirs);

/** Take the oldest message of a session, which has one; the caller owns its payload. */
void ts_session_take(struct ts_session *session, struct ts_message *out);

/** Unlink and free. */
void ts_session_remove(struct ts_session *session);

#endif
