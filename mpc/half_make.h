#ifndef TS_MPC_HALF_MAKE_H
#define TS_MPC_HALF_MAKE_H

#include "mpc/half.h"

/** How the runs make pairings and halves. Private to mpc/. */

/** An empty one, in its own scope. Returns: TS_OK; TS_INTERNAL. Free with ts_pairing_free, ts_half_free. */
enum ts_error ts_pairing_new(struct ts_pairing **out);
enum ts_error ts_half_new(struct ts_half **out);

/** Complete a pairing that has role, bits and `own` with the other side's parameters, whose proofs the caller has
 *  verified or verifies with what this fills in: p1, p2, paillier, aux.
 *  In:   N, s, t  of the other side; N odd, exactly `bits` bits; copied
 *  Returns: TS_OK; TS_CHEATED when the two moduli have a common factor; TS_FORMAT; TS_INTERNAL */
enum ts_error ts_pairing_join(struct ts_pairing *pairing, const struct ts_mpc *mpc, const struct ts_num *N,
    const struct ts_num *s, const struct ts_num *t);

#endif
