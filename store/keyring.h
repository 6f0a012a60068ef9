#ifndef TS_STORE_KEYRING_H
#define TS_STORE_KEYRING_H

/* Inside store/ only: what a keyring holds. */

#include "store/store.h"

/** Which token key a token has now: random, new with each token key, not secret. */
#define TS_KEY_ID_BYTES 8

struct ts_keyring {
    const struct ts_env *env; /**< NULL in a forked child, where the whole keyring is zero */
    uint64_t token;
    uint8_t key_id[TS_KEY_ID_BYTES];
    uint8_t key[TS_TOKEN_KEY_BYTES];
};

/** An empty keyring of a token in secret memory. Returns: NULL without memory. */
struct ts_keyring *ts_keyring_new(const struct ts_env *env, uint64_t token, const uint8_t key_id[TS_KEY_ID_BYTES]);

/** Is it the keyring of this token, and of its present token key? Another process may have made the token anew.
 *  Call it in the transaction that writes what the keyring sealed.
 *  Returns: TS_OK; TS_USAGE for another token's, or none; TS_NOT_FOUND (no such token); TS_STORAGE when outdated. */
enum ts_error ts_keyring_check(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token);

/** Sizes of one sealed value: the largest accepted, and what sealing adds. */
#define TS_SEALED_MAX ((size_t)1 << 20)

/** Associated data: a kind and the fields that say where a value belongs, each with its length in front. */
void ts_aad_start(struct ts_buf *aad, const char *kind);
void ts_aad_number(struct ts_buf *aad, uint64_t value);
void ts_aad_bytes(struct ts_buf *aad, const void *bytes, size_t len);

/** Seal or open with the associated data of a buffer; a failure of that buffer is told.
 *  Returns: as ts_keyring_seal and ts_keyring_open; TS_USAGE when a plain value is longer than TS_SEALED_MAX. */
enum ts_error ts_keyring_seal_aad(
    struct ts_buf *out, const struct ts_keyring *keyring, const uint8_t *plain, size_t len, const struct ts_buf *aad);
enum ts_error ts_keyring_open_aad(
    struct ts_buf *out, const struct ts_keyring *keyring, const struct ts_buf *sealed, const struct ts_buf *aad);

#endif
