#include "mpc/transcript.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* Integers, points and items. First byte: 0 an integer, 1 to 4 a point of that curve, else items. What is accepted is
 * the one encoding of its value. */

static struct ts_env env;
static struct ts_mpc *mpc;

static void
read_int(struct ts_scope *scope, const uint8_t *data, size_t size)
{
    const struct ts_num *z = ts_int_decode(scope, data, size, 64);
    struct ts_buf again;

    if (!z)
        return;
    ts_buf_init(&again, 128);
    fuzz_need(ts_int_encode(&again, z) == TS_OK && again.len == size && memcmp(again.data, data, size) == 0);
    ts_buf_clear(&again);
}

static void
read_point(struct ts_scope *scope, enum ts_curve curve, const uint8_t *data, size_t size)
{
    const struct ts_group *group = ts_mpc_group(mpc, curve);
    const struct ts_point *p = ts_point_decode(scope, group, data, size);
    uint8_t again[TS_POINT_MAX_BYTES];

    if (!p)
        return;
    fuzz_need(size == ts_group_point_bytes(group) && !ts_point_is_infinity(group, p));
    fuzz_need(ts_point_encode(again, group, p) == TS_OK && memcmp(again, data, size) == 0);
}

static void
read_items(struct ts_scope *scope, const uint8_t *data, size_t size)
{
    struct ts_reader in;
    size_t len;

    ts_reader_init(&in, data, size);
    const uint8_t *value = ts_item_take(&len, &in, "a");
    if (value)
        fuzz_need(value >= data && len <= size && value + len <= data + size);
    (void)ts_item_take_u32(&in, "b");
    (void)ts_item_take_int(scope, &in, "c", 32);
    (void)ts_item_take_point(scope, &in, "d", ts_mpc_group(mpc, TS_CURVE_P256));
    (void)ts_reader_end(&in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ts_scope *scope = NULL;

    if (!mpc)
        fuzz_need(ts_env_init(&env) == TS_OK && ts_mpc_new(&mpc, &env) == TS_OK);
    if (size < 1)
        return 0;
    fuzz_need(ts_scope_new(&scope) == TS_OK);
    if (data[0] == 0)
        read_int(scope, data + 1, size - 1);
    else if (data[0] <= TS_CURVE_P521)
        read_point(scope, (enum ts_curve)data[0], data + 1, size - 1);
    else
        read_items(scope, data + 1, size - 1);
    ts_scope_free(scope);
    return 0;
}
