#ifndef TS_TESTS_FUZZ_PROOFS_H
#define TS_TESTS_FUZZ_PROOFS_H

#include "mpc/proof.h"

/** The six proofs behind one interface, with one fixed statement of each: every call makes the same keys and the same
 *  proofs, so that seeds stay right. */

enum fuzz_proof { FUZZ_DLOG, FUZZ_BLUM, FUZZ_RING, FUZZ_FACTOR, FUZZ_ENC, FUZZ_AFFINE, FUZZ_PROOFS };

#define FUZZ_BITS 2048u

union fuzz_any {
    struct ts_dlog dlog;
    struct ts_paillier_blum blum;
    struct ts_ring_pedersen ring;
    struct ts_no_small_factor factor;
    struct ts_enc_range_dlog enc;
    struct ts_affine_range affine;
};

struct fuzz_world {
    struct ts_env env;
    struct ts_mpc *mpc;
    struct ts_scope *scope;
    const struct ts_group *group;
    struct ts_trapdoor p1, p2;
    struct ts_place pairing, key;
    struct ts_hedge hedge;
    const struct ts_num *x, *rho, *C, *a, *b, *r, *D;
    const struct ts_point *X, *R2;
    struct ts_buf good[FUZZ_PROOFS]; /**< wire forms of the honest proofs, made by fuzz_prove */
};

/** Keys and statements. */
void fuzz_open(struct fuzz_world *world);
/** The honest proofs. */
void fuzz_prove(struct fuzz_world *world);

/** Decode one whole proof. Returns: TS_OK or the error. */
enum ts_error fuzz_decode(union fuzz_any *out, const struct fuzz_world *world, enum fuzz_proof kind,
    struct ts_scope *scope, const uint8_t *bytes, size_t len);
void fuzz_encode(struct ts_buf *out, const struct fuzz_world *world, enum fuzz_proof kind, const union fuzz_any *proof);
/** Verify against the statement; affine_range by both verifiers, which must agree. */
enum ts_error fuzz_verify(const struct fuzz_world *world, enum fuzz_proof kind, const union fuzz_any *proof);

#endif
