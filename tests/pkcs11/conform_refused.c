#include "tests/pkcs11/conform.h"

/* What a two-party ECDSA token has no use for is refused, after the session's handle was looked at: encryption,
   decryption, recovery, wrapping, derivation, dual functions with encryption. Only for our module. */

#define NONE CKR_FUNCTION_NOT_SUPPORTED
#define STALE CKR_SESSION_HANDLE_INVALID

static CK_BYTE bytes[64];
static CK_ULONG len = sizeof(bytes);
static CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
static CK_OBJECT_HANDLE object;

static void
refused(CK_SESSION_HANDLE session, CK_RV expected)
{
    OURS(p11->C_EncryptInit(session, &mechanism, 1), expected);
    OURS(p11->C_Encrypt(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_EncryptUpdate(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_EncryptFinal(session, bytes, &len), expected);
    OURS(p11->C_DecryptInit(session, &mechanism, 1), expected);
    OURS(p11->C_Decrypt(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_DecryptUpdate(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_DecryptFinal(session, bytes, &len), expected);
    OURS(p11->C_SignRecoverInit(session, &mechanism, 1), expected);
    OURS(p11->C_SignRecover(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_VerifyRecoverInit(session, &mechanism, 1), expected);
    OURS(p11->C_VerifyRecover(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_DigestEncryptUpdate(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_DecryptDigestUpdate(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_SignEncryptUpdate(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_DecryptVerifyUpdate(session, bytes, 1, bytes, &len), expected);
    OURS(p11->C_GenerateKey(session, &mechanism, NULL, 0, &object), expected);
    OURS(p11->C_WrapKey(session, &mechanism, 1, 1, bytes, &len), expected);
    OURS(p11->C_UnwrapKey(session, &mechanism, 1, bytes, 1, NULL, 0, &object), expected);
    OURS(p11->C_DeriveKey(session, &mechanism, 1, NULL, 0, &object), expected);
}

START_TEST(test_refused)
{
    refused(session_rw(), NONE);
}
END_TEST

START_TEST(test_stale_session)
{
    CK_SESSION_HANDLE session = session_rw();

    RV(p11->C_CloseSession(session), CKR_OK);
    refused(session, STALE);
    refused(0, STALE);
}
END_TEST

/* NULL and junk lengths never crash. */
START_TEST(test_junk)
{
    CK_SESSION_HANDLE session = session_rw();

    OURS(p11->C_EncryptInit(session, NULL, 0), NONE);
    OURS(p11->C_Encrypt(session, NULL, ~0UL, NULL, NULL), NONE);
    OURS(p11->C_DecryptUpdate(session, NULL, ~0UL, NULL, NULL), NONE);
    OURS(p11->C_SignRecover(session, NULL, ~0UL, NULL, NULL), NONE);
    OURS(p11->C_WrapKey(session, NULL, 0, 0, NULL, NULL), NONE);
    OURS(p11->C_UnwrapKey(session, NULL, 0, NULL, ~0UL, NULL, ~0UL, NULL), NONE);
    OURS(p11->C_DeriveKey(session, NULL, 0, NULL, ~0UL, NULL), NONE);
    OURS(p11->C_GenerateKey(session, NULL, NULL, 0, &object), CKR_ARGUMENTS_BAD);
    OURS(p11->C_GenerateKey(session, &mechanism, NULL, ~0UL, &object), CKR_ARGUMENTS_BAD);
    OURS(p11->C_GenerateKey(session, &mechanism, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
}
END_TEST

void
chapter_refused(TCase *tests)
{
    tcase_add_test(tests, test_refused);
    tcase_add_test(tests, test_stale_session);
    tcase_add_test(tests, test_junk);
}
