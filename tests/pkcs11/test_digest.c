#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <string.h>

#include <openssl/evp.h>

static const struct {
    CK_MECHANISM_TYPE type;
    const char *name;
    CK_ULONG len;
} digests[] = {
    {CKM_SHA_1, "SHA1", 20},
    {CKM_SHA224, "SHA224", 28},
    {CKM_SHA256, "SHA256", 32},
    {CKM_SHA384, "SHA384", 48},
    {CKM_SHA512, "SHA512", 64},
    {CKM_SHA3_224, "SHA3-224", 28},
    {CKM_SHA3_256, "SHA3-256", 32},
    {CKM_SHA3_384, "SHA3-384", 48},
    {CKM_SHA3_512, "SHA3-512", 64},
};

START_TEST(test_values)
{
    CK_MECHANISM mechanism = {digests[_i].type, NULL, 0};
    CK_BYTE got[64], expected[64], data[1000];
    CK_ULONG len = 0;
    size_t expected_len = 0;
    CK_SESSION_HANDLE session = open_ro();

    memset(data, 0x5a, sizeof(data));
    ck_assert_int_eq(EVP_Q_digest(NULL, digests[_i].name, NULL, data, sizeof(data), expected, &expected_len), 1);
    ck_rv(p11->C_DigestInit(session, &mechanism), CKR_OK);
    ck_rv(p11->C_Digest(session, data, sizeof(data), NULL, &len), CKR_OK);
    ck_assert_uint_eq(len, digests[_i].len);
    len--;
    ck_rv(p11->C_Digest(session, data, sizeof(data), got, &len), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, digests[_i].len);
    ck_rv(p11->C_Digest(session, data, sizeof(data), got, &len), CKR_OK);
    ck_assert_mem_eq(got, expected, len);
    ck_rv(p11->C_Digest(session, data, sizeof(data), got, &len), CKR_OPERATION_NOT_INITIALIZED);
    /* in parts */
    ck_rv(p11->C_DigestInit(session, &mechanism), CKR_OK);
    for (size_t at = 0; at < sizeof(data); at += 250)
        ck_rv(p11->C_DigestUpdate(session, data + at, 250), CKR_OK);
    len = 3;
    ck_rv(p11->C_DigestFinal(session, got, &len), CKR_BUFFER_TOO_SMALL);
    memset(got, 0, sizeof(got));
    ck_rv(p11->C_DigestFinal(session, got, &len), CKR_OK);
    ck_assert_uint_eq(len, digests[_i].len);
    ck_assert_mem_eq(got, expected, len);
}
END_TEST

START_TEST(test_errors)
{
    CK_BYTE byte = 0, out[64];
    CK_ULONG len = sizeof(out);
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0}, parameter = {CKM_SHA256, &byte, 1};
    CK_SESSION_HANDLE session = open_ro();

    ck_rv(p11->C_DigestInit(999, &sha256), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_DigestInit(session, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_DigestInit(session, &ecdsa), CKR_MECHANISM_INVALID);
    ck_rv(p11->C_DigestInit(session, &parameter), CKR_MECHANISM_PARAM_INVALID);
    ck_rv(p11->C_DigestUpdate(session, out, 1), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OPERATION_ACTIVE);
    ck_rv(p11->C_DigestInit(session, NULL), CKR_OK); /* 3.0: cancels */
    ck_rv(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    /* an error ends the operation */
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_DigestUpdate(session, NULL, 5), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_DigestUpdate(session, out, 1), CKR_OK);
    ck_rv(p11->C_Digest(session, out, 1, out, &len), CKR_OPERATION_ACTIVE);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_DigestKey(session, 12345), CKR_KEY_HANDLE_INVALID);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_DigestFinal(session, out, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_Digest(session, NULL, 0, out, &len), CKR_OK);
    ck_assert_uint_eq(out[0], 0xe3); /* SHA-256 of nothing */
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-digest");
    TCase *tests = tcase_create("digest");

    tcase_add_unchecked_fixture(tests, module_setup, module_teardown);
    tcase_add_checked_fixture(tests, module_start, module_stop);
    tcase_add_loop_test(tests, test_values, 0, (int)(sizeof(digests) / sizeof(digests[0])));
    tcase_add_test(tests, test_errors);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
