#include "mpc/half_make.h"

#include "base/secret.h"
#include "mpc/message.h"

#include <string.h>

#define HALF_VERSION 1
#define CIPHERTEXT_MAX ((size_t)2 * 4096 / 8)

enum ts_error
ts_half_new(struct ts_half **out)
{
    struct ts_scope *scope = NULL;

    *out = NULL;
    if (ts_scope_new(&scope) != TS_OK)
        return TS_INTERNAL;
    struct ts_half *half = ts_scope_memory(scope, sizeof *half);
    if (!half) {
        ts_scope_free(scope);
        return TS_INTERNAL;
    }
    half->scope = scope;
    half->C_table = ts_table_slot_new(scope);
    if (!half->C_table) {
        ts_scope_free(scope);
        return TS_INTERNAL;
    }
    *out = half;
    return TS_OK;
}

/* The half itself lies in its scope. */
void
ts_half_free(struct ts_half *half)
{
    if (half)
        ts_scope_free(half->scope);
}

enum ts_error
ts_half_encode(struct ts_buf *out, const struct ts_mpc *mpc, const struct ts_half *half)
{
    const struct ts_group *group = ts_mpc_group(mpc, half->curve);
    const char *curve = ts_curve_name(half->curve);
    uint8_t x[TS_SCALAR_MAX_BYTES];

    if (!group)
        return TS_INTERNAL;
    enum ts_error error = ts_num_to_bytes(x, ts_group_scalar_bytes(group), half->x);
    ts_item_put_u32(out, "version", HALF_VERSION);
    ts_item_put(out, "role", &half->role, 1);
    ts_item_put(out, "curve", curve, strlen(curve));
    ts_item_put(out, "key", half->key, sizeof half->key);
    ts_item_put_u32(out, "generation", half->generation);
    ts_item_put(out, "aux", half->aux, sizeof half->aux);
    ts_item_put_point(out, "X1", group, half->X1);
    ts_item_put_point(out, "X2", group, half->X2);
    ts_item_put_point(out, "X", group, half->X);
    ts_item_put_int(out, "C", half->C);
    ts_item_put(out, "hk", half->hk, sizeof half->hk);
    if (error == TS_OK)
        ts_item_put(out, "x", x, ts_group_scalar_bytes(group));
    ts_wipe(x, sizeof x);
    return error == TS_OK && ts_buf_error(out) == TS_OK ? TS_OK : TS_INTERNAL;
}

static const struct ts_group *
take_head(struct ts_half *half, const struct ts_mpc *mpc, struct ts_reader *in)
{
    uint32_t version = ts_item_take_u32(in, "version");
    size_t len = 0;

    ts_message_take_bytes(&half->role, in, "role", 1);
    const uint8_t *curve = ts_item_take(&len, in, "curve");
    if (!curve || version != HALF_VERSION || (half->role != TS_ROLE_P1 && half->role != TS_ROLE_P2))
        return NULL;
    half->curve = ts_curve_by_name((const char *)curve, len);
    ts_message_take_bytes(half->key, in, "key", sizeof half->key);
    half->generation = ts_item_take_u32(in, "generation");
    ts_message_take_bytes(half->aux, in, "aux", sizeof half->aux);
    return ts_mpc_group(mpc, half->curve);
}

static enum ts_error
take_numbers(struct ts_half *half, const struct ts_group *group, struct ts_reader *in)
{
    struct ts_scope *scope = half->scope;
    size_t scalar_len = ts_group_scalar_bytes(group);

    half->X1 = ts_item_take_point(scope, in, "X1", group);
    half->X2 = ts_item_take_point(scope, in, "X2", group);
    half->X = ts_item_take_point(scope, in, "X", group);
    half->C = ts_item_take_int(scope, in, "C", CIPHERTEXT_MAX);
    ts_message_take_bytes(half->hk, in, "hk", sizeof half->hk);
    const uint8_t *x = ts_item_take_exact(in, "x", scalar_len);
    half->x = x ? ts_num_from_bytes(scope, x, scalar_len) : NULL;
    return ts_message_end(in, scope);
}

/* x in [1, q), the points in their relations; only a good half makes all of them true. */
static bool
fits(struct ts_half *half, const struct ts_group *group)
{
    struct ts_scope *scope = half->scope;
    const struct ts_point *own = half->role == TS_ROLE_P1 ? half->X1 : half->X2;
    unsigned bad = ts_num_is_zero(half->x) | (ts_num_less(half->x, ts_modulus_num(ts_group_order(group))) ^ 1);

    if (ts_choice_publish(bad, "a share outside [1, q) is damaged, and refused"))
        return false;
    if (ts_num_is_zero_vartime(half->C) || ts_num_is_negative_vartime(half->C))
        return false;
    return ts_point_equal(group, ts_point_mul_base(scope, group, half->x), own) &&
           ts_point_equal(group, ts_point_add(scope, group, half->X1, half->X2), half->X);
}

enum ts_error
ts_half_decode(struct ts_half **out, const struct ts_mpc *mpc, const uint8_t *bytes, size_t len)
{
    struct ts_half *half = NULL;
    struct ts_reader reader;

    *out = NULL;
    ts_reader_init(&reader, bytes, len);
    enum ts_error error = ts_half_new(&half);
    if (error != TS_OK)
        return error;
    const struct ts_group *group = take_head(half, mpc, &reader);
    error = group ? take_numbers(half, group, &reader) : TS_FORMAT;
    if (error == TS_OK && !fits(half, group)) {
        error = ts_scope_error(half->scope);
        error = error == TS_OK ? TS_FORMAT : error;
    }
    if (error == TS_OK)
        *out = half;
    else
        ts_half_free(half);
    return error == TS_OK || error == TS_INTERNAL ? error : TS_FORMAT;
}
