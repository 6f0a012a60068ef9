#include "mpc/point.h"
#include "mpc/num_bn.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

struct curve_facts {
    const char *name;
    int nid;
    size_t bits; /* of q */
};

static const struct curve_facts facts[] = {
    [TS_CURVE_NONE] = {"", NID_undef, 0},
    [TS_CURVE_P256] = {"P-256", NID_X9_62_prime256v1, 256},
    [TS_CURVE_SECP256K1] = {"secp256k1", NID_secp256k1, 256},
    [TS_CURVE_P384] = {"P-384", NID_secp384r1, 384},
    [TS_CURVE_P521] = {"P-521", NID_secp521r1, 521},
};

#define CURVES (sizeof facts / sizeof *facts)

struct ts_group {
    enum ts_curve curve;
    EC_GROUP *ec;
    struct ts_scope *scope; /* of the order */
    const struct ts_modulus *order;
};

struct ts_point {
    EC_POINT *ec;
};

const char *
ts_curve_name(enum ts_curve curve)
{
    return (size_t)curve < CURVES ? facts[curve].name : "";
}

enum ts_curve
ts_curve_by_name(const char *name, size_t len)
{
    for (size_t i = TS_CURVE_NONE + 1; i < CURVES; i++)
        if (strlen(facts[i].name) == len && memcmp(facts[i].name, name, len) == 0)
            return (enum ts_curve)i;
    return TS_CURVE_NONE;
}

static const struct ts_modulus *
load_order(struct ts_scope *scope, const EC_GROUP *ec, size_t bits)
{
    const BIGNUM *order = EC_GROUP_get0_order(ec);

    return order ? ts_modulus_new(scope, ts_num_from_bn(scope, order, bits)) : NULL;
}

enum ts_error
ts_group_new(struct ts_group **out, const struct ts_env *env, enum ts_curve curve)
{
    *out = NULL;
    if ((size_t)curve >= CURVES || curve == TS_CURVE_NONE)
        return TS_INTERNAL;
    struct ts_group *group = calloc(1, sizeof *group);
    if (!group)
        return TS_INTERNAL;
    group->curve = curve;
    ERR_set_mark();
    group->ec = EC_GROUP_new_by_curve_name_ex(env->libctx, NULL, facts[curve].nid);
    ERR_pop_to_mark();
    if (group->ec && ts_scope_new(&group->scope) == TS_OK)
        group->order = load_order(group->scope, group->ec, facts[curve].bits);
    if (!group->order) {
        ts_group_free(group);
        return TS_INTERNAL;
    }
    *out = group;
    return TS_OK;
}

void
ts_group_free(struct ts_group *group)
{
    if (!group)
        return;
    EC_GROUP_free(group->ec);
    ts_scope_free(group->scope);
    free(group);
}

enum ts_curve
ts_group_curve(const struct ts_group *group)
{
    return group->curve;
}

const struct ts_modulus *
ts_group_order(const struct ts_group *group)
{
    return group->order;
}

size_t
ts_group_bits(const struct ts_group *group)
{
    return facts[group->curve].bits;
}

size_t
ts_group_scalar_bytes(const struct ts_group *group)
{
    return (ts_group_bits(group) + 7) / 8;
}

size_t
ts_group_hash_bytes(const struct ts_group *group)
{
    return (ts_group_bits(group) + 128 + 7) / 8;
}

size_t
ts_group_point_bytes(const struct ts_group *group)
{
    /* the four fields have as many bytes as their orders */
    return 1 + 2 * ts_group_scalar_bytes(group);
}

static void
release_point(void *ec)
{
    EC_POINT_clear_free(ec);
}

/* A new point of the scope, infinity. */
static struct ts_point *
point_alloc(struct ts_scope *scope, const struct ts_group *group)
{
    struct ts_point *point = ts_scope_memory(scope, sizeof *point);

    if (!point)
        return NULL;
    point->ec = ts_scope_own(scope, EC_POINT_new(group->ec), release_point);
    return point->ec ? point : NULL;
}

/* The point when `done`; else the scope fails with `error` and the errors of OpenSSL since the mark go. */
static const struct ts_point *
finish(struct ts_scope *scope, const struct ts_point *point, bool done, enum ts_error error)
{
    if (!done)
        ts_scope_fail(scope, error);
    ERR_pop_to_mark();
    return done ? point : NULL;
}

/* A missing argument comes from a failure elsewhere. */
static bool
ready(struct ts_scope *scope, bool arguments_present)
{
    if (!arguments_present)
        ts_scope_fail(scope, TS_INTERNAL);
    return ts_scope_error(scope) == TS_OK;
}

/* A product is sent to the other side, or both compute it: only the scalar is secret. What OpenSSL keeps of a point
   cannot be reached, so for the constant-time test it is made again from its public bytes. */
static bool
publish(const struct ts_group *group, EC_POINT *p, BN_CTX *ctx)
{
#if defined(TS_CTGRIND)
    static const char why[] = "a product of a secret scalar is known to both parties";
    uint8_t bytes[TS_POINT_MAX_BYTES];
    size_t len = ts_group_point_bytes(group);

    if (ts_choice_publish((unsigned)EC_POINT_is_at_infinity(group->ec, p), why))
        return EC_POINT_set_to_infinity(group->ec, p) == 1;
    (void)EC_POINT_point2oct(group->ec, p, POINT_CONVERSION_UNCOMPRESSED, bytes, len, ctx);
    ts_bytes_publish(bytes, len, why);
    EC_POINT *fresh = EC_POINT_new(group->ec);
    bool done = fresh && EC_POINT_oct2point(group->ec, fresh, bytes, len, ctx) == 1 && EC_POINT_copy(p, fresh) == 1;
    EC_POINT_free(fresh);
    return done;
#else
    (void)group, (void)p, (void)ctx;
    return true;
#endif
}

/* k * (p, or the generator when p is NULL), by OpenSSL's constant-time single multiplication. */
static const struct ts_point *
multiply(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k, const EC_POINT *p)
{
    const struct ts_num *reduced = ts_mod(scope, k, group->order);
    struct ts_point *result = point_alloc(scope, group);
    BN_CTX *ctx = ts_scope_bn_ctx(scope);

    ERR_set_mark();
    BIGNUM *scalar = reduced ? ts_bn_from_secret(scope, reduced) : NULL;
    bool done = result && ctx && scalar &&
                EC_POINT_mul(group->ec, result->ec, p ? NULL : scalar, p, p ? scalar : NULL, ctx) == 1 &&
                publish(group, result->ec, ctx);
    BN_clear_free(scalar);
    return finish(scope, result, done, TS_INTERNAL);
}

const struct ts_point *
ts_point_mul_base(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k)
{
    return ready(scope, group && k) ? multiply(scope, group, k, NULL) : NULL;
}

const struct ts_point *
ts_point_mul(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k, const struct ts_point *p)
{
    return ready(scope, group && k && p) ? multiply(scope, group, k, p->ec) : NULL;
}

const struct ts_point *
ts_point_add(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *a, const struct ts_point *b)
{
    if (!ready(scope, group && a && b))
        return NULL;
    struct ts_point *sum = point_alloc(scope, group);
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    ERR_set_mark();
    bool done = sum && ctx && EC_POINT_add(group->ec, sum->ec, a->ec, b->ec, ctx) == 1;
    return finish(scope, sum, done, TS_INTERNAL);
}

const struct ts_point *
ts_point_mul2_vartime(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *a,
    const struct ts_num *b, const struct ts_point *p)
{
    if (!ready(scope, group && a && b && p))
        return NULL;
    const struct ts_num *x = ts_mod(scope, a, group->order), *y = ts_mod(scope, b, group->order);
    struct ts_point *sum = point_alloc(scope, group);
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    ERR_set_mark();
    BIGNUM *u = ts_bn_from_public(scope, x), *v = ts_bn_from_public(scope, y);
    bool done = sum && ctx && u && v && EC_POINT_mul(group->ec, sum->ec, u, p->ec, v, ctx) == 1;
    BN_clear_free(u);
    BN_clear_free(v);
    return finish(scope, sum, done, TS_INTERNAL);
}

const struct ts_point *
ts_point_copy(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *p)
{
    if (!ready(scope, group && p))
        return NULL;
    struct ts_point *copy = point_alloc(scope, group);
    ERR_set_mark();
    return finish(scope, copy, copy && EC_POINT_copy(copy->ec, p->ec) == 1, TS_INTERNAL);
}

bool
ts_point_equal(const struct ts_group *group, const struct ts_point *a, const struct ts_point *b)
{
    if (!group || !a || !b)
        return false;
    ERR_set_mark();
    bool equal = EC_POINT_cmp(group->ec, a->ec, b->ec, NULL) == 0;
    ERR_pop_to_mark();
    return equal;
}

bool
ts_point_is_infinity(const struct ts_group *group, const struct ts_point *p)
{
    return group && p && EC_POINT_is_at_infinity(group->ec, p->ec) == 1;
}

const struct ts_num *
ts_point_x(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *p)
{
    uint8_t bytes[TS_POINT_MAX_BYTES];

    if (!ready(scope, group && p))
        return NULL;
    if (ts_point_is_infinity(group, p)) {
        ts_scope_fail(scope, TS_CHEATED);
        return NULL;
    }
    if (ts_point_encode(bytes, group, p) != TS_OK) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    return ts_mod(scope, ts_num_from_bytes(scope, bytes + 1, ts_group_scalar_bytes(group)), group->order);
}

enum ts_error
ts_point_encode(uint8_t *out, const struct ts_group *group, const struct ts_point *p)
{
    if (!group || !p || ts_point_is_infinity(group, p))
        return TS_INTERNAL;
    size_t len = ts_group_point_bytes(group);
    ERR_set_mark();
    bool done = EC_POINT_point2oct(group->ec, p->ec, POINT_CONVERSION_UNCOMPRESSED, out, len, NULL) == len;
    ERR_pop_to_mark();
    return done ? TS_OK : TS_INTERNAL;
}

const struct ts_point *
ts_point_decode(struct ts_scope *scope, const struct ts_group *group, const uint8_t *bytes, size_t len)
{
    if (!ready(scope, group && bytes))
        return NULL;
    if (len != ts_group_point_bytes(group) || bytes[0] != POINT_CONVERSION_UNCOMPRESSED) {
        ts_scope_fail(scope, TS_FORMAT);
        return NULL;
    }
    struct ts_point *point = point_alloc(scope, group);
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    ERR_set_mark();
    bool done = point && ctx && EC_POINT_oct2point(group->ec, point->ec, bytes, len, ctx) == 1 &&
                EC_POINT_is_on_curve(group->ec, point->ec, ctx) == 1;
    return finish(scope, point, done, TS_FORMAT);
}
