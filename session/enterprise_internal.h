#ifndef TS_SESSION_ENTERPRISE_INTERNAL_H
#define TS_SESSION_ENTERPRISE_INTERNAL_H

#include "mpc/half.h"
#include "session/enterprise.h"
#include "transport/link.h"
#include "transport/message.h"

#include <pthread.h>

/* Private to the enterprise side of session/. */

struct ts_holder;
struct ts_meeting;
struct ts_partner;

struct ts_enterprise {
    const struct ts_env *env;
    const struct ts_config *config;
    struct ts_store *store;
    struct ts_holder *holder;
    struct ts_journal *journal;
    struct ts_hsm *hsm; /* NULL when not configured */
    struct ts_mpc *mpc;
    pthread_mutex_t lock;        /* guards what follows; never held across network I/O */
    pthread_cond_t dialled;      /* a dial ended; CLOCK_MONOTONIC */
    struct ts_partner *partners; /* of unlocked tokens */
    bool stopping;
    bool threads_allowed;             /* ts_enterprise_allow_threads */
    struct ts_tcp_listener *listener; /* for devices that dial in (session/meet_enterprise.c); NULL when none is open */
    struct ts_meeting *meeting;
    bool listen_failed;
    bool accepting; /* the thread below takes its callers */
    bool taking;    /* a wait takes one now */
    pthread_t acceptor;
};

/* A connection to a peer, shared by the threads that use it (session/connection.c). */
struct ts_connection {
    struct ts_partner *partner;
    struct ts_meeting *meeting; /* NULL when we dialled */
    struct ts_link *link;
    uint8_t n1[TS_NONCE_BYTES], n2[TS_NONCE_BYTES]; /* of its SessionHello */
    uint64_t next_batch;                            /* by ts_connection_batch */
    unsigned users;
};

/* A peer that a thread has asked for since login: its parameters, and the connection when there is one. */
struct ts_partner {
    struct ts_partner *next;
    struct ts_peer_row row;
    struct ts_identity *identity;
    struct ts_pairing *pairing;
    struct ts_connection *current;
    bool dialling;
    uint64_t violations; /* connections closed for a message that does not parse */
    bool dropped;        /* logged out meanwhile: freed by the last user */
    unsigned users;
    unsigned busy; /* uses of its connections right now, see ts_connection_acquire */
};

/** Use the connection to a peer, dialling when there is none: TLS, hello, and the commits that still wait.
 *  A peer serves a limited number of conversations at once: further threads wait for their turn.
 *  Out:  fresh   true when this call dialled (then a failure is not that of a stale connection)
 *  Returns: TS_OK, to be given back with ts_connection_release; TS_NOT_FOUND (no such pairing); TS_IO; TS_TIMEOUT (no turn); TS_STORAGE;
 * TS_FORMAT; TS_INTERNAL. */
enum ts_error ts_connection_acquire(struct ts_connection **out, bool *fresh, struct ts_enterprise *enterprise,
    const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES]);
/** The same without dialling. NULL when there is no live connection. */
struct ts_connection *ts_connection_current(struct ts_enterprise *enterprise, const uint8_t pairing[TS_ID_BYTES]);
void ts_connection_release(struct ts_enterprise *enterprise, struct ts_connection *connection);

/** Take over a link on which a paired device has dialled in, as the connection of its partner: it replaces the one before.
 *  The link is owned from here on.
 *  Returns: TS_OK; TS_NOT_FOUND when that partner is not in use here; TS_IO when stopping, or the device says no hello. */
enum ts_error ts_connection_adopt(struct ts_enterprise *enterprise, struct ts_meeting *meeting, struct ts_link *link);

/** Under the lock: get the active partners of a token ready, so that they are known when they dial in. */
enum ts_error ts_partners_load(struct ts_enterprise *enterprise, const struct ts_keyring *keyring, uint64_t token);

/** Is there a live connection to the peer? Are we stopping? */
bool ts_partner_present(struct ts_enterprise *enterprise, const uint8_t pairing[TS_ID_BYTES]);
bool ts_enterprise_stopping(struct ts_enterprise *enterprise);

/** The peer sent what does not parse, or has a wrong length or range: the connection ends and the violation is counted
 * and logged (protocol.md 7). Still to be released. */
void ts_connection_violation(struct ts_enterprise *enterprise, struct ts_connection *connection);

/** The peer's machine, which answers at once, was silent for as long as a step may take: the connection leads nowhere, and
 *  the next caller dials anew. Still to be released. */
void ts_connection_silent(struct ts_enterprise *enterprise, struct ts_connection *connection);

/** The next batch number of the connection. */
uint64_t ts_connection_batch(struct ts_enterprise *enterprise, struct ts_connection *connection);

/** Drop the partners of a token (0: of all tokens). */
void ts_partners_drop(struct ts_enterprise *enterprise, uint64_t token);

/** Dial without hello, for pairing; the options every enterprise link has. */
enum ts_error ts_enterprise_dial(struct ts_link **out, struct ts_enterprise *enterprise,
    const struct ts_identity *identity, const char *address, const uint8_t pin[TS_KEY_HASH_BYTES], const char *name);

/** Load the token's identity. Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_enterprise_identity(
    struct ts_identity **out, struct ts_enterprise *enterprise, uint64_t token, const struct ts_keyring *keyring);

/** Tell a peer that a generation is active (repeated at every connection until acknowledged) and record its answer.
 * Best effort. */
enum ts_error ts_commit_send(
    struct ts_enterprise *enterprise, struct ts_session *session, const struct ts_half_row *row);
/** All commits of a pairing that wait. */
void ts_commits_repeat(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_peer_row *peer);

/** Tell a connected peer which of its halves have ended with their session. Best effort. */
void ts_farewells_tell(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_peer_row *peer);

/** What the peer is shown, bounded and cleaned to what the schema takes. */
void ts_asker_to_context(struct ts_context *out, const struct ts_asker *asker);

#endif
