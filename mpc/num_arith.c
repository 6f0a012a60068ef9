#include "mpc/num_internal.h"

#include <string.h>

static size_t
wider(const struct ts_num *a, const struct ts_num *b)
{
    return a->bits > b->bits ? a->bits : b->bits;
}

/* a + (flip ? -b : b). Both go to two's complement of one limb more than the result, are added, and come back. */
static const struct ts_num *
add_signed(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b, mp_limb_t flip)
{
    if (!ts_scope_ready(scope, a && b))
        return NULL;
    struct ts_num *sum = ts_num_alloc(scope, wider(a, b) + 1);
    if (!sum)
        return NULL;
    size_t n = sum->limbs + 1;
    mp_limb_t *x = ts_scope_scratch(scope, 2 * n);
    if (!x)
        return NULL;
    mp_limb_t *y = x + n;
    ts_limbs_extend(x, a, n);
    ts_limbs_extend(y, b, n);
    ts_limbs_negate(x, x, n, ts_barrier(a->negative));
    ts_limbs_negate(y, y, n, ts_barrier(b->negative ^ flip));
    mpn_add_n(x, x, y, (mp_size_t)n);
    sum->negative = ts_barrier((mp_limb_t)0 - (x[n - 1] >> 63));
    ts_limbs_negate(sum->d, x, sum->limbs, sum->negative);
    return sum;
}

const struct ts_num *
ts_num_add(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b)
{
    return add_signed(scope, a, b, 0);
}

const struct ts_num *
ts_num_sub(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b)
{
    return add_signed(scope, a, b, ~(mp_limb_t)0);
}

/* The sign of a value whose magnitude may be zero. */
static mp_limb_t
sign_of(const struct ts_num *value, mp_limb_t negative)
{
    return negative & ts_mask_nonzero(ts_limbs_or(value->d, value->limbs));
}

const struct ts_num *
ts_num_neg(struct ts_scope *scope, const struct ts_num *a)
{
    if (!ts_scope_ready(scope, a))
        return NULL;
    struct ts_num *result = ts_num_alloc(scope, a->bits);
    if (!result)
        return NULL;
    ts_limbs_extend(result->d, a, result->limbs);
    result->negative = sign_of(result, ~a->negative);
    return result;
}

const struct ts_num *
ts_num_mul(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *b)
{
    if (!ts_scope_ready(scope, a && b))
        return NULL;
    if (a->limbs < b->limbs) {
        const struct ts_num *swap = a;
        a = b;
        b = swap;
    }
    struct ts_num *result = ts_num_alloc(scope, a->bits + b->bits);
    mp_size_t n = (mp_size_t)a->limbs, k = (mp_size_t)b->limbs;
    size_t itch = (size_t)mpn_sec_mul_itch(n, k);
    mp_limb_t *product = ts_scope_scratch(scope, a->limbs + b->limbs + itch);
    if (!result || !product)
        return NULL;
    mpn_sec_mul(product, a->d, n, b->d, k, product + n + k);
    memcpy(result->d, product, result->limbs * sizeof(mp_limb_t));
    result->negative = sign_of(result, a->negative ^ b->negative);
    return result;
}

const struct ts_num *
ts_num_power_of_two(struct ts_scope *scope, size_t k)
{
    struct ts_num *result = ts_num_alloc(scope, k + 1);

    if (result)
        result->d[k / TS_LIMB_BITS] = (mp_limb_t)1 << (k % TS_LIMB_BITS);
    return result;
}

const struct ts_num *
ts_num_low_bits(struct ts_scope *scope, const struct ts_num *a, size_t k)
{
    if (!ts_scope_ready(scope, a))
        return NULL;
    struct ts_num *result = ts_num_alloc(scope, k);
    if (!result)
        return NULL;
    ts_limbs_extend(result->d, a, result->limbs);
    if (k == 0)
        result->d[0] = 0;
    else if (k % TS_LIMB_BITS != 0)
        result->d[result->limbs - 1] &= ((mp_limb_t)1 << (k % TS_LIMB_BITS)) - 1;
    return result;
}

const struct ts_num *
ts_num_div(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *d)
{
    if (!ts_scope_ready(scope, a && d))
        return NULL;
    size_t dn = ts_num_public_limbs(d), n = a->limbs > dn ? a->limbs : dn;
    struct ts_num *result = ts_num_alloc(scope, a->bits);
    size_t itch = (size_t)mpn_sec_div_qr_itch((mp_size_t)n, (mp_size_t)dn);
    mp_limb_t *numerator = ts_scope_scratch(scope, 2 * n + 1 + dn + itch);
    if (!result || !numerator)
        return NULL;
    mp_limb_t *divisor = numerator + n, *quotient = divisor + dn;
    memcpy(divisor, d->d, dn * sizeof(mp_limb_t));
    ts_declassify(
        divisor + dn - 1, sizeof(mp_limb_t), "GMP normalises by a divisor's top limb, whose top bit is known");
    if (divisor[dn - 1] == 0) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    ts_limbs_extend(numerator, a, n);
    quotient[n - dn] = mpn_sec_div_qr(quotient, numerator, (mp_size_t)n, divisor, (mp_size_t)dn, quotient + n + 1);
    for (size_t i = 0; i < result->limbs; i++)
        result->d[i] = i <= n - dn ? quotient[i] : 0;
    result->negative = sign_of(result, a->negative ^ d->negative);
    return result;
}

const struct ts_num *
ts_num_select(struct ts_scope *scope, unsigned choice, const struct ts_num *a, const struct ts_num *b)
{
    if (!ts_scope_ready(scope, a && b))
        return NULL;
    struct ts_num *result = ts_num_alloc(scope, wider(a, b));
    if (!result)
        return NULL;
    mp_limb_t *other = ts_scope_scratch(scope, result->limbs), mask = ts_mask_nonzero(choice);
    if (!other)
        return NULL;
    ts_limbs_extend(result->d, a, result->limbs);
    ts_limbs_extend(other, b, result->limbs);
    ts_limbs_select(result->d, mask, result->d, other, result->limbs);
    result->negative = (a->negative & mask) | (b->negative & ~mask);
    return result;
}
