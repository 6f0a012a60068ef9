#include "pkcs11/ec.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#define TAG_INTEGER 0x02
#define TAG_OCTET_STRING 0x04
#define TAG_OID 0x06
#define TAG_PRINTABLE 0x13
#define TAG_SEQUENCE 0x30

static const uint8_t oid_p256[] = {TAG_OID, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_secp256k1[] = {TAG_OID, 5, 0x2b, 0x81, 0x04, 0x00, 0x0a};
static const uint8_t oid_p384[] = {TAG_OID, 5, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {TAG_OID, 5, 0x2b, 0x81, 0x04, 0x00, 0x23};

/* The second column is OpenSSL's and also the name of X9.62 or SEC 2; the third is an alias. */
static const struct ts_curve_info curves[] = {
    {TS_CURVE_P256, "prime256v1", "secp256r1", 32, oid_p256, sizeof(oid_p256)},
    {TS_CURVE_SECP256K1, "secp256k1", "secp256k1", 32, oid_secp256k1, sizeof(oid_secp256k1)},
    {TS_CURVE_P384, "secp384r1", "secp384r1", 48, oid_p384, sizeof(oid_p384)},
    {TS_CURVE_P521, "secp521r1", "secp521r1", 66, oid_p521, sizeof(oid_p521)},
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

const struct ts_curve_info *
ts_curve_info(enum ts_curve curve)
{
    for (size_t i = 0; i < CURVES; i++) {
        if (curves[i].curve == curve)
            return &curves[i];
    }
    return NULL;
}

static bool
is_name(const char *name, const uint8_t *text, size_t len)
{
    return strlen(name) == len && memcmp(name, text, len) == 0;
}

static bool
names_curve(const struct ts_curve_info *curve, const uint8_t *params, size_t len)
{
    if (params[0] == TAG_OID)
        return len == curve->oid_len && memcmp(params, curve->oid, len) == 0;
    return is_name(curve->group, params + 2, len - 2) || is_name(curve->printable, params + 2, len - 2) ||
           is_name(ts_curve_name(curve->curve), params + 2, len - 2);
}

CK_RV
ts_curve_from_params(const struct ts_curve_info **out, const uint8_t *params, size_t len)
{
    if (len < 2)
        return CKR_DOMAIN_PARAMS_INVALID;
    if (params[0] == TAG_SEQUENCE)
        return CKR_CURVE_NOT_SUPPORTED; /* explicit parameters: a caller could slip in a weak curve */
    if ((params[0] != TAG_OID && params[0] != TAG_PRINTABLE) || params[1] > 0x7f || len != 2u + params[1])
        return CKR_DOMAIN_PARAMS_INVALID;
    for (size_t i = 0; i < CURVES; i++) {
        if (names_curve(&curves[i], params, len)) {
            *out = &curves[i];
            return CKR_OK;
        }
    }
    return CKR_CURVE_NOT_SUPPORTED;
}

/* DER header for up to 255 bytes of content, enough for every structure here. Returns its length. */
static size_t
der_header(uint8_t *out, uint8_t tag, size_t content)
{
    size_t len = 0;

    out[len++] = tag;
    if (content > 0x7f)
        out[len++] = 0x81;
    out[len++] = (uint8_t)content;
    return len;
}

const uint8_t *
ts_point_from_value(const struct ts_curve_info *curve, const uint8_t *value, size_t len)
{
    uint8_t header[3];
    size_t point_len = 1 + 2 * curve->field_bytes;

    if (len == point_len && value[0] == 0x04)
        return value;
    size_t header_len = der_header(header, TAG_OCTET_STRING, point_len);
    if (len != header_len + point_len || memcmp(value, header, header_len) != 0 || value[header_len] != 0x04)
        return NULL;
    return value + header_len;
}

CK_RV
ts_point_to_key(
    EVP_PKEY **out, const struct ts_env *env, const struct ts_curve_info *curve, const uint8_t *point, size_t len)
{
    CK_RV rv = CKR_HOST_MEMORY;
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curve->group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point, len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(env->libctx, "EC", NULL);
    EVP_PKEY_CTX *checker = NULL;

    if (!maker || EVP_PKEY_fromdata_init(maker) != 1)
        goto out;
    rv = CKR_ATTRIBUTE_VALUE_INVALID;
    if (EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        goto out;
    checker = EVP_PKEY_CTX_new_from_pkey(env->libctx, key, NULL);
    if (!checker || EVP_PKEY_public_check(checker) != 1)
        goto out;
    *out = key;
    key = NULL;
    rv = CKR_OK;
out:
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(checker);
    EVP_PKEY_CTX_free(maker);
    return rv;
}

static CK_RV
set_spki(struct ts_attrs *attrs, const EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    if (len <= 0)
        return CKR_HOST_MEMORY;
    CK_RV rv = ts_attrs_set(attrs, CKA_PUBLIC_KEY_INFO, der, (size_t)len);
    OPENSSL_free(der);
    return rv;
}

static CK_RV
set_point(struct ts_attrs *attrs, const uint8_t *point, size_t len)
{
    uint8_t der[3 + TS_POINT_MAX_BYTES];

    if (len > TS_POINT_MAX_BYTES)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    size_t header_len = der_header(der, TAG_OCTET_STRING, len);
    memcpy(der + header_len, point, len);
    return ts_attrs_set(attrs, CKA_EC_POINT, der, header_len + len);
}

CK_RV
ts_point_set_attrs(
    struct ts_attrs *attrs, const struct ts_env *env, const struct ts_curve_info *curve, const uint8_t *point)
{
    EVP_PKEY *key = NULL;
    size_t len = 1 + 2 * curve->field_bytes;

    CK_RV rv = ts_point_to_key(&key, env, curve, point, len);
    if (rv == CKR_OK)
        rv = set_spki(attrs, key);
    if (rv == CKR_OK)
        rv = ts_attrs_set(attrs, CKA_EC_PARAMS, curve->oid, curve->oid_len);
    if (rv == CKR_OK)
        rv = set_point(attrs, point, len);
    EVP_PKEY_free(key);
    return rv;
}

static size_t
der_integer(uint8_t *out, const uint8_t *number, size_t len)
{
    while (len > 1 && number[0] == 0) {
        number++;
        len--;
    }
    size_t pad = number[0] >> 7; /* stays positive */
    size_t header_len = der_header(out, TAG_INTEGER, pad + len);
    out[header_len] = 0;
    memcpy(out + header_len + pad, number, len);
    return header_len + pad + len;
}

size_t
ts_signature_to_der(uint8_t *out, const uint8_t *signature, size_t field_bytes)
{
    uint8_t body[2 * (TS_SCALAR_MAX_BYTES + 4)];

    size_t len = der_integer(body, signature, field_bytes);
    len += der_integer(body + len, signature + field_bytes, field_bytes);
    size_t header_len = der_header(out, TAG_SEQUENCE, len);
    memcpy(out + header_len, body, len);
    return header_len + len;
}
