#ifndef TS_MPC_HALF_H
#define TS_MPC_HALF_H

#include "mpc/hedge.h"
#include "mpc/paillier.h"
#include "mpc/point.h"

/** What a device keeps: the parameters of a pairing, and its half of a key. */

#define TS_PAIRING_ID_BYTES 16
#define TS_KEY_ID_BYTES 16

/** Parameters of a pairing of two devices; serve every key of it. Read-only, shared by threads. Secrets: own's factors,
 * lambda. */
struct ts_pairing {
    struct ts_scope *scope;
    uint8_t role; /**< TS_ROLE_P1, TS_ROLE_P2: whose copy this is */
    uint8_t id[TS_PAIRING_ID_BYTES];
    uint32_t bits;
    struct ts_trapdoor own;      /**< P1: N, s, t with factors; P2: Nh, sh, th with factors */
    struct ts_paillier paillier; /**< P1's N */
    struct ts_pedersen p1, p2;   /**< N, s, t and Nh, sh, th */
    uint8_t aux[TS_HASH_BYTES];
};

/** Canonical items; secret buffer. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_pairing_encode(struct ts_buf *out, const struct ts_pairing *pairing);
/** Returns: TS_OK; TS_FORMAT; TS_INTERNAL. Does not repeat the proofs: the store has authenticated the bytes. */
enum ts_error ts_pairing_decode(struct ts_pairing **out, const struct ts_mpc *mpc, const uint8_t *bytes, size_t len);
void ts_pairing_free(struct ts_pairing *pairing);

/** One party's half of a key in one generation. Secrets: x, hk. */
struct ts_half {
    struct ts_scope *scope;
    uint8_t role;
    enum ts_curve curve;
    uint8_t key[TS_KEY_ID_BYTES];
    uint32_t generation;
    uint8_t aux[TS_HASH_BYTES]; /**< of the pairing parameters that C belongs to */
    uint8_t hk[TS_HEDGE_KEY_BYTES];
    const struct ts_num *x; /**< x1 or x2 */
    const struct ts_point *X1, *X2, *X;
    const struct ts_num *C;        /**< Enc(x1) under N */
    struct ts_table_slot *C_table; /**< for its powers at P2 */
};

enum ts_error ts_half_encode(struct ts_buf *out, const struct ts_mpc *mpc, const struct ts_half *half);
enum ts_error ts_half_decode(struct ts_half **out, const struct ts_mpc *mpc, const uint8_t *bytes, size_t len);
void ts_half_free(struct ts_half *half);

#endif
