#ifndef TS_MPC_PAIR_RUN_H
#define TS_MPC_PAIR_RUN_H

#include "mpc/half_make.h"
#include "mpc/machine_table.h"

/** What both roles of a pairing run keep. Private to mpc/. */
struct ts_pair_run {
    struct ts_pairing *pairing;     /**< the result, being made */
    const struct ts_num *p, *q;     /**< own primes, secret, in the machine's scope */
    uint8_t hk[TS_HEDGE_KEY_BYTES]; /**< the device's, secret */
    uint8_t n1[TS_NONCE_BYTES];     /**< of PairInit */
    bool expected;                  /**< P2 takes only the pairing id that its pairing already has */
    struct ts_place place;          /**< once both nonces are known */
};

/** Start a run with own primes. Returns: TS_OK; TS_USAGE (bits, length); TS_INTERNAL. */
enum ts_error ts_pair_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind,
    uint8_t role, uint32_t bits, const uint8_t *primes, size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES]);

/** Both nonces known: the sid, and own t and lambda drawn under it. */
enum ts_error ts_pair_begin(
    struct ts_machine *machine, const uint8_t n1[TS_NONCE_BYTES], const uint8_t n2[TS_NONCE_BYTES]);

void ts_pair_clear(void *run);

extern const struct ts_machine_kind ts_pair_p1_kind, ts_pair_p2_kind;

#endif
