#include "mpc/num_internal.h"

#include "base/secret.h"

#include <openssl/err.h>

static void
put_little_endian(uint8_t *out, const struct ts_num *a)
{
    for (size_t i = 0; i < 8 * a->limbs; i++)
        out[i] = (uint8_t)(a->d[i / 8] >> (8 * (i % 8)));
}

BIGNUM *
ts_bn_from_public(struct ts_scope *scope, const struct ts_num *a)
{
    uint8_t *bytes = a ? (uint8_t *)ts_scope_scratch(scope, a->limbs) : NULL;
    BIGNUM *bn = bytes ? BN_secure_new() : NULL;

    if (bn) {
        put_little_endian(bytes, a);
        if (!BN_lebin2bn(bytes, (int)(8 * a->limbs), bn)) {
            BN_clear_free(bn);
            bn = NULL;
        } else {
            BN_set_negative(bn, a->negative != 0);
        }
    }
    if (!bn)
        ts_scope_fail(scope, TS_INTERNAL);
    return bn;
}

/* OpenSSL has no public way to say how many words a BIGNUM has: it strips leading zeros when it loads one. So a word
   that is not zero is loaded above the value, and then the word counts (BN_consttime_swap of 0 words swaps nothing
   else that differs) are exchanged with a number that has one word less. The word above stays beyond the end. */
static bool
load_full_width(BIGNUM *bn, const uint8_t *bytes, size_t limbs)
{
    BIGNUM *shape = BN_secure_new();
    bool done = false;

    if (!shape || !BN_set_bit(shape, (int)(limbs * TS_LIMB_BITS) - 1) || !BN_lebin2bn(bytes, (int)(8 * limbs) + 1, bn))
        goto out;
    BN_consttime_swap(1, bn, shape, 0);
    done = !BN_is_bit_set(bn, (int)(limbs * TS_LIMB_BITS)) && BN_is_bit_set(shape, (int)(limbs * TS_LIMB_BITS) - 1);
out:
    BN_clear_free(shape);
    return done;
}

BIGNUM *
ts_bn_from_secret(struct ts_scope *scope, const struct ts_num *a)
{
    uint8_t *bytes = a ? (uint8_t *)ts_scope_scratch(scope, a->limbs + 1) : NULL;
    BIGNUM *bn = bytes ? BN_secure_new() : NULL;

    if (bn) {
        put_little_endian(bytes, a);
        bytes[8 * a->limbs] = 1;
        if (!load_full_width(bn, bytes, a->limbs)) {
            BN_clear_free(bn);
            bn = NULL;
        }
    }
    if (!bn)
        ts_scope_fail(scope, TS_INTERNAL);
    return bn;
}

const struct ts_num *
ts_num_from_bn(struct ts_scope *scope, const BIGNUM *bn, size_t bits)
{
    struct ts_num *num = ts_num_alloc(scope, bits);
    uint8_t *bytes = num ? (uint8_t *)ts_scope_scratch(scope, num->limbs) : NULL;

    if (!bytes)
        return NULL;
    if (BN_bn2lebinpad(bn, bytes, (int)(8 * num->limbs)) < 0) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    for (size_t i = 0; i < 8 * num->limbs; i++)
        num->d[i / 8] |= (mp_limb_t)bytes[i] << (8 * (i % 8));
    return num;
}

/* base in [0, M). */
static const struct ts_num *
power_secret(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m)
{
    const struct ts_num *power = NULL;
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    BIGNUM *b = NULL, *e = NULL, *r = NULL;

    ERR_set_mark();
    if (!ctx || !(b = ts_bn_from_secret(scope, base)) || !(e = ts_bn_from_secret(scope, exponent)))
        goto out;
    r = BN_secure_new();
    if (r && BN_mod_exp_mont_consttime(r, b, e, m->bn, ctx, m->mont) == 1)
        power = ts_num_from_bn(scope, r, m->num->bits);
out:
    if (!power)
        ts_scope_fail(scope, TS_INTERNAL);
    BN_clear_free(b);
    BN_clear_free(e);
    BN_clear_free(r);
    ERR_pop_to_mark();
    return power;
}

/* Two powers at once. OpenSSL chooses by the sizes and the processor. */
static bool
power_secret_x2(const struct ts_num *out[2], struct ts_scope *scope, const struct ts_num *const base[2],
    const struct ts_num *const exponent[2], const struct ts_modulus *const m[2])
{
    BIGNUM *b[2] = {NULL, NULL}, *e[2] = {NULL, NULL}, *r[2] = {NULL, NULL};
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    bool ready = ctx != NULL;

    ERR_set_mark();
    for (int i = 0; i < 2; i++) {
        b[i] = ts_bn_from_secret(scope, base[i]);
        e[i] = ts_bn_from_secret(scope, exponent[i]);
        r[i] = BN_secure_new();
        ready = ready && b[i] && e[i] && r[i];
    }
    if (ready && BN_mod_exp_mont_consttime_x2(
                     r[0], b[0], e[0], m[0]->bn, m[0]->mont, r[1], b[1], e[1], m[1]->bn, m[1]->mont, ctx) == 1) {
        for (int i = 0; i < 2; i++)
            out[i] = ts_num_from_bn(scope, r[i], m[i]->num->bits);
    }
    for (int i = 0; i < 2; i++) {
        BN_clear_free(b[i]);
        BN_clear_free(e[i]);
        BN_clear_free(r[i]);
    }
    ERR_pop_to_mark();
    return out[0] && out[1];
}

static bool
may_be_exponent(struct ts_scope *scope, const struct ts_num *exponent)
{
    if (!ts_scope_ready(scope, exponent))
        return false;
    mp_limb_t negative = exponent->negative;
    ts_declassify(&negative, sizeof negative, "exponents of secret bases are never negative; another one is a failure");
    if (negative)
        ts_scope_fail(scope, TS_INTERNAL);
    return !negative;
}

const struct ts_num *
ts_mod_power_secret_base(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m)
{
    const struct ts_num *reduced = ts_mod(scope, base, m);

    return reduced && may_be_exponent(scope, exponent) ? power_secret(scope, reduced, exponent, m) : NULL;
}

void
ts_mod_power_secret_base_x2(const struct ts_num *out[2], struct ts_scope *scope, const struct ts_num *const base[2],
    const struct ts_num *const exponent[2], const struct ts_modulus *const m[2])
{
    const struct ts_num *const reduced[2] = {ts_mod(scope, base[0], m[0]), ts_mod(scope, base[1], m[1])};
    const struct ts_num *powers[2] = {NULL, NULL};

    out[0] = out[1] = NULL;
    if (!reduced[0] || !reduced[1] || !may_be_exponent(scope, exponent[0]) || !may_be_exponent(scope, exponent[1]))
        return;
    if (!power_secret_x2(powers, scope, reduced, exponent, m)) {
        ts_scope_fail(scope, TS_INTERNAL);
        return;
    }
    out[0] = powers[0];
    out[1] = powers[1];
}

const struct ts_num *
ts_mod_power(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m)
{
    const struct ts_num *reduced = ts_mod(scope, base, m);
    const struct ts_num *inverse = ts_num_inverse_vartime(scope, reduced, ts_modulus_num(m));
    const struct ts_num *chosen = ts_num_select(scope, ts_num_is_negative(exponent), inverse, reduced);

    return ts_scope_ready(scope, chosen && exponent && m) ? power_secret(scope, chosen, exponent, m) : NULL;
}

/* The base of a public power: reduced, and inverted when the exponent is negative. Owned by the caller. */
static BIGNUM *
public_base(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m)
{
    const struct ts_num *reduced = ts_mod(scope, base, m);

    if (ts_num_is_negative_vartime(exponent))
        reduced = ts_num_inverse_vartime(scope, reduced, ts_modulus_num(m));
    return reduced ? ts_bn_from_public(scope, reduced) : NULL;
}

static BIGNUM *
public_exponent(struct ts_scope *scope, const struct ts_num *exponent)
{
    BIGNUM *bn = ts_bn_from_public(scope, exponent);

    if (bn)
        BN_set_negative(bn, 0);
    return bn;
}

const struct ts_num *
ts_mod_power_vartime(
    struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m)
{
    const struct ts_num *power = NULL;
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    BIGNUM *b = NULL, *e = NULL, *r = NULL;

    if (!ts_scope_ready(scope, base && exponent && m))
        return NULL;
    ERR_set_mark();
    b = public_base(scope, base, exponent, m);
    e = public_exponent(scope, exponent);
    r = BN_new();
    if (ctx && b && e && r && BN_mod_exp_mont(r, b, e, m->bn, ctx, m->mont) == 1)
        power = ts_num_from_bn(scope, r, m->num->bits);
    if (!power)
        ts_scope_fail(scope, TS_INTERNAL);
    BN_clear_free(b);
    BN_clear_free(e);
    BN_free(r);
    ERR_pop_to_mark();
    return power;
}

const struct ts_num *
ts_mod_power2_vartime(struct ts_scope *scope, const struct ts_num *b1, const struct ts_num *e1, const struct ts_num *b2,
    const struct ts_num *e2, const struct ts_modulus *m)
{
    const struct ts_num *power = NULL;
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    BIGNUM *x1 = NULL, *x2 = NULL, *y1 = NULL, *y2 = NULL, *r = NULL;

    if (!ts_scope_ready(scope, b1 && e1 && b2 && e2 && m))
        return NULL;
    ERR_set_mark();
    x1 = public_base(scope, b1, e1, m);
    y1 = public_exponent(scope, e1);
    x2 = public_base(scope, b2, e2, m);
    y2 = public_exponent(scope, e2);
    r = BN_new();
    if (ctx && x1 && y1 && x2 && y2 && r && BN_mod_exp2_mont(r, x1, y1, x2, y2, m->bn, ctx, m->mont) == 1)
        power = ts_num_from_bn(scope, r, m->num->bits);
    if (!power)
        ts_scope_fail(scope, TS_INTERNAL);
    BN_clear_free(x1);
    BN_clear_free(y1);
    BN_clear_free(x2);
    BN_clear_free(y2);
    BN_free(r);
    ERR_pop_to_mark();
    return power;
}
