#include "mpc/refresh_message.h"

#include "mpc/message.h"

void
ts_refresh_start_encode(struct ts_buf *out, const struct ts_refresh_start *message)
{
    ts_item_put(out, "key", message->key, sizeof message->key);
    ts_item_put(out, "pairing", message->pairing, sizeof message->pairing);
    ts_item_put_u32(out, "generation", message->generation);
    ts_item_put(out, "n1", message->n1, sizeof message->n1);
}

enum ts_error
ts_refresh_start_decode(struct ts_refresh_start *out, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_message_take_bytes(out->key, &reader, "key", sizeof out->key);
    ts_message_take_bytes(out->pairing, &reader, "pairing", sizeof out->pairing);
    out->generation = ts_item_take_u32(&reader, "generation");
    ts_message_take_bytes(out->n1, &reader, "n1", sizeof out->n1);
    return ts_message_end(&reader, NULL);
}

void
ts_coin_encode(struct ts_buf *out, const struct ts_num *d2)
{
    ts_item_put_int(out, "d", d2);
}

enum ts_error
ts_coin_decode(
    const struct ts_num **d2, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    *d2 = ts_message_take_scalar(scope, &reader, "d", group);
    return ts_message_end(&reader, scope);
}

void
ts_refresh_opening_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_refresh_opening *message)
{
    ts_item_put_int(out, "d", message->d1);
    ts_item_put(out, "u", message->u, sizeof message->u);
    ts_share_put(out, group, &message->share);
}

enum ts_error
ts_refresh_opening_decode(struct ts_refresh_opening *out, struct ts_scope *scope, const struct ts_group *group,
    uint32_t bits, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    out->d1 = ts_message_take_scalar(scope, &reader, "d", group);
    ts_message_take_bytes(out->u, &reader, "u", sizeof out->u);
    ts_share_take(&out->share, scope, &reader, group, bits);
    return ts_message_end(&reader, scope);
}
