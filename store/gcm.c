#include "store/gcm.h"

#include "base/secret.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>

/* A context set up with key, IV and associated data, for one direction. */
static EVP_CIPHER_CTX *
start(const struct ts_env *env, int encrypt, const uint8_t *key, const uint8_t *iv, const uint8_t *aad, size_t aad_len)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(env->libctx, "AES-256-GCM", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0;

    bool ok = cipher && ctx && aad_len <= INT_MAX && EVP_CipherInit_ex2(ctx, cipher, key, iv, encrypt, NULL) == 1 &&
              (aad_len == 0 || EVP_CipherUpdate(ctx, NULL, &done, aad, (int)aad_len) == 1);
    EVP_CIPHER_free(cipher);
    if (ok)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

static bool
crypt(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
    int done = 0;

    return len == 0 || (EVP_CipherUpdate(ctx, out, &done, in, (int)len) == 1 && (size_t)done == len);
}

static enum ts_error
encrypt(uint8_t *place, const struct ts_env *env, const uint8_t *key, const uint8_t *plain, size_t len,
    const uint8_t *aad, size_t aad_len)
{
    uint8_t none[1];
    int done = 0;

    EVP_CIPHER_CTX *ctx = start(env, 1, key, place, aad, aad_len);
    uint8_t *body = place + TS_GCM_IV_BYTES;
    bool ok = ctx && crypt(ctx, body, plain, len) && EVP_CipherFinal_ex(ctx, none, &done) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TS_GCM_TAG_BYTES, body + len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok ? TS_OK : TS_INTERNAL;
}

enum ts_error
ts_gcm_seal(struct ts_buf *out, const struct ts_env *env, const uint8_t key[32], const uint8_t *plain, size_t len,
    const uint8_t *aad, size_t aad_len)
{
    size_t before = out->len;

    if (len > INT_MAX - TS_GCM_OVERHEAD)
        return TS_FORMAT;
    uint8_t *place = ts_buf_extend(out, len + TS_GCM_OVERHEAD);
    if (!place)
        return ts_buf_error(out);
    (void)ERR_set_mark();
    enum ts_error result = ts_random(env, place, TS_GCM_IV_BYTES);
    if (result == TS_OK)
        result = encrypt(place, env, key, plain, len, aad, aad_len);
    (void)ERR_pop_to_mark();
    if (result != TS_OK)
        out->len = before;
    return result;
}

static enum ts_error
decrypt(uint8_t *place, const struct ts_env *env, const uint8_t *key, const uint8_t *sealed, size_t plain_len,
    const uint8_t *aad, size_t aad_len)
{
    uint8_t none[1], tag[TS_GCM_TAG_BYTES];
    enum ts_error result = TS_INTERNAL;
    int done = 0;

    EVP_CIPHER_CTX *ctx = start(env, 0, key, sealed, aad, aad_len);
    const uint8_t *body = sealed + TS_GCM_IV_BYTES;
    for (size_t i = 0; i < sizeof tag; i++)
        tag[i] = body[plain_len + i]; /* OpenSSL wants it without const */
    if (ctx && crypt(ctx, place, body, plain_len) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)sizeof tag, tag) == 1)
        result = EVP_CipherFinal_ex(ctx, none, &done) == 1 ? TS_OK : TS_STORAGE;
    EVP_CIPHER_CTX_free(ctx);
    return result;
}

enum ts_error
ts_gcm_open(struct ts_buf *out, const struct ts_env *env, const uint8_t key[32], const uint8_t *sealed, size_t len,
    const uint8_t *aad, size_t aad_len)
{
    size_t before = out->len;

    if (len < TS_GCM_OVERHEAD || len > INT_MAX)
        return TS_STORAGE;
    uint8_t *place = ts_buf_extend(out, len - TS_GCM_OVERHEAD);
    if (!place)
        return ts_buf_error(out);
    (void)ERR_set_mark();
    enum ts_error result = decrypt(place, env, key, sealed, len - TS_GCM_OVERHEAD, aad, aad_len);
    (void)ERR_pop_to_mark();
    if (result != TS_OK) {
        ts_wipe(place, len - TS_GCM_OVERHEAD);
        out->len = before;
    }
    return result;
}
