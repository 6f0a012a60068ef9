#ifndef TS_SESSION_MOBILE_H
#define TS_SESSION_MOBILE_H

#include "mpc/point.h"
#include "session/config.h"
#include "store/store.h"
#include "transport/pair_uri.h"

/** The mobile side (P2): store, mathematics, and the answering half of every conversation. Thread-safe. */
struct ts_mobile;

/** What a person or policy is asked. Strings are printable and never NULL. */
struct ts_question {
    enum { TS_ASK_PAIR, TS_ASK_KEYGEN, TS_ASK_SIGN, TS_ASK_REFRESH } kind;
    const char *partner; /**< name of the paired enterprise, or the name the caller gives itself when pairing */
    const char *label, *application, *host, *user;
    const char *curve;
    const char *mechanism; /**< TS_ASK_SIGN */
    const uint8_t *digest; /**< TS_ASK_SIGN: as recomputed here when there is a message */
    size_t digest_len;
    const uint8_t *message; /**< NULL when the caller gave only a digest */
    size_t message_len;
    const uint8_t *key; /**< TS_ID_BYTES; NULL when pairing */
    const char *code;   /**< TS_ASK_PAIR: six digits that the partner's person must see, too; else NULL */
    bool locked;        /**< TS_ASK_REFRESH: the key is locked at this device, and a yes lifts that */
};

/** Decide. May block; must return by deadline_ms (monotonic) and soon after cancelled() turns true.
 *  Returns: TS_OK (yes); TS_REFUSED (no); TS_TIMEOUT (nobody decided). */
typedef enum ts_error (*ts_decide)(
    void *ctx, const struct ts_question *question, uint64_t deadline_ms, bool (*cancelled)(void *), void *cancel_ctx);

struct ts_mobile_options {
    const struct ts_env *env;
    const struct ts_config *config;
    struct ts_store *store;           /**< owned by the caller */
    uint64_t token;                   /**< the store's one token */
    const struct ts_keyring *keyring; /**< unlocked with the passphrase */
    ts_decide decide;
    void *ctx;
    /** Called with each payload before it is sent, for the tests' cheating peer; NULL otherwise. bits: of the moduli.
     */
    void (*tamper)(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits);
};

/** First set-up of a peer's store: identity and device hedge key under the token (made when absent). Primes:
 * ts_primes_search and ts_primes_put. Returns: TS_OK; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_mobile_prepare(const struct ts_env *env, struct ts_store *store, uint64_t token,
    const struct ts_keyring *keyring, const char *name);

/** Returns: TS_OK; TS_NOT_FOUND (store not prepared); TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_mobile_open(struct ts_mobile **out, const struct ts_mobile_options *options);

/** Open the door for one pairing: a fresh one-time secret (kept in the store under "pairing", so that another process
 * of this device may make it), valid until `expires` (seconds since 1970), for three tries. A second call replaces it.
 *  Returns: TS_OK and the URI; TS_STORAGE. */
enum ts_error ts_mobile_invite(struct ts_pair_uri *out, const struct ts_env *env, struct ts_store *store,
    uint64_t token, const struct ts_keyring *keyring, const char *address, int64_t expires);

/** Serve one accepted TCP connection until it ends; called on a thread of its own. The socket is owned from here on.
 *  An unknown certificate may only pair, and only while an invitation is open. Never fails: what happens is logged. */
void ts_mobile_serve(struct ts_mobile *mobile, int socket);

/** Until ts_mobile_shutdown: end the connections of partners that are unpaired meanwhile, also by another process; and
 *  dial in to every partner at these addresses ("host:port", several with commas between, tried in order; NULL: do not),
 *  keep the connections and dial again with growing pauses. New partners are found while it runs.
 *  Called on a thread of its own. */
void ts_mobile_watch(struct ts_mobile *mobile, const char *addresses);

/** Stop: every ts_mobile_serve and ts_mobile_watch returns soon. */
void ts_mobile_shutdown(struct ts_mobile *mobile);
/** None of the two may be running. */
void ts_mobile_close(struct ts_mobile *mobile);

#endif
