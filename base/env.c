#include "base/env.h"
#include "base/openssl.h"

#include <time.h>

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

static uint64_t
read_clock(clockid_t id, uint64_t per_second)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * per_second + (uint64_t)now.tv_nsec / (1000000000u / per_second);
}

static uint64_t
system_monotonic_ms(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC, 1000);
}

static uint64_t
system_realtime_ns(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME, 1000000000);
}

/* OpenSSL's generator would crash then. */
static enum ts_error
system_fill(void *ctx, uint8_t *out, size_t len)
{
    if (ts_openssl_is_down())
        return TS_INTERNAL;
    return RAND_priv_bytes_ex(ctx, out, len, 256) == 1 ? TS_OK : TS_INTERNAL;
}

enum ts_error
ts_env_init(struct ts_env *env)
{
    *env = (struct ts_env){.clock = {NULL, system_monotonic_ms, system_realtime_ns}};
    env->libctx = OSSL_LIB_CTX_new();
    if (!env->libctx)
        return TS_INTERNAL;
    /* Loaded by hand, so that no openssl.cnf is read: one that names a PKCS#11 provider would call us again. */
    env->provider = OSSL_PROVIDER_load(env->libctx, "default");
    if (!env->provider) {
        ts_env_clear(env);
        return TS_INTERNAL;
    }
    env->entropy = (struct ts_entropy){env->libctx, system_fill};
    return TS_OK;
}

void
ts_env_clear(struct ts_env *env)
{
    /* The context does not free a provider that is still held. */
    if (env->provider)
        (void)OSSL_PROVIDER_unload(env->provider);
    OSSL_LIB_CTX_free(env->libctx);
    *env = (struct ts_env){0};
}

uint64_t
ts_now_ms(const struct ts_env *env)
{
    return env->clock.monotonic_ms(env->clock.ctx);
}

enum ts_error
ts_random(const struct ts_env *env, uint8_t *out, size_t len)
{
    return env->entropy.fill(env->entropy.ctx, out, len);
}

void
ts_step(const struct ts_env *env, const char *step)
{
    if (env->steps.reached)
        env->steps.reached(env->steps.ctx, step);
}
