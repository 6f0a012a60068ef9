#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <string.h>

START_TEST(test_open)
{
    CK_SESSION_HANDLE session = 0;

    ck_rv(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_OpenSession(1, 0, NULL, NULL, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    ck_rv(p11->C_OpenSession(1, CKF_RW_SESSION, NULL, NULL, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    ck_rv(p11->C_OpenSession(9, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_SLOT_ID_INVALID);
    ck_rv(p11->C_OpenSession(2, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_TOKEN_NOT_RECOGNIZED);
    ck_rv(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    ck_assert_uint_ne(session, CK_INVALID_HANDLE);
}
END_TEST

START_TEST(test_info)
{
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE ro = open_ro(), rw = open_rw();

    ck_rv(p11->C_GetSessionInfo(ro, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetSessionInfo(999, &info), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_GetSessionInfo(CK_INVALID_HANDLE, &info), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_GetSessionInfo(ro, &info), CKR_OK);
    ck_assert_uint_eq(info.slotID, 1);
    ck_assert_uint_eq(info.state, CKS_RO_PUBLIC_SESSION);
    ck_assert_uint_eq(info.flags, CKF_SERIAL_SESSION);
    ck_rv(p11->C_GetSessionInfo(rw, &info), CKR_OK);
    ck_assert_uint_eq(info.state, CKS_RW_PUBLIC_SESSION);
    ck_assert_uint_eq(info.flags, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    ck_rv(p11->C_Login(ro, CKU_USER, BYTES(MODULE_PIN), strlen(MODULE_PIN)), CKR_OK);
    ck_rv(p11->C_GetSessionInfo(ro, &info), CKR_OK);
    ck_assert_uint_eq(info.state, CKS_RO_USER_FUNCTIONS);
    ck_rv(p11->C_GetSessionInfo(rw, &info), CKR_OK);
    ck_assert_uint_eq(info.state, CKS_RW_USER_FUNCTIONS);
}
END_TEST

/* Handles are not used again; the last session that closes logs out. */
START_TEST(test_close)
{
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE first = open_user(), second = open_ro();

    ck_rv(p11->C_CloseSession(first), CKR_OK);
    ck_rv(p11->C_CloseSession(first), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_GetSessionInfo(second, &info), CKR_OK);
    ck_assert_uint_eq(info.state, CKS_RO_USER_FUNCTIONS);
    ck_rv(p11->C_CloseSession(second), CKR_OK);
    CK_SESSION_HANDLE third = open_ro();
    ck_assert_uint_ne(third, first);
    ck_assert_uint_ne(third, second);
    ck_rv(p11->C_GetSessionInfo(third, &info), CKR_OK);
    ck_assert_uint_eq(info.state, CKS_RO_PUBLIC_SESSION);
}
END_TEST

START_TEST(test_close_all)
{
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE sessions[20];

    for (size_t i = 0; i < 20; i++)
        sessions[i] = i % 2 ? open_ro() : open_rw();
    ck_rv(p11->C_CloseAllSessions(9), CKR_SLOT_ID_INVALID);
    ck_rv(p11->C_CloseAllSessions(2), CKR_OK);
    ck_rv(p11->C_GetSessionInfo(sessions[7], &info), CKR_OK);
    ck_rv(p11->C_CloseAllSessions(1), CKR_OK);
    for (size_t i = 0; i < 20; i++)
        ck_rv(p11->C_GetSessionInfo(sessions[i], &info), CKR_SESSION_HANDLE_INVALID);
}
END_TEST

START_TEST(test_operation_state)
{
    CK_ULONG len = 0;
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_SESSION_HANDLE session = open_rw();

    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_GetOperationState(session, NULL, &len), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_SetOperationState(session, BYTES("x"), 1, 0, 0), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_GetFunctionStatus(session), CKR_FUNCTION_NOT_PARALLEL);
    ck_rv(p11->C_CancelFunction(session), CKR_FUNCTION_NOT_PARALLEL);
    ck_rv(p11->C_CancelFunction(999), CKR_SESSION_HANDLE_INVALID);
}
END_TEST

START_TEST(test_session_cancel)
{
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_SESSION_HANDLE session = open_rw();

    ck_rv(p11_3->C_SessionCancel(999, CKF_DIGEST), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    ck_rv(p11_3->C_SessionCancel(session, CKF_SIGN | CKF_VERIFY), CKR_OK);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OPERATION_ACTIVE);
    ck_rv(p11_3->C_SessionCancel(session, CKF_DIGEST | CKF_FIND_OBJECTS), CKR_OK);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
}
END_TEST

START_TEST(test_unsupported)
{
    CK_MECHANISM aes = {CKM_AES_CBC, NULL, 0};
    CK_BYTE byte = 0;
    CK_ULONG len = 1;
    CK_OBJECT_HANDLE key = 0;
    CK_SESSION_HANDLE session = open_rw();

    ck_rv(p11->C_EncryptInit(999, &aes, 1), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_EncryptInit(session, &aes, 1), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_Encrypt(session, &byte, 1, &byte, &len), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_DecryptInit(session, &aes, 1), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_SignRecoverInit(session, &aes, 1), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_VerifyRecoverInit(session, &aes, 1), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_DigestEncryptUpdate(session, &byte, 1, &byte, &len), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_GenerateKey(session, &aes, NULL, 0, &key), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_WrapKey(session, &aes, 1, 1, &byte, &len), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_UnwrapKey(session, &aes, 1, &byte, 1, NULL, 0, &key), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11->C_DeriveKey(session, &aes, 1, NULL, 0, &key), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11_3->C_MessageSignInit(session, &aes, 1), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11_3->C_MessageEncryptInit(session, &aes, 1), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11_3->C_MessageVerifyFinal(session), CKR_FUNCTION_NOT_SUPPORTED);
    ck_rv(p11_3->C_MessageVerifyFinal(999), CKR_SESSION_HANDLE_INVALID);
}
END_TEST

START_TEST(test_random)
{
    CK_BYTE a[32] = {0}, b[32] = {0};
    CK_SESSION_HANDLE session = open_ro();

    ck_rv(p11->C_GenerateRandom(999, a, sizeof(a)), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_GenerateRandom(session, NULL, 5), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GenerateRandom(session, NULL, 0), CKR_OK);
    ck_rv(p11->C_GenerateRandom(session, a, sizeof(a)), CKR_OK);
    ck_rv(p11->C_SeedRandom(session, NULL, 5), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_SeedRandom(session, BYTES("seed"), 4), CKR_OK);
    ck_rv(p11->C_GenerateRandom(session, b, sizeof(b)), CKR_OK);
    ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-session");
    TCase *tests = tcase_create("session");

    tcase_add_unchecked_fixture(tests, module_setup, module_teardown);
    tcase_add_checked_fixture(tests, module_start, module_stop);
    tcase_add_test(tests, test_open);
    tcase_add_test(tests, test_info);
    tcase_add_test(tests, test_close);
    tcase_add_test(tests, test_close_all);
    tcase_add_test(tests, test_operation_state);
    tcase_add_test(tests, test_session_cancel);
    tcase_add_test(tests, test_unsupported);
    tcase_add_test(tests, test_random);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
