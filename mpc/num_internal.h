#ifndef TS_MPC_NUM_INTERNAL_H
#define TS_MPC_NUM_INTERNAL_H

#include "mpc/num_bn.h"

#include <gmp.h>

#if defined(TS_CTGRIND)
#include <valgrind/memcheck.h>
#endif

/** Private to mpc/num*.c: how numbers lie in memory. */

_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0 && BN_BITS2 == 64, "64-bit limbs");

#define TS_LIMB_BITS 64

struct ts_num {
    size_t bits;        /**< public: |value| < 2^bits, at least 1 */
    size_t limbs;       /**< public: bits rounded up to limbs */
    mp_limb_t negative; /**< secret mask: all ones when below zero, never for zero */
    mp_limb_t *d;       /**< secret magnitude, least significant limb first */
};

struct ts_modulus {
    const struct ts_num *num; /**< top limb not zero */
    BIGNUM *bn;
    BN_MONT_CTX *mont;
};

static inline size_t
ts_limbs_for(size_t bits)
{
    return (bits + TS_LIMB_BITS - 1) / TS_LIMB_BITS;
}

/** Keeps the compiler from seeing that a mask has only two values, so that it makes no branch of it. */
static inline mp_limb_t
ts_barrier(mp_limb_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

/** All ones for a value that is not zero, else 0. */
static inline mp_limb_t
ts_mask_nonzero(mp_limb_t value)
{
    return ts_barrier((mp_limb_t)0 - ((value | ((mp_limb_t)0 - value)) >> 63));
}

/** For the constant-time test: these bytes may decide branches. `why` is for the reader. */
static inline void
ts_declassify(const void *bytes, size_t len, const char *why)
{
    (void)why;
#if defined(TS_CTGRIND)
    VALGRIND_MAKE_MEM_DEFINED(bytes, len);
#else
    (void)bytes;
    (void)len;
#endif
}

/** A new number of the scope, value 0. Fails for absurd widths. */
struct ts_num *ts_num_alloc(struct ts_scope *scope, size_t bits);

/** Scratch of the scope for one leaf operation, valid until the next call, not zeroed. */
mp_limb_t *ts_scope_scratch(struct ts_scope *scope, size_t limbs);

/** True when the operation can go on: no failure so far and `arguments_present`; else the scope has failed. */
bool ts_scope_ready(struct ts_scope *scope, bool arguments_present);

/** Limbs of |a| without leading zero limbs, at least 1. The size of a modulus or divisor is public. */
size_t ts_num_public_limbs(const struct ts_num *a);

/** OR of `n` limbs. */
mp_limb_t ts_limbs_or(const mp_limb_t *d, size_t n);

/** r = mask ? -a : a over n limbs, in place allowed. */
void ts_limbs_negate(mp_limb_t *r, const mp_limb_t *a, size_t n, mp_limb_t mask);

/** r = mask ? a : b over n limbs, in place allowed. */
void ts_limbs_select(mp_limb_t *r, mp_limb_t mask, const mp_limb_t *a, const mp_limb_t *b, size_t n);

/** r[i] = limb i of a, 0 beyond its width. */
void ts_limbs_extend(mp_limb_t *r, const struct ts_num *a, size_t n);

/** A read-only GMP view with the sign. Public values only. */
void ts_num_view_vartime(mpz_t view, const struct ts_num *a);

/** |value| of a GMP integer in `bits` bits with its sign. Public values only. */
const struct ts_num *ts_num_from_mpz_vartime(struct ts_scope *scope, const mpz_t value, size_t bits);

#endif
