#ifndef TS_MPC_PROOF_AFFINE_RANGE_H
#define TS_MPC_PROOF_AFFINE_RANGE_H

#include "mpc/proof_parts.h"

/** What both verifiers of affine_range share (protocol-equations.md 4.6). Public values, variable time. */

/** The statement: D = C^a (1+N)^b rho^N mod N^2 and G = a R2, under P1's key and parameters. */
struct ts_affine_statement {
    const struct ts_paillier *key;
    const struct ts_pedersen *v;
    const struct ts_num *C, *D;
    const struct ts_point *R2;
};

/** Every check of 4.6 before the equations: units, points, ranges, sizes. */
bool ts_affine_range_members(
    const struct ts_place *place, const struct ts_affine_statement *st, const struct ts_affine_range *proof);

/** z1 R2 = B + e G */
bool ts_affine_range_group_holds(struct ts_scope *scope, const struct ts_place *place,
    const struct ts_affine_statement *st, const struct ts_affine_range *proof, const struct ts_num *e);

#endif
