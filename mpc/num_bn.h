#ifndef TS_MPC_NUM_BN_H
#define TS_MPC_NUM_BN_H

#include "mpc/num.h"

#include <openssl/bn.h>

/** Private to mpc/num*.c, mpc/point_openssl.c and mpc/prime.c: the bridge between numbers and OpenSSL's BIGNUM. */

/** Hand an object to the scope: `release` is called on it when the scope is freed, at once when that is impossible.
 *  Returns: the object; NULL on failure or when the object is NULL (the scope has failed then). */
void *ts_scope_own(struct ts_scope *scope, void *object, void (*release)(void *object));

/** The scope's BN_CTX, made at the first call. Returns: NULL on failure. */
BN_CTX *ts_scope_bn_ctx(struct ts_scope *scope);

/** |a| with as many words as its width has, whatever the value, so that the time of what follows depends on the width
 *  only. Only for OpenSSL functions that take unnormalised numbers: exponent, base and modulus of
 * BN_mod_exp_mont_consttime, the scalar of EC_POINT_mul. Erased by BN_clear_free. Returns: owned by the caller; NULL on
 * failure (the scope has failed then). */
BIGNUM *ts_bn_from_secret(struct ts_scope *scope, const struct ts_num *a);

/** a as an ordinary, normalised BIGNUM with its sign: public values. Owned by the caller. */
BIGNUM *ts_bn_from_public(struct ts_scope *scope, const struct ts_num *a);

/** A non-negative BIGNUM that must fit as a number of `bits` bits.
 *  OpenSSL normalises its results, so their count of leading zero words (2^-64 for uniform values) is visible. */
const struct ts_num *ts_num_from_bn(struct ts_scope *scope, const BIGNUM *bn, size_t bits);

#endif
