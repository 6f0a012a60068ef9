#include "mpc/proof_parts.h"

bool
ts_is_modulus(const struct ts_num *N, uint32_t bits)
{
    return N && !ts_num_is_negative_vartime(N) && ts_num_is_odd_vartime(N) && ts_num_bits_vartime(N) == bits;
}

bool
ts_all_units(const struct ts_num *const *values, size_t count, const struct ts_num *m)
{
    return ts_num_are_units_vartime(values, count, m, m);
}

bool
ts_is_point(const struct ts_group *group, const struct ts_point *p)
{
    return group && p && !ts_point_is_infinity(group, p);
}

enum ts_error
ts_verdict(const struct ts_mpc *mpc, struct ts_scope *scope, bool accepted)
{
    enum ts_error failure = ts_scope_error(scope);
    enum ts_error error = TS_CHEATED;

    if (failure == TS_INTERNAL)
        error = TS_INTERNAL;
    else if (failure == TS_OK && accepted)
        error = TS_OK;
    ts_scope_return(mpc, scope);
    return error;
}

enum ts_error
ts_decoded(struct ts_scope *scope, const struct ts_reader *in)
{
    if (in->error != TS_OK)
        ts_scope_fail(scope, in->error);
    return ts_scope_error(scope);
}

struct ts_stream *
ts_prover_stream(struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge, const char *name,
    struct ts_buf *statement)
{
    uint8_t bind[TS_HASH_BYTES];
    enum ts_error error = ts_hash_32(bind, place->mpc, statement);

    ts_buf_clear(statement);
    if (error != TS_OK) {
        ts_scope_fail(scope, error);
        return NULL;
    }
    return ts_hedge_stream(scope, place, hedge, name, bind, sizeof bind);
}

const struct ts_num *
ts_challenge(struct ts_scope *scope, const struct ts_place *place, struct ts_buf *transcript)
{
    const struct ts_num *e = ts_hash_e(scope, place->mpc, transcript);

    ts_buf_clear(transcript);
    return e;
}

void
ts_put_verifier(struct ts_buf *out, const struct ts_pedersen *v)
{
    ts_item_put_int(out, "Nv", ts_modulus_num(v->N));
    ts_item_put_int(out, "sv", v->s);
    ts_item_put_int(out, "tv", v->t);
}

bool
ts_commitment_holds(struct ts_scope *scope, const struct ts_pedersen *v, const struct ts_num *x, const struct ts_num *y,
    const struct ts_num *first, const struct ts_num *power, const struct ts_num *e)
{
    const struct ts_num *left = ts_pedersen_commit_vartime(scope, v, x, y);
    const struct ts_num *right = ts_mod_mul(scope, first, ts_mod_power_vartime(scope, power, e, v->N), v->N);

    return ts_num_equal_vartime(left, right);
}

const struct ts_num *
ts_response(struct ts_scope *scope, const struct ts_num *mask, const struct ts_num *e, const struct ts_num *secret)
{
    const struct ts_num *z = ts_num_add(scope, mask, ts_num_mul(scope, e, secret));

    return ts_num_publish(z, "a response of a proof, hidden by its mask");
}
