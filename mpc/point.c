#include "mpc/point.h"
#include "mpc/point_library.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

struct curve_facts {
    const char *name;
    size_t bits; /* of q */
    const struct ts_point_library *library;
};

#if defined(TS_LIBSECP256K1)
#define LIBRARY_OF_SECP256K1 &ts_point_secp256k1
#else
#define LIBRARY_OF_SECP256K1 &ts_point_openssl
#endif

static const struct curve_facts facts[] = {
    [TS_CURVE_NONE] = {"", 0, NULL},
    [TS_CURVE_P256] = {"P-256", 256, &ts_point_openssl},
    [TS_CURVE_SECP256K1] = {"secp256k1", 256, LIBRARY_OF_SECP256K1},
    [TS_CURVE_P384] = {"P-384", 384, &ts_point_openssl},
    [TS_CURVE_P521] = {"P-521", 521, &ts_point_openssl},
};

#define CURVES (sizeof facts / sizeof *facts)

struct ts_group {
    enum ts_curve curve;
    const struct ts_point_library *library;
    void *opened;           /* the library's curve */
    struct ts_scope *scope; /* of the order */
    const struct ts_modulus *order;
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

enum ts_error
ts_group_new(struct ts_group **out, const struct ts_env *env, enum ts_curve curve)
{
    return ts_group_new_with(out, env, curve, (size_t)curve < CURVES ? facts[curve].library : NULL);
}

enum ts_error
ts_group_new_with(
    struct ts_group **out, const struct ts_env *env, enum ts_curve curve, const struct ts_point_library *library)
{
    *out = NULL;
    if ((size_t)curve >= CURVES || curve == TS_CURVE_NONE || !library)
        return TS_INTERNAL;
    struct ts_group *group = calloc(1, sizeof *group);
    if (!group)
        return TS_INTERNAL;
    group->curve = curve;
    group->library = library;
    ERR_set_mark();
    group->opened = library->open(env, curve);
    ERR_pop_to_mark();
    if (group->opened && ts_scope_new(&group->scope) == TS_OK)
        group->order = ts_modulus_new(group->scope, library->order(group->scope, group->opened, facts[curve].bits));
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
    group->library->close(group->opened);
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

/* The point when `done`; else the scope fails with `error`. The errors that OpenSSL queued since the mark go. */
static const struct ts_point *
finish(struct ts_scope *scope, const void *point, bool done, enum ts_error error)
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

/* k * (p, or the generator when p is NULL). */
static const struct ts_point *
multiply(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k, const struct ts_point *p)
{
    const struct ts_num *reduced = ts_mod(scope, k, group->order);
    ERR_set_mark();
    void *product = group->library->infinity(scope, group->opened);
    bool done = product && reduced && group->library->mul(product, scope, group->opened, reduced, p);
    return finish(scope, product, done, TS_INTERNAL);
}

const struct ts_point *
ts_point_mul_base(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k)
{
    return ready(scope, group && k) ? multiply(scope, group, k, NULL) : NULL;
}

const struct ts_point *
ts_point_mul(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k, const struct ts_point *p)
{
    return ready(scope, group && k && p) ? multiply(scope, group, k, p) : NULL;
}

const struct ts_point *
ts_point_add(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *a, const struct ts_point *b)
{
    if (!ready(scope, group && a && b))
        return NULL;
    ERR_set_mark();
    void *sum = group->library->infinity(scope, group->opened);
    return finish(scope, sum, sum && group->library->add(sum, scope, group->opened, a, b), TS_INTERNAL);
}

const struct ts_point *
ts_point_mul2_vartime(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *a,
    const struct ts_num *b, const struct ts_point *p)
{
    if (!ready(scope, group && a && b && p))
        return NULL;
    const struct ts_num *x = ts_mod(scope, a, group->order), *y = ts_mod(scope, b, group->order);
    ERR_set_mark();
    void *sum = group->library->infinity(scope, group->opened);
    bool done = sum && x && y && group->library->mul2_vartime(sum, scope, group->opened, x, y, p);
    return finish(scope, sum, done, TS_INTERNAL);
}

const struct ts_point *
ts_point_copy(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *p)
{
    if (!ready(scope, group && p))
        return NULL;
    ERR_set_mark();
    void *copy = group->library->infinity(scope, group->opened);
    return finish(scope, copy, copy && group->library->copy(copy, p), TS_INTERNAL);
}

bool
ts_point_equal(const struct ts_group *group, const struct ts_point *a, const struct ts_point *b)
{
    if (!group || !a || !b)
        return false;
    ERR_set_mark();
    bool equal = group->library->equal(group->opened, a, b);
    ERR_pop_to_mark();
    return equal;
}

bool
ts_point_is_infinity(const struct ts_group *group, const struct ts_point *p)
{
    return group && p && group->library->is_infinity(group->opened, p);
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
    ERR_set_mark();
    bool done = group->library->encode(out, ts_group_point_bytes(group), group->opened, p);
    ERR_pop_to_mark();
    return done ? TS_OK : TS_INTERNAL;
}

const struct ts_point *
ts_point_decode(struct ts_scope *scope, const struct ts_group *group, const uint8_t *bytes, size_t len)
{
    static const uint8_t uncompressed = 4;

    if (!ready(scope, group && bytes))
        return NULL;
    if (len != ts_group_point_bytes(group) || bytes[0] != uncompressed) {
        ts_scope_fail(scope, TS_FORMAT);
        return NULL;
    }
    ERR_set_mark();
    void *point = group->library->infinity(scope, group->opened);
    return finish(scope, point, point && group->library->decode(point, scope, group->opened, bytes, len), TS_FORMAT);
}
