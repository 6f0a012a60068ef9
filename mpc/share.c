#include "mpc/share.h"

/* Encryption randomness, bound to what is encrypted for whom. */
static const struct ts_num *
draw_rho(struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const struct ts_pairing *pairing, const struct ts_point *X1)
{
    const struct ts_num *N = ts_modulus_num(pairing->paillier.N);
    struct ts_buf transcript;
    uint8_t bind[TS_HASH_BYTES];

    ts_transcript_init(&transcript, place, "C");
    ts_item_put_int(&transcript, "N", N);
    ts_item_put_point(&transcript, "X", ts_mpc_group(place->mpc, place->curve), X1);
    enum ts_error error = ts_hash_32(bind, place->mpc, &transcript);
    ts_buf_clear(&transcript);
    if (error != TS_OK) {
        ts_scope_fail(scope, error);
        return NULL;
    }
    struct ts_stream *stream = ts_hedge_stream(scope, place, hedge, "C", bind, sizeof bind);
    return stream ? ts_stream_unit(stream, N) : NULL;
}

enum ts_error
ts_share_make(struct ts_share *out, struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const struct ts_pairing *pairing, const struct ts_num *x, const struct ts_point *X1)
{
    const struct ts_num *rho = draw_rho(scope, place, hedge, pairing, X1);
    const struct ts_num *C = ts_paillier_encrypt_crt(scope, &pairing->own, x, rho);

    out->C = ts_num_publish(C, "the encrypted share is sent");
    enum ts_error error = ts_scope_error(scope);
    if (error != TS_OK)
        return error;
    return ts_enc_range_dlog_prove_trapdoor(
        &out->proof, scope, place, hedge, &pairing->own, out->C, X1, &pairing->p2, x, rho);
}

void
ts_share_put(struct ts_buf *out, const struct ts_group *group, const struct ts_share *share)
{
    ts_item_put_int(out, "C", share->C);
    ts_enc_range_dlog_encode(out, group, &share->proof);
}

void
ts_share_take(
    struct ts_share *out, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group, uint32_t bits)
{
    out->C = ts_item_take_int(scope, in, "C", bits / 4); /* below N^2 */
    enum ts_error error = ts_enc_range_dlog_decode(&out->proof, scope, in, group, bits);
    if (error != TS_OK)
        ts_scope_fail(scope, error);
}

enum ts_error
ts_share_verify(const struct ts_place *place, const struct ts_pairing *pairing, const struct ts_point *X1,
    const struct ts_share *share)
{
    return ts_enc_range_dlog_verify(place, &pairing->paillier, share->C, X1, &pairing->p2, &share->proof);
}

enum ts_error
ts_half_join(struct ts_half *half, const struct ts_mpc *mpc)
{
    const struct ts_group *group = ts_mpc_group(mpc, half->curve);

    half->X = ts_point_add(half->scope, group, half->X1, half->X2);
    if (!half->X)
        return ts_scope_error(half->scope);
    return ts_point_is_infinity(group, half->X) ? TS_CHEATED : TS_OK;
}
