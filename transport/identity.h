#ifndef TS_TRANSPORT_IDENTITY_H
#define TS_TRANSPORT_IDENTITY_H

#include "base/buffer.h"
#include "base/env.h"

#include <stdint.h>

#define TS_KEY_HASH_BYTES 32

/** A device's own P-256 key and self-made certificate for TLS. There is no certificate authority: the other side pins
 *  the SHA-256 of the DER SubjectPublicKeyInfo. */
struct ts_identity;

/** Make a new key and certificate (subject CN = `name`, valid without end in practice: 9999-12-31).
 *  Returns: TS_OK; TS_USAGE when name is empty or longer than 64 bytes; TS_INTERNAL. */
enum ts_error ts_identity_new(struct ts_identity **out, const struct ts_env *env, const char *name);

void ts_identity_free(struct ts_identity *identity);

/** SHA-256 of the DER SubjectPublicKeyInfo. */
void ts_identity_key_hash(const struct ts_identity *identity, uint8_t out[TS_KEY_HASH_BYTES]);

/** Key and certificate as bytes for the sealed store. Secret: `out` must be a secret buffer.
 *  Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_identity_encode(struct ts_buf *out, const struct ts_identity *identity);

/** Inverse. Returns: TS_OK; TS_FORMAT; TS_INTERNAL. */
enum ts_error ts_identity_decode(struct ts_identity **out, const struct ts_env *env, const uint8_t *bytes, size_t len);

#endif
