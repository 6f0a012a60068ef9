#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <string.h>

#define SO_LEN strlen(MODULE_SO_PIN)
#define PIN_LEN strlen(MODULE_PIN)

static CK_FLAGS
token_flags(void)
{
    CK_TOKEN_INFO info;

    ck_rv(p11->C_GetTokenInfo(1, &info), CKR_OK);
    return info.flags;
}

START_TEST(test_arguments)
{
    CK_SESSION_HANDLE session = open_rw();

    ck_rv(p11->C_Login(999, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_SESSION_HANDLE_INVALID);
    ck_rv(p11->C_Login(session, 7, BYTES(MODULE_PIN), PIN_LEN), CKR_USER_TYPE_INVALID);
    ck_rv(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, BYTES(MODULE_PIN), PIN_LEN), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_Login(session, CKU_USER, NULL, 0), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES("123"), 3), CKR_PIN_INCORRECT);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES(MODULE_PIN), 100000), CKR_PIN_INCORRECT);
    ck_rv(p11->C_Logout(session), CKR_USER_NOT_LOGGED_IN);
    ck_rv(p11->C_Logout(999), CKR_SESSION_HANDLE_INVALID);
    ck_assert_uint_eq(token_flags() & CKF_USER_PIN_COUNT_LOW, 0);
}
END_TEST

START_TEST(test_states)
{
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE ro = open_ro(), rw = open_rw(), session = 0;

    ck_rv(p11->C_Login(rw, CKU_SO, BYTES(MODULE_SO_PIN), SO_LEN), CKR_SESSION_READ_ONLY_EXISTS);
    ck_rv(p11->C_Login(ro, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_OK);
    ck_rv(p11->C_Login(rw, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_USER_ALREADY_LOGGED_IN);
    ck_rv(p11->C_Login(rw, CKU_SO, BYTES(MODULE_SO_PIN), SO_LEN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    ck_rv(p11->C_Logout(rw), CKR_OK);
    ck_rv(p11->C_GetSessionInfo(ro, &info), CKR_OK);
    ck_assert_uint_eq(info.state, CKS_RO_PUBLIC_SESSION);
    ck_rv(p11->C_CloseSession(ro), CKR_OK);
    ck_rv(p11->C_Login(rw, CKU_SO, BYTES(MODULE_SO_PIN), SO_LEN), CKR_OK);
    ck_rv(p11->C_GetSessionInfo(rw, &info), CKR_OK);
    ck_assert_uint_eq(info.state, CKS_RW_SO_FUNCTIONS);
    ck_rv(p11->C_Login(rw, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    ck_rv(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_SESSION_READ_WRITE_SO_EXISTS);
    ck_rv(p11->C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
}
END_TEST

START_TEST(test_login_user)
{
    CK_SESSION_HANDLE session = open_rw();

    ck_rv(p11_3->C_LoginUser(session, CKU_USER, BYTES(MODULE_PIN), PIN_LEN, NULL, 3), CKR_ARGUMENTS_BAD);
    ck_rv(p11_3->C_LoginUser(session, CKU_USER, BYTES(MODULE_PIN), PIN_LEN, BYTES("joe"), 3), CKR_USER_TYPE_INVALID);
    ck_rv(p11_3->C_LoginUser(session, CKU_USER, BYTES("wrong"), 5, BYTES(""), 0), CKR_PIN_INCORRECT);
    ck_rv(p11_3->C_LoginUser(session, CKU_USER, BYTES(MODULE_PIN), PIN_LEN, BYTES(""), 0), CKR_OK);
    ck_rv(p11_3->C_LoginUser(session, CKU_USER, BYTES(MODULE_PIN), PIN_LEN, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
}
END_TEST

/* Ten wrong PINs lock; the flags count down; the security officer sets a new one. */
START_TEST(test_lock_and_unlock)
{
    CK_SESSION_HANDLE session = open_rw();

    for (int i = 0; i < 10; i++) {
        ck_assert_uint_eq((token_flags() & CKF_USER_PIN_COUNT_LOW) != 0, i > 0);
        ck_assert_uint_eq((token_flags() & CKF_USER_PIN_FINAL_TRY) != 0, i == 9);
        ck_rv(p11->C_Login(session, CKU_USER, BYTES("wrong"), 5), CKR_PIN_INCORRECT);
    }
    ck_assert_uint_ne(token_flags() & CKF_USER_PIN_LOCKED, 0);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_PIN_LOCKED);
    ck_rv(p11->C_SetPIN(session, BYTES(MODULE_PIN), PIN_LEN, BYTES("12345"), 5), CKR_PIN_LOCKED);
    ck_rv(p11->C_Login(session, CKU_SO, BYTES(MODULE_SO_PIN), SO_LEN), CKR_OK);
    ck_rv(p11->C_InitPIN(session, BYTES("12345"), 5), CKR_OK);
    ck_rv(p11->C_Logout(session), CKR_OK);
    ck_assert_uint_eq(token_flags() & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW), 0);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_PIN_INCORRECT);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES("12345"), 5), CKR_OK);
    ck_assert_uint_eq(token_flags() & CKF_USER_PIN_COUNT_LOW, 0);
}
END_TEST

START_TEST(test_set_pin)
{
    CK_SESSION_HANDLE ro = open_ro(), rw = open_rw();

    ck_rv(p11->C_SetPIN(ro, BYTES(MODULE_PIN), PIN_LEN, BYTES("12345"), 5), CKR_SESSION_READ_ONLY);
    ck_rv(p11->C_SetPIN(rw, NULL, PIN_LEN, BYTES("12345"), 5), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_SetPIN(rw, BYTES(MODULE_PIN), PIN_LEN, NULL, 5), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_SetPIN(rw, BYTES(MODULE_PIN), PIN_LEN, BYTES("123"), 3), CKR_PIN_LEN_RANGE);
    ck_rv(p11->C_SetPIN(rw, BYTES("wrong"), 5, BYTES("12345"), 5), CKR_PIN_INCORRECT);
    ck_rv(p11->C_InitPIN(rw, BYTES("12345"), 5), CKR_USER_NOT_LOGGED_IN);
    /* public: the user's PIN */
    ck_rv(p11->C_SetPIN(rw, BYTES(MODULE_PIN), PIN_LEN, BYTES("12345"), 5), CKR_OK);
    ck_rv(p11->C_Login(rw, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_PIN_INCORRECT);
    ck_rv(p11->C_Login(rw, CKU_USER, BYTES("12345"), 5), CKR_OK);
    ck_rv(p11->C_InitPIN(rw, BYTES("12345"), 5), CKR_USER_NOT_LOGGED_IN);
    /* as the user */
    ck_rv(p11->C_SetPIN(rw, BYTES("12345"), 5, BYTES(MODULE_PIN), PIN_LEN), CKR_OK);
    ck_rv(p11->C_Logout(rw), CKR_OK);
    ck_rv(p11->C_CloseSession(ro), CKR_OK);
    /* as the security officer: its own */
    ck_rv(p11->C_Login(rw, CKU_SO, BYTES(MODULE_SO_PIN), SO_LEN), CKR_OK);
    ck_rv(p11->C_SetPIN(rw, BYTES(MODULE_PIN), PIN_LEN, BYTES("98765"), 5), CKR_PIN_INCORRECT);
    ck_rv(p11->C_SetPIN(rw, BYTES(MODULE_SO_PIN), SO_LEN, BYTES("98765"), 5), CKR_OK);
    ck_rv(p11->C_Logout(rw), CKR_OK);
    ck_rv(p11->C_Login(rw, CKU_SO, BYTES("98765"), 5), CKR_OK);
    ck_rv(p11->C_SetPIN(rw, BYTES("98765"), 5, BYTES(MODULE_SO_PIN), SO_LEN), CKR_OK);
    ck_rv(p11->C_Logout(rw), CKR_OK);
    ck_rv(p11->C_Login(rw, CKU_USER, BYTES(MODULE_PIN), PIN_LEN), CKR_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-login");
    TCase *tests = tcase_create("login");
    TCase *lock = tcase_create("lock");

    tcase_add_unchecked_fixture(tests, module_setup, module_teardown);
    tcase_add_checked_fixture(tests, module_start, module_stop);
    tcase_add_test(tests, test_arguments);
    tcase_add_test(tests, test_states);
    tcase_add_test(tests, test_login_user);
    tcase_add_test(tests, test_set_pin);
    suite_add_tcase(suite, tests);
    tcase_add_unchecked_fixture(lock, module_setup, module_teardown);
    tcase_add_checked_fixture(lock, module_start, module_stop);
    tcase_add_test(lock, test_lock_and_unlock);
    suite_add_tcase(suite, lock);
    return run_suite(suite);
}
