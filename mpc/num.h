#ifndef TS_MPC_NUM_H
#define TS_MPC_NUM_H

#include "base/env.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Signed integers of fixed width, and the scope that owns them. Only num*.c know the bignum libraries.
 *
 *  A number has a *width* in bits that is public and follows from how it was made (never from its value); its sign and
 *  magnitude are secret unless a function says `_vartime`. Functions without that suffix take the same time and touch
 *  the same addresses for every value of a width.
 *
 *  A *scope* owns everything computed in it: numbers (and points, point.h) are returned as const pointers, live until
 *  the scope is freed and are erased then. The first failure sticks to the scope: later calls return NULL, NULL
 *  arguments are allowed everywhere and give NULL (predicates: false), and ts_scope_error says what it was. So an
 *  equation can be written as an equation and is checked once at its end. A scope belongs to one thread at a time;
 *  numbers of a scope that is only read may be used by several. */
struct ts_scope;
struct ts_num;

/** Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_scope_new(struct ts_scope **out);

/** Erase and free everything of the scope. NULL is allowed. */
void ts_scope_free(struct ts_scope *scope);

/** Erase and forget everything of the scope, also its failure; memory is kept for what comes next. For loops. */
void ts_scope_reset(struct ts_scope *scope);

/** The same for a scope that somebody else will use: nothing of the work before is left in it, and at most
 *  TS_SCOPE_KEPT bytes stay allocated. */
#define TS_SCOPE_KEPT ((size_t)512 << 10)
void ts_scope_rest(struct ts_scope *scope);

/** First failure: TS_OK, TS_FORMAT, TS_CHEATED or TS_INTERNAL. */
enum ts_error ts_scope_error(const struct ts_scope *scope);

/** Record a failure (the first one stays). */
void ts_scope_fail(struct ts_scope *scope, enum ts_error error);

/** Erased scratch memory of the scope, zeroed, 16-byte aligned. Returns: NULL on failure. */
void *ts_scope_memory(struct ts_scope *scope, size_t size);

/* --- making and reading; widths are kept to the bit, storage is rounded up to 64 --- */

const struct ts_num *ts_num_from_u64(struct ts_scope *scope, uint64_t value);
/** Unsigned big-endian bytes; width 8 * len. */
const struct ts_num *ts_num_from_bytes(struct ts_scope *scope, const uint8_t *bytes, size_t len);
/** A copy owned by this scope. */
const struct ts_num *ts_num_copy(struct ts_scope *scope, const struct ts_num *a);
/** The same value in exactly the width of `bits`; the value must fit (else TS_INTERNAL). */
const struct ts_num *ts_num_resize(struct ts_scope *scope, const struct ts_num *a, size_t bits);
/** |a| as exactly `len` bytes big-endian. Returns: TS_OK; TS_INTERNAL when it does not fit. */
enum ts_error ts_num_to_bytes(uint8_t *out, size_t len, const struct ts_num *a);
/** Width in bits. */
size_t ts_num_width(const struct ts_num *a);
/** Declare a value public (it is about to be sent, or was just decided to be): the same number; under valgrind's
 *  constant-time test its bytes become defined. `why` is one line for the reader. */
const struct ts_num *ts_num_publish(const struct ts_num *a, const char *why);
/** The same for bytes, such as those of a point. */
void ts_bytes_publish(const void *bytes, size_t len, const char *why);
/** The same for a secret 0 or 1 (of ts_num_equal and its like) that from here on decides a branch. */
bool ts_choice_publish(unsigned choice, const char *why);

/* --- public values: variable time --- */

size_t ts_num_bits_vartime(const struct ts_num *a); /**< bits of |a| */
int ts_num_cmp_vartime(const struct ts_num *a, const struct ts_num *b);
bool ts_num_is_negative_vartime(const struct ts_num *a);
bool ts_num_is_zero_vartime(const struct ts_num *a);
bool ts_num_is_odd_vartime(const struct ts_num *a);
bool ts_num_equal_vartime(const struct ts_num *a, const struct ts_num *b);
uint64_t ts_num_mod_u64_vartime(const struct ts_num *a, uint64_t modulus);
/** |a| <= 2^k */
bool ts_num_in_range_vartime(const struct ts_num *a, size_t k);
/** 0 < a < m and gcd(a, m) = 1 */
bool ts_num_is_unit_vartime(const struct ts_num *a, const struct ts_num *m);
/** 0 < v < m for each value, and all are coprime to `radical`, a divisor of m with the same primes (m itself, or N for
 *  N^2): one gcd of the product of all. */
bool ts_num_are_units_vartime(
    const struct ts_num *const *values, size_t count, const struct ts_num *m, const struct ts_num *radical);
/** 0 <= a < m */
bool ts_num_is_reduced_vartime(const struct ts_num *a, const struct ts_num *m);
/** gcd(a, b) = 1 */
bool ts_num_coprime_vartime(const struct ts_num *a, const struct ts_num *b);
/** Jacobi symbol (a/n), n odd positive: -1, 0, 1; 0 also on failure. */
int ts_num_jacobi_vartime(const struct ts_num *a, const struct ts_num *n);
/** a^-1 mod m; fails the scope with TS_CHEATED when there is none. */
const struct ts_num *ts_num_inverse_vartime(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m);
/** Probable prime: 64 Miller-Rabin rounds with random bases from env. False for values below 4 except 2, 3. */
bool ts_num_is_prime_vartime(const struct ts_num *a, const struct ts_env *env);
/** I(z) of protocol-equations 1 for a public value is in transcript.h. */

/* --- constant time arithmetic (over the integers, signed) --- */

const struct ts_num *ts_num_add(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b);
const struct ts_num *ts_num_sub(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b);
const struct ts_num *ts_num_mul(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b);
const struct ts_num *ts_num_neg(struct ts_scope *scope, const struct ts_num *a);
/** 2^k */
const struct ts_num *ts_num_power_of_two(struct ts_scope *scope, size_t k);
/** The low k bits of the magnitude; width k. */
const struct ts_num *ts_num_low_bits(struct ts_scope *scope, const struct ts_num *a, size_t k);
/** a / d, rounded towards zero; width of a. The size of d is public, its value may be secret (a prime); 0 fails with
 * TS_INTERNAL. */
const struct ts_num *ts_num_div(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *d);
/** choice ? a : b by mask; choice is 0 or 1 and may be secret. Width of the wider. */
const struct ts_num *ts_num_select(
    struct ts_scope *scope, unsigned choice, const struct ts_num *a, const struct ts_num *b);
/** Secret-safe predicates as 0 or 1. */
unsigned ts_num_equal(const struct ts_num *a, const struct ts_num *b);
unsigned ts_num_less(const struct ts_num *a, const struct ts_num *b); /**< signed a < b */
unsigned ts_num_is_zero(const struct ts_num *a);
unsigned ts_num_is_negative(const struct ts_num *a);

/* --- arithmetic modulo; results in [0, M), width of M --- */

/** An odd modulus with what speeds up arithmetic by it. Its size is public, its value may be secret (a prime of P1). */
struct ts_modulus;
/** In: m odd, > 1. Returns: owned by the scope; NULL on failure (TS_FORMAT when even or < 3). Read-only afterwards:
 * threads may share it. */
const struct ts_modulus *ts_modulus_new(struct ts_scope *scope, const struct ts_num *m);
const struct ts_num *ts_modulus_num(const struct ts_modulus *m);

/** a mod M, also for negative a. */
const struct ts_num *ts_mod(struct ts_scope *scope, const struct ts_num *a, const struct ts_modulus *m);
const struct ts_num *ts_mod_add(
    struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b, const struct ts_modulus *m);
const struct ts_num *ts_mod_sub(
    struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b, const struct ts_modulus *m);
const struct ts_num *ts_mod_mul(
    struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b, const struct ts_modulus *m);
/** a^-1 mod an odd modulus, constant time; the result is 0 when there is none. */
const struct ts_num *ts_mod_inverse(struct ts_scope *scope, const struct ts_num *a, const struct ts_modulus *m);
/** base^exponent mod M, constant time in base and exponent. A negative exponent (its sign is secret) takes the inverse
 *  of the base, which is computed in variable time and therefore must be public: use ts_mod_power with exponents that
 *  can be negative only on public bases. */
const struct ts_num *ts_mod_power(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m);
/** The same where the exponent is known to be >= 0 and the base may be secret. */
const struct ts_num *ts_mod_power_secret_base(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m);
/** base[i]^exponent[i] mod m[i] for i = 0, 1, as ts_mod_power_secret_base; faster than one after the other where
 * OpenSSL has code for this processor (two moduli of 1024 bits). Both results are NULL on failure. */
void ts_mod_power_secret_base_x2(const struct ts_num *out[2], struct ts_scope *scope,
    const struct ts_num *const base[2], const struct ts_num *const exponent[2], const struct ts_modulus *const m[2]);
/** The same for public base and exponent, faster; negative exponents take the inverse (TS_CHEATED when there is none).
 */
const struct ts_num *ts_mod_power_vartime(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m);
/** b1^e1 * b2^e2 mod M, public. */
const struct ts_num *ts_mod_power2_vartime(struct ts_scope *scope, const struct ts_num *b1, const struct ts_num *e1,
    const struct ts_num *b2, const struct ts_num *e2, const struct ts_modulus *m);

/** An exact even modulus such as phi(N), for exponents: a mod m, constant time, any m > 0. */
const struct ts_num *ts_num_mod(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m);
/** a^-1 mod m where m is odd, or a is odd and above 1 (else TS_INTERNAL); 0 when there is none. Constant time in the
 * values; the sizes of both are public. Needed for N^-1 mod phi(N). */
const struct ts_num *ts_num_inverse(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m);

#endif
