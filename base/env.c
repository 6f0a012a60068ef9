#include "base/env.h"

#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#define STRENGTH 256                   /* bits */
#define GENERATE_MAX ((size_t)1 << 16) /* bytes at once: what the standard allows */

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

static enum ts_error
system_fill(void *ctx, uint8_t *out, size_t len)
{
    for (size_t done = 0, part = 0; done < len; done += part) {
        part = len - done < GENERATE_MAX ? len - done : GENERATE_MAX;
        if (EVP_RAND_generate(ctx, out + done, part, STRENGTH, 0, NULL, 0) != 1)
            return TS_INTERNAL;
    }
    return TS_OK;
}

/* As OpenSSL makes those behind RAND_priv_bytes (NIST SP 800-90A, seeded by its primary one, anew in a child of a fork), but
   reached without RAND's global lock: OPENSSL_cleanup frees that while other threads run, and they would crash. */
static EVP_RAND_CTX *
new_generator(OSSL_LIB_CTX *libctx)
{
    char cipher[] = "AES-256-CTR";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_CIPHER, cipher, 0), OSSL_PARAM_construct_end()};
    EVP_RAND_CTX *primary = RAND_get0_primary(libctx);
    EVP_RAND *kind = primary ? EVP_RAND_fetch(libctx, "CTR-DRBG", NULL) : NULL;
    EVP_RAND_CTX *generator = kind ? EVP_RAND_CTX_new(kind, primary) : NULL;

    EVP_RAND_free(kind);
    if (generator && (EVP_RAND_enable_locking(generator) != 1 ||
                         EVP_RAND_instantiate(generator, STRENGTH, 0, NULL, 0, params) != 1)) {
        EVP_RAND_CTX_free(generator);
        return NULL;
    }
    return generator;
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
    if (env->provider)
        env->generator = new_generator(env->libctx);
    if (!env->generator) {
        ts_env_clear(env);
        return TS_INTERNAL;
    }
    env->entropy = (struct ts_entropy){env->generator, system_fill};
    return TS_OK;
}

void
ts_env_clear(struct ts_env *env)
{
    EVP_RAND_CTX_free(env->generator);
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
