#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <stdlib.h>
#include <string.h>

/* Signing and key generation as far as they come without a peer: what is refused before, and that a peer that cannot be
   reached is told as such. */

static CK_BYTE digest[65];
static CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
static CK_MECHANISM ecdsa_sha256 = {CKM_ECDSA_SHA256, NULL, 0};
static CK_MECHANISM keygen = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

static void
setup_with_key(void)
{
    module_setup();
    module_make_key();
}

START_TEST(test_sign_init)
{
    CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE no_sign = {CKA_SIGN, &no, 1};
    CK_OBJECT_HANDLE copy = 0;
    CK_ULONG len = 64;
    CK_SESSION_HANDLE session = open_user();
    CK_OBJECT_HANDLE key = find_class(session, CKO_PRIVATE_KEY);

    ck_assert_uint_ne(key, 0);
    ck_rv(p11->C_SignInit(999, &ecdsa, key), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_SignInit(session, NULL, key), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_SignInit(session, &rsa, key), CKR_MECHANISM_INVALID);
    ck_rv(p11->C_SignInit(session, &ecdsa, 4711), CKR_KEY_HANDLE_INVALID);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, key), CKR_KEY_TYPE_INCONSISTENT);
    ck_rv(p11->C_Sign(session, digest, 32, digest, &len), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_SignUpdate(session, digest, 32), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_SignFinal(session, digest, &len), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OPERATION_ACTIVE);
    ck_rv(p11->C_SignInit(session, NULL, key), CKR_OK); /* 3.0: cancels */
    ck_rv(p11->C_CopyObject(session, key, &no_sign, 1, &copy), CKR_OK);
    ck_rv(p11->C_SignInit(session, &ecdsa, copy), CKR_KEY_FUNCTION_NOT_PERMITTED);
    ck_rv(p11->C_DestroyObject(session, copy), CKR_OK);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK); /* the half is still there */
    ck_rv(p11->C_Logout(session), CKR_OK);
    ck_rv(p11->C_Sign(session, digest, 32, digest, &len), CKR_USER_NOT_LOGGED_IN);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_USER_NOT_LOGGED_IN);
}
END_TEST

START_TEST(test_sign_arguments)
{
    CK_BYTE signature[64];
    CK_ULONG len = 0;
    CK_SESSION_HANDLE session = open_user();
    CK_OBJECT_HANDLE key = find_class(session, CKO_PRIVATE_KEY);

    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Sign(session, digest, 32, NULL, &len), CKR_OK); /* the length alone: nobody is asked */
    ck_assert_uint_eq(len, 64);
    len = 63;
    ck_rv(p11->C_Sign(session, digest, 32, signature, &len), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, 64);
    ck_rv(p11->C_Sign(session, digest, 65, signature, &len), CKR_DATA_LEN_RANGE);
    ck_rv(p11->C_Sign(session, digest, 32, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Sign(session, digest, 0, signature, &len), CKR_DATA_LEN_RANGE);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Sign(session, NULL, 32, signature, &len), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Sign(session, digest, 32, signature, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, digest, 32), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_SignInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, NULL, 32), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_SignInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, digest, 32), CKR_OK);
    ck_rv(p11->C_Sign(session, digest, 32, signature, &len), CKR_OPERATION_ACTIVE);
}
END_TEST

/* 64 KiB is the longest message that the peer takes. */
START_TEST(test_long_message)
{
    CK_BYTE *message = calloc(1, 65537), signature[64];
    CK_ULONG len = sizeof(signature);
    CK_SESSION_HANDLE session = open_user();
    CK_OBJECT_HANDLE key = find_class(session, CKO_PRIVATE_KEY);

    ck_rv(p11->C_SignInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_Sign(session, message, 65537, signature, &len), CKR_DATA_LEN_RANGE);
    ck_rv(p11->C_SignInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, message, 65536), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, message, 0), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, message, 1), CKR_DATA_LEN_RANGE);
    ck_rv(p11->C_SignFinal(session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_SignInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, message, (CK_ULONG)-1), CKR_DATA_LEN_RANGE);
    free(message);
}
END_TEST

/* The half is no half and the peer is nobody: the failure is clear, ends the operation, and leaves the rest usable. */
START_TEST(test_no_peer)
{
    CK_BYTE signature[64];
    CK_ULONG len = sizeof(signature);
    CK_SESSION_HANDLE session = open_user();
    CK_OBJECT_HANDLE key = find_class(session, CKO_PRIVATE_KEY);

    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_OK);
    ck_rv(p11->C_Sign(session, digest, 32, signature, &len), CKR_DEVICE_ERROR);
    ck_rv(p11->C_Sign(session, digest, 32, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_SignInit(session, &ecdsa_sha256, key), CKR_OK);
    ck_rv(p11->C_SignUpdate(session, digest, 32), CKR_OK);
    ck_rv(p11->C_SignFinal(session, NULL, &len), CKR_OK);
    ck_assert_uint_eq(len, 64);
    ck_rv(p11->C_SignFinal(session, signature, &len), CKR_DEVICE_ERROR);
    ck_assert_uint_ne(find_class(session, CKO_PRIVATE_KEY), 0);
}
END_TEST

START_TEST(test_locked)
{
    CK_SESSION_HANDLE session = open_user();

    ck_rv(p11->C_SignInit(session, &ecdsa, find_class(session, CKO_PRIVATE_KEY)), CKR_KEY_FUNCTION_NOT_PERMITTED);
}
END_TEST

static CK_RV
generate(CK_SESSION_HANDLE session, CK_ATTRIBUTE *public_template, CK_ULONG public_count,
    CK_ATTRIBUTE *private_template, CK_ULONG private_count)
{
    CK_OBJECT_HANDLE public_key = 77, private_key = 77;
    CK_RV rv = p11->C_GenerateKeyPair(
        session, &keygen, public_template, public_count, private_template, private_count, &public_key, &private_key);

    ck_assert(rv == CKR_OK || (public_key == 77 && private_key == 77));
    return rv;
}

/* All of this is refused before a peer hears of it. */
START_TEST(test_keygen_templates)
{
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_KEY_TYPE rsa = CKK_RSA;
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_BYTE explicit[] = {0x30, 3, 2, 1, 1}, garbage[] = {1, 2, 3}, other[] = {0x06, 3, 0x2b, 0x65, 0x70};
    CK_BYTE p384[] = {0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22};
    CK_ATTRIBUTE params = {CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)};
    CK_SESSION_HANDLE ro = open_ro(), session = open_user();
    struct {
        CK_ATTRIBUTE public_more, private_one;
        CK_RV expected;
    } cases[] = {
        {{CKA_KEY_TYPE, &rsa, sizeof(rsa)}, {CKA_TOKEN, &no, 1}, CKR_TEMPLATE_INCONSISTENT},
        {{CKA_CLASS, &data, sizeof(data)}, {CKA_TOKEN, &no, 1}, CKR_TEMPLATE_INCONSISTENT},
        {{CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)}, {CKA_TOKEN, &no, 1}, CKR_TEMPLATE_INCONSISTENT},
        {{CKA_EC_POINT, p256_point, sizeof(p256_point)}, {CKA_TOKEN, &no, 1}, CKR_ATTRIBUTE_READ_ONLY},
        {{CKA_TRUSTED, &yes, 1}, {CKA_TOKEN, &no, 1}, CKR_ATTRIBUTE_READ_ONLY},
        {{CKA_SIGN, &yes, 1}, {CKA_TOKEN, &no, 1}, CKR_TEMPLATE_INCONSISTENT},
        {{CKA_ENCRYPT, &yes, 1}, {CKA_TOKEN, &no, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, &yes, 4}, {CKA_TOKEN, &no, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, NULL, 1}, {CKA_TOKEN, &no, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{0x12345, &yes, 1}, {CKA_TOKEN, &no, 1}, CKR_ATTRIBUTE_TYPE_INVALID},
        {{CKA_VERIFY, &yes, 1}, {CKA_SENSITIVE, &no, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, &yes, 1}, {CKA_PRIVATE, &no, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, &yes, 1}, {CKA_DECRYPT, &yes, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, &yes, 1}, {CKA_ALWAYS_AUTHENTICATE, &yes, 1}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, &yes, 1}, {CKA_VALUE, digest, 32}, CKR_ATTRIBUTE_READ_ONLY},
        {{CKA_VERIFY, &yes, 1}, {CKA_LOCAL, &yes, 1}, CKR_ATTRIBUTE_READ_ONLY},
        {{CKA_VERIFY, &yes, 1}, {CKA_TALLYSTICK_KEY, digest, 16}, CKR_ATTRIBUTE_READ_ONLY},
        {{CKA_VERIFY, &yes, 1}, {CKA_UNIQUE_ID, digest, 16}, CKR_ATTRIBUTE_READ_ONLY},
        {{CKA_VERIFY, &yes, 1}, {CKA_START_DATE, digest, 3}, CKR_ATTRIBUTE_VALUE_INVALID},
        {{CKA_VERIFY, &yes, 1}, {CKA_EC_PARAMS, p384, sizeof(p384)}, CKR_TEMPLATE_INCONSISTENT},
        {{CKA_VERIFY, &yes, 1}, {CKA_MODULUS, digest, 16}, CKR_ATTRIBUTE_TYPE_INVALID},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CK_ATTRIBUTE public_template[] = {params, cases[i].public_more};
        CK_RV rv = generate(session, public_template, 2, &cases[i].private_one, 1);
        ck_assert_msg(rv == cases[i].expected, "case %zu: %#lx instead of %#lx", i, rv, cases[i].expected);
    }
    ck_rv(generate(session, NULL, 0, NULL, 0), CKR_TEMPLATE_INCOMPLETE);
    ck_rv(generate(session, NULL, 1, NULL, 0), CKR_ARGUMENTS_BAD);
    ck_rv(generate(session, &params, (CK_ULONG)1 << 40, NULL, 0), CKR_ARGUMENTS_BAD);
    params = (CK_ATTRIBUTE){CKA_EC_PARAMS, explicit, sizeof(explicit)};
    ck_rv(generate(session, &params, 1, NULL, 0), CKR_CURVE_NOT_SUPPORTED);
    params = (CK_ATTRIBUTE){CKA_EC_PARAMS, other, sizeof(other)};
    ck_rv(generate(session, &params, 1, NULL, 0), CKR_CURVE_NOT_SUPPORTED);
    params = (CK_ATTRIBUTE){CKA_EC_PARAMS, garbage, sizeof(garbage)};
    ck_rv(generate(session, &params, 1, NULL, 0), CKR_DOMAIN_PARAMS_INVALID);
    params = (CK_ATTRIBUTE){CKA_EC_PARAMS, p256_oid, 0};
    ck_rv(generate(session, &params, 1, NULL, 0), CKR_DOMAIN_PARAMS_INVALID);
    params = (CK_ATTRIBUTE){CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)};
    CK_ATTRIBUTE token = {CKA_TOKEN, &yes, 1};
    ck_rv(generate(ro, &params, 1, &token, 1), CKR_SESSION_READ_ONLY);
    ck_rv(p11->C_GenerateKeyPair(session, NULL, &params, 1, NULL, 0, NULL, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_Logout(session), CKR_OK);
    ck_rv(generate(session, &params, 1, NULL, 0), CKR_USER_NOT_LOGGED_IN);
}
END_TEST

/* A good template, also with the curve's printable name and CKA_DERIVE: only the peer is missing. */
START_TEST(test_keygen_no_peer)
{
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE name[] = {0x13, 9, 's', 'e', 'c', 'p', '2', '5', '6', 'k', '1'};
    CK_ATTRIBUTE public_template[] = {{CKA_EC_PARAMS, name, sizeof(name)}, {CKA_DERIVE, &yes, 1}};
    CK_ATTRIBUTE private_template[] = {{CKA_TOKEN, &yes, 1}, {CKA_DERIVE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}};
    CK_SESSION_HANDLE session = open_user();

    ck_rv(generate(session, public_template, 2, private_template, 3), CKR_DEVICE_ERROR);
    ck_assert_uint_eq(find_class(session, CKO_PUBLIC_KEY), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-sign");
    TCase *tests = tcase_create("sign");
    TCase *locked = tcase_create("locked");
    TCase *none = tcase_create("no-peer");

    tcase_add_unchecked_fixture(tests, setup_with_key, module_teardown);
    tcase_add_checked_fixture(tests, module_start, module_stop);
    tcase_add_test(tests, test_sign_init);
    tcase_add_test(tests, test_sign_arguments);
    tcase_add_test(tests, test_long_message);
    tcase_add_test(tests, test_no_peer);
    tcase_add_test(tests, test_keygen_templates);
    suite_add_tcase(suite, tests);
    tcase_add_unchecked_fixture(locked, setup_with_key, module_teardown);
    tcase_add_unchecked_fixture(locked, module_lock_key, NULL);
    tcase_add_checked_fixture(locked, module_start, module_stop);
    tcase_add_test(locked, test_locked);
    suite_add_tcase(suite, locked);
    tcase_add_unchecked_fixture(none, module_setup, module_teardown);
    tcase_add_checked_fixture(none, module_start, module_stop);
    tcase_add_test(none, test_keygen_no_peer);
    suite_add_tcase(suite, none);
    return run_suite(suite);
}
