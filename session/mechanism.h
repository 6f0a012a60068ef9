#ifndef TS_SESSION_MECHANISM_H
#define TS_SESSION_MECHANISM_H

#include "base/env.h"

#include <stdbool.h>
#include <stddef.h>

/** Names of signature mechanisms as they travel in a SignRequest, and the digests that they make. */

#define TS_DIGEST_ROOM 64

/** In: mechanism  "ECDSA" (the caller gave a digest), "ECDSA-SHA1", "ECDSA-SHA224", "ECDSA-SHA256", "ECDSA-SHA384",
 * "ECDSA-SHA512", "ECDSA-SHA3-224", "ECDSA-SHA3-256", "ECDSA-SHA3-384", "ECDSA-SHA3-512" Returns: OpenSSL's name of the
 * hash; "" for "ECDSA"; NULL for an unknown mechanism. */
const char *ts_mechanism_hash(const char *mechanism);

/** Digest of a message under a mechanism that hashes.
 *  Returns: TS_OK and *len bytes (at most TS_DIGEST_ROOM); TS_USAGE for "ECDSA" and unknown names; TS_INTERNAL. */
enum ts_error ts_mechanism_digest(uint8_t out[TS_DIGEST_ROOM], size_t *len, const struct ts_env *env,
    const char *mechanism, const uint8_t *message, size_t message_len);

#endif
