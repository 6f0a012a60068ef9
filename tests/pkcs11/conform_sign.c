#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.13 signing. */

static CK_BYTE digest[32] = {1, 2, 3}, signature[160];
static CK_ULONG len;
static CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};

START_TEST(test_states)
{
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, junk = {CKM_VENDOR_DEFINED | 1, NULL, 0},
                 parameter = {CKM_ECDSA, &yes, 1};
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_SESSION_HANDLE session = session_user();

    token_pair(session, &public_key, &private_key);
    len = sizeof(signature);
    RV(p11->C_SignInit(999, &ecdsa, private_key), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Sign(999, digest, 32, signature, &len), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_SignUpdate(999, digest, 32), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_SignFinal(999, signature, &len), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Sign(session, digest, 32, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_SignUpdate(session, digest, 32), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_SignFinal(session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_SignInit(session, NULL, private_key), CKR_ARGUMENTS_BAD);
    OURS(p11->C_SignInit(session, &ecdsa, 0), CKR_KEY_HANDLE_INVALID);
    OURS(p11->C_SignInit(session, &ecdsa, data_object(session, CK_FALSE, CK_FALSE, "x")), CKR_KEY_HANDLE_INVALID);
    OURS(p11->C_SignInit(session, &ecdsa, public_key), CKR_KEY_TYPE_INCONSISTENT);
    RV(p11->C_SignInit(session, &sha256, private_key), CKR_MECHANISM_INVALID);
    RV(p11->C_SignInit(session, &junk, private_key), CKR_MECHANISM_INVALID);
    OURS(p11->C_SignInit(session, &parameter, private_key), CKR_MECHANISM_PARAM_INVALID);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OPERATION_ACTIVE);
    RV(p11->C_Sign(session, digest, 32, NULL, &len), CKR_OK); /* no run, and still active */
    ck_assert_uint_eq(len, 64);
    len = 63;
    RV(p11->C_Sign(session, digest, 32, signature, &len), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, 64);
    RV(p11->C_Sign(session, digest, 32, signature, &len), CKR_OK);
    ck_assert_uint_eq(len, 64);
    RV(p11->C_Sign(session, digest, 32, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
}
END_TEST

/* An error ends the operation. */
START_TEST(test_errors_end)
{
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_BYTE long_data[200] = {0};
    CK_SESSION_HANDLE session = session_user();

    token_pair(session, &public_key, &private_key);
    len = sizeof(signature);
    OURS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    OURS(p11->C_SignInit(session, NULL, 0), CKR_OK); /* 3.0: cancels */
    OURS(p11->C_Sign(session, digest, 32, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    RV(p11->C_Sign(session, digest, 32, signature, NULL), CKR_ARGUMENTS_BAD);
    OURS(p11->C_Sign(session, digest, 32, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    OURS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    OURS(p11->C_Sign(session, NULL, 32, signature, &len), CKR_ARGUMENTS_BAD);
    OURS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    OURS(p11->C_Sign(session, digest, 0, signature, &len), CKR_DATA_LEN_RANGE);
    OURS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    OURS(p11->C_Sign(session, long_data, 65, signature, &len), CKR_DATA_LEN_RANGE);
    OURS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    OURS(p11->C_Sign(session, long_data, ~0UL, signature, &len), CKR_DATA_LEN_RANGE);
    OURS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    OURS(p11->C_SignUpdate(session, digest, 32), CKR_FUNCTION_NOT_SUPPORTED); /* single part only */
    OURS(p11->C_SignFinal(session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
}
END_TEST

static const CK_MECHANISM_TYPE hashing[] = {CKM_ECDSA_SHA1, CKM_ECDSA_SHA224, CKM_ECDSA_SHA256, CKM_ECDSA_SHA384,
    CKM_ECDSA_SHA512, CKM_ECDSA_SHA3_224, CKM_ECDSA_SHA3_256, CKM_ECDSA_SHA3_384, CKM_ECDSA_SHA3_512};

/* In parts and at once, checked in parts and at once. */
START_TEST(test_hashing)
{
    CK_BYTE text[] = "a message in three parts";
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_MECHANISM mechanism = {hashing[_i], NULL, 0};
    CK_SESSION_HANDLE session = session_user();

    if (!live_ours())
        return;
    token_pair(session, &public_key, &private_key);
    RV(p11->C_SignInit(session, &mechanism, private_key), CKR_OK);
    RV(p11->C_SignUpdate(session, text, 5), CKR_OK);
    RV(p11->C_SignUpdate(session, NULL, 0), CKR_OK);
    RV(p11->C_SignUpdate(session, text + 5, sizeof(text) - 5), CKR_OK);
    RV(p11->C_SignFinal(session, NULL, &len), CKR_OK);
    ck_assert_uint_eq(len, 64);
    len = 10;
    RV(p11->C_SignFinal(session, signature, &len), CKR_BUFFER_TOO_SMALL);
    RV(p11->C_SignFinal(session, signature, &len), CKR_OK);
    RV(p11->C_SignFinal(session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_VerifyInit(session, &mechanism, public_key), CKR_OK);
    RV(p11->C_Verify(session, text, sizeof(text), signature, len), CKR_OK);
    RV(p11->C_SignInit(session, &mechanism, private_key), CKR_OK);
    RV(p11->C_Sign(session, text, sizeof(text), signature, &len), CKR_OK);
    RV(p11->C_VerifyInit(session, &mechanism, public_key), CKR_OK);
    RV(p11->C_VerifyUpdate(session, text, 1), CKR_OK);
    RV(p11->C_VerifyUpdate(session, text + 1, sizeof(text) - 1), CKR_OK);
    RV(p11->C_VerifyFinal(session, signature, len), CKR_OK);
}
END_TEST

START_TEST(test_parts)
{
    static CK_BYTE large[65537];
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_MECHANISM sha256 = {CKM_ECDSA_SHA256, NULL, 0};
    CK_SESSION_HANDLE session = session_user();

    if (!live_ours())
        return;
    token_pair(session, &public_key, &private_key);
    len = sizeof(signature);
    RV(p11->C_SignInit(session, &sha256, private_key), CKR_OK);
    RV(p11->C_SignUpdate(session, large, 1), CKR_OK);
    RV(p11->C_Sign(session, large, 1, signature, &len), CKR_OPERATION_ACTIVE); /* two ways mixed */
    RV(p11->C_SignFinal(session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_SignInit(session, &sha256, private_key), CKR_OK);
    RV(p11->C_SignUpdate(session, large, 65536), CKR_OK);
    RV(p11->C_SignUpdate(session, large, 1), CKR_DATA_LEN_RANGE);
    RV(p11->C_SignFinal(session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_SignInit(session, &sha256, private_key), CKR_OK);
    RV(p11->C_Sign(session, large, 65537, signature, &len), CKR_DATA_LEN_RANGE);
    RV(p11->C_SignInit(session, &sha256, private_key), CKR_OK);
    RV(p11->C_SignUpdate(session, NULL, 1), CKR_ARGUMENTS_BAD);
    RV(p11->C_SignInit(session, &sha256, private_key), CKR_OK);
    RV(p11->C_SignFinal(session, signature, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_SignInit(session, &sha256, private_key), CKR_OK);
    RV(p11->C_Sign(session, NULL, 0, signature, &len), CKR_OK); /* nothing is a message */
    RV(p11->C_VerifyInit(session, &sha256, public_key), CKR_OK);
    RV(p11->C_Verify(session, NULL, 0, signature, len), CKR_OK);
}
END_TEST

START_TEST(test_permissions)
{
    CK_MECHANISM sha256 = {CKM_ECDSA_SHA256, NULL, 0};
    CK_MECHANISM_TYPE allowed = CKM_ECDSA;
    CK_OBJECT_HANDLE public_key = 0, private_key = 0, limited = 0, other = 0;
    CK_ATTRIBUTE no_sign = {CKA_SIGN, &no, 1}, sign = {CKA_SIGN, &yes, 1};
    CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)};
    CK_ATTRIBUTE list = {CKA_ALLOWED_MECHANISMS, &allowed, sizeof(allowed)};
    CK_MECHANISM generator = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_SESSION_HANDLE session = session_user();

    token_pair(session, &public_key, &private_key);
    len = sizeof(signature);
    RV(p11->C_SetAttributeValue(session, private_key, &no_sign, 1), CKR_OK);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_KEY_FUNCTION_NOT_PERMITTED);
    RV(p11->C_SetAttributeValue(session, private_key, &sign, 1), CKR_OK);
    OURS(p11->C_GenerateKeyPair(session, &generator, &curve, 1, &list, 1, &other, &limited), CKR_OK);
    OURS(p11->C_SignInit(session, &sha256, limited), CKR_MECHANISM_INVALID);
    OURS(p11->C_SignInit(session, &ecdsa, limited), CKR_OK);
    OURS(p11->C_SignInit(session, NULL, 0), CKR_OK);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    RV(p11->C_Logout(session), CKR_OK);
    OURS(p11->C_Sign(session, digest, 32, signature, &len), CKR_USER_NOT_LOGGED_IN);
    OURS(p11->C_SignInit(session, &ecdsa, private_key), CKR_USER_NOT_LOGGED_IN);
}
END_TEST

/* Signing, digesting, verifying and searching go on side by side in one session. */
START_TEST(test_side_by_side)
{
    CK_BYTE out[32];
    CK_ULONG out_len = sizeof(out), count = 0;
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_OBJECT_HANDLE public_key = 0, private_key = 0, found = 0;
    CK_SESSION_HANDLE session = session_user();

    if (!live_ours())
        return; /* SoftHSM2 has one operation in a session */
    token_pair(session, &public_key, &private_key);
    RV(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    RV(p11->C_DigestInit(session, &sha256), CKR_OK);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    RV(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    len = sizeof(signature);
    RV(p11->C_Sign(session, digest, 32, signature, &len), CKR_OK);
    RV(p11->C_Verify(session, digest, 32, signature, len), CKR_OK);
    RV(p11->C_Digest(session, digest, 32, out, &out_len), CKR_OK);
    RV(p11->C_FindObjects(session, &found, 1, &count), CKR_OK);
    RV(p11->C_FindObjectsFinal(session), CKR_OK);
}
END_TEST

void
chapter_sign(TCase *tests)
{
    tcase_add_test(tests, test_states);
    tcase_add_test(tests, test_errors_end);
    tcase_add_loop_test(tests, test_hashing, 0, (int)LENGTH(hashing));
    tcase_add_test(tests, test_parts);
    tcase_add_test(tests, test_permissions);
    tcase_add_test(tests, test_side_by_side);
}
