#ifndef TS_MPC_PRESIG_H
#define TS_MPC_PRESIG_H

#include "mpc/machine.h"

/** What a presignature is inside; private to mpc/. In secret memory, scalars and points as bytes, so that nothing of it
 *  lies anywhere else; in a forked child all of it is zero, which is TS_PRESIG_NONE. */

enum ts_presig_state {
    TS_PRESIG_NONE,
    TS_PRESIG_READY,
    TS_PRESIG_PENDING,  /**< P2: bound to a request */
    TS_PRESIG_ANSWERED, /**< P2: erased, the answer is kept */
    TS_PRESIG_USED      /**< erased; P2: refused */
};

#define TS_ANSWER_MAX 160 /**< items nonce and sigma */

/** Public: what it belongs to. */
struct ts_presig_owner {
    struct ts_place place; /**< curve, sid, index; role of the holder */
    uint8_t key[TS_KEY_ID_BYTES];
    uint32_t generation;
    uint8_t X[TS_POINT_MAX_BYTES];
};

struct ts_presig_p1_values {
    uint8_t k1[TS_SCALAR_MAX_BYTES], V[TS_SCALAR_MAX_BYTES];
    uint8_t R[TS_POINT_MAX_BYTES];
    uint8_t cn[TS_HASH_BYTES]; /**< P2's commitment to its nonce */
};

struct ts_presig_p1 {
    enum ts_presig_state state;
    struct ts_presig_owner owner;
    struct ts_presig_p1_values values;
};

struct ts_presig_p2_values {
    uint8_t a[TS_SCALAR_MAX_BYTES], beta[TS_SCALAR_MAX_BYTES];
    uint8_t R[TS_POINT_MAX_BYTES];
    uint8_t nonce[TS_NONCE_BYTES];
};

struct ts_presig_p2 {
    enum ts_presig_state state;
    struct ts_presig_owner owner;
    struct ts_presig_p2_values values;
    bool bound;                          /**< a request has come; from then on these two do not change */
    uint8_t request_hash[TS_HASH_BYTES]; /**< of that request */
    uint8_t answer[TS_ANSWER_MAX];
    size_t answer_len;
};

#endif
