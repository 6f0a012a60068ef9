#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.15 verifying. */

static CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};

START_TEST(test_states)
{
    CK_BYTE digest[32] = {9}, signature[64] = {1};
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_ATTRIBUTE no_verify = {CKA_VERIFY, &no, 1};
    CK_SESSION_HANDLE session = session_user();

    token_pair(session, &public_key, &private_key);
    RV(p11->C_VerifyInit(999, &ecdsa, public_key), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Verify(999, digest, 32, signature, 64), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_VerifyUpdate(999, digest, 32), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_VerifyFinal(999, signature, 64), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Verify(session, digest, 32, signature, 64), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_VerifyUpdate(session, digest, 32), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_VerifyFinal(session, signature, 64), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_VerifyInit(session, NULL, public_key), CKR_ARGUMENTS_BAD);
    OURS(p11->C_VerifyInit(session, &ecdsa, 0), CKR_KEY_HANDLE_INVALID);
    OURS(p11->C_VerifyInit(session, &ecdsa, private_key), CKR_KEY_TYPE_INCONSISTENT);
    RV(p11->C_VerifyInit(session, &sha256, public_key), CKR_MECHANISM_INVALID);
    RV(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    RV(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OPERATION_ACTIVE);
    RV(p11->C_Verify(session, digest, 32, NULL, 64), CKR_ARGUMENTS_BAD);
    OURS(p11->C_Verify(session, digest, 32, signature, 64), CKR_OPERATION_NOT_INITIALIZED);
    OURS(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    OURS(p11->C_VerifyInit(session, NULL, 0), CKR_OK); /* 3.0: cancels */
    OURS(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    OURS(p11->C_Verify(session, NULL, 32, signature, 64), CKR_ARGUMENTS_BAD);
    OURS(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    OURS(p11->C_Verify(session, digest, 0, signature, 64), CKR_DATA_LEN_RANGE);
    OURS(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    OURS(p11->C_Verify(session, digest, ~0UL, signature, 64), CKR_DATA_LEN_RANGE);
    OURS(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    OURS(p11->C_VerifyUpdate(session, digest, 32), CKR_FUNCTION_NOT_SUPPORTED);
    CK_OBJECT_HANDLE imported = public_key_object(session);
    RV(p11->C_SetAttributeValue(session, imported, &no_verify, 1), CKR_OK);
    if (!live_ours())
        return; /* there the refused calls above have left an operation */
    RV(p11->C_VerifyInit(session, &ecdsa, imported), CKR_KEY_FUNCTION_NOT_PERMITTED);
}
END_TEST

static CK_RV
verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE *digest, CK_ULONG digest_len, CK_BYTE *signature,
    CK_ULONG len)
{
    RV(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    return p11->C_Verify(session, digest, digest_len, signature, len);
}

START_TEST(test_signatures)
{
    CK_BYTE digest[32] = {1, 2, 3}, signature[64], zero[64] = {0};
    CK_ULONG len = sizeof(signature);
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_SESSION_HANDLE session = session_user();

    token_pair(session, &public_key, &private_key);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    RV(p11->C_Sign(session, digest, sizeof(digest), signature, &len), CKR_OK);
    RV(p11->C_Logout(session), CKR_OK); /* whoever verifies need not be logged in */
    RV(verify(session, public_key, digest, 32, signature, len), CKR_OK);
    RV(verify(session, public_key_object(session), digest, 32, signature, len), CKR_SIGNATURE_INVALID);
    RV(verify(session, public_key, digest, 32, zero, 64), CKR_SIGNATURE_INVALID);
    RV(verify(session, public_key, digest, 31, signature, len), CKR_SIGNATURE_INVALID);
    RV(verify(session, public_key, digest, 32, signature, 63), CKR_SIGNATURE_LEN_RANGE);
    RV(verify(session, public_key, digest, 32, signature, 0), CKR_SIGNATURE_LEN_RANGE);
    for (size_t bit = 0; bit < 512; bit += 61) {
        signature[bit / 8] ^= (CK_BYTE)(1u << bit % 8);
        RV(verify(session, public_key, digest, 32, signature, len), CKR_SIGNATURE_INVALID);
        signature[bit / 8] ^= (CK_BYTE)(1u << bit % 8);
    }
    digest[0] ^= 1;
    RV(verify(session, public_key, digest, 32, signature, len), CKR_SIGNATURE_INVALID);
}
END_TEST

void
chapter_verify(TCase *tests)
{
    tcase_add_test(tests, test_states);
    tcase_add_test(tests, test_signatures);
}
