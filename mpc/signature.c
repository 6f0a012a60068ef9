#include "mpc/signature.h"

enum ts_error
ts_presign_p2_values(const struct ts_num **a, const struct ts_num **b, struct ts_scope *scope,
    const struct ts_group *group, const struct ts_num *k2, const struct ts_num *x2, const struct ts_num *beta,
    const struct ts_num *nu)
{
    const struct ts_modulus *q = ts_group_order(group);
    const struct ts_num *inverse = ts_mod_inverse(scope, ts_mod(scope, k2, q), q);
    const struct ts_num *product = ts_mod_mul(scope, inverse, ts_mod(scope, x2, q), q);
    const struct ts_num *residue = ts_mod_add(scope, product, ts_mod(scope, beta, q), q);

    *a = inverse;
    *b = ts_num_add(scope, residue, ts_num_mul(scope, nu, ts_modulus_num(q)));
    return ts_scope_error(scope);
}

const struct ts_num *
ts_presign_p1_value(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *M)
{
    return ts_mod(scope, M, ts_group_order(group));
}

const struct ts_num *
ts_rerandomised_r(
    struct ts_scope *scope, const struct ts_group *group, const struct ts_num *delta, const struct ts_point *R)
{
    const struct ts_num *r = ts_point_x(scope, group, ts_point_mul(scope, group, delta, R));

    if (!r || !ts_num_is_zero_vartime(r))
        return r;
    ts_scope_fail(scope, TS_CHEATED);
    return NULL;
}

const struct ts_num *
ts_sign_p2(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *a, const struct ts_num *beta,
    const struct ts_num *h, const struct ts_num *r)
{
    const struct ts_modulus *q = ts_group_order(group);
    const struct ts_num *sigma = ts_mod_sub(scope, ts_mod_mul(scope, h, a, q), ts_mod_mul(scope, r, beta, q), q);

    return ts_num_publish(sigma, "sigma is sent to P1");
}

/* (delta k1)^-1 (sigma + r V) mod q, and then the lower of the two, by mask. */
static const struct ts_num *
low_s(struct ts_scope *scope, const struct ts_group *group, const struct ts_sign_p1_input *in)
{
    const struct ts_modulus *q = ts_group_order(group);
    const struct ts_num *nonce = ts_mod_mul(scope, in->delta, in->k1, q);
    const struct ts_num *sum = ts_mod_add(scope, in->sigma, ts_mod_mul(scope, in->r, in->V, q), q);
    const struct ts_num *s = ts_mod_mul(scope, ts_mod_inverse(scope, nonce, q), sum, q);
    const struct ts_num *other = ts_num_sub(scope, ts_modulus_num(q), s);

    s = ts_num_select(scope, ts_num_less(other, s), other, s);
    return ts_num_publish(s, "s is half of the signature");
}

static bool
is_scalar(const struct ts_num *x, const struct ts_modulus *q)
{
    return ts_num_is_reduced_vartime(x, ts_modulus_num(q)) && !ts_num_is_zero_vartime(x);
}

/* x((h/s) G + (r/s) X) mod q = r */
static bool
equation_holds(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *X, const struct ts_num *h,
    const struct ts_num *r, const struct ts_num *s)
{
    const struct ts_modulus *q = ts_group_order(group);
    const struct ts_num *w = ts_num_inverse_vartime(scope, s, ts_modulus_num(q));
    const struct ts_num *u1 = ts_mod_mul(scope, ts_mod(scope, h, q), w, q);
    const struct ts_num *u2 = ts_mod_mul(scope, r, w, q);
    const struct ts_point *P = ts_point_mul2_vartime(scope, group, u1, u2, X);

    return P && !ts_point_is_infinity(group, P) && ts_num_equal_vartime(ts_point_x(scope, group, P), r);
}

/* ECDSA verification; a failure of the scope is not acceptance. */
static bool
accepts(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *X, const struct ts_num *h,
    const struct ts_num *r, const struct ts_num *s)
{
    const struct ts_modulus *q = ts_group_order(group);

    return X && h && !ts_point_is_infinity(group, X) && is_scalar(r, q) && is_scalar(s, q) &&
           equation_holds(scope, group, X, h, r, s) && ts_scope_error(scope) == TS_OK;
}

const struct ts_num *
ts_sign_p1(struct ts_scope *scope, const struct ts_group *group, const struct ts_sign_p1_input *in)
{
    if (!ts_num_is_reduced_vartime(in->sigma, ts_modulus_num(ts_group_order(group)))) {
        ts_scope_fail(scope, TS_FORMAT);
        return NULL;
    }
    const struct ts_num *s = low_s(scope, group, in);
    if (!s)
        return NULL;
    if (accepts(scope, group, in->X, in->h, in->r, s))
        return s;
    ts_scope_fail(scope, TS_CHEATED);
    return NULL;
}

enum ts_error
ts_ecdsa_verify(const struct ts_group *group, const struct ts_point *X, const struct ts_num *h, const struct ts_num *r,
    const struct ts_num *s)
{
    enum ts_error error = TS_CHEATED;
    struct ts_scope *scope;

    if (ts_scope_new(&scope) != TS_OK)
        return TS_INTERNAL;
    if (accepts(scope, group, X, h, r, s))
        error = TS_OK;
    else if (ts_scope_error(scope) == TS_INTERNAL)
        error = TS_INTERNAL;
    ts_scope_free(scope);
    return error;
}

enum ts_error
ts_signature_encode(uint8_t *out, const struct ts_group *group, const struct ts_num *r, const struct ts_num *s)
{
    size_t size = ts_group_scalar_bytes(group);
    enum ts_error error = ts_num_to_bytes(out, size, r);

    return error == TS_OK ? ts_num_to_bytes(out + size, size, s) : error;
}
