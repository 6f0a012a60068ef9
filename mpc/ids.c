#include "mpc/transcript.h"

#include <stdio.h>
#include <string.h>

/* Room for a payload's label and length beside it, generously. */
#define PER_PAYLOAD ((size_t)32)
/* item("d", .) of a scalar takes 77 bytes with P-521. */
#define COIN_MAX ((size_t)128)

static enum ts_error
finish(uint8_t out[TS_HASH_BYTES], const struct ts_mpc *mpc, struct ts_buf *transcript)
{
    enum ts_error error = ts_hash_32(out, mpc, transcript);

    ts_buf_clear(transcript);
    return error;
}

static void
put_pedersen(struct ts_buf *out, const char *const labels[3], const struct ts_pedersen *key)
{
    ts_item_put_int(out, labels[0], ts_modulus_num(key->N));
    ts_item_put_int(out, labels[1], key->s);
    ts_item_put_int(out, labels[2], key->t);
}

enum ts_error
ts_aux_hash(
    uint8_t out[TS_HASH_BYTES], const struct ts_mpc *mpc, const struct ts_pedersen *p1, const struct ts_pedersen *p2)
{
    static const char *const labels1[] = {"N", "s", "t"};
    static const char *const labels2[] = {"Nh", "sh", "th"};
    const struct ts_place nowhere = {.mpc = mpc};
    struct ts_buf transcript;

    ts_transcript_init(&transcript, &nowhere, "aux");
    put_pedersen(&transcript, labels1, p1);
    put_pedersen(&transcript, labels2, p2);
    return finish(out, mpc, &transcript);
}

enum ts_error
ts_sid(uint8_t out[TS_SID_BYTES], const struct ts_mpc *mpc, const struct ts_sid_fields *fields)
{
    const struct ts_place nowhere = {.mpc = mpc, .curve = fields->curve};
    struct ts_buf transcript;

    ts_transcript_init(&transcript, &nowhere, "sid");
    ts_item_put(&transcript, "pairing", fields->pairing, fields->pairing_len);
    ts_item_put(&transcript, "key", fields->key, fields->key_len);
    ts_item_put_u32(&transcript, "generation", fields->generation);
    ts_item_put(&transcript, "purpose", fields->purpose, strlen(fields->purpose));
    ts_item_put(&transcript, "aux", fields->aux, fields->aux_len);
    ts_item_put(&transcript, "public", fields->public_key, fields->public_key_len);
    ts_item_put(&transcript, "n1", fields->n1, TS_NONCE_BYTES);
    ts_item_put(&transcript, "n2", fields->n2, TS_NONCE_BYTES);
    ts_item_put_u64(&transcript, "batch", fields->batch);
    return finish(out, mpc, &transcript);
}

enum ts_error
ts_commitment(
    uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const uint8_t *value, size_t len, const uint8_t u[32])
{
    struct ts_buf transcript;

    ts_transcript_init(&transcript, place, "commit");
    ts_item_put(&transcript, "value", value, len);
    ts_item_put(&transcript, "u", u, TS_NONCE_BYTES);
    return finish(out, place->mpc, &transcript);
}

enum ts_error
ts_coin_commitment(
    uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const struct ts_num *d1, const uint8_t u[32])
{
    struct ts_buf value;

    ts_buf_init(&value, COIN_MAX);
    ts_item_put_int(&value, "d", d1);
    enum ts_error error = ts_buf_error(&value);
    if (error == TS_OK)
        error = ts_commitment(out, place, value.data, value.len, u);
    ts_buf_clear(&value);
    return error;
}

enum ts_error
ts_nonce_commitment(uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const uint8_t nonce[32])
{
    struct ts_buf transcript;

    ts_transcript_init(&transcript, place, "nonce_commit");
    ts_item_put(&transcript, "nonce", nonce, TS_NONCE_BYTES);
    return finish(out, place->mpc, &transcript);
}

enum ts_error
ts_request_hash(uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const uint8_t *request, size_t len)
{
    struct ts_buf transcript;

    ts_transcript_init(&transcript, place, "request");
    ts_item_put(&transcript, "bytes", request, len);
    return finish(out, place->mpc, &transcript);
}

enum ts_error
ts_confirmation(uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const struct ts_bytes *payloads, size_t count)
{
    struct ts_buf transcript;

    ts_transcript_init(&transcript, place, "confirm");
    /* Pairing's payloads and large batches are longer than the bound that fits every proof. */
    for (size_t i = 0; i < count; i++)
        transcript.max += payloads[i].len + PER_PAYLOAD;
    for (size_t i = 0; i < count; i++) {
        char label[24];
        snprintf(label, sizeof label, "m%zu", i + 1);
        ts_item_put(&transcript, label, payloads[i].data, payloads[i].len);
    }
    return finish(out, place->mpc, &transcript);
}

/* The leftmost min(l, 8 len) bits; never more than one byte beyond l bits is read. */
static const struct ts_num *
leftmost(struct ts_scope *scope, const struct ts_group *group, const uint8_t *digest, size_t len)
{
    size_t bits = ts_group_bits(group);
    size_t used = (bits + 7) / 8 < len ? (bits + 7) / 8 : len;
    const struct ts_num *value = ts_num_from_bytes(scope, digest, used);
    size_t extra = 8 * used > bits ? 8 * used - bits : 0;

    return extra ? ts_num_div(scope, value, ts_num_power_of_two(scope, extra)) : value;
}

const struct ts_num *
ts_digest_to_num(struct ts_scope *scope, const struct ts_group *group, const uint8_t *digest, size_t len)
{
    const struct ts_num *h = NULL;

    if (len > 0)
        h = ts_mod(scope, leftmost(scope, group, digest, len), ts_group_order(group));
    if (!h || ts_num_is_zero_vartime(h)) {
        ts_scope_fail(scope, TS_FORMAT);
        return NULL;
    }
    return h;
}

const struct ts_num *
ts_delta(struct ts_scope *scope, const struct ts_place *place, const struct ts_point *X, const struct ts_point *R,
    const struct ts_num *h, const uint8_t request_hash[32], const uint8_t nonce[32])
{
    const struct ts_group *group = ts_mpc_group(place->mpc, place->curve);
    struct ts_buf transcript;

    ts_transcript_init(&transcript, place, "rerandomise");
    ts_item_put_point(&transcript, "X", group, X);
    ts_item_put_point(&transcript, "R", group, R);
    ts_item_put_int(&transcript, "h", h);
    ts_item_put(&transcript, "request", request_hash, TS_HASH_BYTES);
    ts_item_put(&transcript, "nonce", nonce, TS_NONCE_BYTES);
    const struct ts_num *delta = ts_hash_q(scope, place->mpc, place->curve, &transcript);
    ts_buf_clear(&transcript);
    if (!delta || !ts_num_is_zero_vartime(delta))
        return delta;
    ts_scope_fail(scope, TS_CHEATED);
    return NULL;
}
