#include "mpc/opening.h"

#include "base/secret.h"

#define VALUE_MAX ((size_t)1024)

static const struct ts_group *
group_of(const struct ts_place *place)
{
    return ts_mpc_group(place->mpc, place->curve);
}

enum ts_error
ts_known_point_make(struct ts_known_point *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_num *w)
{
    out->W = ts_point_mul_base(scope, group_of(place), w);
    if (!out->W)
        return ts_scope_error(scope);
    return ts_dlog_prove(&out->proof, scope, place, hedge, out->W, w);
}

void
ts_known_point_put(struct ts_buf *out, const struct ts_group *group, const struct ts_known_point *point)
{
    ts_item_put_point(out, "W", group, point->W);
    ts_dlog_encode(out, group, &point->proof);
}

void
ts_known_point_take(
    struct ts_known_point *out, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group)
{
    out->W = ts_item_take_point(scope, in, "W", group);
    enum ts_error error = ts_dlog_decode(&out->proof, scope, in, group);
    if (error != TS_OK)
        ts_scope_fail(scope, error);
}

enum ts_error
ts_known_point_verify(const struct ts_place *place, const struct ts_known_point *point)
{
    if (!point->W || ts_point_is_infinity(group_of(place), point->W))
        return TS_CHEATED;
    return ts_dlog_verify(place, point->W, &point->proof);
}

static enum ts_error
commitment(uint8_t c[TS_HASH_BYTES], const struct ts_place *place, const struct ts_known_point *point,
    const uint8_t u[TS_NONCE_BYTES])
{
    struct ts_buf value;

    ts_buf_init(&value, VALUE_MAX);
    ts_known_point_put(&value, group_of(place), point);
    enum ts_error error = ts_buf_error(&value);
    if (error == TS_OK)
        error = ts_commitment(c, place, value.data, value.len, u);
    ts_buf_clear(&value);
    return error;
}

enum ts_error
ts_known_point_commit(uint8_t c[TS_HASH_BYTES], uint8_t u[TS_NONCE_BYTES], const struct ts_place *place,
    const struct ts_known_point *point)
{
    enum ts_error error = ts_random(ts_mpc_env(place->mpc), u, TS_NONCE_BYTES);

    return error == TS_OK ? commitment(c, place, point, u) : error;
}

enum ts_error
ts_known_point_open(const struct ts_place *place, const struct ts_known_point *point, const uint8_t u[TS_NONCE_BYTES],
    const uint8_t c[TS_HASH_BYTES])
{
    uint8_t expected[TS_HASH_BYTES];
    enum ts_error error = commitment(expected, place, point, u);

    if (error != TS_OK)
        return error;
    if (!ts_equal(expected, c, sizeof expected))
        return TS_CHEATED;
    return ts_known_point_verify(place, point);
}
