#include "mpc/presig.h"

#include "base/secret.h"
#include "mpc/sign_message.h"
#include "mpc/signature.h"

#include <string.h>

/** The end of a signature, P1's side. Source: protocol.md 7, protocol-equations.md 5. */

/* The message side of a signature, all of it P1's own but the answer. */
struct request {
    const uint8_t *bytes;
    size_t len;
    const uint8_t *digest;
    size_t digest_len;
    const uint8_t *answer;
    size_t answer_len;
};

void
ts_presig_p1_free(struct ts_presig_p1 *presig)
{
    ts_secret_free(presig);
}

bool
ts_presig_p1_belongs(const struct ts_presig_p1 *presig, const struct ts_half *half)
{
    return presig->state != TS_PRESIG_NONE && presig->owner.generation == half->generation &&
           memcmp(presig->owner.key, half->key, sizeof half->key) == 0;
}

/* delta, as P2 must have computed it, from the nonce that it committed to before it knew the request. */
static const struct ts_num *
delta_of(struct ts_scope *scope, const struct ts_presig_owner *owner, const struct ts_presig_p1_values *values,
    const struct ts_sign_p1_input *in, const struct ts_point *R, const struct request *request,
    const uint8_t nonce[TS_NONCE_BYTES])
{
    struct ts_place place = owner->place;
    uint8_t cn[TS_HASH_BYTES];
    uint8_t rq[TS_HASH_BYTES];

    enum ts_error error = ts_request_hash(rq, &place, request->bytes, request->len);
    place.role = TS_ROLE_P2;
    if (error == TS_OK)
        error = ts_nonce_commitment(cn, &place, nonce);
    if (error == TS_OK && !ts_equal(cn, values->cn, sizeof cn))
        error = TS_CHEATED;
    if (error == TS_OK)
        return ts_delta(scope, &place, in->X, R, in->h, rq, nonce);
    ts_scope_fail(scope, error);
    return NULL;
}

static enum ts_error
combine(uint8_t *signature, struct ts_scope *scope, const struct ts_presig_owner *owner,
    const struct ts_presig_p1_values *values, const struct request *request)
{
    const struct ts_group *group = ts_mpc_group(owner->place.mpc, owner->place.curve);
    size_t scalar_len = ts_group_scalar_bytes(group);
    size_t point_len = ts_group_point_bytes(group);
    struct ts_sign_answer answer = {0};

    enum ts_error error = ts_sign_answer_decode(&answer, scope, group, request->answer, request->answer_len);
    if (error != TS_OK)
        return error;
    const struct ts_point *R = ts_point_decode(scope, group, values->R, point_len);
    struct ts_sign_p1_input in = {.X = ts_point_decode(scope, group, owner->X, point_len),
        .k1 = ts_num_from_bytes(scope, values->k1, scalar_len),
        .V = ts_num_from_bytes(scope, values->V, scalar_len),
        .h = ts_digest_to_num(scope, group, request->digest, request->digest_len),
        .sigma = answer.sigma};
    error = ts_scope_error(scope);
    if (error != TS_OK)
        return error;
    in.delta = delta_of(scope, owner, values, &in, R, request, answer.nonce);
    if (in.delta)
        in.r = ts_rerandomised_r(scope, group, in.delta, R);
    const struct ts_num *s = in.r ? ts_sign_p1(scope, group, &in) : NULL;
    return s ? ts_signature_encode(signature, group, in.r, s) : ts_scope_error(scope);
}

enum ts_error
ts_presig_p1_finish(uint8_t *signature, struct ts_presig_p1 *presig, const uint8_t *request, size_t request_len,
    const uint8_t *digest, size_t digest_len, const uint8_t *answer, size_t answer_len)
{
    const struct request all = {request, request_len, digest, digest_len, answer, answer_len};
    struct ts_presig_p1_values values;
    struct ts_scope *scope = NULL;

    if (!presig || presig->state != TS_PRESIG_READY)
        return TS_USAGE;
    /* Erased before it is used, so that no way out of here leaves it to a second request. */
    values = presig->values;
    ts_wipe(&presig->values, sizeof presig->values);
    presig->state = TS_PRESIG_USED;
    enum ts_error error = ts_scope_borrow(&scope, presig->owner.place.mpc);
    if (error == TS_OK)
        error = combine(signature, scope, &presig->owner, &values, &all);
    ts_wipe(&values, sizeof values);
    ts_scope_return(presig->owner.place.mpc, scope);
    return error;
}
