#ifndef TS_STORE_SEAL_H
#define TS_STORE_SEAL_H

#include "base/buffer.h"
#include "base/env.h"

#define TS_TOKEN_KEY_BYTES 32

/** An unlocked token: its random 256-bit key in secret memory. */
struct ts_keyring;

void ts_keyring_free(struct ts_keyring *keyring);

/** AES-256-GCM under the token key: out = 12-byte random IV || ciphertext || 16-byte tag.
 *  In:   aad  what the value is and where it belongs, so that no sealed value can be moved to another place
 *  Returns: TS_OK; TS_INTERNAL. Secrets: plain. */
enum ts_error ts_keyring_seal(struct ts_buf *out, const struct ts_keyring *keyring, const uint8_t *plain, size_t len,
    const uint8_t *aad, size_t aad_len);

/** Inverse. Returns: TS_OK; TS_STORAGE when it does not authenticate; TS_INTERNAL. `out` should be a secret buffer. */
enum ts_error ts_keyring_open(struct ts_buf *out, const struct ts_keyring *keyring, const uint8_t *sealed, size_t len,
    const uint8_t *aad, size_t aad_len);

#endif
