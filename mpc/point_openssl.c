#include "mpc/num_bn.h"
#include "mpc/point_library.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

struct openssl_point {
    EC_POINT *ec;
};

static EC_POINT *
ec_of(const void *point)
{
    return ((const struct openssl_point *)point)->ec;
}

static void *
open_curve(const struct ts_env *env, enum ts_curve curve)
{
    static const int nids[] = {[TS_CURVE_P256] = NID_X9_62_prime256v1,
        [TS_CURVE_SECP256K1] = NID_secp256k1,
        [TS_CURVE_P384] = NID_secp384r1,
        [TS_CURVE_P521] = NID_secp521r1};

    return EC_GROUP_new_by_curve_name_ex(env->libctx, NULL, nids[curve]);
}

static void
close_curve(void *curve)
{
    EC_GROUP_free(curve);
}

static const struct ts_num *
order(struct ts_scope *scope, const void *curve, size_t bits)
{
    const BIGNUM *q = EC_GROUP_get0_order(curve);

    return q ? ts_num_from_bn(scope, q, bits) : NULL;
}

static void
release_point(void *ec)
{
    EC_POINT_clear_free(ec);
}

static void *
infinity(struct ts_scope *scope, const void *curve)
{
    struct openssl_point *point = ts_scope_memory(scope, sizeof *point);

    if (!point)
        return NULL;
    point->ec = ts_scope_own(scope, EC_POINT_new(curve), release_point);
    return point->ec ? point : NULL;
}

/* A product is sent to the other side, or both compute it: only the scalar is secret. What OpenSSL keeps of a point
   cannot be reached, so for the constant-time test it is made again from its public bytes. */
static bool
publish(const EC_GROUP *group, EC_POINT *p, BN_CTX *ctx)
{
#if defined(TS_CTGRIND)
    static const char why[] = "a product of a secret scalar is known to both parties";
    uint8_t bytes[TS_POINT_MAX_BYTES];

    if (ts_choice_publish((unsigned)EC_POINT_is_at_infinity(group, p), why))
        return EC_POINT_set_to_infinity(group, p) == 1;
    size_t len = EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, bytes, sizeof bytes, ctx);
    ts_bytes_publish(bytes, sizeof bytes, why);
    ts_bytes_publish(&len, sizeof len, why);
    EC_POINT *fresh = EC_POINT_new(group);
    bool done = fresh && EC_POINT_oct2point(group, fresh, bytes, len, ctx) == 1 && EC_POINT_copy(p, fresh) == 1;
    EC_POINT_free(fresh);
    return done;
#else
    (void)group, (void)p, (void)ctx;
    return true;
#endif
}

/* OpenSSL's constant-time single multiplication. */
static bool
multiply(void *out, struct ts_scope *scope, const void *curve, const struct ts_num *k, const void *p)
{
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    BIGNUM *scalar = ts_bn_from_secret(scope, k);
    EC_POINT *ec = ec_of(out);
    bool done = ctx && scalar &&
                EC_POINT_mul(curve, ec, p ? NULL : scalar, p ? ec_of(p) : NULL, p ? scalar : NULL, ctx) == 1 &&
                publish(curve, ec, ctx);

    BN_clear_free(scalar);
    return done;
}

static bool
mul2_vartime(
    void *out, struct ts_scope *scope, const void *curve, const struct ts_num *a, const struct ts_num *b, const void *p)
{
    BN_CTX *ctx = ts_scope_bn_ctx(scope);
    BIGNUM *u = ts_bn_from_public(scope, a), *v = ts_bn_from_public(scope, b);
    bool done = ctx && u && v && EC_POINT_mul(curve, ec_of(out), u, ec_of(p), v, ctx) == 1;

    BN_clear_free(u);
    BN_clear_free(v);
    return done;
}

static bool
add(void *out, struct ts_scope *scope, const void *curve, const void *a, const void *b)
{
    BN_CTX *ctx = ts_scope_bn_ctx(scope);

    return ctx && EC_POINT_add(curve, ec_of(out), ec_of(a), ec_of(b), ctx) == 1;
}

static bool
copy(void *out, const void *p)
{
    return EC_POINT_copy(ec_of(out), ec_of(p)) == 1;
}

static bool
equal(const void *curve, const void *a, const void *b)
{
    return EC_POINT_cmp(curve, ec_of(a), ec_of(b), NULL) == 0;
}

static bool
is_infinity(const void *curve, const void *p)
{
    return EC_POINT_is_at_infinity(curve, ec_of(p)) == 1;
}

static bool
encode(uint8_t *out, size_t len, const void *curve, const void *p)
{
    return EC_POINT_point2oct(curve, ec_of(p), POINT_CONVERSION_UNCOMPRESSED, out, len, NULL) == len;
}

static bool
decode(void *out, struct ts_scope *scope, const void *curve, const uint8_t *bytes, size_t len)
{
    BN_CTX *ctx = ts_scope_bn_ctx(scope);

    return ctx && EC_POINT_oct2point(curve, ec_of(out), bytes, len, ctx) == 1 &&
           EC_POINT_is_on_curve(curve, ec_of(out), ctx) == 1;
}

const struct ts_point_library ts_point_openssl = {
    .name = "OpenSSL",
    .open = open_curve,
    .close = close_curve,
    .order = order,
    .infinity = infinity,
    .mul = multiply,
    .mul2_vartime = mul2_vartime,
    .add = add,
    .copy = copy,
    .equal = equal,
    .is_infinity = is_infinity,
    .encode = encode,
    .decode = decode,
};
