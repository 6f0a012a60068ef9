#ifndef TS_SESSION_MOBILE_INTERNAL_H
#define TS_SESSION_MOBILE_INTERNAL_H

#include "mpc/half.h"
#include "mpc/machine.h"
#include "session/journal.h"
#include "session/mobile.h"
#include "session/parameters.h"
#include "transport/link.h"
#include "transport/message.h"

#include <pthread.h>

/* Private to the mobile side of session/. */

struct ts_mobile {
    struct ts_mobile_options options;
    const struct ts_env *env;
    struct ts_mpc *mpc;
    struct ts_identity *identity;
    struct ts_links *links; /* where callers whose connection broke find their sessions again */
    struct ts_lookups *lookups;
    uint8_t hk[TS_HEDGE_KEY_BYTES];
    struct ts_journal *journal;
    pthread_mutex_t
        lock; /* guards what follows and the connections' counters; never held across network I/O or a question */
    pthread_cond_t ended; /* a session's thread ended, or stopping; CLOCK_MONOTONIC */
    bool stopping;
    uint64_t violations; /* connections closed for a message that does not parse, since the start */
    struct ts_mobile_connection *connections;
    struct ts_parameters_cache parameters;
};

struct ts_mobile_connection {
    struct ts_mobile_connection *next;
    struct ts_mobile *mobile;
    struct ts_link *link;
    uint8_t key_hash[TS_KEY_HASH_BYTES];
    bool paired; /* peer is valid */
    struct ts_peer_row peer;
    bool unpaired; /* and told to end because of that */
    bool greeted;  /* nonces are exchanged */
    uint8_t n1[TS_NONCE_BYTES], n2[TS_NONCE_BYTES];
    uint64_t batch_next,
        batches_seen; /* which batch numbers were used: below batch_next, bit i of batches_seen is batch_next - 1 - i */
    unsigned sessions;           /* threads that serve one */
    struct ts_waiting *waiting;  /* presignatures without a request, and those just used; session/pool_mobile.c */
    struct ts_ahead_slot *ahead; /* the next batch, computed while nobody asks; session/ahead_mobile.c */
};

/* One session being served on its own thread. */
struct ts_conversation {
    struct ts_mobile *mobile;
    struct ts_mobile_connection *connection;
    struct ts_session *session;
    struct ts_journal_entry *entry; /* NULL when the conversation has no record */
    const char *reason;             /* static words for the other side and the log when a handler fails; may be NULL */
    /* A batch of this key went well: what to prepare once the session is closed; count 0: nothing. */
    struct {
        uint8_t key[TS_ID_BYTES];
        uint32_t generation, count;
    } next;
};

/** Dial a partner and serve the connection until it ends.
 *  Returns: false when there was none. */
bool ts_mobile_serve_dialled(struct ts_mobile *mobile, const char *address, const struct ts_peer_row *partner);

/** End the connections of those that another process of this device has unpaired, with whatever goes on there. */
void ts_mobile_end_unpaired(struct ts_mobile *mobile);

/** Serve a session whose first message is given; by type from one table (session/mobile_route.c). */
void ts_conversation_serve(struct ts_conversation *conversation);

/** Handlers. Returns: TS_OK when the conversation ended well, also when it ended with an answer of refusal that was
 * sent; otherwise the error that the caller tells the other side. */
enum ts_error ts_hello_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_pair_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_keygen_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_refresh_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_request_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_sign_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_commit_mobile(struct ts_conversation *conversation, const struct ts_message *first);
/** After the confirmation has been sent: the commit usually follows in the same session; when it does not, it comes at
 *  the next connection. */
enum ts_error ts_commit_wait(struct ts_conversation *conversation);
enum ts_error ts_abort_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_farewell_mobile(struct ts_conversation *conversation, const struct ts_message *first);
enum ts_error ts_lock_mobile(struct ts_conversation *conversation, const struct ts_message *first);

/** Send; through the tests' tamper hook when there is one. */
enum ts_error ts_mobile_tell(
    struct ts_conversation *conversation, int type, struct ts_buf *payload, enum ts_curve curve);

/* --- presignatures that wait for their requests (session/pool_mobile.c): in memory, of one connection --- */

/** Where a request belongs. */
struct ts_request_place {
    const uint8_t *key; /**< TS_ID_BYTES */
    uint32_t generation;
    uint64_t batch;
    uint32_t index;
};
struct ts_presig_p2;

/** Take a finished batch in. Returns: TS_OK; TS_USAGE when too many wait on the connection; TS_INTERNAL. */
enum ts_error ts_waiting_add(
    struct ts_mobile_connection *connection, struct ts_machine *machine, const struct ts_request_place *place);
/** On receipt of a request: bind its presignature to these bytes, for good, and reserve it for this thread; a second
 *  thread with the same bytes waits until the first is done. Give it back with ts_waiting_release.
 *  Returns: TS_OK; TS_NOT_FOUND (none such waits here, or it waited too long); TS_CHEATED (bound to other bytes);
 *  TS_REFUSED (refused before); TS_INTERNAL. */
enum ts_error ts_waiting_bind(struct ts_presig_p2 **out, struct ts_mobile_connection *connection,
    const struct ts_request_place *place, const uint8_t *request, size_t len);
void ts_waiting_release(struct ts_mobile_connection *connection, struct ts_presig_p2 *presig);
/** Erase all of a key, on every connection, also what was prepared: it is locked, destroyed, or has a new generation. */
void ts_waiting_forget(struct ts_mobile *mobile, const uint8_t key[TS_ID_BYTES]);
/** Erase those of a connection that has ended. */
void ts_waiting_clear(struct ts_mobile_connection *connection);

/* --- what a device computes before it is asked (session/ahead_mobile.c): of one connection, in memory, used once --- */

/** A batch at its start, with what the machine borrows. */
struct ts_ahead {
    struct ts_machine *machine;
    struct ts_half *half;
    const struct ts_pairing *pairing;
};
/** The batch prepared for exactly this place (its index does not count); waits for a thread that is at it, for one
 *  presignature at most. One prepared for another place is erased: the guess was wrong.
 *  Returns: whether there was one; then `out` is the caller's. */
bool ts_ahead_take(struct ts_ahead *out, struct ts_mobile_connection *connection, const struct ts_request_place *place);
/** Prepare the next batch of a key: up to `count` presignatures and the configuration's `presignatures`, until somebody
 *  wants them. By a thread of the connection that has nothing else to do; nothing happens while another is at work. */
void ts_ahead_fill(
    struct ts_mobile_connection *connection, const uint8_t key[TS_ID_BYTES], uint32_t generation, uint32_t count);
/** Erase what was prepared for a key, on every connection. */
void ts_ahead_forget(struct ts_mobile *mobile, const uint8_t key[TS_ID_BYTES]);
/** Erase that of a connection that has ended. */
void ts_ahead_clear(struct ts_mobile_connection *connection);
void ts_ahead_free(struct ts_mobile *mobile, struct ts_ahead *ahead);

/** The other side has cancelled the session, or is gone. */
bool ts_conversation_given_up(const struct ts_conversation *conversation);

/** Put a question to the person or policy, with the configured deadline. Returns: TS_OK; TS_REFUSED; TS_TIMEOUT; TS_IO
 * when the other side gave up meanwhile. */
enum ts_error ts_mobile_decide(struct ts_conversation *conversation, const struct ts_question *question);

/** Parameters of a pairing by their aux (zero: the first ones), to be given back with ts_parameters_release.
 *  Returns: as ts_parameters_use. */
enum ts_error ts_mobile_pairing(const struct ts_pairing **out, struct ts_mobile *mobile,
    const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES]);

/** The other side cheated or is faulty: lock the key, durably before the other side hears of it, and give the
 *  conversation its reason. */
void ts_lock_own(struct ts_conversation *conversation, const struct ts_half_row *row, const char *step);

/** May this batch number be used now? Each once in a connection; up to 64 may come out of order. */
bool ts_mobile_batch_use(struct ts_mobile_connection *connection, uint64_t batch);

/** Check and count one try of the invitation, durably, before the proof is looked at. Returns: TS_OK and its secret;
 * TS_REFUSED when none is open, it expired, or the tries are used up; TS_STORAGE. Secret: wipe it after use. */
enum ts_error ts_invitation_try(uint8_t secret[TS_PAIR_SECRET_BYTES], struct ts_mobile *mobile);
/** Close it after success. */
enum ts_error ts_invitation_close(struct ts_mobile *mobile);
/** Is one open? For admitting an unknown certificate. */
bool ts_invitation_open(struct ts_mobile *mobile);

#endif
