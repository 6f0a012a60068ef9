#ifndef TS_MPC_HEDGE_H
#define TS_MPC_HEDGE_H

#include "mpc/transcript.h"

/** Hedged randomness. Source: protocol-equations.md 3. */

#define TS_HEDGE_KEY_BYTES 32
#define TS_SEED_BYTES 64

/** One seed's stream; values are cut in order. In a scope's memory, erased with it. */
struct ts_stream;

/** The hash of section 3 with all inputs given; for the vectors and for ts_stream_new. */
enum ts_error ts_hedge_seed(uint8_t seed[TS_SEED_BYTES], const struct ts_place *place, const char *use,
    const uint8_t *bind, size_t bind_len, const uint8_t random[64], const uint8_t hk[TS_HEDGE_KEY_BYTES],
    uint64_t counter, uint64_t time_ns);

/** A new seed from the environment's entropy, clock and counter, and its stream. bind may be NULL. Fails the scope. */
struct ts_stream *ts_stream_new(struct ts_scope *scope, const struct ts_place *place,
    const uint8_t hk[TS_HEDGE_KEY_BYTES], const char *use, const uint8_t *bind, size_t bind_len);
/** The stream of a given seed. */
struct ts_stream *ts_stream_from_seed(
    struct ts_scope *scope, const struct ts_mpc *mpc, const uint8_t seed[TS_SEED_BYTES]);

/** Uniform in [-2^k, 2^k - 1]; [0, 2^k); Z_M; Z*_M (a value that is no unit is skipped). Owned by the stream's scope.
 * Secret. */
const struct ts_num *ts_stream_signed(struct ts_stream *stream, size_t k);
const struct ts_num *ts_stream_bits(struct ts_stream *stream, size_t k);
const struct ts_num *ts_stream_residue(struct ts_stream *stream, const struct ts_num *modulus);
const struct ts_num *ts_stream_unit(struct ts_stream *stream, const struct ts_num *modulus);
/** Z_M where M is secret and its size `bits` is public, such as phi(N). */
const struct ts_num *ts_stream_residue_secret(struct ts_stream *stream, const struct ts_num *modulus, size_t bits);

/** Where provers get their stream from: a half's hedge, or (vectors) one fixed seed. */
struct ts_hedge {
    const uint8_t *hk;         /**< TS_HEDGE_KEY_BYTES, secret */
    const uint8_t *fixed_seed; /**< NULL, or TS_SEED_BYTES: replay for the test vectors */
};
struct ts_stream *ts_hedge_stream(struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const char *use, const uint8_t *bind, size_t bind_len);
/** A scalar in [1,q), or [0,q) with zero_allowed; a 0 draws a new seed. */
const struct ts_num *ts_hedge_scalar(struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const char *use, const uint8_t *bind, size_t bind_len, bool zero_allowed);

#endif
