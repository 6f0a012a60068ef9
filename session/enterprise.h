#ifndef TS_SESSION_ENTERPRISE_H
#define TS_SESSION_ENTERPRISE_H

#include "mpc/point.h"
#include "session/cancel.h"
#include "session/config.h"
#include "session/journal.h"
#include "store/store.h"

/** The enterprise side (P1) in one process: configuration, store, HSM, mathematics, connections to the peers. One for
 * each C_Initialize or command. Thread-safe. Opening it touches neither network nor HSM. */
struct ts_enterprise;

/** Open the store (its folder is created, mode 0700).
 *  Returns: TS_OK; TS_STORAGE; TS_USAGE (bad HSM URI); TS_INTERNAL. env and config must outlive it. */
enum ts_error ts_enterprise_open(struct ts_enterprise **out, const struct ts_env *env, const struct ts_config *config);

/** Let it have threads of its own: one takes the devices that dial in (`listen` of the configuration; without it they are
 *  taken inside the waits of those who need them), one makes presignatures ahead for keys that sign often
 *  (`presignatures`). A thread starts when it is needed, with all signals blocked, and ends in ts_enterprise_close. Call
 *  it before the first use. */
void ts_enterprise_allow_threads(struct ts_enterprise *enterprise);

/** Make every wait of other threads fail now (TS_IO); for C_Finalize. */
void ts_enterprise_shutdown(struct ts_enterprise *enterprise);
/** Close connections and store. No other call may be running. */
void ts_enterprise_close(struct ts_enterprise *enterprise);
/** In a forked child: free memory only, nothing on the wire, in the database or in the HSM. */
void ts_enterprise_abandon(struct ts_enterprise *enterprise);

/** In a process whose OpenSSL is down (base/openssl.h), after ts_enterprise_shutdown: the threads are ended, and the rest is
 *  abandoned: neither OpenSSL nor the HSM's library may be used. */
void ts_enterprise_give_up(struct ts_enterprise *enterprise);

struct ts_store *ts_enterprise_store(struct ts_enterprise *enterprise);
/** NULL when the configuration names none. */
struct ts_hsm *ts_enterprise_hsm(struct ts_enterprise *enterprise);
const struct ts_env *ts_enterprise_env(const struct ts_enterprise *enterprise);
/** What its conversations do and did. */
struct ts_journal *ts_enterprise_journal(struct ts_enterprise *enterprise);

/** Make the HSM's key when there is none and no token depends on one.
 *  Returns: TS_OK (also when it is there); TS_USAGE when the configuration names no HSM; TS_NOT_FOUND when the key is
 * gone although tokens depend on it; TS_IO; TS_STORAGE. */
enum ts_error ts_enterprise_prepare_hsm(struct ts_enterprise *enterprise);

/** Who asks, as the person at the peer will see it. Strings may be NULL. */
struct ts_asker {
    const char *label;       /**< of the key */
    const char *application; /**< program */
    const char *host;
    const char *user;
    bool temporary; /**< keygen: the key lives only as long as a session */
};
/** Fill application, host and user from the process (program's name, host name, user name) into buffers of the struct.
 */
struct ts_asker_text {
    char application[65], host[65], user[65];
};
void ts_asker_from_process(struct ts_asker *asker, struct ts_asker_text *text);

/** Connections and pairing secrets kept for an unlocked token are dropped: C_Logout, C_CloseAllSessions. */
void ts_enterprise_logout(struct ts_enterprise *enterprise, uint64_t token);

/* --- keygen (session/keygen_enterprise.c) --- */

struct ts_new_key {
    uint8_t key[TS_ID_BYTES];
    uint32_t generation;
    enum ts_curve curve;
    uint8_t public_key[TS_POINT_MAX_BYTES]; /**< Pt(X) */
    size_t public_key_len;
};

/** Called inside the transaction that makes the half durable: what it writes to the store is stored with it or not at
 * all. No network. */
typedef enum ts_error (*ts_keygen_record)(void *ctx, struct ts_store *store, const struct ts_new_key *key);

struct ts_keygen_job {
    const char *peer; /**< its name; NULL: the token's only one, or else the one paired last */
    enum ts_curve curve;
    struct ts_asker asker;
    const uint8_t *session_id; /**< TS_ID_BYTES: id of the record in the journal; NULL: random */
    uint32_t wait_ms;          /**< how long to wait for a peer that is away; 0: fail at once */
    struct ts_cancel *cancel;  /**< may be NULL; a cancelled run answers TS_TIMEOUT */
    ts_keygen_record record;   /**< may be NULL */
    void *ctx;                 /**< for record */
};

/** Make a key with a peer of the token.
 *  In:   keyring  the unlocked token
 *  Returns: TS_OK; TS_NOT_FOUND (no such peer; none paired); TS_USAGE (curve with this modulus); TS_EXISTS (session_id);
 * TS_REFUSED; TS_TIMEOUT; TS_IO; TS_FORMAT, TS_CHEATED (then nothing is stored); TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_keygen_enterprise(struct ts_new_key *out, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_keygen_job *job);

/* --- sign (session/sign_enterprise.c) --- */

struct ts_sign_job {
    uint8_t key[TS_ID_BYTES];
    const char *mechanism;  /**< "ECDSA", "ECDSA-SHA256", ...: a name that the peer knows how to recompute */
    const uint8_t *digest;  /**< what is signed */
    size_t digest_len;      /**< 1 to 64 */
    const uint8_t *message; /**< when the mechanism hashes: the message, up to TS_MESSAGE_SIGN_MAX; NULL for "ECDSA" */
    size_t message_len;
    struct ts_asker asker;
    const uint8_t *session_id; /**< TS_ID_BYTES: id of the record in the journal; NULL: random */
    uint32_t wait_ms;          /**< how long to wait for a peer that is away; 0: fail at once */
    struct ts_cancel *cancel;  /**< may be NULL; a cancelled run answers TS_TIMEOUT */
};
#define TS_MESSAGE_SIGN_MAX 65536

/** Sign. signature: r || s, each as long as q; *len on entry its room, on return its length (64, 96, 132).
 *  Returns: TS_OK; TS_LOCKED; TS_REFUSED; TS_TIMEOUT (nobody decided); TS_IO (unreachable); TS_FORMAT; TS_CHEATED (the
 * key has been locked); TS_NOT_FOUND (no such half); TS_USAGE; TS_EXISTS (session_id); TS_STORAGE;
 * TS_INTERNAL. */
enum ts_error ts_sign_enterprise(uint8_t *signature, size_t *len, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_sign_job *job);

/** For C_SignInit: is the key usable? Reads the store only.
 *  Returns: TS_OK; TS_LOCKED; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_key_usable(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES]);

/** Delete the half of a destroyed key (every generation). The peer's half stays until its own administrator removes it;
 *  only for a temporary key it is noted that the peer must be told, which ts_enterprise_farewell and every new
 * connection do. No network. Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_key_destroy(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES]);

/* --- refresh (session/refresh_enterprise.c) --- */

struct ts_search;

struct ts_refresh_job {
    uint8_t key[TS_ID_BYTES];
    struct ts_asker asker;          /**< the label is not used: the peer shows its own */
    const uint8_t *session_id;      /**< TS_ID_BYTES: id of the record in the journal; NULL: random */
    const struct ts_search *search; /**< of safe primes when none wait; NULL: quiet, configured threads */
};

/** Give both halves of a key new shares and both sides new parameters (protocol.md 8). The public key stays; a lock that
 *  was there is lifted; the old halves are erased, here when the peer has acknowledged. The caller has seen to it that an
 *  administrator asked for it.
 *  Out:  generation  the new one
 *  Returns: TS_OK (also when the peer has not acknowledged yet: that is repeated); TS_EXISTS (another refresh of the key
 *  is running; session_id); TS_NOT_FOUND (no such half; the peer has another generation); TS_REFUSED; TS_TIMEOUT; TS_IO; TS_FORMAT;
 *  TS_CHEATED (the key has been locked); TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_refresh_enterprise(uint32_t *generation, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_refresh_job *job);

/* --- temporary keys (session/farewell_enterprise.c) --- */

/** A temporary key shall stay; and: a key shall now live only as long as this process. Stored in the unit that is open.
 *  Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_key_keep(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES]);
enum ts_error ts_key_lend(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES]);

/** Destroy the temporary keys of a token whose process has ended without a word. No network. Returns: TS_OK;
 * TS_STORAGE.
 */
enum ts_error ts_keys_bury(struct ts_enterprise *enterprise, uint64_t token);

/** Tell the connected peers of a token which of their halves have ended with their session. Never dials; waits at most
 *  the connect time-out for each answer. What stays untold is told at the next connection. */
void ts_enterprise_farewell(struct ts_enterprise *enterprise, uint64_t token);

/* --- pairing (session/pair_enterprise.c) --- */

struct ts_search;

struct ts_pair_job {
    const char *uri;     /**< as `tallystick-peer uri` shows it */
    const char *name;    /**< how the peer is called here; NULL: the name it gives itself */
    const char *replace; /**< name of a peer whose place the new one takes; NULL: none. Its pairing ends, and no key may
                            depend on it */
    const struct ts_search
        *search; /**< progress and threads for the search of primes; NULL: quiet, configured threads */
    /** Do both people see the same six digits? May block until the deadline (monotonic), and ends soon after cancelled()
     *  turns true. NULL: nobody is asked.
     *  Returns: TS_OK; TS_REFUSED; TS_TIMEOUT. */
    enum ts_error (*confirm)(void *ctx, const char *code, const char *peer, uint64_t deadline_ms,
        bool (*cancelled)(void *), void *cancel_ctx);
    void *ctx; /**< for confirm */
};

/** Identity, device hedge key of a token: made when absent. Returns: TS_OK; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_enterprise_prepare_token(
    struct ts_enterprise *enterprise, uint64_t token, const struct ts_keyring *keyring, const char *name);

/** Pair with the device that showed the URI. Safe primes come from the store when some wait there, else are searched now.
 *  Out:  out     the new peer
 *  Returns: TS_OK; TS_USAGE (URI; keys depend on the peer to be replaced); TS_NOT_FOUND (no peer to be replaced); TS_IO;
 *  TS_REFUSED (secret wrong, expired or used; a person said that the codes differ); TS_EXISTS (name, or paired already);
 *  TS_TIMEOUT; TS_FORMAT, TS_CHEATED; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_pair_enterprise(struct ts_peer_row *out, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_pair_job *job);

/** Forget a peer: its name, address, pinned key and parameters, and end this process's connection with it. Its side is
 *  not told.
 *  In:   name  of an active peer of the token
 *  Returns: TS_OK; TS_NOT_FOUND; TS_USAGE while keys depend on it; TS_STORAGE. */
enum ts_error ts_peer_unpair(struct ts_enterprise *enterprise, uint64_t token, const char *name);

/** A peer has another address from now on; who it is does not change. Connections in use are kept.
 *  In:   name     of an active peer of the token
 *        address  "host:port" or "[v6]:port"; several with commas between, tried in their order; "-": it is never
 *                 dialled, because it dials in
 *  Returns: TS_OK; TS_USAGE (address); TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_peer_move(struct ts_enterprise *enterprise, uint64_t token, const char *name, const char *address);

/** Is the peer reachable? Connects (or uses the connection) and says hello; also repeats commits that wait.
 *  Returns: TS_OK; as sign. */
enum ts_error ts_peer_ping(struct ts_enterprise *enterprise, uint64_t token, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES]);

#endif
