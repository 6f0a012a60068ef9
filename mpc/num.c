#include "mpc/num_internal.h"

#include <string.h>

#define MAX_BITS ((size_t)1 << 24) /* far above any number of the protocol */

struct ts_num *
ts_num_alloc(struct ts_scope *scope, size_t bits)
{
    if (bits == 0)
        bits = 1;
    if (bits > MAX_BITS) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    size_t limbs = ts_limbs_for(bits);
    struct ts_num *num = ts_scope_memory(scope, sizeof *num + limbs * sizeof(mp_limb_t));
    if (!num)
        return NULL;
    *num = (struct ts_num){bits, limbs, 0, (mp_limb_t *)(num + 1)};
    return num;
}

mp_limb_t
ts_limbs_or(const mp_limb_t *d, size_t n)
{
    mp_limb_t all = 0;

    for (size_t i = 0; i < n; i++)
        all |= d[i];
    return all;
}

void
ts_limbs_negate(mp_limb_t *r, const mp_limb_t *a, size_t n, mp_limb_t mask)
{
    mp_limb_t carry = mask & 1;

    for (size_t i = 0; i < n; i++) {
        mp_limb_t sum = (a[i] ^ mask) + carry;
        carry = sum < carry;
        r[i] = sum;
    }
}

void
ts_limbs_select(mp_limb_t *r, mp_limb_t mask, const mp_limb_t *a, const mp_limb_t *b, size_t n)
{
    mask = ts_barrier(mask);
    for (size_t i = 0; i < n; i++)
        r[i] = (a[i] & mask) | (b[i] & ~mask);
}

static mp_limb_t
limb_at(const struct ts_num *a, size_t i)
{
    return i < a->limbs ? a->d[i] : 0;
}

void
ts_limbs_extend(mp_limb_t *r, const struct ts_num *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        r[i] = limb_at(a, i);
}

const struct ts_num *
ts_num_from_u64(struct ts_scope *scope, uint64_t value)
{
    struct ts_num *num = ts_num_alloc(scope, 64);

    if (num)
        num->d[0] = value;
    return num;
}

const struct ts_num *
ts_num_from_bytes(struct ts_scope *scope, const uint8_t *bytes, size_t len)
{
    if (!ts_scope_ready(scope, bytes || len == 0))
        return NULL;
    struct ts_num *num = len > MAX_BITS / 8 ? NULL : ts_num_alloc(scope, 8 * len);
    if (!num) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    for (size_t i = 0; i < len; i++)
        num->d[i / 8] |= (mp_limb_t)bytes[len - 1 - i] << (8 * (i % 8));
    return num;
}

const struct ts_num *
ts_num_copy(struct ts_scope *scope, const struct ts_num *a)
{
    return ts_num_resize(scope, a, ts_num_width(a));
}

/* What of |a| lies at or above 2^bits, ORed together. */
static mp_limb_t
excess(const struct ts_num *a, size_t bits)
{
    size_t whole = bits / TS_LIMB_BITS;

    if (whole >= a->limbs)
        return 0;
    return (a->d[whole] >> (bits % TS_LIMB_BITS)) | ts_limbs_or(a->d + whole + 1, a->limbs - whole - 1);
}

const struct ts_num *
ts_num_resize(struct ts_scope *scope, const struct ts_num *a, size_t bits)
{
    if (!ts_scope_ready(scope, a))
        return NULL;
    struct ts_num *num = ts_num_alloc(scope, bits);
    if (!num)
        return NULL;
    mp_limb_t over = excess(a, num->bits);
    ts_declassify(&over, sizeof over, "a value that breaks its bound is a bug, seen as a failure");
    if (over != 0) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    ts_limbs_extend(num->d, a, num->limbs);
    num->negative = a->negative;
    return num;
}

enum ts_error
ts_num_to_bytes(uint8_t *out, size_t len, const struct ts_num *a)
{
    if (!a)
        return TS_INTERNAL;
    mp_limb_t over = len > MAX_BITS ? 0 : excess(a, 8 * len);
    ts_declassify(&over, sizeof over, "a value that breaks its bound is a bug, seen as a failure");
    if (over != 0)
        return TS_INTERNAL;
    for (size_t i = 0; i < len; i++)
        out[len - 1 - i] = (uint8_t)(limb_at(a, i / 8) >> (8 * (i % 8)));
    return TS_OK;
}

size_t
ts_num_width(const struct ts_num *a)
{
    return a ? a->bits : 0;
}

const struct ts_num *
ts_num_publish(const struct ts_num *a, const char *why)
{
    if (a) {
        ts_declassify(a->d, a->limbs * sizeof(mp_limb_t), why);
        ts_declassify(&a->negative, sizeof a->negative, why);
    }
    return a;
}

void
ts_bytes_publish(const void *bytes, size_t len, const char *why)
{
    ts_declassify(bytes, len, why);
}

bool
ts_choice_publish(unsigned choice, const char *why)
{
    ts_declassify(&choice, sizeof choice, why);
    return choice != 0;
}

size_t
ts_num_public_limbs(const struct ts_num *a)
{
    size_t n = a->limbs;

    while (n > 1) {
        mp_limb_t limb = a->d[n - 1];
        mp_limb_t set = ts_mask_nonzero(limb);
        ts_declassify(&set, sizeof set, "the size of a modulus or divisor is public");
        if (set != 0)
            break;
        n--;
    }
    return n;
}

unsigned
ts_num_is_zero(const struct ts_num *a)
{
    return a ? (unsigned)(~ts_mask_nonzero(ts_limbs_or(a->d, a->limbs)) & 1) : 0;
}

unsigned
ts_num_is_negative(const struct ts_num *a)
{
    return a ? (unsigned)(a->negative & 1) : 0;
}

unsigned
ts_num_equal(const struct ts_num *a, const struct ts_num *b)
{
    if (!a || !b)
        return 0;
    size_t n = a->limbs > b->limbs ? a->limbs : b->limbs;
    mp_limb_t difference = a->negative ^ b->negative;
    for (size_t i = 0; i < n; i++)
        difference |= limb_at(a, i) ^ limb_at(b, i);
    return (unsigned)(~ts_mask_nonzero(difference) & 1);
}

/* |a| < |b| as 0 or 1. */
static mp_limb_t
magnitude_less(const struct ts_num *a, const struct ts_num *b)
{
    size_t n = a->limbs > b->limbs ? a->limbs : b->limbs;
    mp_limb_t borrow = 0;

    for (size_t i = 0; i < n; i++) {
        mp_limb_t x = limb_at(a, i), y = limb_at(b, i);
        /* the borrow out of x - y - borrow, without comparing */
        borrow = ((~x & y) | ((~x | y) & (x - y - borrow))) >> 63;
    }
    return borrow;
}

unsigned
ts_num_less(const struct ts_num *a, const struct ts_num *b)
{
    if (!a || !b)
        return 0;
    mp_limb_t both = ts_barrier(a->negative & b->negative), one = ts_barrier(a->negative ^ b->negative);
    mp_limb_t same = (magnitude_less(b, a) & both) | (magnitude_less(a, b) & ~both);
    return (unsigned)((a->negative & one & 1) | (same & ~one));
}
