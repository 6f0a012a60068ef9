#ifndef TS_MPC_KEYGEN_MESSAGE_H
#define TS_MPC_KEYGEN_MESSAGE_H

#include "mpc/half.h"
#include "mpc/opening.h"
#include "mpc/share.h"

/** Payloads of key generation (protocol.md 5), in order; the two confirmations are the bare hashes. Private to mpc/.
 *  decode returns TS_OK; TS_FORMAT; TS_INTERNAL. What it gives lives in the scope. */

/** 1. KeygenInit, P1 -> P2: curve, key, pairing, n1. A curve that does not exist decodes as TS_CURVE_NONE. */
struct ts_keygen_start {
    enum ts_curve curve;
    uint8_t key[TS_KEY_ID_BYTES];
    uint8_t pairing[TS_PAIRING_ID_BYTES];
    uint8_t n1[TS_NONCE_BYTES];
};
void ts_keygen_start_encode(struct ts_buf *out, const struct ts_keygen_start *message);
enum ts_error ts_keygen_start_decode(struct ts_keygen_start *out, const uint8_t *in, size_t len);

/** 2. P2 -> P1: n2. Also the refresh's. */
void ts_nonce_encode(struct ts_buf *out, const uint8_t n2[TS_NONCE_BYTES]);
enum ts_error ts_nonce_decode(uint8_t n2[TS_NONCE_BYTES], const uint8_t *in, size_t len);

/** 3. P1 -> P2: the commitment c. Also the refresh's. */
void ts_committed_encode(struct ts_buf *out, const uint8_t c[TS_HASH_BYTES]);
enum ts_error ts_committed_decode(uint8_t c[TS_HASH_BYTES], const uint8_t *in, size_t len);

/** 4. P2 -> P1: W = X2, K, z. */
void ts_keygen_point_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_known_point *X2);
enum ts_error ts_keygen_point_decode(
    struct ts_known_point *X2, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len);

/** 5. P1 -> P2: W = X1, K, z, u, C, its proof. */
struct ts_keygen_opening {
    struct ts_known_point X1;
    uint8_t u[TS_NONCE_BYTES];
    struct ts_share share;
};
void ts_keygen_opening_encode(
    struct ts_buf *out, const struct ts_group *group, const struct ts_keygen_opening *message);
enum ts_error ts_keygen_opening_decode(struct ts_keygen_opening *out, struct ts_scope *scope,
    const struct ts_group *group, uint32_t bits, const uint8_t *in, size_t len);

#endif
