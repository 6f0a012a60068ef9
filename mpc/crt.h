#ifndef TS_MPC_CRT_H
#define TS_MPC_CRT_H

#include "mpc/paillier.h"

/** Exponentiation modulo N with the factors known. Source: Garner, "The residue number system", 1959. */
struct ts_crt {
    const struct ts_trapdoor *key;
    const struct ts_num *p1, *q1;     /**< p-1, q-1; secret */
    const struct ts_num *p_inverse_q; /**< 1/p mod q; secret */
};

/** An exponent, >= 0, reduced modulo p-1 and q-1. */
struct ts_crt_exponent {
    const struct ts_num *p, *q;
};

/** base modulo p and q', raised there; constant time in both. Members are NULL on failure. */
struct ts_residues ts_crt_residues_power(struct ts_scope *scope, const struct ts_trapdoor *key,
    const struct ts_num *base, const struct ts_crt_exponent *exponent);

/** Returns: TS_OK or the scope's error. */
enum ts_error ts_crt_init(struct ts_crt *out, struct ts_scope *scope, const struct ts_trapdoor *key);

/** In:   exponent  any sign, secret
 *  Only for bases that are units, where the exponent may be reduced. */
struct ts_crt_exponent ts_crt_reduce(struct ts_scope *scope, const struct ts_crt *crt, const struct ts_num *exponent);

/** base^exponent mod N for a base that is a unit mod N; constant time in both. NULL on failure. */
const struct ts_num *ts_crt_power(struct ts_scope *scope, const struct ts_crt *crt, const struct ts_num *base,
    const struct ts_crt_exponent *exponent);

#endif
