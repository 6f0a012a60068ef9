#include "base/secret.h"
#include "mpc/transcript.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdatomic.h>
#include <stdlib.h>

#define CURVES (TS_CURVE_P521 + 1)
#define RESTING                                                                                                        \
    8 /* scopes kept; a machine, its step, a batch in it and a verifier take four at once, two parties more */

/* What changes, apart, so that the rest can be read through a const pointer. */
struct changing {
    _Atomic uint64_t counter;
    _Atomic(struct ts_scope *) resting[RESTING];
};

struct ts_mpc {
    const struct ts_env *env;
    EVP_MD *shake;
    struct ts_group *groups[CURVES]; /* the first, TS_CURVE_NONE, stays NULL */
    struct changing *changing;
};

/* What was fetched and allocated without fail; the context's own errors never reach the host's error queue. */
static enum ts_error
fill(struct ts_mpc *mpc)
{
    enum ts_error error = TS_OK;

    mpc->changing = calloc(1, sizeof *mpc->changing);
    ERR_set_mark();
    mpc->shake = EVP_MD_fetch(mpc->env->libctx, "SHAKE256", NULL);
    ERR_pop_to_mark();
    if (!mpc->changing || !mpc->shake)
        return TS_INTERNAL;
    for (int curve = TS_CURVE_NONE + 1; curve < CURVES && error == TS_OK; curve++)
        error = ts_group_new(&mpc->groups[curve], mpc->env, (enum ts_curve)curve);
    return error;
}

enum ts_error
ts_mpc_new(struct ts_mpc **out, const struct ts_env *env)
{
    struct ts_mpc *mpc = calloc(1, sizeof *mpc);

    *out = NULL;
    if (!mpc)
        return TS_INTERNAL;
    mpc->env = env;
    enum ts_error error = fill(mpc);
    if (error != TS_OK)
        ts_mpc_free(mpc);
    else
        *out = mpc;
    return error;
}

void
ts_mpc_free(struct ts_mpc *mpc)
{
    if (!mpc)
        return;
    for (size_t i = 0; i < CURVES; i++) {
        if (mpc->groups[i])
            ts_group_free(mpc->groups[i]);
    }
    EVP_MD_free(mpc->shake);
    for (size_t i = 0; i < RESTING && mpc->changing; i++)
        ts_scope_free(atomic_load(&mpc->changing->resting[i]));
    free(mpc->changing);
    free(mpc);
}

const struct ts_env *
ts_mpc_env(const struct ts_mpc *mpc)
{
    return mpc->env;
}

const struct ts_group *
ts_mpc_group(const struct ts_mpc *mpc, enum ts_curve curve)
{
    return curve > TS_CURVE_NONE && curve < CURVES ? mpc->groups[curve] : NULL;
}

uint64_t
ts_mpc_count(const struct ts_mpc *mpc)
{
    return atomic_fetch_add(&mpc->changing->counter, 1);
}

enum ts_error
ts_scope_borrow(struct ts_scope **out, const struct ts_mpc *mpc)
{
    for (size_t i = 0; i < RESTING; i++) {
        *out = atomic_exchange(&mpc->changing->resting[i], NULL);
        if (*out)
            return TS_OK;
    }
    return ts_scope_new(out);
}

void
ts_scope_return(const struct ts_mpc *mpc, struct ts_scope *scope)
{
    ts_scope_rest(scope);
    for (size_t i = 0; i < RESTING && scope; i++) {
        struct ts_scope *none = NULL;
        if (atomic_compare_exchange_strong(&mpc->changing->resting[i], &none, scope))
            return;
    }
    ts_scope_free(scope);
}

enum ts_error
ts_shake256(uint8_t *out, size_t out_len, const struct ts_mpc *mpc, const uint8_t *in, size_t len)
{
    enum ts_error error = TS_INTERNAL;

    ERR_set_mark();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && EVP_DigestInit_ex2(ctx, mpc->shake, NULL) == 1 && EVP_DigestUpdate(ctx, in, len) == 1 &&
        EVP_DigestFinalXOF(ctx, out, out_len) == 1)
        error = TS_OK;
    EVP_MD_CTX_free(ctx);
    ERR_pop_to_mark();
    if (error != TS_OK)
        ts_wipe(out, out_len);
    return error;
}
