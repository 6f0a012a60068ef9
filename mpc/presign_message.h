#ifndef TS_MPC_PRESIGN_MESSAGE_H
#define TS_MPC_PRESIGN_MESSAGE_H

#include "mpc/opening.h"

/** Payloads of a batch of presignatures (protocol.md 6). Each is a sequence of entries, one for each index from 0 on;
 *  only the first says how many. `take` reads one entry and fails the scope (or the reader). Private to mpc/. */

/** 1. SignRound1, P1 -> P2: count, then for each index c. */
void ts_presign_count_put(struct ts_buf *out, uint32_t count);
/** Returns: 1 to TS_BATCH_MAX; 0 when it is anything else. */
uint32_t ts_presign_count_take(struct ts_reader *in);
void ts_presign_commitment_put(struct ts_buf *out, const uint8_t c[TS_HASH_BYTES]);
void ts_presign_commitment_take(uint8_t c[TS_HASH_BYTES], struct ts_reader *in);

/** 2. P2 -> P1, for each index: W = R2, K, z, cn. */
struct ts_presign_reply {
    struct ts_known_point R2;
    uint8_t cn[TS_HASH_BYTES];
};
void ts_presign_reply_put(struct ts_buf *out, const struct ts_group *group, const struct ts_presign_reply *reply);
void ts_presign_reply_take(
    struct ts_presign_reply *reply, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group);

/** 3. SignRound2, P1 -> P2, for each index: W = R1, K, z, u. */
struct ts_presign_opening {
    struct ts_known_point R1;
    uint8_t u[TS_NONCE_BYTES];
};
void ts_presign_opening_put(struct ts_buf *out, const struct ts_group *group, const struct ts_presign_opening *opening);
void ts_presign_opening_take(
    struct ts_presign_opening *opening, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group);

/** 4. P2 -> P1, for each index: D, its proof. */
struct ts_presign_affine {
    const struct ts_num *D;
    struct ts_affine_range proof;
};
void ts_presign_affine_put(struct ts_buf *out, const struct ts_group *group, const struct ts_presign_affine *affine);
void ts_presign_affine_take(struct ts_presign_affine *affine, struct ts_scope *scope, struct ts_reader *in,
    const struct ts_group *group, uint32_t bits);

#endif
