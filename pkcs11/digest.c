#include "pkcs11/call.h"
#include "pkcs11/hash.h"

#include <openssl/evp.h>

CK_RV
ts_hash_start(EVP_MD_CTX **out, const struct ts_env *env, const struct ts_mechanism *mechanism)
{
    EVP_MD *algorithm = EVP_MD_fetch(env->libctx, mechanism->digest, NULL);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    CK_RV rv = CKR_HOST_MEMORY;

    if (algorithm && hash && EVP_DigestInit_ex2(hash, algorithm, NULL) == 1) {
        *out = hash;
        hash = NULL;
        rv = CKR_OK;
    }
    EVP_MD_CTX_free(hash);
    EVP_MD_free(algorithm);
    return rv;
}

size_t
ts_hash_len(const EVP_MD_CTX *hash)
{
    return (size_t)EVP_MD_CTX_get_size(hash);
}

CK_RV
ts_hash_whole(uint8_t *out, size_t *out_len, const struct ts_env *env, const struct ts_mechanism *mechanism,
    const uint8_t *data, size_t len)
{
    return EVP_Q_digest(env->libctx, mechanism->digest, NULL, data, len, out, out_len) == 1 ? CKR_OK : CKR_HOST_MEMORY;
}

void
ts_digest_end(struct ts_digest *digest)
{
    EVP_MD_CTX_free(digest->hash);
    *digest = (struct ts_digest){0};
}

static CK_RV
begin_active(struct ts_call *call, CK_SESSION_HANDLE session)
{
    CK_RV rv = ts_call_begin_session(call, session);

    if (rv == CKR_OK && !call->session->digest.hash)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    return rv;
}

/* Any failure but a short buffer ends the operation. */
static CK_RV
end_active(struct ts_call *call, CK_RV rv, bool done)
{
    if (call->locked && call->session && (done || (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)))
        ts_digest_end(&call->session->digest);
    return ts_call_end(call, rv);
}

CK_RV
C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism)
{
    struct ts_call call;
    const struct ts_mechanism *found = NULL;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv != CKR_OK)
        return ts_call_end(&call, rv);
    struct ts_digest *digest = &call.session->digest;
    if (!mechanism) {
        rv = ts_cancel_by_null(digest->hash != NULL);
        ts_digest_end(digest);
        return ts_call_end(&call, rv);
    }
    if (digest->hash)
        return ts_call_end(&call, CKR_OPERATION_ACTIVE);
    rv = ts_mechanism_find(&found, mechanism, CKF_DIGEST);
    if (rv == CKR_OK)
        rv = ts_hash_start(&digest->hash, &call.instance->env, found);
    return ts_call_end(&call, rv);
}

/* Tell the length, or give the digest; *done when the operation is over. */
static CK_RV
finish(bool *done, struct ts_digest *digest, CK_BYTE *out, CK_ULONG *out_len)
{
    size_t len = ts_hash_len(digest->hash);
    CK_ULONG room = *out_len;

    *out_len = len;
    if (!out)
        return CKR_OK;
    if (room < len)
        return CKR_BUFFER_TOO_SMALL;
    *done = true;
    return EVP_DigestFinal_ex(digest->hash, out, NULL) == 1 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV
update(struct ts_digest *digest, const CK_BYTE *data, CK_ULONG data_len)
{
    return EVP_DigestUpdate(digest->hash, data, data_len) == 1 ? CKR_OK : CKR_GENERAL_ERROR;
}

/* The data must not be hashed before it is sure that the result will be handed out. */
static CK_RV
digest_whole(
    bool *done, struct ts_digest *digest, const CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out, CK_ULONG *out_len)
{
    if (out && *out_len >= ts_hash_len(digest->hash)) {
        CK_RV rv = update(digest, data, data_len);
        if (rv != CKR_OK)
            return rv;
    }
    digest->whole = true;
    return finish(done, digest, out, out_len);
}

CK_RV
C_Digest(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out, CK_ULONG *out_len)
{
    struct ts_call call;
    bool done = false;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK)
        rv = ts_check_unmixed(call.session->digest.multipart);
    if (rv == CKR_OK && (!out_len || (!data && data_len > 0)))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = digest_whole(&done, &call.session->digest, data, data_len, out, out_len);
    return end_active(&call, rv, done);
}

CK_RV
C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len)
{
    struct ts_call call;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK)
        rv = ts_check_unmixed(call.session->digest.whole);
    if (rv == CKR_OK && !data && data_len > 0)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        call.session->digest.multipart = true;
        rv = update(&call.session->digest, data, data_len);
    }
    return end_active(&call, rv, false);
}

CK_RV
C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    struct ts_call call;
    struct ts_object *object = NULL;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK)
        rv = ts_object_get(&object, &call, key) == CKR_OK ? CKR_KEY_INDIGESTIBLE : CKR_KEY_HANDLE_INVALID;
    return end_active(&call, rv, false);
}

CK_RV
C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
    struct ts_call call;
    bool done = false;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK)
        rv = ts_check_unmixed(call.session->digest.whole);
    if (rv == CKR_OK && !out_len)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = finish(&done, &call.session->digest, out, out_len);
    return end_active(&call, rv, done);
}
