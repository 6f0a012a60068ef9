#include "mpc/presign_message.h"

#include "mpc/machine.h"
#include "mpc/message.h"

void
ts_presign_count_put(struct ts_buf *out, uint32_t count)
{
    ts_item_put_u32(out, "count", count);
}

uint32_t
ts_presign_count_take(struct ts_reader *in)
{
    uint32_t count = ts_item_take_u32(in, "count");

    return in->error == TS_OK && count <= TS_BATCH_MAX ? count : 0;
}

void
ts_presign_commitment_put(struct ts_buf *out, const uint8_t c[TS_HASH_BYTES])
{
    ts_item_put(out, "c", c, TS_HASH_BYTES);
}

void
ts_presign_commitment_take(uint8_t c[TS_HASH_BYTES], struct ts_reader *in)
{
    ts_message_take_bytes(c, in, "c", TS_HASH_BYTES);
}

void
ts_presign_reply_put(struct ts_buf *out, const struct ts_group *group, const struct ts_presign_reply *reply)
{
    ts_known_point_put(out, group, &reply->R2);
    ts_item_put(out, "cn", reply->cn, sizeof reply->cn);
}

void
ts_presign_reply_take(
    struct ts_presign_reply *reply, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group)
{
    ts_known_point_take(&reply->R2, scope, in, group);
    ts_message_take_bytes(reply->cn, in, "cn", sizeof reply->cn);
}

void
ts_presign_opening_put(struct ts_buf *out, const struct ts_group *group, const struct ts_presign_opening *opening)
{
    ts_known_point_put(out, group, &opening->R1);
    ts_item_put(out, "u", opening->u, sizeof opening->u);
}

void
ts_presign_opening_take(
    struct ts_presign_opening *opening, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group)
{
    ts_known_point_take(&opening->R1, scope, in, group);
    ts_message_take_bytes(opening->u, in, "u", sizeof opening->u);
}

void
ts_presign_affine_put(struct ts_buf *out, const struct ts_group *group, const struct ts_presign_affine *affine)
{
    ts_item_put_int(out, "D", affine->D);
    ts_affine_range_encode(out, group, &affine->proof);
}

void
ts_presign_affine_take(struct ts_presign_affine *affine, struct ts_scope *scope, struct ts_reader *in,
    const struct ts_group *group, uint32_t bits)
{
    affine->D = ts_item_take_int(scope, in, "D", bits / 4); /* below N^2 */
    enum ts_error error = ts_affine_range_decode(&affine->proof, scope, in, group, bits);
    if (error != TS_OK)
        ts_scope_fail(scope, error);
}
