#ifndef TS_MPC_PROOF_H
#define TS_MPC_PROOF_H

#include "mpc/hedge.h"
#include "mpc/paillier.h"

/** The six proofs, one .c file each (mpc/proof_<name>.c). Source: protocol-equations.md 4 and CGGMP, ePrint 2021/060.
 *
 *  Each has a struct of its wire fields in wire order (owned by a scope), encode (append the wire items), decode
 * (strict, from a reader in the middle of a message: takes exactly the proof's items), prove, verify, and challenge
 * (exposed for the vectors). verify checks every range and membership of the text, recomputes the challenge from its
 * own statement, then every equation. verify returns TS_OK; TS_CHEATED when a check fails; TS_INTERNAL. It starts as
 * TS_CHEATED. decode fails the scope with TS_FORMAT and returns its error. Provers: secrets are the witness and all
 * masks; constant time. Verifiers: variable time, public values. `place` has the prover's role. Places' curve is
 * TS_CURVE_NONE for the three pairing proofs. */

/* 4.1 dlog */
struct ts_dlog {
    const struct ts_point *K;
    const struct ts_num *z;
};
enum ts_error ts_dlog_prove(struct ts_dlog *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_point *W, const struct ts_num *w);
enum ts_error ts_dlog_verify(const struct ts_place *place, const struct ts_point *W, const struct ts_dlog *proof);
void ts_dlog_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_dlog *proof);
enum ts_error ts_dlog_decode(
    struct ts_dlog *out, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group);
const struct ts_num *ts_dlog_challenge(
    struct ts_scope *scope, const struct ts_place *place, const struct ts_point *W, const struct ts_point *K);
/** Commitment of section 2 to a point and its proof: the value is item("W", Pt(W)), then the proof's wire form. */
enum ts_error ts_dlog_commitment(uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const struct ts_point *W,
    const struct ts_dlog *proof, const uint8_t u[TS_NONCE_BYTES]);

/* 4.2 paillier_blum; n = bits that the protocol fixes */
struct ts_paillier_blum {
    const struct ts_num *w;
    const struct ts_num *x[TS_REPETITIONS], *z[TS_REPETITIONS];
    uint8_t a[TS_REPETITIONS], b[TS_REPETITIONS];
};
enum ts_error ts_paillier_blum_prove(struct ts_paillier_blum *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_trapdoor *key);
enum ts_error ts_paillier_blum_verify(
    const struct ts_place *place, uint32_t bits, const struct ts_num *N, const struct ts_paillier_blum *proof);
void ts_paillier_blum_encode(struct ts_buf *out, const struct ts_paillier_blum *proof);
enum ts_error ts_paillier_blum_decode(
    struct ts_paillier_blum *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits);
/** y_0..y_127 */
enum ts_error ts_paillier_blum_challenge(const struct ts_num *y[TS_REPETITIONS], struct ts_scope *scope,
    const struct ts_place *place, const struct ts_num *N, const struct ts_num *w);

/* 4.3 ring_pedersen; statement given as numbers, for they are not yet trusted */
struct ts_ring_pedersen {
    const struct ts_num *A[TS_REPETITIONS], *z[TS_REPETITIONS];
};
enum ts_error ts_ring_pedersen_prove(struct ts_ring_pedersen *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_trapdoor *key);
enum ts_error ts_ring_pedersen_verify(const struct ts_place *place, uint32_t bits, const struct ts_num *N,
    const struct ts_num *s, const struct ts_num *t, const struct ts_ring_pedersen *proof);
void ts_ring_pedersen_encode(struct ts_buf *out, const struct ts_ring_pedersen *proof);
enum ts_error ts_ring_pedersen_decode(
    struct ts_ring_pedersen *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits);
enum ts_error ts_ring_pedersen_challenge(uint8_t e16[16], const struct ts_place *place, const struct ts_num *N,
    const struct ts_num *s, const struct ts_num *t, const struct ts_num *const A[TS_REPETITIONS]);

/* 4.4 no_small_factor; v: the verifier's parameters */
struct ts_no_small_factor {
    const struct ts_num *P, *Q, *A, *B, *T, *z1, *z2, *w1, *w2, *v;
};
enum ts_error ts_no_small_factor_prove(struct ts_no_small_factor *out, struct ts_scope *scope,
    const struct ts_place *place, const struct ts_hedge *hedge, const struct ts_trapdoor *key,
    const struct ts_pedersen *v);
enum ts_error ts_no_small_factor_verify(const struct ts_place *place, uint32_t bits, const struct ts_num *N,
    const struct ts_pedersen *v, const struct ts_no_small_factor *proof);
void ts_no_small_factor_encode(struct ts_buf *out, const struct ts_no_small_factor *proof);
enum ts_error ts_no_small_factor_decode(
    struct ts_no_small_factor *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits);
const struct ts_num *ts_no_small_factor_challenge(struct ts_scope *scope, const struct ts_place *place,
    const struct ts_num *N, const struct ts_pedersen *v, const struct ts_no_small_factor *first);

/* 4.5 enc_range_dlog; statement N, C, X; v: the verifier's parameters */
struct ts_enc_range_dlog {
    const struct ts_num *S, *A;
    const struct ts_point *Y;
    const struct ts_num *D, *z1, *z2, *z3;
};
enum ts_error ts_enc_range_dlog_prove(struct ts_enc_range_dlog *out, struct ts_scope *scope,
    const struct ts_place *place, const struct ts_hedge *hedge, const struct ts_paillier *key, const struct ts_num *C,
    const struct ts_point *X, const struct ts_pedersen *v, const struct ts_num *x, const struct ts_num *rho);
/** The same bytes, faster, for the owner of the key. */
enum ts_error ts_enc_range_dlog_prove_trapdoor(struct ts_enc_range_dlog *out, struct ts_scope *scope,
    const struct ts_place *place, const struct ts_hedge *hedge, const struct ts_trapdoor *key, const struct ts_num *C,
    const struct ts_point *X, const struct ts_pedersen *v, const struct ts_num *x, const struct ts_num *rho);
enum ts_error ts_enc_range_dlog_verify(const struct ts_place *place, const struct ts_paillier *key,
    const struct ts_num *C, const struct ts_point *X, const struct ts_pedersen *v,
    const struct ts_enc_range_dlog *proof);
void ts_enc_range_dlog_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_enc_range_dlog *proof);
enum ts_error ts_enc_range_dlog_decode(struct ts_enc_range_dlog *out, struct ts_scope *scope, struct ts_reader *in,
    const struct ts_group *group, uint32_t bits);
const struct ts_num *ts_enc_range_dlog_challenge(struct ts_scope *scope, const struct ts_place *place,
    const struct ts_num *N, const struct ts_num *C, const struct ts_point *X, const struct ts_pedersen *v,
    const struct ts_enc_range_dlog *first);

/* 4.6 affine_range; statement C, D, R2 under P1's key and parameters v = (N, s, t) */
struct ts_affine_range {
    const struct ts_num *A;
    const struct ts_point *B;
    const struct ts_num *E, *F, *S, *T, *z1, *z2, *z3, *z4, *w;
};
enum ts_error ts_affine_range_prove(struct ts_affine_range *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_paillier *key, const struct ts_pedersen *v, const struct ts_num *C,
    const struct ts_num *D, const struct ts_point *R2, const struct ts_num *a, const struct ts_num *b,
    const struct ts_num *rho);
enum ts_error ts_affine_range_verify(const struct ts_place *place, const struct ts_paillier *key,
    const struct ts_pedersen *v, const struct ts_num *C, const struct ts_num *D, const struct ts_point *R2,
    const struct ts_affine_range *proof);
/** P1, with its trapdoor: the same answer for every input, faster. */
enum ts_error ts_affine_range_verify_trapdoor(const struct ts_place *place, const struct ts_trapdoor *key,
    const struct ts_num *C, const struct ts_num *D, const struct ts_point *R2, const struct ts_affine_range *proof);
/** The same, and what D decrypts to, because the verifier decrypts D anyway: the equation modulo N^2 is checked as an
 *  equation of plaintexts and one modulo N.
 *  In:   x  what C decrypts to: P1 has encrypted it; secret
 *  Out:  M  the centred plaintext of D, owned by the scope, secret; NULL unless TS_OK */
enum ts_error ts_affine_range_decrypt(const struct ts_num **M, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_trapdoor *key, const struct ts_num *C, const struct ts_num *x, const struct ts_num *D,
    const struct ts_point *R2, const struct ts_affine_range *proof);
void ts_affine_range_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_affine_range *proof);
enum ts_error ts_affine_range_decode(struct ts_affine_range *out, struct ts_scope *scope, struct ts_reader *in,
    const struct ts_group *group, uint32_t bits);
const struct ts_num *ts_affine_range_challenge(struct ts_scope *scope, const struct ts_place *place,
    const struct ts_pedersen *v, const struct ts_num *C, const struct ts_num *D, const struct ts_point *R2,
    const struct ts_affine_range *first);

#endif
