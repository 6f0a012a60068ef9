#ifndef TS_MPC_REFRESH_MESSAGE_H
#define TS_MPC_REFRESH_MESSAGE_H

#include "mpc/half.h"
#include "mpc/share.h"

/** Payloads of a refresh (protocol.md 8), in order; 2 and 3 are those of keygen (keygen_message.h), the two
 *  confirmations are the bare hashes. Private to mpc/. decode returns TS_OK; TS_FORMAT; TS_INTERNAL. */

/** 1. RefreshInit, P1 -> P2: key, pairing, the new generation, n1. */
struct ts_refresh_start {
    uint8_t key[TS_KEY_ID_BYTES];
    uint8_t pairing[TS_PAIRING_ID_BYTES];
    uint32_t generation;
    uint8_t n1[TS_NONCE_BYTES];
};
void ts_refresh_start_encode(struct ts_buf *out, const struct ts_refresh_start *message);
enum ts_error ts_refresh_start_decode(struct ts_refresh_start *out, const uint8_t *in, size_t len);

/** 4. P2 -> P1: its half of the coin, d in [0, q). */
void ts_coin_encode(struct ts_buf *out, const struct ts_num *d2);
enum ts_error ts_coin_decode(
    const struct ts_num **d2, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len);

/** 5. P1 -> P2: d in [0, q), u, C of the new share, its proof. */
struct ts_refresh_opening {
    const struct ts_num *d1;
    uint8_t u[TS_NONCE_BYTES];
    struct ts_share share;
};
void ts_refresh_opening_encode(
    struct ts_buf *out, const struct ts_group *group, const struct ts_refresh_opening *message);
enum ts_error ts_refresh_opening_decode(struct ts_refresh_opening *out, struct ts_scope *scope,
    const struct ts_group *group, uint32_t bits, const uint8_t *in, size_t len);

#endif
