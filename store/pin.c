#include "store/pin.h"

#include "base/secret.h"
#include "store/gcm.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define VERSION 1
#define LAYERS_SCRYPT 1
#define LAYERS_HSM 2
#define SALT_BYTES 16
#define HEADER_BYTES (5 + SALT_BYTES)
#define INNER_BYTES (TS_TOKEN_KEY_BYTES + TS_GCM_OVERHEAD)

/* What is accepted on reading: no weaker than RFC 7914's interactive use, no more than 256 MiB and a few seconds. */
#define LOG_N_MIN 14
#define LOG_N_MAX 18
#define R_MAX 16
#define P_MAX 4
#define MEMORY_MAX ((uint64_t)256 << 20)

struct header {
    uint8_t version, layers, log_n, r, p;
    uint8_t salt[SALT_BYTES];
};

static enum ts_error
decode_header(struct header *header, const uint8_t *sealed, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, sealed, len);
    header->version = ts_reader_u8(&reader);
    header->layers = ts_reader_u8(&reader);
    header->log_n = ts_reader_u8(&reader);
    header->r = ts_reader_u8(&reader);
    header->p = ts_reader_u8(&reader);
    const uint8_t *salt = ts_reader_take(&reader, SALT_BYTES);
    if (!salt || header->version != VERSION)
        return TS_STORAGE;
    memcpy(header->salt, salt, SALT_BYTES);
    size_t body = header->layers == LAYERS_HSM ? INNER_BYTES + TS_GCM_OVERHEAD : INNER_BYTES;
    if ((header->layers != LAYERS_SCRYPT && header->layers != LAYERS_HSM) || reader.left != body)
        return TS_STORAGE;
    if (header->log_n < LOG_N_MIN || header->log_n > LOG_N_MAX || header->r < TS_SCRYPT_R || header->r > R_MAX ||
        header->p < 1 || header->p > P_MAX || ((uint64_t)128 * header->r << header->log_n) > MEMORY_MAX)
        return TS_STORAGE;
    return TS_OK;
}

/* RFC 7914. */
static enum ts_error
derive(uint8_t out[32], const struct ts_env *env, const struct header *header, const uint8_t *pin, size_t pin_len)
{
    uint8_t empty[1] = {0}, salt[SALT_BYTES];
    uint64_t n = (uint64_t)1 << header->log_n;
    uint32_t r = header->r, p = header->p;
    uint64_t memory = MEMORY_MAX * 2;
    /* OSSL_PARAM takes a pointer without const but only reads it. */
    union {
        const uint8_t *in;
        void *out;
    } pass = {pin_len ? pin : empty};

    memcpy(salt, header->salt, sizeof salt);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, pass.out, pin_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
        OSSL_PARAM_construct_end(),
    };
    (void)ERR_set_mark();
    EVP_KDF *kdf = EVP_KDF_fetch(env->libctx, "SCRYPT", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    bool ok = ctx && EVP_KDF_derive(ctx, out, 32, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    (void)ERR_pop_to_mark();
    return ok ? TS_OK : TS_INTERNAL;
}

static enum ts_error
make_aad(struct ts_buf *aad, const struct ts_pin_place *place, const uint8_t header[HEADER_BYTES])
{
    ts_aad_start(aad, "pin");
    ts_aad_bytes(aad, header, HEADER_BYTES);
    ts_aad_number(aad, place->token);
    ts_aad_bytes(aad, place->serial, strlen(place->serial));
    ts_aad_bytes(aad, place->key_id, TS_KEY_ID_BYTES);
    ts_aad_number(aad, (uint64_t)place->user);
    return ts_buf_error(aad) == TS_OK ? TS_OK : TS_INTERNAL;
}

/* The key of the inner layer, in secret memory that the caller frees also on failure. */
static enum ts_error
derive_secret(uint8_t **out, const struct ts_env *env, const struct header *header, const uint8_t *pin, size_t pin_len)
{
    *out = ts_secret_new(32);
    return *out ? derive(*out, env, header, pin, pin_len) : TS_INTERNAL;
}

static enum ts_error
seal_inner(struct ts_buf *out, const struct ts_env *env, const struct header *header, const uint8_t *pin,
    size_t pin_len, const uint8_t *key, const struct ts_buf *aad)
{
    uint8_t *derived;

    enum ts_error result = derive_secret(&derived, env, header, pin, pin_len);
    if (result == TS_OK)
        result = ts_gcm_seal(out, env, derived, key, TS_TOKEN_KEY_BYTES, aad->data, aad->len);
    ts_secret_free(derived);
    return result;
}

static enum ts_error
open_inner(struct ts_buf *out, const struct ts_env *env, const struct header *header, const uint8_t *pin,
    size_t pin_len, const struct ts_buf *layer, const struct ts_buf *aad)
{
    uint8_t *derived;

    enum ts_error result = derive_secret(&derived, env, header, pin, pin_len);
    if (result == TS_OK)
        result = ts_gcm_open(out, env, derived, layer->data, layer->len, aad->data, aad->len);
    ts_secret_free(derived);
    return result == TS_STORAGE ? TS_PIN_INCORRECT : result;
}

enum ts_error
ts_pin_seal(struct ts_buf *out, const struct ts_env *env, struct ts_hsm *hsm, const struct ts_pin_place *place,
    const uint8_t *pin, size_t pin_len, const uint8_t key[TS_TOKEN_KEY_BYTES])
{
    struct header header = {VERSION, hsm ? LAYERS_HSM : LAYERS_SCRYPT, TS_SCRYPT_LOG_N, TS_SCRYPT_R, TS_SCRYPT_P, {0}};
    struct ts_buf aad, layer;

    ts_buf_init(out, TS_PIN_SEALED_MAX);
    ts_buf_init(&aad, 0);
    ts_buf_init(&layer, INNER_BYTES);
    enum ts_error result = ts_random(env, header.salt, SALT_BYTES);
    if (result != TS_OK)
        return result;
    const uint8_t fixed[] = {header.version, header.layers, header.log_n, header.r, header.p};
    (void)ts_buf_put(out, fixed, sizeof fixed);
    result = ts_buf_put(out, header.salt, SALT_BYTES);
    if (result == TS_OK)
        result = make_aad(&aad, place, out->data);
    if (result == TS_OK)
        result = seal_inner(&layer, env, &header, pin, pin_len, key, &aad);
    if (result == TS_OK && hsm)
        result = ts_hsm_seal(out, hsm, layer.data, layer.len, aad.data, aad.len);
    else if (result == TS_OK)
        result = ts_buf_put(out, layer.data, layer.len);
    ts_buf_clear(&layer);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_pin_check(const struct ts_env *env, const struct ts_hsm *hsm, const uint8_t *sealed, size_t len)
{
    struct header header = {0};

    if (decode_header(&header, sealed, len) != TS_OK) {
        ts_log(env, TS_LOG_ERROR, "a sealed token key is damaged or of a newer program; restore a backup or upgrade");
        return TS_STORAGE;
    }
    if (header.layers == LAYERS_HSM && !hsm) {
        ts_log(env, TS_LOG_ERROR, "the token is sealed by an HSM, but none is configured; name its key's URI");
        return TS_IO;
    }
    if (header.layers != LAYERS_HSM && hsm) {
        ts_log(
            env, TS_LOG_ERROR, "the token is not sealed by the configured HSM: refused; initialise it under the HSM");
        return TS_STORAGE;
    }
    return TS_OK;
}

enum ts_error
ts_pin_open(uint8_t key[TS_TOKEN_KEY_BYTES], const struct ts_env *env, struct ts_hsm *hsm,
    const struct ts_pin_place *place, const uint8_t *pin, size_t pin_len, const uint8_t *sealed, size_t len)
{
    struct ts_buf aad, layer, plain;
    struct header header;

    ts_buf_init(&aad, 0);
    ts_buf_init(&layer, INNER_BYTES);
    ts_buf_init_secret(&plain, TS_TOKEN_KEY_BYTES);
    enum ts_error result = ts_pin_check(env, hsm, sealed, len);
    if (result == TS_OK)
        result = decode_header(&header, sealed, len);
    if (result == TS_OK)
        result = make_aad(&aad, place, sealed);
    if (result == TS_OK && hsm)
        result = ts_hsm_open(&layer, hsm, sealed + HEADER_BYTES, len - HEADER_BYTES, aad.data, aad.len);
    else if (result == TS_OK)
        result = ts_buf_put(&layer, sealed + HEADER_BYTES, len - HEADER_BYTES);
    if (result == TS_NOT_FOUND)
        result = TS_STORAGE; /* the HSM's key is gone */
    if (result == TS_OK)
        result = open_inner(&plain, env, &header, pin, pin_len, &layer, &aad);
    if (result == TS_OK)
        memcpy(key, plain.data, TS_TOKEN_KEY_BYTES);
    ts_buf_clear(&plain);
    ts_buf_clear(&layer);
    ts_buf_clear(&aad);
    return result;
}
