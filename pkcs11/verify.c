#include "pkcs11/attribute.h"
#include "pkcs11/hash.h"
#include "pkcs11/key.h"

#include <string.h>

#include <openssl/evp.h>

#define DIGEST_MAX 64

void
ts_verify_end(struct ts_verify *verify)
{
    EVP_PKEY_free(verify->key);
    EVP_MD_CTX_free(verify->hash);
    *verify = (struct ts_verify){0};
}

static CK_RV
read_key(struct ts_verify *verify, const struct ts_env *env, const struct ts_object *object)
{
    const struct ts_attribute *params = ts_attrs_find(&object->attrs, CKA_EC_PARAMS);
    const struct ts_attribute *value = ts_attrs_find(&object->attrs, CKA_EC_POINT);

    if (!params || !value || ts_curve_from_params(&verify->curve, params->value, params->len) != CKR_OK)
        return CKR_KEY_TYPE_INCONSISTENT;
    const uint8_t *point = ts_point_from_value(verify->curve, value->value, value->len);
    if (!point)
        return CKR_KEY_TYPE_INCONSISTENT;
    CK_RV rv = ts_point_to_key(&verify->key, env, verify->curve, point, 1 + 2 * verify->curve->field_bytes);
    return rv == CKR_ATTRIBUTE_VALUE_INVALID ? CKR_KEY_TYPE_INCONSISTENT : rv;
}

static CK_RV
verify_init(struct ts_call *call, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    const struct ts_env *env = &call->instance->env;
    struct ts_object *object = NULL;
    struct ts_verify verify = {0};

    if (call->session->verify.key)
        return CKR_OPERATION_ACTIVE;
    CK_RV rv = ts_mechanism_find(&verify.mechanism, mechanism, CKF_VERIFY);
    if (rv == CKR_OK)
        rv = ts_key_get(&object, call, key, TS_CLASS_PUBLIC, CKA_VERIFY, verify.mechanism);
    if (rv == CKR_OK)
        rv = read_key(&verify, env, object);
    if (rv == CKR_OK && verify.mechanism->digest)
        rv = ts_hash_start(&verify.hash, env, verify.mechanism);
    if (rv == CKR_OK)
        call->session->verify = verify;
    else
        ts_verify_end(&verify);
    return rv;
}

CK_RV
C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !mechanism) {
        rv = ts_cancel_by_null(call.session->verify.key != NULL);
        ts_verify_end(&call.session->verify);
    } else if (rv == CKR_OK) {
        rv = verify_init(&call, mechanism, key);
    }
    return ts_call_end(&call, rv);
}

static CK_RV
begin_active(struct ts_call *call, CK_SESSION_HANDLE session)
{
    CK_RV rv = ts_call_begin_session(call, session);

    if (rv == CKR_OK && !call->session->verify.key)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    return rv;
}

/* There is no length to ask for: every call but a good C_VerifyUpdate ends the operation. */
static CK_RV
end_active(struct ts_call *call, CK_RV rv, bool done)
{
    if (call->locked && call->session && (done || rv != CKR_OK))
        ts_verify_end(&call->session->verify);
    return ts_call_end(call, rv);
}

static CK_RV
check_signature(const struct ts_env *env, const struct ts_verify *verify, const uint8_t *digest, size_t digest_len,
    const CK_BYTE *signature, CK_ULONG signature_len)
{
    uint8_t der[2 * TS_SCALAR_MAX_BYTES + 16];
    CK_RV rv = CKR_HOST_MEMORY;

    if (signature_len != 2 * verify->curve->field_bytes)
        return CKR_SIGNATURE_LEN_RANGE;
    size_t der_len = ts_signature_to_der(der, signature, verify->curve->field_bytes);
    EVP_PKEY_CTX *checker = EVP_PKEY_CTX_new_from_pkey(env->libctx, verify->key, NULL);
    if (checker && EVP_PKEY_verify_init(checker) == 1)
        rv = EVP_PKEY_verify(checker, der, der_len, digest, digest_len) == 1 ? CKR_OK : CKR_SIGNATURE_INVALID;
    EVP_PKEY_CTX_free(checker);
    return rv;
}

static CK_RV
update(struct ts_verify *verify, const CK_BYTE *data, CK_ULONG data_len)
{
    if (!verify->hash)
        return CKR_FUNCTION_NOT_SUPPORTED; /* CKM_ECDSA is for single parts */
    return EVP_DigestUpdate(verify->hash, data, data_len) == 1 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV
finish(const struct ts_env *env, struct ts_verify *verify, const CK_BYTE *signature, CK_ULONG signature_len)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!verify->hash)
        return CKR_FUNCTION_NOT_SUPPORTED;
    if (EVP_DigestFinal_ex(verify->hash, digest, &len) != 1)
        return CKR_GENERAL_ERROR;
    return check_signature(env, verify, digest, len, signature, signature_len);
}

static CK_RV
verify_whole(const struct ts_env *env, struct ts_verify *verify, const CK_BYTE *data, CK_ULONG data_len,
    const CK_BYTE *signature, CK_ULONG signature_len)
{
    if (verify->hash) {
        CK_RV rv = update(verify, data, data_len);
        return rv == CKR_OK ? finish(env, verify, signature, signature_len) : rv;
    }
    if (data_len < 1 || data_len > DIGEST_MAX)
        return CKR_DATA_LEN_RANGE;
    return check_signature(env, verify, data, data_len, signature, signature_len);
}

CK_RV
C_Verify(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
{
    struct ts_call call;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK)
        rv = ts_check_unmixed(call.session->verify.multipart);
    if (rv == CKR_OK && (!signature || (!data && data_len > 0)))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = verify_whole(&call.instance->env, &call.session->verify, data, data_len, signature, signature_len);
    return end_active(&call, rv, true);
}

CK_RV
C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len)
{
    struct ts_call call;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK && !data && data_len > 0)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        call.session->verify.multipart = true;
        rv = update(&call.session->verify, data, data_len);
    }
    return end_active(&call, rv, false);
}

CK_RV
C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG signature_len)
{
    struct ts_call call;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK && !signature)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = finish(&call.instance->env, &call.session->verify, signature, signature_len);
    return end_active(&call, rv, true);
}
