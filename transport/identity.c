#include "transport/identity.h"

#include "transport/identity_internal.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#define NAME_MAX_BYTES 64 /* ub-common-name, RFC 5280 appendix A.1 */
#define SERIAL_BYTES 16
#define ENCODING_VERSION 1
#define KEY_DER_MAX_BYTES 512
#define CERTIFICATE_DER_MAX_BYTES 4096

static enum ts_error
hash_public_key(uint8_t out[TS_KEY_HASH_BYTES], const struct ts_env *env, const X509 *certificate)
{
    unsigned char *der = NULL;
    size_t out_len = 0;

    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (len <= 0)
        return TS_INTERNAL;
    int good = EVP_Q_digest(env->libctx, "SHA256", NULL, der, (size_t)len, out, &out_len);
    OPENSSL_free(der);
    return good == 1 && out_len == TS_KEY_HASH_BYTES ? TS_OK : TS_INTERNAL;
}

static bool
is_p256(const EVP_PKEY *key)
{
    char group[64];
    size_t len = 0;

    return key && EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

enum ts_error
ts_certificate_check(uint8_t key_hash[TS_KEY_HASH_BYTES], const struct ts_env *env, X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    if (!is_p256(key) || X509_verify(certificate, key) != 1)
        return TS_FORMAT;
    return hash_public_key(key_hash, env, certificate);
}

static bool
set_names(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);

    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

static bool
set_serial(X509 *certificate, const struct ts_env *env)
{
    uint8_t bytes[SERIAL_BYTES];

    if (ts_random(env, bytes, sizeof bytes) != TS_OK)
        return false;
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* positive, and always of one length */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good;
}

/* RFC 5280 4.1.2.5: 99991231235959Z says "no well-defined expiration date". */
static bool
set_dates(X509 *certificate)
{
    return ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20200101000000Z") == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z") == 1;
}

static enum ts_error
make_certificate(struct ts_identity *identity, const char *name)
{
    X509 *certificate = X509_new_ex(identity->env->libctx, NULL);

    identity->certificate = certificate;
    if (!certificate || X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate, identity->env))
        return TS_INTERNAL;
    if (!set_names(certificate, name) || !set_dates(certificate))
        return TS_INTERNAL;
    if (X509_set_pubkey(certificate, identity->key) != 1 || X509_sign(certificate, identity->key, EVP_sha256()) <= 0)
        return TS_INTERNAL;
    return hash_public_key(identity->key_hash, identity->env, certificate);
}

enum ts_error
ts_identity_new(struct ts_identity **out, const struct ts_env *env, const char *name)
{
    enum ts_error error = TS_INTERNAL;

    *out = NULL;
    if (!name || name[0] == 0 || strlen(name) > NAME_MAX_BYTES || !ts_text_is_plain(name, strlen(name), false))
        return TS_USAGE;
    struct ts_identity *identity = calloc(1, sizeof *identity);
    if (!identity)
        return TS_INTERNAL;
    ERR_set_mark();
    identity->env = env;
    identity->key = EVP_PKEY_Q_keygen(env->libctx, NULL, "EC", "P-256");
    if (identity->key)
        error = make_certificate(identity, name);
    ERR_pop_to_mark();
    if (error == TS_OK)
        *out = identity;
    else
        ts_identity_free(identity);
    return error;
}

void
ts_identity_free(struct ts_identity *identity)
{
    if (!identity)
        return;
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
    free(identity);
}

void
ts_identity_key_hash(const struct ts_identity *identity, uint8_t out[TS_KEY_HASH_BYTES])
{
    memcpy(out, identity->key_hash, TS_KEY_HASH_BYTES);
}

/* version, length and DER of the key, length and DER of the certificate */
enum ts_error
ts_identity_encode(struct ts_buf *out, const struct ts_identity *identity)
{
    ERR_set_mark();
    int key_len = i2d_PrivateKey(identity->key, NULL);
    int certificate_len = i2d_X509(identity->certificate, NULL);
    if (key_len <= 0 || certificate_len <= 0)
        goto failed;
    (void)ts_buf_put_u8(out, ENCODING_VERSION);
    (void)ts_buf_put_u32(out, (uint32_t)key_len);
    unsigned char *place = ts_buf_extend(out, (size_t)key_len);
    if (!place || i2d_PrivateKey(identity->key, &place) != key_len)
        goto failed;
    (void)ts_buf_put_u32(out, (uint32_t)certificate_len);
    place = ts_buf_extend(out, (size_t)certificate_len);
    if (!place || i2d_X509(identity->certificate, &place) != certificate_len)
        goto failed;
    ERR_pop_to_mark();
    return TS_OK;
failed:
    ERR_pop_to_mark();
    return TS_INTERNAL;
}

/* Both DER structures must fill their place to the end, belong together, and be ours. */
static enum ts_error
decode_parts(struct ts_identity *identity, const uint8_t *key, size_t key_len, const uint8_t *certificate,
    size_t certificate_len)
{
    const unsigned char *place = key;

    identity->key = d2i_PrivateKey_ex(EVP_PKEY_EC, NULL, &place, (long)key_len, identity->env->libctx, NULL);
    if (!identity->key || place != key + key_len)
        return TS_FORMAT;
    identity->certificate = X509_new_ex(identity->env->libctx, NULL);
    if (!identity->certificate)
        return TS_INTERNAL;
    place = certificate;
    if (!d2i_X509(&identity->certificate, &place, (long)certificate_len) || place != certificate + certificate_len)
        return TS_FORMAT;
    if (X509_check_private_key(identity->certificate, identity->key) != 1)
        return TS_FORMAT;
    return ts_certificate_check(identity->key_hash, identity->env, identity->certificate);
}

static enum ts_error
read_parts(struct ts_identity *identity, const uint8_t *bytes, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, bytes, len);
    uint8_t version = ts_reader_u8(&reader);
    size_t key_len = ts_reader_u32(&reader);
    const uint8_t *key = ts_reader_take(&reader, key_len);
    size_t certificate_len = ts_reader_u32(&reader);
    const uint8_t *certificate = ts_reader_take(&reader, certificate_len);
    if (ts_reader_end(&reader) != TS_OK || version != ENCODING_VERSION)
        return TS_FORMAT;
    if (key_len > KEY_DER_MAX_BYTES || certificate_len > CERTIFICATE_DER_MAX_BYTES)
        return TS_FORMAT;
    return decode_parts(identity, key, key_len, certificate, certificate_len);
}

enum ts_error
ts_identity_decode(struct ts_identity **out, const struct ts_env *env, const uint8_t *bytes, size_t len)
{
    *out = NULL;
    struct ts_identity *identity = calloc(1, sizeof *identity);
    if (!identity)
        return TS_INTERNAL;
    identity->env = env;
    ERR_set_mark();
    enum ts_error error = read_parts(identity, bytes, len);
    ERR_pop_to_mark();
    if (error == TS_OK)
        *out = identity;
    else
        ts_identity_free(identity);
    return error;
}
