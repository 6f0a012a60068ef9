#ifndef TS_MPC_SIGNATURE_H
#define TS_MPC_SIGNATURE_H

#include "mpc/point.h"

/** The signing equations as pure functions. Source: protocol-equations.md 5.
 *  q is the group's order, l its bits. Every result is owned by the scope; NULL means that the scope has failed.
 *  Constant time in all secrets. */

/** P2's half of a presignature.
 *  In:   k2    in [1,q), secret
 *        x2    share, secret
 *        beta  in [0,q), secret
 *        nu    in [0, 2^lnu), secret
 *  Out:  a     1/k2 mod q, secret
 *        b     ((a*x2 + beta) mod q) + nu*q, in [0, 2^lb), secret
 *  Returns: TS_OK or the scope's error. */
enum ts_error ts_presign_p2_values(const struct ts_num **a, const struct ts_num **b, struct ts_scope *scope,
    const struct ts_group *group, const struct ts_num *k2, const struct ts_num *x2, const struct ts_num *beta,
    const struct ts_num *nu);

/** P1's V of a presignature: the centred plaintext mod q, in [0,q); secret.
 *  In:   M  what a D decrypts to whose affine_range proof has been verified */
const struct ts_num *ts_presign_p1_value(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *M);

/** r of R' = delta*R: its x coordinate mod q, in [1,q); public. Fails the scope with TS_CHEATED where r is 0 or R' is
 *  infinity. */
const struct ts_num *ts_rerandomised_r(
    struct ts_scope *scope, const struct ts_group *group, const struct ts_num *delta, const struct ts_point *R);

/** P2's answer: sigma = h*a - r*beta mod q, in [0,q); the result is public, a and beta are secret. */
const struct ts_num *ts_sign_p2(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *a,
    const struct ts_num *beta, const struct ts_num *h, const struct ts_num *r);

/** What P1 signs with. */
struct ts_sign_p1_input {
    const struct ts_point *X;           /**< public key */
    const struct ts_num *k1, *V;        /**< P1's half of the presignature; secret */
    const struct ts_num *h, *delta, *r; /**< public, computed by P1 itself */
    const struct ts_num *sigma;         /**< received */
};

/** P1's end of a signature: s = (delta*k1)^-1 (sigma + r*V) mod q, the lower of s and q-s, verified under X.
 *  Fails the scope with TS_FORMAT where sigma is not in [0,q); with TS_CHEATED where s is 0 or the signature does not
 *  verify. The result is public. */
const struct ts_num *ts_sign_p1(
    struct ts_scope *scope, const struct ts_group *group, const struct ts_sign_p1_input *in);

/** Ordinary ECDSA verification; public values, variable time.
 *  In:   X     not infinity
 *        h     in [0,q)
 *        r, s  anything; refused outside [1,q)
 *  Returns: TS_OK; TS_CHEATED when it does not verify; TS_INTERNAL. */
enum ts_error ts_ecdsa_verify(const struct ts_group *group, const struct ts_point *X, const struct ts_num *h,
    const struct ts_num *r, const struct ts_num *s);

/** r || s, each as long as q.
 *  Out:  out  2 * ts_group_scalar_bytes(group)
 *  Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_signature_encode(
    uint8_t *out, const struct ts_group *group, const struct ts_num *r, const struct ts_num *s);

#endif
