#ifndef TS_MPC_PAIR_MESSAGE_H
#define TS_MPC_PAIR_MESSAGE_H

#include "mpc/half.h"
#include "mpc/proof.h"

/** Payloads of a pairing run (protocol.md 4), in order; the two confirmations are the bare hashes. Private to mpc/.
 *  decode returns TS_OK; TS_FORMAT; TS_INTERNAL. What it gives lives in the scope. */

/** 1. PairInit, P1 -> P2: pairing, bits, n1. */
struct ts_pair_init {
    uint8_t id[TS_PAIRING_ID_BYTES];
    uint32_t bits;
    uint8_t n1[TS_NONCE_BYTES];
};
void ts_pair_init_encode(struct ts_buf *out, const struct ts_pair_init *message);
enum ts_error ts_pair_init_decode(struct ts_pair_init *out, const uint8_t *in, size_t len);

/** 2. PreParamsP2, P2 -> P1: n2, Nh, sh, th, proof. */
struct ts_pair_params2 {
    uint8_t n2[TS_NONCE_BYTES];
    const struct ts_num *N, *s, *t;
    struct ts_ring_pedersen ring;
};
void ts_pair_params2_encode(struct ts_buf *out, const struct ts_pair_params2 *message);
enum ts_error ts_pair_params2_decode(
    struct ts_pair_params2 *out, struct ts_scope *scope, const uint8_t *in, size_t len, uint32_t bits);

/** 3. PreParamsP1, P1 -> P2: N, s, t, three proofs. */
struct ts_pair_params1 {
    const struct ts_num *N, *s, *t;
    struct ts_ring_pedersen ring;
    struct ts_paillier_blum blum;
    struct ts_no_small_factor factor;
};
void ts_pair_params1_encode(struct ts_buf *out, const struct ts_pair_params1 *message);
enum ts_error ts_pair_params1_decode(
    struct ts_pair_params1 *out, struct ts_scope *scope, const uint8_t *in, size_t len, uint32_t bits);

#endif
