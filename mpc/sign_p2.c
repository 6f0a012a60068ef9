#include "mpc/presig.h"

#include "base/secret.h"
#include "mpc/sign_message.h"
#include "mpc/signature.h"

#include <string.h>

/** One presignature, one request, one answer: P2's side of a signature. Source: protocol.md 7. */

void
ts_presig_p2_free(struct ts_presig_p2 *presig)
{
    ts_secret_free(presig);
}

bool
ts_presig_p2_belongs(const struct ts_presig_p2 *presig, const struct ts_half *half)
{
    return presig->state != TS_PRESIG_NONE && presig->owner.generation == half->generation &&
           memcmp(presig->owner.key, half->key, sizeof half->key) == 0;
}

bool
ts_presig_p2_answered(const struct ts_presig_p2 *presig)
{
    return presig->state == TS_PRESIG_ANSWERED;
}

static enum ts_error
hash_request(uint8_t hash[TS_HASH_BYTES], const struct ts_presig_p2 *presig, const uint8_t *request, size_t len)
{
    struct ts_place place = presig->owner.place;

    place.role = TS_ROLE_P1;
    return ts_request_hash(hash, &place, request, len);
}

/* Other bytes are a violation even after a refusal. */
static enum ts_error
compare_bound(const struct ts_presig_p2 *presig, const uint8_t hash[TS_HASH_BYTES])
{
    if (!presig->bound) /* erased before any request came */
        return TS_REFUSED;
    return ts_equal(hash, presig->request_hash, TS_HASH_BYTES) ? TS_OK : TS_CHEATED;
}

enum ts_error
ts_presig_p2_check_bound(const struct ts_presig_p2 *presig, const uint8_t *request, size_t len)
{
    uint8_t hash[TS_HASH_BYTES];

    enum ts_error error = hash_request(hash, presig, request, len);
    return error == TS_OK ? compare_bound(presig, hash) : error;
}

enum ts_error
ts_presig_p2_bind(struct ts_presig_p2 *presig, const uint8_t *request, size_t len)
{
    uint8_t hash[TS_HASH_BYTES];

    if (!presig || presig->state == TS_PRESIG_NONE)
        return TS_INTERNAL;
    enum ts_error error = hash_request(hash, presig, request, len);
    if (error != TS_OK)
        return error;
    if (presig->state == TS_PRESIG_READY) {
        memcpy(presig->request_hash, hash, sizeof hash);
        presig->bound = true;
        presig->state = TS_PRESIG_PENDING;
        return TS_OK;
    }
    error = compare_bound(presig, hash);
    return error == TS_OK && presig->state == TS_PRESIG_USED ? TS_REFUSED : error;
}

void
ts_presig_p2_refuse(struct ts_presig_p2 *presig)
{
    if (!presig || presig->state == TS_PRESIG_NONE)
        return;
    ts_wipe(&presig->values, sizeof presig->values);
    ts_wipe(presig->answer, sizeof presig->answer);
    presig->answer_len = 0;
    presig->state = TS_PRESIG_USED;
}

static enum ts_error
compute(struct ts_buf *out, struct ts_scope *scope, const struct ts_presig_p2 *presig,
    const struct ts_presig_p2_values *values, const uint8_t *digest, size_t len)
{
    const struct ts_place *place = &presig->owner.place;
    const struct ts_group *group = ts_mpc_group(place->mpc, place->curve);
    size_t scalar_len = ts_group_scalar_bytes(group);
    size_t point_len = ts_group_point_bytes(group);
    struct ts_sign_answer answer = {0};

    const struct ts_num *h = ts_digest_to_num(scope, group, digest, len);
    const struct ts_point *X = ts_point_decode(scope, group, presig->owner.X, point_len);
    const struct ts_point *R = ts_point_decode(scope, group, values->R, point_len);
    if (!h || !X || !R)
        return ts_scope_error(scope);
    const struct ts_num *delta = ts_delta(scope, place, X, R, h, presig->request_hash, values->nonce);
    const struct ts_num *r = delta ? ts_rerandomised_r(scope, group, delta, R) : NULL;
    const struct ts_num *a = ts_num_from_bytes(scope, values->a, scalar_len);
    const struct ts_num *beta = ts_num_from_bytes(scope, values->beta, scalar_len);
    answer.sigma = r ? ts_sign_p2(scope, group, a, beta, h, r) : NULL;
    if (!answer.sigma)
        return ts_scope_error(scope);
    memcpy(answer.nonce, values->nonce, sizeof answer.nonce);
    ts_sign_answer_encode(out, &answer);
    return ts_buf_error(out);
}

/* The values are gone from the record before they are used; any failure leaves it refused. */
static enum ts_error
answer_once(struct ts_presig_p2 *presig, const uint8_t *digest, size_t len)
{
    struct ts_presig_p2_values values = presig->values;
    struct ts_scope *scope = NULL;
    struct ts_buf answer;

    ts_presig_p2_refuse(presig);
    ts_buf_init(&answer, sizeof presig->answer);
    enum ts_error error = ts_scope_borrow(&scope, presig->owner.place.mpc);
    if (error == TS_OK)
        error = compute(&answer, scope, presig, &values, digest, len);
    if (error == TS_OK) {
        memcpy(presig->answer, answer.data, answer.len);
        presig->answer_len = answer.len;
        presig->state = TS_PRESIG_ANSWERED;
    }
    ts_wipe(&values, sizeof values);
    ts_buf_clear(&answer);
    ts_scope_return(presig->owner.place.mpc, scope);
    return error == TS_OK || error == TS_FORMAT ? error : TS_INTERNAL;
}

enum ts_error
ts_presig_p2_answer(struct ts_buf *out, struct ts_presig_p2 *presig, const uint8_t *digest, size_t len)
{
    enum ts_error error = TS_OK;

    if (!presig || presig->state == TS_PRESIG_NONE || presig->state == TS_PRESIG_READY)
        return TS_USAGE;
    if (presig->state == TS_PRESIG_USED)
        return TS_REFUSED;
    if (presig->state == TS_PRESIG_PENDING)
        error = answer_once(presig, digest, len);
    return error == TS_OK ? ts_buf_put(out, presig->answer, presig->answer_len) : error;
}
