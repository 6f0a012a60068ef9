#include "mpc/pair_message.h"

#include "mpc/message.h"

void
ts_pair_init_encode(struct ts_buf *out, const struct ts_pair_init *message)
{
    ts_item_put(out, "pairing", message->id, sizeof message->id);
    ts_item_put_u32(out, "bits", message->bits);
    ts_item_put(out, "n1", message->n1, sizeof message->n1);
}

enum ts_error
ts_pair_init_decode(struct ts_pair_init *out, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_message_take_bytes(out->id, &reader, "pairing", sizeof out->id);
    out->bits = ts_item_take_u32(&reader, "bits");
    ts_message_take_bytes(out->n1, &reader, "n1", sizeof out->n1);
    return ts_message_end(&reader, NULL);
}

void
ts_pair_params2_encode(struct ts_buf *out, const struct ts_pair_params2 *message)
{
    ts_item_put(out, "n2", message->n2, sizeof message->n2);
    ts_item_put_int(out, "Nh", message->N);
    ts_item_put_int(out, "sh", message->s);
    ts_item_put_int(out, "th", message->t);
    ts_ring_pedersen_encode(out, &message->ring);
}

enum ts_error
ts_pair_params2_decode(
    struct ts_pair_params2 *out, struct ts_scope *scope, const uint8_t *in, size_t len, uint32_t bits)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_message_take_bytes(out->n2, &reader, "n2", sizeof out->n2);
    out->N = ts_message_take_modulus(scope, &reader, "Nh", bits);
    out->s = ts_item_take_int(scope, &reader, "sh", bits / 8);
    out->t = ts_item_take_int(scope, &reader, "th", bits / 8);
    enum ts_error error = ts_ring_pedersen_decode(&out->ring, scope, &reader, bits);
    return error == TS_OK ? ts_message_end(&reader, scope) : error;
}

void
ts_pair_params1_encode(struct ts_buf *out, const struct ts_pair_params1 *message)
{
    ts_item_put_int(out, "N", message->N);
    ts_item_put_int(out, "s", message->s);
    ts_item_put_int(out, "t", message->t);
    ts_ring_pedersen_encode(out, &message->ring);
    ts_paillier_blum_encode(out, &message->blum);
    ts_no_small_factor_encode(out, &message->factor);
}

enum ts_error
ts_pair_params1_decode(
    struct ts_pair_params1 *out, struct ts_scope *scope, const uint8_t *in, size_t len, uint32_t bits)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    out->N = ts_message_take_modulus(scope, &reader, "N", bits);
    out->s = ts_item_take_int(scope, &reader, "s", bits / 8);
    out->t = ts_item_take_int(scope, &reader, "t", bits / 8);
    enum ts_error error = ts_ring_pedersen_decode(&out->ring, scope, &reader, bits);
    if (error == TS_OK)
        error = ts_paillier_blum_decode(&out->blum, scope, &reader, bits);
    if (error == TS_OK)
        error = ts_no_small_factor_decode(&out->factor, scope, &reader, bits);
    return error == TS_OK ? ts_message_end(&reader, scope) : error;
}
