#ifndef TS_MPC_REFRESH_RUN_H
#define TS_MPC_REFRESH_RUN_H

#include "mpc/half_make.h"
#include "mpc/machine_table.h"

/** What both roles of a refresh keep. Private to mpc/. */
struct ts_refresh_run {
    const struct ts_pairing *fresh;
    const struct ts_half *old;
    struct ts_half *half; /**< the result, being made; secret */
    uint8_t n1[TS_NONCE_BYTES];
    struct ts_place place;     /**< with own role, once both nonces are known */
    const struct ts_num *d;    /**< own half of the coin, in the machine's scope; secret until it is sent */
    uint8_t u[TS_NONCE_BYTES]; /**< P1: opening of its commitment */
    uint8_t c[TS_HASH_BYTES];  /**< P2: P1's commitment */
};

enum ts_error ts_refresh_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind,
    uint8_t role, const struct ts_pairing *fresh, const struct ts_half *old);

/** Both nonces known: the place, a fresh hedge key, and the own half of the coin (use: d1, d2). */
enum ts_error ts_refresh_begin(
    struct ts_machine *machine, const uint8_t n1[TS_NONCE_BYTES], const uint8_t n2[TS_NONCE_BYTES], const char *use);

/** Move the shares by the coin: x1 + d and X1 + dG, x2 - d and X2 - dG. X stays.
 *  In:   d1, d2  in [0, q)
 *  Returns: TS_OK; TS_CHEATED when a point would be infinity; TS_INTERNAL. */
enum ts_error ts_refresh_move(struct ts_machine *machine, const struct ts_num *d1, const struct ts_num *d2);

void ts_refresh_clear(void *run);

extern const struct ts_machine_kind ts_refresh_p1_kind, ts_refresh_p2_kind;

#endif
