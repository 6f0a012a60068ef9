#ifndef TS_STORE_GCM_H
#define TS_STORE_GCM_H

#include "base/buffer.h"
#include "base/env.h"

#define TS_GCM_IV_BYTES 12
#define TS_GCM_TAG_BYTES 16
#define TS_GCM_OVERHEAD (TS_GCM_IV_BYTES + TS_GCM_TAG_BYTES)

/** Inside store/ only: AES-256-GCM (NIST SP 800-38D) by the environment's own OpenSSL context.
 *  Out:  appended to `out`: 12-byte random IV || ciphertext || 16-byte tag
 *  Returns: TS_OK; TS_FORMAT when `out` is too small; TS_INTERNAL. Secrets: key, plain. */
enum ts_error ts_gcm_seal(struct ts_buf *out, const struct ts_env *env, const uint8_t key[32], const uint8_t *plain,
    size_t len, const uint8_t *aad, size_t aad_len);

/** Inverse; nothing stays in `out` unless it authenticates.
 *  Returns: TS_OK; TS_STORAGE when it does not authenticate; TS_FORMAT when `out` is too small; TS_INTERNAL. */
enum ts_error ts_gcm_open(struct ts_buf *out, const struct ts_env *env, const uint8_t key[32], const uint8_t *sealed,
    size_t len, const uint8_t *aad, size_t aad_len);

#endif
