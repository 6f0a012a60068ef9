#include "pkcs11/call.h"

/* The functions of the standard that a two-party ECDSA token has no use for. They check what every function checks
   first, so that a caller with a stale session learns that, and then refuse. */

static CK_RV
refuse(CK_SESSION_HANDLE session)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    return ts_call_end(&call, rv == CKR_OK ? CKR_FUNCTION_NOT_SUPPORTED : rv);
}

/* No operation here can be saved: OpenSSL does not give the state of a digest out, and a signature under way is a
   conversation. */
CK_RV
C_GetOperationState(CK_SESSION_HANDLE session, CK_BYTE *state, CK_ULONG *state_len)
{
    (void)state;
    (void)state_len;
    return refuse(session);
}

CK_RV
C_SetOperationState(CK_SESSION_HANDLE session, CK_BYTE *state, CK_ULONG state_len, CK_OBJECT_HANDLE encryption_key,
    CK_OBJECT_HANDLE authentication_key)
{
    (void)state;
    (void)state_len;
    (void)encryption_key;
    (void)authentication_key;
    return refuse(session);
}

CK_RV
C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_DigestEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_DecryptDigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_SignEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

/* Some callers try it with NULL to see what is there: they get the answer for that. */
CK_RV
C_GenerateKey(
    CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    CK_RV rv = refuse(session);
    bool bad = !mechanism || !key || (!template && count > 0);

    return rv == CKR_FUNCTION_NOT_SUPPORTED && bad ? CKR_ARGUMENTS_BAD : rv;
}

CK_RV
C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
    CK_BYTE *wrapped, CK_ULONG *wrapped_len)
{
    (void)mechanism;
    (void)wrapping_key;
    (void)key;
    (void)wrapped;
    (void)wrapped_len;
    return refuse(session);
}

CK_RV
C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE unwrapping_key, CK_BYTE *wrapped,
    CK_ULONG wrapped_len, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    (void)mechanism;
    (void)unwrapping_key;
    (void)wrapped;
    (void)wrapped_len;
    (void)template;
    (void)count;
    (void)key;
    return refuse(session);
}

CK_RV
C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base_key, CK_ATTRIBUTE *template,
    CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    (void)mechanism;
    (void)base_key;
    (void)template;
    (void)count;
    (void)key;
    return refuse(session);
}

CK_RV
C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_EncryptMessage(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *associated,
    CK_ULONG associated_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)associated;
    (void)associated_len;
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_EncryptMessageBegin(
    CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *associated, CK_ULONG associated_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)associated;
    (void)associated_len;
    return refuse(session);
}

CK_RV
C_EncryptMessageNext(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *in, CK_ULONG in_len,
    CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
    (void)parameter;
    (void)parameter_len;
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    (void)flags;
    return refuse(session);
}

CK_RV
C_MessageEncryptFinal(CK_SESSION_HANDLE session)
{
    return refuse(session);
}

CK_RV
C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_DecryptMessage(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *associated,
    CK_ULONG associated_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)associated;
    (void)associated_len;
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return refuse(session);
}

CK_RV
C_DecryptMessageBegin(
    CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *associated, CK_ULONG associated_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)associated;
    (void)associated_len;
    return refuse(session);
}

CK_RV
C_DecryptMessageNext(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *in, CK_ULONG in_len,
    CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
    (void)parameter;
    (void)parameter_len;
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    (void)flags;
    return refuse(session);
}

CK_RV
C_MessageDecryptFinal(CK_SESSION_HANDLE session)
{
    return refuse(session);
}

CK_RV
C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_SignMessage(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *signature_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)data;
    (void)data_len;
    (void)signature;
    (void)signature_len;
    return refuse(session);
}

CK_RV
C_SignMessageBegin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len)
{
    (void)parameter;
    (void)parameter_len;
    return refuse(session);
}

CK_RV
C_SignMessageNext(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *signature_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)data;
    (void)data_len;
    (void)signature;
    (void)signature_len;
    return refuse(session);
}

CK_RV
C_MessageSignFinal(CK_SESSION_HANDLE session)
{
    return refuse(session);
}

CK_RV
C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    (void)key;
    return refuse(session);
}

CK_RV
C_VerifyMessage(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG signature_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)data;
    (void)data_len;
    (void)signature;
    (void)signature_len;
    return refuse(session);
}

CK_RV
C_VerifyMessageBegin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len)
{
    (void)parameter;
    (void)parameter_len;
    return refuse(session);
}

CK_RV
C_VerifyMessageNext(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE *data,
    CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
{
    (void)parameter;
    (void)parameter_len;
    (void)data;
    (void)data_len;
    (void)signature;
    (void)signature_len;
    return refuse(session);
}

CK_RV
C_MessageVerifyFinal(CK_SESSION_HANDLE session)
{
    return refuse(session);
}
