#include "mpc/keygen_message.h"

#include "mpc/message.h"

#include <string.h>

void
ts_keygen_start_encode(struct ts_buf *out, const struct ts_keygen_start *message)
{
    const char *curve = ts_curve_name(message->curve);

    ts_item_put(out, "curve", curve, strlen(curve));
    ts_item_put(out, "key", message->key, sizeof message->key);
    ts_item_put(out, "pairing", message->pairing, sizeof message->pairing);
    ts_item_put(out, "n1", message->n1, sizeof message->n1);
}

enum ts_error
ts_keygen_start_decode(struct ts_keygen_start *out, const uint8_t *in, size_t len)
{
    struct ts_reader reader;
    size_t curve_len = 0;

    ts_reader_init(&reader, in, len);
    const uint8_t *curve = ts_item_take(&curve_len, &reader, "curve");
    out->curve = curve ? ts_curve_by_name((const char *)curve, curve_len) : TS_CURVE_NONE;
    ts_message_take_bytes(out->key, &reader, "key", sizeof out->key);
    ts_message_take_bytes(out->pairing, &reader, "pairing", sizeof out->pairing);
    ts_message_take_bytes(out->n1, &reader, "n1", sizeof out->n1);
    return ts_message_end(&reader, NULL);
}

void
ts_nonce_encode(struct ts_buf *out, const uint8_t n2[TS_NONCE_BYTES])
{
    ts_item_put(out, "n2", n2, TS_NONCE_BYTES);
}

enum ts_error
ts_nonce_decode(uint8_t n2[TS_NONCE_BYTES], const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_message_take_bytes(n2, &reader, "n2", TS_NONCE_BYTES);
    return ts_message_end(&reader, NULL);
}

void
ts_committed_encode(struct ts_buf *out, const uint8_t c[TS_HASH_BYTES])
{
    ts_item_put(out, "c", c, TS_HASH_BYTES);
}

enum ts_error
ts_committed_decode(uint8_t c[TS_HASH_BYTES], const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_message_take_bytes(c, &reader, "c", TS_HASH_BYTES);
    return ts_message_end(&reader, NULL);
}

void
ts_keygen_point_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_known_point *X2)
{
    ts_known_point_put(out, group, X2);
}

enum ts_error
ts_keygen_point_decode(
    struct ts_known_point *X2, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_known_point_take(X2, scope, &reader, group);
    return ts_message_end(&reader, scope);
}

void
ts_keygen_opening_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_keygen_opening *message)
{
    ts_known_point_put(out, group, &message->X1);
    ts_item_put(out, "u", message->u, sizeof message->u);
    ts_share_put(out, group, &message->share);
}

enum ts_error
ts_keygen_opening_decode(struct ts_keygen_opening *out, struct ts_scope *scope, const struct ts_group *group,
    uint32_t bits, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_known_point_take(&out->X1, scope, &reader, group);
    ts_message_take_bytes(out->u, &reader, "u", sizeof out->u);
    ts_share_take(&out->share, scope, &reader, group, bits);
    return ts_message_end(&reader, scope);
}
