#ifndef TS_STORE_HSM_H
#define TS_STORE_HSM_H

#include "base/buffer.h"
#include "base/env.h"

#include <stdbool.h>

/** The enterprise's HSM: one AES-256 key in it, used to seal token keys. Reached through p11-kit, loaded on first use,
 *  never by C_Initialize. Safe for several threads. */
struct ts_hsm;

struct ts_hsm_options {
    const struct ts_env *env;
    /** PKCS#11 URI (RFC 7512) of the AES key: token and object (or id) required; module-path or module-name names the
     *  module; pin-source (file:PATH, env:NAME, or credential:NAME for $CREDENTIALS_DIRECTORY) or pin-value. */
    const char *uri;
};

/** Parse the URI; does not touch the HSM.
 *  Returns: TS_OK; TS_USAGE when the URI does not parse or lacks a part (the log line says which). */
enum ts_error ts_hsm_new(struct ts_hsm **out, const struct ts_hsm_options *options);

/** Close the HSM session, release the module. */
void ts_hsm_free(struct ts_hsm *hsm);

/** Free memory only: in a forked child nothing of the parent's HSM session may be touched. */
void ts_hsm_abandon(struct ts_hsm *hsm);

/** Is the key there and usable? Opens the HSM.
 *  Returns: TS_OK; TS_NOT_FOUND when module, token and PIN are good but there is no such key; TS_IO when the module,
 *  token or login fails (log line says which); TS_STORAGE when the key is not an AES-256 key that is sensitive,
 *  non-extractable and for encryption and decryption only. */
enum ts_error ts_hsm_check(struct ts_hsm *hsm);

/** Generate the AES key inside the HSM: CKA_TOKEN, PRIVATE, SENSITIVE true, EXTRACTABLE false, ENCRYPT and DECRYPT
 * only. Returns: TS_OK; TS_EXISTS when there is one already; TS_IO. */
enum ts_error ts_hsm_generate(struct ts_hsm *hsm);

/** AES-GCM under the HSM's key: out = 12-byte IV || ciphertext || 16-byte tag. The IV is fresh random.
 *  In:   aad  authenticated, not stored
 *  Returns: TS_OK; TS_NOT_FOUND; TS_IO. A lost HSM session is opened again once. */
enum ts_error ts_hsm_seal(
    struct ts_buf *out, struct ts_hsm *hsm, const uint8_t *plain, size_t len, const uint8_t *aad, size_t aad_len);

/** Inverse. Returns: TS_OK; TS_STORAGE when it does not authenticate; TS_NOT_FOUND; TS_IO. */
enum ts_error ts_hsm_open(
    struct ts_buf *out, struct ts_hsm *hsm, const uint8_t *sealed, size_t len, const uint8_t *aad, size_t aad_len);

#endif
