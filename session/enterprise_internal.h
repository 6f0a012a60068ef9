#ifndef TS_SESSION_ENTERPRISE_INTERNAL_H
#define TS_SESSION_ENTERPRISE_INTERNAL_H

#include "mpc/half.h"
#include "session/enterprise.h"
#include "session/parameters.h"
#include "transport/link.h"
#include "transport/message.h"

#include <pthread.h>
#include <stdatomic.h>

/* Private to the enterprise side of session/. */

struct ts_holder;
struct ts_meeting;
struct ts_partner;
struct ts_pool_key;

struct ts_enterprise {
    const struct ts_env *env;
    const struct ts_config *config;
    struct ts_store *store;
    struct ts_holder *holder;
    struct ts_journal *journal;
    struct ts_hsm *hsm; /* NULL when not configured */
    struct ts_mpc *mpc;
    struct ts_parameters_cache parameters;
    pthread_mutex_t lock;        /* guards what follows; never held across network I/O */
    pthread_cond_t dialled;      /* a dial ended; CLOCK_MONOTONIC */
    struct ts_partner *partners; /* of unlocked tokens */
    bool stopping;
    atomic_bool threads_allowed;      /* ts_enterprise_allow_threads, until ts_pool_join */
    struct ts_lookups *lookups;       /* NULL where threads were never allowed */
    struct ts_tcp_listener *listener; /* for devices that dial in (session/meet_enterprise.c); NULL when none is open */
    struct ts_meeting *meeting;
    bool listen_failed;
    bool accepting; /* the thread below takes its callers */
    bool taking;    /* a wait takes one now */
    bool closing;   /* ts_meeting_stop is at work */
    pthread_t acceptor;
    bool filling;                 /* the thread below was started */
    pthread_t filler;             /* makes presignatures */
    struct ts_connection *filled; /* for which it makes some now, or NULL */
    pthread_cond_t pool_wake;     /* it is wanted, or has to stop */
};

/* A connection to a peer, shared by the threads that use it (session/connection.c). */
struct ts_connection {
    struct ts_partner *partner;
    struct ts_meeting *meeting; /* NULL when we dialled */
    struct ts_link *link;
    uint8_t n1[TS_NONCE_BYTES], n2[TS_NONCE_BYTES]; /* of its SessionHello */
    uint64_t next_batch;                            /* by ts_connection_batch */
    struct ts_pool_key *pool;                       /* session/pool_enterprise.c; under the enterprise's lock */
    unsigned users;
};

/* A peer that a thread has asked for since login, and the connection when there is one. */
struct ts_partner {
    struct ts_partner *next;
    struct ts_peer_row row;
    struct ts_identity *identity;
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

/** A conversation ended with TS_FORMAT. The peer sent what does not parse, or has a wrong length or range: the connection
 *  ends and the violation is counted and logged (protocol.md 7). Or the peer says so of us, and ends the connection. Or
 *  what came was not due: then that session is over, and the connection goes on. Still to be released. */
void ts_connection_malformed(
    struct ts_enterprise *enterprise, struct ts_connection *connection, const struct ts_session *session);

/** The peer's machine, which answers at once, was silent for as long as a step may take: the connection leads nowhere, and
 *  the next caller dials anew. Still to be released. */
void ts_connection_silent(struct ts_enterprise *enterprise, struct ts_connection *connection);

/** The next batch number of the connection. */
uint64_t ts_connection_batch(struct ts_enterprise *enterprise, struct ts_connection *connection);

/** Parameters of a pairing by their aux (zero: the first ones), to be given back with ts_parameters_release.
 *  Returns: as ts_parameters_use. */
enum ts_error ts_enterprise_pairing(const struct ts_pairing **out, struct ts_enterprise *enterprise,
    const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES]);

/* --- presignatures (session/batch_enterprise.c): a batch, alone or with the request that it is for --- */

struct ts_batch {
    struct ts_enterprise *enterprise;
    struct ts_connection *connection;
    const struct ts_half *half;
    const struct ts_pairing *pairing;
    uint64_t number; /* what follows is ts_batch_begin's */
    struct ts_session *session;
    struct ts_machine *machine;
};

/** A number, a session, the machine. Errors of all of these: as ts_machine_step, ts_talk. */
enum ts_error ts_batch_begin(struct ts_batch *batch, uint32_t count);
/** The commitments and what the peer answers. */
enum ts_error ts_batch_round_1(struct ts_batch *batch, struct ts_message *reply);
/** Check that answer; the openings. */
enum ts_error ts_batch_open(struct ts_buf *inner, struct ts_batch *batch, const struct ts_message *previous);
/** Send them, with the request or NULL, and wait for the answer. */
enum ts_error ts_batch_round_2(struct ts_message *reply, struct ts_batch *batch, const struct ts_buf *inner,
    const struct ts_buf *request, uint32_t timeout_ms);
/** Check it; then ts_presign_p1_take gives the presignatures. */
enum ts_error ts_batch_finish(struct ts_batch *batch, const struct ts_sign_round2_reply *round);
/** Close the session, erase what was not taken. */
void ts_batch_end(struct ts_batch *batch);

/* --- the pool (session/pool_enterprise.c): presignatures that wait in memory, for each key and connection --- */

struct ts_ready {
    struct ts_presig_p1 *presig; /* owned by who took it */
    uint64_t batch;
    uint32_t index;
};
/** Take one of the row's key and generation out of the pool: nobody else gets it any more. Returns: false when there is
 *  none. */
bool ts_pool_take(struct ts_ready *out, struct ts_enterprise *enterprise, struct ts_connection *connection,
    const struct ts_half_row *row);
/** A signature was made on this connection: with the second one of a key its presignatures are made ahead, if threads
 *  are allowed. keyring: of the unlocked token. */
void ts_pool_used(struct ts_enterprise *enterprise, struct ts_connection *connection, const struct ts_half_row *row,
    const struct ts_keyring *keyring);
/** Erase those of a key, on all connections: it is locked, or has a new generation. */
void ts_pool_forget(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES]);
/** Erase a connection's whole pool; nobody uses the connection any more. */
void ts_pool_clear(struct ts_enterprise *enterprise, struct ts_connection *connection);
/** Under the lock: wake the thread, for it has to stop, and break off what it has begun with a peer. */
void ts_pool_stop(struct ts_enterprise *enterprise);
/** Stop the thread and wait for its end. None is started afterwards. */
void ts_pool_join(struct ts_enterprise *enterprise);

/** Drop the partners of a token (0: of all tokens); with a pairing that one alone, and what goes on there ends. */
void ts_partners_drop(struct ts_enterprise *enterprise, uint64_t token, const uint8_t *pairing);

/** As ts_peer_unpair in the store alone, for a transaction that may come to nothing. */
enum ts_error ts_peer_forget(struct ts_enterprise *enterprise, uint64_t token, const char *name);

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
/** The same in a session of its own, when the generation has not been acknowledged. */
void ts_commit_repeat(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_half_row *row);
/** The peer may hold a pending half of a run that never became a generation here: tell it so, for exactly this run. Best
 * effort. */
void ts_abort_send(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_half_row *row);
/** All commits of a pairing that wait. */
void ts_commits_repeat(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_peer_row *peer);

/** Tell a connected peer which of its halves have ended with their session. Best effort. */
void ts_farewells_tell(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_peer_row *peer);

/** What was seen of the other side's cheating or fault. */
struct ts_fault {
    const char *peer; /**< its name */
    const char *step;
    enum ts_error error;
    struct ts_session *session;     /**< when the peer itself has said so; NULL is allowed */
    struct ts_link *link;           /**< to tell the peer; NULL: it is not told */
    struct ts_journal_entry *entry; /**< of the conversation, for the words; NULL is allowed */
};
/** Lock a key, durably before anything else: whoever comes after finds it locked. Then the log, then the peer. */
void ts_lock_enterprise(struct ts_enterprise *enterprise, const struct ts_half_row *row, const struct ts_fault *fault);

/** What the peer is shown, bounded and cleaned to what the schema takes. */
void ts_asker_to_context(struct ts_context *out, const struct ts_asker *asker);

#endif
