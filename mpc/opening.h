#ifndef TS_MPC_OPENING_H
#define TS_MPC_OPENING_H

#include "mpc/proof.h"

/** A point with the proof that its sender knows the logarithm: P2 sends it, P1 commits to it first and opens later.
 *  Used for shares (protocol.md 5) and nonces (6). Private to mpc/. */
struct ts_known_point {
    const struct ts_point *W;
    struct ts_dlog proof;
};

/** W = w G and its proof, in the scope. place: of the prover. Secrets: w. */
enum ts_error ts_known_point_make(struct ts_known_point *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_num *w);
/** Items W, K, z. `take` fails the scope or the reader. */
void ts_known_point_put(struct ts_buf *out, const struct ts_group *group, const struct ts_known_point *point);
void ts_known_point_take(
    struct ts_known_point *out, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group);
/** Returns: TS_OK; TS_CHEATED; TS_INTERNAL. */
enum ts_error ts_known_point_verify(const struct ts_place *place, const struct ts_known_point *point);

/** Commitment to such a point with fresh u. */
enum ts_error ts_known_point_commit(uint8_t c[TS_HASH_BYTES], uint8_t u[TS_NONCE_BYTES], const struct ts_place *place,
    const struct ts_known_point *point);
/** P2's check of P1's opening: the commitment, then the proof. place: role P1.
 *  Returns: TS_OK; TS_CHEATED; TS_INTERNAL. */
enum ts_error ts_known_point_open(const struct ts_place *place, const struct ts_known_point *point,
    const uint8_t u[TS_NONCE_BYTES], const uint8_t c[TS_HASH_BYTES]);

#endif
