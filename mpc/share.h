#ifndef TS_MPC_SHARE_H
#define TS_MPC_SHARE_H

#include "mpc/half.h"
#include "mpc/proof.h"

/** The encrypted share C = Enc(x1) of keygen and refresh (protocol.md 5 and 8). Private to mpc/. */
struct ts_share {
    const struct ts_num *C;
    struct ts_enc_range_dlog proof;
};

/** P1: encrypt x with fresh randomness and prove it under P2's parameters. place: role P1. Secrets: x. */
enum ts_error ts_share_make(struct ts_share *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_pairing *pairing, const struct ts_num *x, const struct ts_point *X1);
/** Items C and the proof's; `take` fails the scope or the reader. */
void ts_share_put(struct ts_buf *out, const struct ts_group *group, const struct ts_share *share);
void ts_share_take(
    struct ts_share *out, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group, uint32_t bits);
/** P2: the ciphertext belongs to X1 as P2 knows it. Returns: TS_OK; TS_CHEATED; TS_INTERNAL. */
enum ts_error ts_share_verify(const struct ts_place *place, const struct ts_pairing *pairing, const struct ts_point *X1,
    const struct ts_share *share);

/** X = X1 + X2 in the half's scope. Returns: TS_OK; TS_CHEATED for infinity; TS_INTERNAL. */
enum ts_error ts_half_join(struct ts_half *half, const struct ts_mpc *mpc);

#endif
