#include "mpc/num_internal.h"

#include <string.h>

#include <openssl/err.h>

static void
free_bn(void *bn)
{
    BN_clear_free(bn);
}

static void
free_mont(void *mont)
{
    BN_MONT_CTX_free(mont);
}

/* The modulus without leading zero limbs. */
static const struct ts_num *
trimmed(struct ts_scope *scope, const struct ts_num *m)
{
    size_t bits = ts_num_public_limbs(m) * TS_LIMB_BITS;

    return ts_num_resize(scope, m, bits < m->bits ? bits : m->bits);
}

static bool
is_odd_above_one(const struct ts_num *m)
{
    mp_limb_t above = (m->d[0] ^ 1) | ts_limbs_or(m->d + 1, m->limbs - 1);
    mp_limb_t fine = m->d[0] & ts_mask_nonzero(above) & ~m->negative & 1;

    ts_declassify(&fine, sizeof fine, "every modulus is odd, positive and not 1; another one is a failure");
    return fine != 0;
}

/* Under a flagged copy, for the modulus may be a secret prime; the flag would keep public powers from the fast way.
   OpenSSL's inverse of the lowest word takes a time that depends on that word, once for each key that is loaded, as it
   does for every RSA key: 64 known bits of a prime of 1024 do not help to factor. */
static bool
set_montgomery(struct ts_modulus *modulus, BN_CTX *ctx)
{
    ERR_set_mark();
    BIGNUM *flagged = BN_dup(modulus->bn);
    if (flagged)
        BN_set_flags(flagged, BN_FLG_CONSTTIME);
    bool done = flagged && BN_MONT_CTX_set(modulus->mont, flagged, ctx) == 1;
    BN_clear_free(flagged);
    ERR_pop_to_mark();
    return done;
}

const struct ts_modulus *
ts_modulus_new(struct ts_scope *scope, const struct ts_num *m)
{
    if (!ts_scope_ready(scope, m))
        return NULL;
    if (!is_odd_above_one(m)) {
        ts_scope_fail(scope, TS_FORMAT);
        return NULL;
    }
    struct ts_modulus *modulus = ts_scope_memory(scope, sizeof *modulus);
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    if (!modulus || !ctx || !(modulus->num = trimmed(scope, m)))
        return NULL;
    modulus->bn = ts_scope_own(scope, ts_bn_from_secret(scope, modulus->num), free_bn);
    modulus->mont = ts_scope_own(scope, BN_MONT_CTX_new(), free_mont);
    if (!modulus->bn || !modulus->mont)
        return NULL;
    if (!set_montgomery(modulus, ctx)) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    return modulus;
}

const struct ts_num *
ts_modulus_num(const struct ts_modulus *m)
{
    return m ? m->num : NULL;
}

/* a mod m where m has a top limb that is not zero. A negative a gives m - r, unless r is 0. */
static const struct ts_num *
reduce(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m)
{
    size_t dn = m->limbs, n = a->limbs > dn ? a->limbs : dn;
    size_t itch = (size_t)mpn_sec_div_r_itch((mp_size_t)n, (mp_size_t)dn);
    struct ts_num *result = ts_num_alloc(scope, m->bits);
    mp_limb_t *remainder = ts_scope_scratch(scope, n + dn + itch);

    if (!result || !remainder)
        return NULL;
    mp_limb_t *divisor = remainder + n;
    memcpy(divisor, m->d, dn * sizeof(mp_limb_t));
    ts_declassify(
        divisor + dn - 1, sizeof(mp_limb_t), "GMP normalises by a divisor's top limb, whose top bit is known");
    ts_limbs_extend(remainder, a, n);
    mpn_sec_div_r(remainder, (mp_size_t)n, divisor, (mp_size_t)dn, divisor + dn);
    mp_limb_t mask = ts_barrier(a->negative) & ts_mask_nonzero(ts_limbs_or(remainder, dn));
    mpn_sub_n(divisor, m->d, remainder, (mp_size_t)dn);
    ts_limbs_select(result->d, mask, divisor, remainder, dn);
    return result;
}

const struct ts_num *
ts_mod(struct ts_scope *scope, const struct ts_num *a, const struct ts_modulus *m)
{
    return ts_scope_ready(scope, a && m) ? reduce(scope, a, m->num) : NULL;
}

const struct ts_num *
ts_num_mod(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m)
{
    if (!ts_scope_ready(scope, a && m))
        return NULL;
    const struct ts_num *exact = trimmed(scope, m);
    if (!exact)
        return NULL;
    mp_limb_t bad = ts_num_is_zero(exact) | ts_num_is_negative(exact);
    ts_declassify(&bad, sizeof bad, "every modulus is positive; another one is a failure");
    if (bad) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    return reduce(scope, a, exact);
}

const struct ts_num *
ts_mod_add(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b, const struct ts_modulus *m)
{
    return ts_mod(scope, ts_num_add(scope, a, b), m);
}

const struct ts_num *
ts_mod_sub(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b, const struct ts_modulus *m)
{
    return ts_mod(scope, ts_num_sub(scope, a, b), m);
}

const struct ts_num *
ts_mod_mul(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b, const struct ts_modulus *m)
{
    return ts_mod(scope, ts_num_mul(scope, a, b), m);
}

/* a^-1 modulo an odd m > 1 with a top limb that is not zero, a in [0, m). */
static const struct ts_num *
invert_odd(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m)
{
    mp_size_t n = (mp_size_t)m->limbs;
    size_t itch = (size_t)mpn_sec_invert_itch(n);
    struct ts_num *result = ts_num_alloc(scope, m->bits);
    mp_limb_t *copy = ts_scope_scratch(scope, 2 * m->limbs + itch);

    if (!result || !copy)
        return NULL;
    ts_limbs_extend(copy, a, m->limbs); /* GMP destroys it */
    mp_limb_t *inverse = copy + n;
    mp_limb_t found =
        (mp_limb_t)mpn_sec_invert(inverse, copy, m->d, n, (mp_bitcnt_t)(2 * m->limbs * TS_LIMB_BITS), inverse + n);
    mp_limb_t mask = ts_mask_nonzero(found);
    for (size_t i = 0; i < result->limbs; i++)
        result->d[i] = inverse[i] & mask;
    return result;
}

const struct ts_num *
ts_mod_inverse(struct ts_scope *scope, const struct ts_num *a, const struct ts_modulus *m)
{
    const struct ts_num *reduced = ts_mod(scope, a, m);

    return reduced ? invert_odd(scope, reduced, m->num) : NULL;
}

/* From v*m = 1 mod a follows a * (1 - v*m)/a = 1 mod m. */
static const struct ts_num *
invert_odd_value(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1);
    const struct ts_num *v = ts_num_mod(scope, m, a);

    v = v ? invert_odd(scope, v, a) : NULL;
    /* v = 0 says that there is no inverse; the product is masked then, so that the quotient is -0 */
    const struct ts_num *over = ts_num_sub(scope, ts_num_mul(scope, v, m), one);
    const struct ts_num *quotient = ts_num_div(scope, over, a);
    const struct ts_num *inverse = ts_num_mod(scope, ts_num_neg(scope, quotient), m);
    return ts_num_select(scope, ts_num_is_zero(v), ts_num_sub(scope, one, one), inverse);
}

const struct ts_num *
ts_num_inverse(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m)
{
    if (!ts_scope_ready(scope, a && m))
        return NULL;
    const struct ts_num *modulus = trimmed(scope, m), *value = trimmed(scope, a);
    if (!modulus || !value)
        return NULL;
    if (is_odd_above_one(modulus)) {
        value = ts_num_mod(scope, a, modulus);
        return value ? invert_odd(scope, value, modulus) : NULL;
    }
    if (!is_odd_above_one(value)) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    return invert_odd_value(scope, value, modulus);
}
