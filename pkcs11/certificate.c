#include "pkcs11/certificate.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#define CHECK_VALUE_BYTES 3

static bool
is_filled(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type)
{
    const struct ts_attribute *item = ts_attrs_find(attrs, type);

    return item && item->len > 0;
}

static CK_RV
finish_check_value(struct ts_attrs *attrs, const struct ts_env *env)
{
    const struct ts_attribute *value = ts_attrs_find(attrs, CKA_VALUE);
    const struct ts_attribute *given = ts_attrs_find(attrs, CKA_CHECK_VALUE);
    uint8_t hash[EVP_MAX_MD_SIZE];
    size_t len = 0;

    if (value->len == 0 || (given && given->len == 0))
        return CKR_OK;
    if (EVP_Q_digest(env->libctx, "SHA1", NULL, value->value, value->len, hash, &len) != 1)
        return CKR_HOST_MEMORY;
    if (given)
        return ts_attrs_equal(attrs, CKA_CHECK_VALUE, hash, CHECK_VALUE_BYTES) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
    return ts_attrs_set(attrs, CKA_CHECK_VALUE, hash, CHECK_VALUE_BYTES);
}

/* A value that is no certificate is kept as it is: the standard asks nobody to parse it. */
static CK_RV
finish_public_key_info(struct ts_attrs *attrs, const struct ts_env *env)
{
    const struct ts_attribute *value = ts_attrs_find(attrs, CKA_VALUE);
    const unsigned char *at = value->value;
    unsigned char *der = NULL;
    CK_RV rv = CKR_OK;

    if (value->len == 0 || is_filled(attrs, CKA_PUBLIC_KEY_INFO))
        return CKR_OK;
    X509 *certificate = X509_new_ex(env->libctx, NULL);
    if (!certificate)
        return CKR_HOST_MEMORY;
    if (d2i_X509(&certificate, &at, (long)value->len)) {
        int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
        if (len > 0)
            rv = ts_attrs_set(attrs, CKA_PUBLIC_KEY_INFO, der, (size_t)len);
    }
    OPENSSL_free(der);
    X509_free(certificate);
    return rv;
}

CK_RV
ts_certificate_finish(struct ts_attrs *attrs, const struct ts_env *env)
{
    if (ts_attrs_ulong(attrs, CKA_CERTIFICATE_TYPE, CK_UNAVAILABLE_INFORMATION) != CKC_X_509)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    if (ts_attrs_ulong(attrs, CKA_CERTIFICATE_CATEGORY, 0) > 3)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    if (!is_filled(attrs, CKA_VALUE) && !is_filled(attrs, CKA_URL))
        return CKR_TEMPLATE_INCOMPLETE;
    if (is_filled(attrs, CKA_URL) &&
        (!is_filled(attrs, CKA_HASH_OF_SUBJECT_PUBLIC_KEY) || !is_filled(attrs, CKA_HASH_OF_ISSUER_PUBLIC_KEY)))
        return CKR_TEMPLATE_INCOMPLETE;
    CK_RV rv = finish_check_value(attrs, env);
    return rv == CKR_OK ? finish_public_key_info(attrs, env) : rv;
}
