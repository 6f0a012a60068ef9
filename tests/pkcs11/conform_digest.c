#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.10 message digesting. */

static const struct {
    CK_MECHANISM_TYPE type;
    CK_ULONG len;
    bool everywhere;
    CK_BYTE first[4]; /* of the digest of "abc": FIPS 180-4 and FIPS 202 */
} hashes[] = {
    {CKM_SHA_1, 20, true, {0xa9, 0x99, 0x3e, 0x36}},
    {CKM_SHA224, 28, true, {0x23, 0x09, 0x7d, 0x22}},
    {CKM_SHA256, 32, true, {0xba, 0x78, 0x16, 0xbf}},
    {CKM_SHA384, 48, true, {0xcb, 0x00, 0x75, 0x3f}},
    {CKM_SHA512, 64, true, {0xdd, 0xaf, 0x35, 0xa1}},
    {CKM_SHA3_224, 28, false, {0xe6, 0x42, 0x82, 0x4c}},
    {CKM_SHA3_256, 32, false, {0x3a, 0x98, 0x5d, 0xa7}},
    {CKM_SHA3_384, 48, false, {0xec, 0x01, 0x49, 0x82}},
    {CKM_SHA3_512, 64, false, {0xb7, 0x51, 0x85, 0x0b}},
};

START_TEST(test_values)
{
    CK_BYTE out[64], again[64];
    CK_ULONG len = 0;
    CK_MECHANISM mechanism = {hashes[_i].type, NULL, 0};
    CK_SESSION_HANDLE session = session_ro();

    if (!hashes[_i].everywhere && !live_ours())
        return;
    RV(p11->C_DigestInit(session, &mechanism), CKR_OK);
    RV(p11->C_Digest(session, BYTES("abc"), 3, NULL, &len), CKR_OK);
    ck_assert_uint_eq(len, hashes[_i].len);
    len--;
    RV(p11->C_Digest(session, BYTES("abc"), 3, out, &len), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, hashes[_i].len);
    RV(p11->C_Digest(session, BYTES("abc"), 3, out, &len), CKR_OK);
    ck_assert_uint_eq(len, hashes[_i].len);
    ck_assert_mem_eq(out, hashes[_i].first, 4);
    RV(p11->C_DigestInit(session, &mechanism), CKR_OK);
    RV(p11->C_DigestUpdate(session, BYTES("a"), 1), CKR_OK);
    RV(p11->C_DigestUpdate(session, BYTES("bc"), 2), CKR_OK);
    RV(p11->C_DigestFinal(session, again, &len), CKR_OK);
    ck_assert_mem_eq(again, out, hashes[_i].len);
}
END_TEST

START_TEST(test_states)
{
    CK_BYTE out[64];
    CK_ULONG len = sizeof(out);
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0}, junk = {CKM_VENDOR_DEFINED | 1, NULL, 0};
    CK_MECHANISM parameter = {CKM_SHA256, out, 4};
    CK_SESSION_HANDLE session = session_ro();

    RV(p11->C_DigestInit(999, &sha256), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Digest(999, out, 1, out, &len), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_DigestUpdate(999, out, 1), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_DigestKey(999, 1), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_DigestFinal(999, out, &len), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Digest(session, out, 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_DigestUpdate(session, out, 1), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_DigestKey(session, 1), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_DigestInit(session, &ecdsa), CKR_MECHANISM_INVALID);
    RV(p11->C_DigestInit(session, &junk), CKR_MECHANISM_INVALID);
    OURS(p11->C_DigestInit(session, &parameter), CKR_MECHANISM_PARAM_INVALID);
    RV(p11->C_DigestInit(session, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_DigestInit(session, &sha256), CKR_OK);
    RV(p11->C_DigestInit(session, &sha256), CKR_OPERATION_ACTIVE);
    OURS(p11->C_DigestInit(session, NULL), CKR_OK); /* 3.0: cancels */
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    RV(p11->C_Digest(session, out, 1, out, NULL), CKR_ARGUMENTS_BAD);
    OURS(p11->C_Digest(session, out, 1, out, &len), CKR_OPERATION_NOT_INITIALIZED); /* the error has ended it */
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    OURS(p11->C_DigestUpdate(session, NULL, 3), CKR_ARGUMENTS_BAD);
    OURS(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    OURS(p11->C_DigestUpdate(session, out, 3), CKR_OK);
    OURS(p11->C_DigestFinal(session, NULL, &len), CKR_OK);
    OURS(p11->C_Digest(session, out, 3, out, &len), CKR_OPERATION_ACTIVE); /* two ways mixed */
    OURS(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    OURS(p11->C_Digest(session, out, 3, NULL, &len), CKR_OK);
    OURS(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_ACTIVE);
    OURS(p11->C_Digest(session, out, 3, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    OURS(p11->C_Digest(session, out, 3, NULL, &len), CKR_OK);
    OURS(p11->C_DigestUpdate(session, out, 3), CKR_OPERATION_ACTIVE);
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    len = sizeof(out);
    OURS(p11->C_Digest(session, NULL, 0, out, &len), CKR_OK); /* nothing is a message */
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    OURS(p11->C_DigestKey(session, 0), CKR_KEY_HANDLE_INVALID);
    OURS(p11->C_DigestInit(session, &sha256), CKR_OK);
    OURS(p11->C_DigestKey(session, public_key_object(session)), CKR_KEY_INDIGESTIBLE);
}
END_TEST

void
chapter_digest(TCase *tests)
{
    tcase_add_loop_test(tests, test_values, 0, (int)LENGTH(hashes));
    tcase_add_test(tests, test_states);
}
