#ifndef TS_MPC_KEYGEN_RUN_H
#define TS_MPC_KEYGEN_RUN_H

#include "mpc/half_make.h"
#include "mpc/machine_table.h"
#include "mpc/opening.h"

/** What both roles of a key generation keep. Private to mpc/. */
struct ts_keygen_run {
    const struct ts_pairing *pairing;
    struct ts_half *half; /**< the result, being made; secret */
    uint8_t n1[TS_NONCE_BYTES];
    struct ts_place place;     /**< with own role, once both nonces are known */
    uint8_t c[TS_HASH_BYTES];  /**< P2: P1's commitment */
    uint8_t u[TS_NONCE_BYTES]; /**< P1: its opening */
    struct ts_known_point X1;  /**< P1: what it opens */
};

enum ts_error ts_keygen_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind,
    uint8_t role, const struct ts_pairing *pairing);

/** Curve, key and both nonces known: place and a fresh hedge key. */
enum ts_error ts_keygen_begin(
    struct ts_machine *machine, const uint8_t n1[TS_NONCE_BYTES], const uint8_t n2[TS_NONCE_BYTES]);

/** Draw the own share and the proof for its point, which lives as long as the machine. */
enum ts_error ts_keygen_share(struct ts_known_point *out, struct ts_machine *machine, const char *use);

void ts_keygen_clear(void *run);

extern const struct ts_machine_kind ts_keygen_p1_kind, ts_keygen_p2_kind;

#endif
