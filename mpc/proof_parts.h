#ifndef TS_MPC_PROOF_PARTS_H
#define TS_MPC_PROOF_PARTS_H

#include "mpc/proof.h"

/** What the files proof_*.c share. Public values only, variable time, unless said otherwise. */

/** A prover whose response is out of range starts over; more often than this it is a fault. */
#define TS_PROVER_TRIES 8

/** Longest magnitude in bytes of an integer with |z| <= 2^k. */
#define TS_RANGE_BYTES(k) (((k) + 8) / 8)

/** The width n is public; odd, positive, exactly `bits` bits. */
bool ts_is_modulus(const struct ts_num *N, uint32_t bits);
/** Every one of the values is in Z*_m. */
bool ts_all_units(const struct ts_num *const *values, size_t count, const struct ts_num *m);
/** A point of the group, not infinity (what is decoded is on the curve). */
bool ts_is_point(const struct ts_group *group, const struct ts_point *p);

/** The answer of a verifier; gives back its scope, which was borrowed.
 *  Returns: TS_OK when accepted and nothing failed on the way; TS_INTERNAL for a fault; else TS_CHEATED. */
enum ts_error ts_verdict(const struct ts_mpc *mpc, struct ts_scope *scope, bool accepted);

/** The answer of a decoder. Returns: TS_OK; TS_FORMAT, also recorded in the scope; the scope's error. */
enum ts_error ts_decoded(struct ts_scope *scope, const struct ts_reader *in);

/** A prover's stream, bound to its finished statement (cleared here). NULL on failure. */
struct ts_stream *ts_prover_stream(struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const char *name, struct ts_buf *statement);
/** H_e of a finished transcript (cleared here). */
const struct ts_num *ts_challenge(struct ts_scope *scope, const struct ts_place *place, struct ts_buf *transcript);

/** Items N, s, t of a verifier under the labels Nv, sv, tv. */
void ts_put_verifier(struct ts_buf *out, const struct ts_pedersen *v);

/** s^x t^y = first * power^e mod N: the equation of every ring-Pedersen commitment. */
bool ts_commitment_holds(struct ts_scope *scope, const struct ts_pedersen *v, const struct ts_num *x,
    const struct ts_num *y, const struct ts_num *first, const struct ts_num *power, const struct ts_num *e);

/** mask + e * secret over the integers, constant time; public from now on. */
const struct ts_num *ts_response(
    struct ts_scope *scope, const struct ts_num *mask, const struct ts_num *e, const struct ts_num *secret);

#endif
