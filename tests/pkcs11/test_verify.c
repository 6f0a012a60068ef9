#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <string.h>

static CK_BYTE digest[32];
static CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
static CK_MECHANISM ecdsa_sha256 = {CKM_ECDSA_SHA256, NULL, 0};

static void
start(void)
{
    module_start();
    for (size_t i = 0; i < sizeof(digest); i++)
        digest[i] = (CK_BYTE)i;
}

/* A public key of the session; more attributes may be given. */
static CK_OBJECT_HANDLE
import(CK_SESSION_HANDLE session, CK_BYTE *point, CK_ULONG point_len, CK_ATTRIBUTE *more, CK_RV expected)
{
    CK_OBJECT_CLASS public_key = CKO_PUBLIC_KEY;
    CK_KEY_TYPE ec = CKK_EC;
    CK_OBJECT_HANDLE key = 0;
    CK_ATTRIBUTE template[5] = {
        {CKA_CLASS, &public_key, sizeof(public_key)},
        {CKA_KEY_TYPE, &ec, sizeof(ec)},
        {CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)},
        {CKA_EC_POINT, point, point_len},
    };

    if (more)
        template[4] = *more;
    ck_rv(p11->C_CreateObject(session, template, more ? 5 : 4, &key), expected);
    return key;
}

START_TEST(test_single)
{
    CK_BYTE wrong[64];
    CK_SESSION_HANDLE session = open_ro();
    CK_OBJECT_HANDLE key = import(session, p256_point, sizeof(p256_point), NULL, CKR_OK);

    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OPERATION_ACTIVE);
    ck_rv(p11->C_Verify(session, digest, 32, p256_signature, 64), CKR_OK);
    ck_rv(p11->C_Verify(session, digest, 32, p256_signature, 64), CKR_OPERATION_NOT_INITIALIZED);
    for (size_t i = 0; i < 64; i++) {
        memcpy(wrong, p256_signature, 64);
        wrong[i] ^= 1;
        ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
        ck_rv(p11->C_Verify(session, digest, 32, wrong, 64), CKR_SIGNATURE_INVALID);
    }
    memset(wrong, 0, sizeof(wrong));
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Verify(session, digest, 32, wrong, 64), CKR_SIGNATURE_INVALID);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Verify(session, digest, 32, p256_signature, 63), CKR_SIGNATURE_LEN_RANGE);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Verify(session, digest, 0, p256_signature, 64), CKR_DATA_LEN_RANGE);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Verify(session, digest, 65, p256_signature, 64), CKR_DATA_LEN_RANGE);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Verify(session, NULL, 32, p256_signature, 64), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_Verify(session, digest, 32, p256_signature, 64), CKR_OPERATION_NOT_INITIALIZED);
}
END_TEST

START_TEST(test_hashing)
{
    CK_SESSION_HANDLE session = open_ro();
    CK_OBJECT_HANDLE key = import(session, p256_point + 2, 65, NULL, CKR_OK); /* the plain point */

    ck_rv(p11->C_VerifyInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_Verify(session, BYTES("abc"), 3, p256_signature_abc, 64), CKR_OK);
    ck_rv(p11->C_VerifyInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_Verify(session, BYTES("abd"), 3, p256_signature_abc, 64), CKR_SIGNATURE_INVALID);
    ck_rv(p11->C_VerifyInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_VerifyUpdate(session, BYTES("a"), 1), CKR_OK);
    ck_rv(p11->C_VerifyUpdate(session, BYTES("bc"), 2), CKR_OK);
    ck_rv(p11->C_VerifyFinal(session, p256_signature_abc, 64), CKR_OK);
    ck_rv(p11->C_VerifyFinal(session, p256_signature_abc, 64), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_VerifyInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_VerifyUpdate(session, BYTES("a"), 1), CKR_OK);
    ck_rv(p11->C_Verify(session, BYTES("bc"), 2, p256_signature_abc, 64), CKR_OPERATION_ACTIVE);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_VerifyUpdate(session, digest, 32), CKR_FUNCTION_NOT_SUPPORTED);
}
END_TEST

START_TEST(test_keys)
{
    CK_BBOOL no = CK_FALSE;
    CK_MECHANISM_TYPE only = CKM_ECDSA_SHA256;
    CK_ATTRIBUTE no_verify = {CKA_VERIFY, &no, 1}, allowed = {CKA_ALLOWED_MECHANISMS, &only, sizeof(only)};
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &data, sizeof(data)}};
    CK_OBJECT_HANDLE object = 0;
    CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0}, parameter = {CKM_ECDSA, digest, 4};
    CK_SESSION_HANDLE session = open_ro();
    CK_OBJECT_HANDLE key = import(session, p256_point, sizeof(p256_point), NULL, CKR_OK);

    ck_rv(p11->C_VerifyInit(session, &ecdsa, 4711), CKR_KEY_HANDLE_INVALID);
    ck_rv(p11->C_VerifyInit(session, NULL, key), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_VerifyInit(session, &rsa, key), CKR_MECHANISM_INVALID);
    ck_rv(p11->C_VerifyInit(session, &parameter, key), CKR_MECHANISM_PARAM_INVALID);
    ck_rv(p11->C_CreateObject(session, template, 1, &object), CKR_OK);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, object), CKR_KEY_HANDLE_INVALID);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_KEY_TYPE_INCONSISTENT);
    key = import(session, p256_point, sizeof(p256_point), &no_verify, CKR_OK);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_KEY_FUNCTION_NOT_PERMITTED);
    key = import(session, p256_point, sizeof(p256_point), &allowed, CKR_OK);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_MECHANISM_INVALID);
    ck_rv(p11->C_VerifyInit(session, &ecdsa_sha256, key), CKR_OK);
}
END_TEST

START_TEST(test_bad_points)
{
    CK_BYTE point[67];
    CK_SESSION_HANDLE session = open_ro();

    memcpy(point, p256_point, sizeof(point));
    point[66] ^= 1; /* not on the curve */
    (void)import(session, point, sizeof(point), NULL, CKR_ATTRIBUTE_VALUE_INVALID);
    (void)import(session, point, 66, NULL, CKR_ATTRIBUTE_VALUE_INVALID);
    (void)import(session, point, 0, NULL, CKR_ATTRIBUTE_VALUE_INVALID);
    memcpy(point, p256_point, sizeof(point));
    point[2] = 0x02; /* not uncompressed */
    (void)import(session, point, sizeof(point), NULL, CKR_ATTRIBUTE_VALUE_INVALID);
    memset(point, 0xff, sizeof(point));
    point[0] = 0x04;
    (void)import(session, point, 65, NULL, CKR_ATTRIBUTE_VALUE_INVALID);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-verify");
    TCase *tests = tcase_create("verify");

    tcase_add_unchecked_fixture(tests, module_setup, module_teardown);
    tcase_add_checked_fixture(tests, start, module_stop);
    tcase_add_test(tests, test_single);
    tcase_add_test(tests, test_hashing);
    tcase_add_test(tests, test_keys);
    tcase_add_test(tests, test_bad_points);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
