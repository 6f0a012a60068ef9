#ifndef TS_TRANSPORT_PAIR_URI_H
#define TS_TRANSPORT_PAIR_URI_H

#include "base/error.h"
#include "transport/identity.h"

#include <stddef.h>

#define TS_PAIR_SECRET_BYTES 16
#define TS_ADDRESS_MAX 262 /**< "host:port" with its final NUL */

/** What a peer shows to be paired: where it listens, who it is, and a secret for one use. */
struct ts_pair_uri {
    char address[TS_ADDRESS_MAX];
    uint8_t key_hash[TS_KEY_HASH_BYTES];
    uint8_t secret[TS_PAIR_SECRET_BYTES]; /**< secret */
};

/** Write `tallystick:HOST:PORT?k=BASE64URL(key hash)&s=BASE64URL(secret)`.
 *  Returns: TS_OK; TS_USAGE when `size` is too small. */
enum ts_error ts_pair_uri_encode(char *out, size_t size, const struct ts_pair_uri *uri);

/** Parse strictly: unknown, missing or repeated parameters, other lengths, or a bad port are refused.
 *  Returns: TS_OK; TS_USAGE. */
enum ts_error ts_pair_uri_decode(struct ts_pair_uri *out, const char *text);

/** Proof of the one-time secret by one side, bound to the channel and both keys:
 *  HMAC-SHA256(secret, "tallystick/1 pair" || role || exporter || key hash of the dialling side || of the listening
 * side), role 1 for the dialling side (enterprise), 2 for the listening one (mobile). Returns: TS_OK; TS_INTERNAL.
 * Secrets: the secret; compare proofs with ts_equal. */
enum ts_error ts_pair_proof(uint8_t out32[32], const struct ts_env *env, const uint8_t secret[TS_PAIR_SECRET_BYTES],
    uint8_t role, const uint8_t exporter32[32], const uint8_t dialler[TS_KEY_HASH_BYTES],
    const uint8_t listener[TS_KEY_HASH_BYTES]);

#endif
