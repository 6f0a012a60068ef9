#include "base/secret.h"
#include "mpc/point_library.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_preallocated.h>

/* The curve secp256k1 by libsecp256k1, several times faster than OpenSSL there. Its points cannot be infinity, so that
   is kept beside them and never reaches the library. */

#define SCALAR_BYTES 32
#define POINT_BYTES 65

struct curve {
    secp256k1_context *ctx; /* in `memory`, so that nothing in the library allocates */
    void *memory;
};

struct secp256k1_point {
    secp256k1_pubkey key; /* not read for infinity */
    bool infinite;
};

static const secp256k1_context *
context_of(const void *curve)
{
    return ((const struct curve *)curve)->ctx;
}

/* The library's own would write to standard error and end the process. After this one its call returns 0. */
static void
illegal_argument(const char *message, void *data)
{
    (void)message, (void)data;
}

static void
close_curve(void *opened)
{
    struct curve *curve = opened;

    if (!curve)
        return;
    if (curve->ctx)
        secp256k1_context_preallocated_destroy(curve->ctx);
    free(curve->memory);
    free(curve);
}

static void *
open_curve(const struct ts_env *env, enum ts_curve which)
{
    uint8_t seed[32];
    bool done = false;

    if (which != TS_CURVE_SECP256K1)
        return NULL;
    struct curve *curve = calloc(1, sizeof *curve);
    if (!curve)
        return NULL;
    curve->memory = malloc(secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE));
    if (curve->memory)
        curve->ctx = secp256k1_context_preallocated_create(curve->memory, SECP256K1_CONTEXT_NONE);
    if (curve->ctx) {
        secp256k1_context_set_illegal_callback(curve->ctx, illegal_argument, NULL);
        /* blinds the multiplication of the generator */
        done = ts_random(env, seed, sizeof seed) == TS_OK && secp256k1_context_randomize(curve->ctx, seed) == 1;
    }
    ts_wipe(seed, sizeof seed);
    if (done)
        return curve;
    close_curve(curve);
    return NULL;
}

/* SEC 2 version 2, 2.4.1 */
static const struct ts_num *
order(struct ts_scope *scope, const void *curve, size_t bits)
{
    static const uint8_t q[SCALAR_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36,
        0x41, 0x41};

    (void)curve, (void)bits;
    return ts_num_from_bytes(scope, q, sizeof q);
}

static void *
infinity(struct ts_scope *scope, const void *curve)
{
    struct secp256k1_point *point = ts_scope_memory(scope, sizeof *point);

    (void)curve;
    if (point)
        point->infinite = true;
    return point;
}

/* The hook of secp256k1_ecdh, in place of a hash: the point itself. */
static int
whole_point(unsigned char *out, const unsigned char *x32, const unsigned char *y32, void *data)
{
    (void)data;
    out[0] = 4;
    memcpy(out + 1, x32, 32);
    memcpy(out + 33, y32, 32);
    return 1;
}

static const char known[] = "a product of a secret scalar is known to both parties";

/* Both functions answer 0 for the scalar 0, after the same work as for others. */
static bool
multiply_generator(struct secp256k1_point *out, const secp256k1_context *ctx, const uint8_t *scalar)
{
    int some = secp256k1_ec_pubkey_create(ctx, &out->key, scalar);

    out->infinite = !ts_choice_publish((unsigned)some, known);
    ts_bytes_publish(&out->key, sizeof out->key, known);
    return true;
}

static bool
multiply_point(
    struct secp256k1_point *out, const secp256k1_context *ctx, const uint8_t *scalar, const struct secp256k1_point *p)
{
    uint8_t bytes[POINT_BYTES];
    int some = secp256k1_ecdh(ctx, bytes, &p->key, scalar, whole_point, NULL);

    out->infinite = !ts_choice_publish((unsigned)some, known);
    ts_bytes_publish(bytes, sizeof bytes, known);
    return out->infinite || secp256k1_ec_pubkey_parse(ctx, &out->key, bytes, sizeof bytes) == 1;
}

static bool
multiply(void *out, struct ts_scope *scope, const void *curve, const struct ts_num *k, const void *p)
{
    uint8_t scalar[SCALAR_BYTES];
    const struct secp256k1_point *point = p;
    bool done = false;

    (void)scope;
    if (point && point->infinite)
        return true; /* as `out` is */
    if (ts_num_to_bytes(scalar, sizeof scalar, k) == TS_OK)
        done = point ? multiply_point(out, context_of(curve), scalar, point)
                     : multiply_generator(out, context_of(curve), scalar);
    ts_wipe(scalar, sizeof scalar);
    return done;
}

static bool
add(void *out, struct ts_scope *scope, const void *curve, const void *a, const void *b)
{
    const struct secp256k1_point *left = a, *right = b;
    struct secp256k1_point *sum = out;

    (void)scope;
    if (left->infinite || right->infinite) {
        *sum = left->infinite ? *right : *left;
        return true;
    }
    const secp256k1_pubkey *both[2] = {&left->key, &right->key};
    /* of valid points it has no other failure than infinity */
    sum->infinite = secp256k1_ec_pubkey_combine(context_of(curve), &sum->key, both, 2) != 1;
    return true;
}

static bool
mul2_vartime(
    void *out, struct ts_scope *scope, const void *curve, const struct ts_num *a, const struct ts_num *b, const void *p)
{
    const secp256k1_context *ctx = context_of(curve);
    uint8_t of_base[SCALAR_BYTES], of_point[SCALAR_BYTES];
    struct secp256k1_point *sum = out;

    if (ts_num_to_bytes(of_base, sizeof of_base, a) != TS_OK || ts_num_to_bytes(of_point, sizeof of_point, b) != TS_OK)
        return false;
    *sum = *(const struct secp256k1_point *)p;
    if (sum->infinite || ts_num_is_zero_vartime(b))
        return multiply(out, scope, curve, a, NULL);
    if (secp256k1_ec_pubkey_tweak_mul(ctx, &sum->key, of_point) != 1)
        return false;
    /* with a valid tweak it has no other failure than infinity */
    sum->infinite = secp256k1_ec_pubkey_tweak_add(ctx, &sum->key, of_base) != 1;
    return true;
}

static bool
copy(void *out, const void *p)
{
    *(struct secp256k1_point *)out = *(const struct secp256k1_point *)p;
    return true;
}

static bool
equal(const void *curve, const void *a, const void *b)
{
    const struct secp256k1_point *left = a, *right = b;

    if (left->infinite || right->infinite)
        return left->infinite && right->infinite;
    return secp256k1_ec_pubkey_cmp(context_of(curve), &left->key, &right->key) == 0;
}

static bool
is_infinity(const void *curve, const void *p)
{
    (void)curve;
    return ((const struct secp256k1_point *)p)->infinite;
}

static bool
encode(uint8_t *out, size_t len, const void *curve, const void *p)
{
    const struct secp256k1_point *point = p;
    size_t written = len;

    return secp256k1_ec_pubkey_serialize(context_of(curve), out, &written, &point->key, SECP256K1_EC_UNCOMPRESSED) ==
               1 &&
           written == len;
}

static bool
decode(void *out, struct ts_scope *scope, const void *curve, const uint8_t *bytes, size_t len)
{
    struct secp256k1_point *point = out;

    (void)scope;
    point->infinite = secp256k1_ec_pubkey_parse(context_of(curve), &point->key, bytes, len) != 1;
    return !point->infinite;
}

const struct ts_point_library ts_point_secp256k1 = {
    .name = "libsecp256k1",
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
