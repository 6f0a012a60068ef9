#ifndef TS_STORE_STORE_H
#define TS_STORE_STORE_H

#include "base/buffer.h"
#include "base/env.h"
#include "store/hsm.h"
#include "store/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The database where halves rest: one SQLite file (WAL, synchronous FULL), used by many processes and threads at once.
 *  A fork closes it, and the next call opens it again; if that fails (the file went away, or is another one) calls answer
 *  TS_STORAGE until it is back. A child must open its own.
 *  Both sides use it; the enterprise side has many tokens, the peer exactly one, without an HSM or with its own. */
struct ts_store;

/** Open, creating file (mode 0600) and schema if absent; the folder must exist.
 *  Returns: TS_OK; TS_STORAGE when it cannot be opened, is damaged, or has a newer schema (log line says which). */
enum ts_error ts_store_open(struct ts_store **out, const struct ts_env *env, const char *path);
/** NULL is allowed. Also for a forked child: nothing of its parent's is open there. */
void ts_store_close(struct ts_store *store);

/** Several calls as one durable unit: everything between begin and commit is stored whole or not at all. Holds the
 *  store's write lock for this thread: no network or HSM call in between. Calls of other threads wait.
 *  Units may be nested; an inner one that is rolled back takes back only itself, and only the outermost commit is
 * durable. A commit that fails has rolled back: no rollback follows it. Without a begin, commit answers TS_USAGE and
 * rollback does nothing. Returns: TS_OK; TS_STORAGE (also when another process holds the database for more than 5 s).
 */
enum ts_error ts_store_begin(struct ts_store *store);
enum ts_error ts_store_commit(struct ts_store *store);
void ts_store_rollback(struct ts_store *store);

/** A number that changes whenever any process changed the database; for caches. */
enum ts_error ts_store_version(uint64_t *out, struct ts_store *store);

/* --- tokens (store/token.c) --- */

#define TS_PIN_MIN 4
#define TS_PIN_MAX 255
#define TS_LABEL_BYTES 32

enum ts_user { TS_USER_SO, TS_USER };

struct ts_token_row {
    uint64_t id;                    /**< from 1, never used again */
    char label[TS_LABEL_BYTES + 1]; /**< without padding */
    char serial[17];                /**< 16 hex digits, random */
    bool user_pin_set;
    uint32_t so_tries_left, user_tries_left; /**< 0: locked */
    uint32_t tries;                          /**< how many a fresh PIN has (10) */
};

/** All tokens by rising id. Free with free(). */
enum ts_error ts_token_list(struct ts_token_row **out, size_t *count, struct ts_store *store);
enum ts_error ts_token_get(struct ts_token_row *out, struct ts_store *store, uint64_t id);

/** Make a token: new random token key, sealed under the SO PIN (scrypt, AES-GCM) and then the HSM.
 *  In:   hsm    NULL for a store that is sealed by a passphrase alone (peer)
 *        label  1 to 32 bytes; pin TS_PIN_MIN to TS_PIN_MAX bytes
 *  Returns: TS_OK and the id; TS_USAGE; TS_IO, TS_NOT_FOUND (HSM); TS_STORAGE.
 *  Secrets: pin. The plain token key never leaves secret memory. */
enum ts_error ts_token_create(
    uint64_t *id, struct ts_store *store, struct ts_hsm *hsm, const char *label, const uint8_t *pin, size_t pin_len);

/** Make an existing token anew (C_InitToken on it): the SO PIN is checked first, then all objects, halves, peers and
 *  PINs of the token are erased, a new token key is made; id stays, serial stays.
 *  Returns: as create and TS_PIN_INCORRECT, TS_PIN_LOCKED, TS_NOT_FOUND. */
enum ts_error ts_token_reset(
    struct ts_store *store, struct ts_hsm *hsm, uint64_t id, const char *label, const uint8_t *pin, size_t pin_len);

/** Unlock with a PIN. The try is counted durably before the check and the count is cleared after a good one.
 *  Not between begin and commit, where a count could be rolled back: there it answers TS_USAGE, as ts_token_reset does.
 *  Returns: TS_OK and a keyring; TS_PIN_INCORRECT; TS_PIN_LOCKED; TS_USAGE when that PIN is not set; TS_NOT_FOUND (no
 * such token); TS_IO when the HSM is unreachable, TS_STORAGE when the HSM's key is gone or another one: then the try is
 * not counted. */
enum ts_error ts_token_unlock(struct ts_keyring **out, struct ts_store *store, struct ts_hsm *hsm, uint64_t id,
    enum ts_user user, const uint8_t *pin, size_t pin_len);

/** Set or replace a PIN of an unlocked token; clears that PIN's count.
 *  Returns: TS_OK; TS_USAGE (length); TS_IO, TS_STORAGE. */
enum ts_error ts_token_set_pin(struct ts_store *store, struct ts_hsm *hsm, uint64_t id,
    const struct ts_keyring *keyring, enum ts_user user, const uint8_t *pin, size_t pin_len);

/* A keyring counts for its own token (else TS_USAGE) and only until that token is made anew, by any process (then
   TS_STORAGE): so it is with every call below that seals and stores. A sealed value has at most 1 MiB (else TS_USAGE).
 */

/* --- sealed single values of a token: identity, device hedge key, settings (store/value.c) --- */

/** name: 1 to 32 ASCII bytes, e.g. "identity", "hedge". put replaces.
 *  Returns: TS_OK; TS_NOT_FOUND (get); TS_STORAGE. */
enum ts_error ts_value_put(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, const char *name,
    const uint8_t *value, size_t len);
enum ts_error ts_value_get(
    struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, const char *name);

/* --- pairs of safe primes found in advance, each used for one pairing (store/primes.c) --- */

enum ts_error ts_primes_put(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, uint32_t bits,
    const uint8_t *value, size_t len);
/** Take one out: it is deleted durably before it is handed out. Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_primes_take(
    struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, uint32_t bits);
enum ts_error ts_primes_count(size_t *out, struct ts_store *store, uint64_t token, uint32_t bits);

/* --- peers: one row for each pairing (store/peer.c) --- */

#define TS_ID_BYTES 16
#define TS_NAME_MAX 65 /**< with the final NUL */

enum ts_peer_state { TS_PEER_PENDING = 1, TS_PEER_ACTIVE = 2 };

struct ts_peer_row {
    uint8_t pairing[TS_ID_BYTES];
    uint64_t token;
    char name[TS_NAME_MAX];
    char address[262];    /**< "" on the side that is dialled */
    uint8_t key_hash[32]; /**< pin of its certificate */
    uint32_t bits;        /**< of the moduli */
    enum ts_peer_state state;
    uint8_t confirmation[32];   /**< P1's hash of the pairing run */
    bool acknowledged;          /**< P1: the peer has confirmed that it stored the pairing */
    int64_t created, last_seen; /**< seconds since 1970; last_seen 0 = never */
};

/** Insert with its sealed pairing data; token, pairing, key_hash and bits are bound to it and never change.
 *  Returns: TS_OK; TS_EXISTS (pairing id, or an active peer of that name on that token); TS_USAGE (a row without name,
 *  state or final NULs); TS_NOT_FOUND (no such token); TS_STORAGE. */
enum ts_error ts_peer_put(struct ts_store *store, const struct ts_keyring *keyring, const struct ts_peer_row *row,
    const uint8_t *pairing_data, size_t len);
/** Returns: TS_OK (idempotent); TS_EXISTS when another active peer of the token has the name; TS_NOT_FOUND; TS_STORAGE.
 */
enum ts_error ts_peer_activate(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES]);
enum ts_error ts_peer_set_acknowledged(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES]);
/** For display only; durable like everything else. */
enum ts_error ts_peer_set_seen(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES], int64_t when);
enum ts_error ts_peer_set_address(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES], const char *address);
enum ts_error ts_peer_get(struct ts_peer_row *out, struct ts_store *store, const uint8_t pairing[TS_ID_BYTES]);
/** By pinned key; active ones only unless there is none. Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_peer_find(struct ts_peer_row *out, struct ts_store *store, uint64_t token, const uint8_t key_hash[32]);
/** token 0: of all tokens. By rising time of creation. Free with free(). */
enum ts_error ts_peer_list(struct ts_peer_row **out, size_t *count, struct ts_store *store, uint64_t token);
/** The sealed pairing data. Secret. */
enum ts_error ts_peer_data(
    struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES]);
/** Delete. Returns: TS_OK; TS_USAGE while halves of it exist; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_peer_delete(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES]);

/* --- key halves: one row for each key and generation (store/half.c) --- */

enum ts_half_state { TS_HALF_PENDING = 1, TS_HALF_ACTIVE = 2 };

struct ts_half_row {
    uint8_t key[TS_ID_BYTES];
    uint32_t generation;
    uint64_t token;
    uint8_t pairing[TS_ID_BYTES];
    char curve[16];          /**< P-256, P-384, P-521, secp256k1 */
    char label[TS_NAME_MAX]; /**< as shown to people */
    uint8_t public_key[133]; /**< Pt(X) */
    size_t public_key_len;
    uint8_t confirmation[32]; /**< P1's hash of the run, for Commit */
    enum ts_half_state state;
    bool locked;       /**< the key (every generation) is locked */
    bool acknowledged; /**< P1: the peer has answered the Commit */
    int64_t created;
    uint8_t parameters[32]; /**< which of the pairing's parameters it belongs to: their aux; zero: the first ones */
};

/** Insert with the sealed half. Durable when it returns (outside begin/commit). Token, key, generation, pairing, curve,
 *  label and public key are bound to it and never change.
 *  Returns: TS_OK; TS_EXISTS (same key and generation); TS_NOT_FOUND (no such peer or token); TS_USAGE (a row without
 *  curve, state or final NULs); TS_STORAGE. Secrets: half. */
enum ts_error ts_half_put(struct ts_store *store, const struct ts_keyring *keyring, const struct ts_half_row *row,
    const uint8_t *half, size_t len);
/** pending -> active, in one durable step; an older active generation of the key stays until ts_half_delete.
 *  confirmation must be the stored one. Idempotent. Returns: TS_OK; TS_NOT_FOUND; TS_CHEATED when it differs;
 * TS_STORAGE. */
enum ts_error ts_half_activate(
    struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation, const uint8_t confirmation[32]);
enum ts_error ts_half_set_acknowledged(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation);
/** Lock the key in every generation, also in one that is stored later. Durable when it returns (outside begin/commit);
 *  needs no keyring. Idempotent.
 *  reason: short English, kept for the administrator; the first one stays.
 *  Returns: TS_OK; TS_NOT_FOUND when no half of the key is stored; TS_STORAGE. */
enum ts_error ts_half_lock(struct ts_store *store, const uint8_t key[TS_ID_BYTES], const char *reason);
/** Highest active generation (or, if `any_state`, highest of all). Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_half_get(
    struct ts_half_row *out, struct ts_store *store, const uint8_t key[TS_ID_BYTES], bool any_state);
enum ts_error ts_half_get_generation(
    struct ts_half_row *out, struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation);
/** The sealed half itself. Secret. */
enum ts_error ts_half_data(struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring,
    const uint8_t key[TS_ID_BYTES], uint32_t generation);
/** token 0: all tokens. Free with free(). */
enum ts_error ts_half_list(struct ts_half_row **out, size_t *count, struct ts_store *store, uint64_t token);
enum ts_error ts_half_delete(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation);
/** Why the key was locked ("" when it is not). */
enum ts_error ts_half_lock_reason(char *out, size_t size, struct ts_store *store, const uint8_t key[TS_ID_BYTES]);

/* --- refresh: parameters that took the place of a pairing's first, and the succession of generations
 *     (store/parameters.c) --- */

#define TS_AUX_BYTES 32

/** Insert sealed parameters of a pairing; in one unit with the half that brings them.
 *  Returns: TS_OK; TS_EXISTS; TS_NOT_FOUND (no such pairing); TS_USAGE (aux zero); TS_STORAGE. */
enum ts_error ts_parameters_put(struct ts_store *store, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES], const uint8_t *data, size_t len);
/** The sealed parameters; aux zero: the pairing's first. Secret. Returns: TS_OK; TS_NOT_FOUND (erased, or never there);
 *  TS_STORAGE. */
enum ts_error ts_parameters_data(struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES]);
/** Which parameters a new key of the pairing gets: those of the last refresh that both sides have, else the first ones
 *  (zero). Returns: TS_OK; TS_NOT_FOUND (no such pairing); TS_STORAGE. */
enum ts_error ts_parameters_current(
    uint8_t aux[TS_AUX_BYTES], struct ts_store *store, const uint8_t pairing[TS_ID_BYTES]);

/** Take a pending generation's place with another run's: the next ts_half_put finds the place free.
 *  In:   confirmation  of the pending half that was seen when the new run began
 *  Returns: TS_OK; TS_NOT_FOUND when the pending half is not that one any more; TS_STORAGE. */
enum ts_error ts_half_withdraw(
    struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation, const uint8_t confirmation[32]);
/** A refresh lifts the lock that was there when its new generation was made, not a later one.
 *  Returns: TS_OK (also when there is none); TS_NOT_FOUND (no such generation); TS_STORAGE. */
enum ts_error ts_half_unlock(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation);
/** Erase the generations before this one, and the parameters that no half of the pairing needs any more; the newest are
 *  kept for new keys. Returns: TS_OK; TS_NOT_FOUND (no such generation, or it is not active); TS_STORAGE. */
enum ts_error ts_half_succeed(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation);

/* --- keys that live only as long as a session (store/temporary.c) --- */

/** Mark a key as temporary; in one unit with ts_half_put. holder: ts_holder_number of the process that uses it, or 0 on
 *  the side where that means nothing. Replaces. The mark goes with the last half of the key. Returns: TS_OK;
 * TS_STORAGE.
 */
enum ts_error ts_temporary_put(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint64_t holder);
/** Returns: TS_OK and the holder; TS_NOT_FOUND when the key is not temporary; TS_STORAGE. */
enum ts_error ts_temporary_get(uint64_t *holder, struct ts_store *store, const uint8_t key[TS_ID_BYTES]);
/** Take the mark away. Idempotent. */
enum ts_error ts_temporary_keep(struct ts_store *store, const uint8_t key[TS_ID_BYTES]);

struct ts_temporary_row {
    uint8_t key[TS_ID_BYTES];
    uint64_t holder;
};
/** Of one token. Free with free(). */
enum ts_error ts_temporary_list(struct ts_temporary_row **out, size_t *count, struct ts_store *store, uint64_t token);

/** A half that is gone here and that the peer has still to erase. It goes when the peer's row does. */
struct ts_farewell_row {
    uint8_t key[TS_ID_BYTES];
    uint32_t generation;
    uint8_t pairing[TS_ID_BYTES];
    uint8_t confirmation[32];
};
enum ts_error ts_farewell_put(struct ts_store *store, const struct ts_farewell_row *row);
/** Of one pairing. Free with free(). */
enum ts_error ts_farewell_list(
    struct ts_farewell_row **out, size_t *count, struct ts_store *store, const uint8_t pairing[TS_ID_BYTES]);
/** Idempotent. */
enum ts_error ts_farewell_delete(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation);

/* --- PKCS#11 objects of a token: rows of attributes (store/object.c) --- */

struct ts_attribute {
    uint64_t type; /**< CKA_ number */
    bool sealed;   /**< stored under the token key, with object, attribute and generation as associated data */
    uint8_t *value;
    size_t len;
};

struct ts_object_row {
    uint64_t id; /**< unique in the store, never used again */
    uint64_t token;
    struct ts_attribute *attributes;
    size_t count;
};

/** Insert. keyring may be NULL when nothing is sealed. Returns: TS_OK and the id; TS_STORAGE; TS_USAGE. */
enum ts_error ts_object_put(uint64_t *id, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token,
    const struct ts_attribute *attributes, size_t count);
/** Replace or add the given attributes, all or none. Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_object_set(struct ts_store *store, const struct ts_keyring *keyring, uint64_t id,
    const struct ts_attribute *attributes, size_t count);
enum ts_error ts_object_delete(struct ts_store *store, uint64_t id);
/** All objects of a token with their attributes. Sealed values are opened with the keyring; without one they come with
 *  value NULL and len 0. Free with ts_object_list_free, which erases. */
enum ts_error ts_object_list(struct ts_object_row **out, size_t *count, struct ts_store *store,
    const struct ts_keyring *keyring, uint64_t token);
void ts_object_list_free(struct ts_object_row *list, size_t count);

#endif
