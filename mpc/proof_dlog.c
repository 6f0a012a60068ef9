#include "mpc/proof_parts.h"

/* Schnorr's proof, protocol-equations.md 4.1. */

#define NAME "dlog"
#define COMMITTED_MAX ((size_t)512) /* W, K and z with P-521 take 363 bytes */

static const struct ts_group *
group_of(const struct ts_place *place)
{
    return ts_mpc_group(place->mpc, place->curve);
}

static void
put_statement(struct ts_buf *out, const struct ts_place *place, const struct ts_point *W)
{
    ts_transcript_init(out, place, NAME);
    ts_item_put_point(out, "W", group_of(place), W);
}

const struct ts_num *
ts_dlog_challenge(
    struct ts_scope *scope, const struct ts_place *place, const struct ts_point *W, const struct ts_point *K)
{
    struct ts_buf transcript;

    put_statement(&transcript, place, W);
    ts_item_put_point(&transcript, "K", group_of(place), K);
    const struct ts_num *e = ts_hash_q(scope, place->mpc, place->curve, &transcript);
    ts_buf_clear(&transcript);
    return e;
}

enum ts_error
ts_dlog_prove(struct ts_dlog *out, struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge,
    const struct ts_point *W, const struct ts_num *w)
{
    const struct ts_group *group = group_of(place);
    const struct ts_modulus *q = group ? ts_group_order(group) : NULL;
    uint8_t bind[TS_HASH_BYTES];
    struct ts_buf statement;

    put_statement(&statement, place, W);
    enum ts_error error = ts_hash_32(bind, place->mpc, &statement);
    ts_buf_clear(&statement);
    if (error != TS_OK) {
        ts_scope_fail(scope, error);
        return error;
    }
    const struct ts_num *k = ts_hedge_scalar(scope, place, hedge, "k", bind, sizeof bind, false);
    out->K = ts_point_mul_base(scope, group, k);
    const struct ts_num *e = ts_dlog_challenge(scope, place, W, out->K);
    const struct ts_num *z = ts_mod_add(scope, k, ts_mod_mul(scope, e, ts_mod(scope, w, q), q), q);
    out->z = ts_num_publish(z, "the response of dlog, hidden by its mask");
    return ts_scope_error(scope);
}

/* z G = K + e W, written as z G - e W = K. */
static bool
equation_holds(
    struct ts_scope *scope, const struct ts_place *place, const struct ts_point *W, const struct ts_dlog *proof)
{
    const struct ts_group *group = group_of(place);
    const struct ts_num *e = ts_dlog_challenge(scope, place, W, proof->K);
    const struct ts_point *K = ts_point_mul2_vartime(scope, group, proof->z, ts_num_neg(scope, e), W);

    return ts_point_equal(group, K, proof->K);
}

enum ts_error
ts_dlog_verify(const struct ts_place *place, const struct ts_point *W, const struct ts_dlog *proof)
{
    const struct ts_group *group = group_of(place);
    struct ts_scope *scope;

    if (ts_scope_borrow(&scope, place->mpc) != TS_OK)
        return TS_INTERNAL;
    bool accepted = ts_is_point(group, W) && ts_is_point(group, proof->K) &&
                    ts_num_is_reduced_vartime(proof->z, ts_modulus_num(ts_group_order(group))) &&
                    equation_holds(scope, place, W, proof);
    return ts_verdict(place->mpc, scope, accepted);
}

void
ts_dlog_encode(struct ts_buf *out, const struct ts_group *group, const struct ts_dlog *proof)
{
    ts_item_put_point(out, "K", group, proof->K);
    ts_item_put_int(out, "z", proof->z);
}

enum ts_error
ts_dlog_decode(struct ts_dlog *out, struct ts_scope *scope, struct ts_reader *in, const struct ts_group *group)
{
    out->K = ts_item_take_point(scope, in, "K", group);
    out->z = ts_item_take_int(scope, in, "z", ts_group_scalar_bytes(group));
    return ts_decoded(scope, in);
}

enum ts_error
ts_dlog_commitment(uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const struct ts_point *W,
    const struct ts_dlog *proof, const uint8_t u[TS_NONCE_BYTES])
{
    struct ts_buf value;

    ts_buf_init(&value, COMMITTED_MAX);
    ts_item_put_point(&value, "W", group_of(place), W);
    ts_dlog_encode(&value, group_of(place), proof);
    enum ts_error error = ts_buf_error(&value);
    if (error == TS_OK)
        error = ts_commitment(out, place, value.data, value.len, u);
    ts_buf_clear(&value);
    return error;
}
