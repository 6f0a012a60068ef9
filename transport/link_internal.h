#ifndef TS_TRANSPORT_LINK_INTERNAL_H
#define TS_TRANSPORT_LINK_INTERNAL_H

#include "transport/channel.h"
#include "transport/heartbeat.h"
#include "transport/link.h"
#include "transport/message.h"
#include "transport/mux.h"

#include <pthread.h>
#include <stdatomic.h>

/** How threads share a link. `mutex` guards everything below it and is never held while waiting for the network.
 *  Of the threads that wait, one leads: it polls (or dials again) without the mutex, then reads and hands out what
 *  came. The others sleep on a condition of their own. A leader who leaves appoints the next.
 *  Between two connections `channel` is NULL; the sessions, in `mux`, do not notice. */

#define TS_NAME_BYTES 272
#define TS_EXPORTERS_MAX 4
#define TS_LABEL_BYTES 48

struct ts_session {
    struct ts_link *link;
    struct ts_lane *lane;
    bool interrupted;
    char reason[TS_REASON_BYTES]; /* the owner's, not guarded; so is what follows */
    int state;                    /* type of the last message, of either side */
    bool told, broken;            /* see ts_session_told, ts_session_broken */
    void *context;
};

/* A thread that waits until `ready` says so; lives on its stack. */
struct ts_waiter {
    struct ts_waiter *next;
    pthread_cond_t wake;
    bool (*ready)(const void *ctx);
    const void *ctx;
};

/* A value of the first channel. */
struct ts_exported {
    char label[TS_LABEL_BYTES];
    uint8_t value[32];
};

struct ts_link {
    const struct ts_env *env;
    const struct ts_identity *identity;
    char name[TS_NAME_BYTES];
    char *address;              /* of the other side; NULL when it dials */
    struct ts_lookups *lookups; /* the owner's, or NULL */
    uint32_t connect_ms, idle_ms, resume_ms;
    uint8_t peer[TS_KEY_HASH_BYTES];
    bool named; /* the two sides have a name for it: it can be resumed */
    uint8_t id[TS_LINK_ID_BYTES];
    int wake; /* eventfd: makes the leader look again */
    atomic_bool stopped;

    struct ts_links *links; /* where it is listed, or NULL */
    struct ts_link *listed; /* next there; guarded by the list */

    pthread_mutex_t mutex;
    struct ts_channel *channel;
    bool dead;
    struct ts_waiter *leader; /* polls or dials now, without the mutex */
    struct ts_waiter *waiters;
    struct ts_mux *mux;
    struct ts_heartbeat heart;
    bool listening;     /* the heart counts: somebody waits while a session is open */
    unsigned channels;  /* how many there have been */
    uint64_t lost_ms;   /* without a channel: since when */
    uint64_t redial_ms; /* and when the next try is due */
    uint32_t pause_ms;  /* behind that one */
    uint64_t fresh;     /* the sessions' when this channel, or the last one, began */
    uint64_t sent_base; /* bytes of earlier channels, so that marks go on */
    uint64_t last_mark; /* of what was sent last */
    struct ts_exported exported[TS_EXPORTERS_MAX];
    unsigned exported_count;
};

/** All of these: with the mutex held. */

/** Wait until `ready(ctx)`, reading, writing and dialling for everybody meanwhile.
 *  Returns: TS_OK; TS_TIMEOUT; TS_IO when the link is dead. */
enum ts_error ts_link_wait(struct ts_link *link, bool (*ready)(const void *ctx), const void *ctx, uint64_t deadline_ms);

/** Read and write what is possible now. */
void ts_link_pump(struct ts_link *link);

/** Give the channel what the sessions have to send, as far as there is room. */
void ts_link_transmit(struct ts_link *link);

/** Has everything left that was transmitted up to this mark? */
bool ts_link_has_sent(const struct ts_link *link, uint64_t mark);

/** Make the thread that polls look again, because there is more to send. */
void ts_link_poke(struct ts_link *link);

/** Those whose wait is over by now look again. */
void ts_link_wake_ready(struct ts_link *link);

/** Wake everybody who waits. */
void ts_link_wake_all(struct ts_link *link);

/** It is over; every wait ends. Logged once. */
void ts_link_die(struct ts_link *link, const char *words);

bool ts_link_ended(const struct ts_link *link);

/** The channel failed: let go of it, and die unless there may be another. */
void ts_link_lose(struct ts_link *link);

/** Go on with a new channel, which replaces one that there may still be. */
void ts_link_adopt(struct ts_link *link, struct ts_channel *channel);

/** Without a channel: the moment when something is due, a try to dial or the end. */
uint64_t ts_link_resume_next(const struct ts_link *link);

/** Without a channel: end when it has been too long; dial when it is time, giving up the mutex meanwhile. */
void ts_link_resume_step(struct ts_link *link, uint64_t deadline_ms);

/** Dial and shake hands; without the mutex, ended early when the link is stopped.
 *  Returns: as ts_link_dial; TS_NOT_FOUND when nobody listens. */
enum ts_error ts_link_reach(struct ts_channel **out, const struct ts_link *link, uint64_t deadline_ms);

/** Of a list: */

/** Add a link, which leaves with ts_links_remove before it is freed. */
void ts_links_add(struct ts_links *links, struct ts_link *link);
void ts_links_remove(struct ts_link *link);

/** Is there a link of this caller, by name or (id NULL) any? */
bool ts_links_has(struct ts_links *links, const uint8_t key_hash[TS_KEY_HASH_BYTES], const uint8_t *id);

/** Hand a channel to the link that its caller named. Returns: false when that is over; the channel stays. */
bool ts_links_attach(struct ts_links *links, struct ts_channel *channel);

#endif
