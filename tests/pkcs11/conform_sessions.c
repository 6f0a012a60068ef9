#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.6 session management and login. */

#define NOWHERE 0x7fffff11

static CK_STATE
state_of(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;

    RV(p11->C_GetSessionInfo(session, &info), CKR_OK);
    ck_assert_uint_eq(info.slotID, slot);
    ck_assert_uint_eq(info.flags & CKF_SERIAL_SESSION, CKF_SERIAL_SESSION);
    return info.state;
}

START_TEST(test_open_close)
{
    CK_SESSION_HANDLE session = 0, other = 0;
    CK_SESSION_INFO info;

    RV(p11->C_OpenSession(NOWHERE, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_SLOT_ID_INVALID);
    RV(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_OpenSession(slot, 0, NULL, NULL, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    RV(p11->C_OpenSession(slot, CKF_RW_SESSION, NULL, NULL, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    session = session_rw();
    other = session_ro();
    ck_assert_uint_ne(session, other);
    RV(p11->C_GetSessionInfo(session, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetSessionInfo(0, &info), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_GetSessionInfo(~0UL, &info), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_CloseSession(session), CKR_OK);
    RV(p11->C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
    CK_SESSION_HANDLE next = session_rw();
    if (live_ours())
        ck_assert_uint_ne(next, session); /* never again */
    RV(p11->C_CloseAllSessions(NOWHERE), CKR_SLOT_ID_INVALID);
    RV(p11->C_CloseAllSessions(slot), CKR_OK);
    RV(p11->C_CloseAllSessions(slot), CKR_OK);
    RV(p11->C_GetSessionInfo(next, &info), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_GetSessionInfo(other, &info), CKR_SESSION_HANDLE_INVALID);
}
END_TEST

START_TEST(test_states)
{
    CK_SESSION_HANDLE rw = session_rw(), ro = session_ro();

    ck_assert_uint_eq(state_of(rw), CKS_RW_PUBLIC_SESSION);
    ck_assert_uint_eq(state_of(ro), CKS_RO_PUBLIC_SESSION);
    RV(login(ro, CKU_USER), CKR_OK);
    ck_assert_uint_eq(state_of(rw), CKS_RW_USER_FUNCTIONS);
    ck_assert_uint_eq(state_of(ro), CKS_RO_USER_FUNCTIONS);
    ck_assert_uint_eq(state_of(session_rw()), CKS_RW_USER_FUNCTIONS); /* later ones, too */
    RV(p11->C_Logout(rw), CKR_OK);
    ck_assert_uint_eq(state_of(ro), CKS_RO_PUBLIC_SESSION);
    OURS(p11->C_Logout(rw), CKR_USER_NOT_LOGGED_IN); /* SoftHSM2 answers CKR_OK, against the standard */
    RV(login(rw, CKU_SO), CKR_SESSION_READ_ONLY_EXISTS);
    RV(p11->C_CloseSession(ro), CKR_OK);
    RV(login(rw, CKU_SO), CKR_OK);
    ck_assert_uint_eq(state_of(rw), CKS_RW_SO_FUNCTIONS);
    RV(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &ro), CKR_SESSION_READ_WRITE_SO_EXISTS);
    RV(p11->C_Logout(rw), CKR_OK);
    ck_assert_uint_eq(state_of(rw), CKS_RW_PUBLIC_SESSION);
}
END_TEST

START_TEST(test_login_errors)
{
    const char *pin = live_pin();
    CK_SESSION_HANDLE session = session_rw();

    RV(p11->C_Login(999, CKU_USER, BYTES(pin), strlen(pin)), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Logout(999), CKR_SESSION_HANDLE_INVALID);
    OURS(p11->C_Logout(session), CKR_USER_NOT_LOGGED_IN);
    RV(p11->C_Login(session, 3, BYTES(pin), strlen(pin)), CKR_USER_TYPE_INVALID);
    RV(p11->C_Login(session, ~0UL, BYTES(pin), strlen(pin)), CKR_USER_TYPE_INVALID);
    RV(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, BYTES(pin), strlen(pin)), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_Login(session, CKU_USER, NULL, 4), CKR_ARGUMENTS_BAD);
    RV(p11->C_Login(session, CKU_USER, BYTES("nonsense"), 8), CKR_PIN_INCORRECT);
    OURS(p11->C_Login(session, CKU_USER, BYTES(""), 0), CKR_PIN_INCORRECT);
    OURS(p11->C_Login(session, CKU_USER, BYTES(pin), 1UL << 40), CKR_PIN_INCORRECT);
    RV(login(session, CKU_USER), CKR_OK);
    RV(login(session, CKU_USER), CKR_USER_ALREADY_LOGGED_IN);
    RV(login(session, CKU_SO), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    OURS(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, BYTES(pin), strlen(pin)), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_CloseSession(session), CKR_OK); /* the last one: logs out */
    session = session_rw();
    ck_assert_uint_eq(state_of(session), CKS_RW_PUBLIC_SESSION);
    RV(login(session, CKU_SO), CKR_OK);
    RV(login(session, CKU_SO), CKR_USER_ALREADY_LOGGED_IN);
    RV(login(session, CKU_USER), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    RV(p11->C_CloseAllSessions(slot), CKR_OK);
    RV(login(session, CKU_USER), CKR_SESSION_HANDLE_INVALID);
}
END_TEST

START_TEST(test_operation_state)
{
    CK_BYTE bytes[256];
    CK_ULONG len = sizeof(bytes);
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_SESSION_HANDLE session = session_rw();

    OURS(p11->C_GetOperationState(999, bytes, &len), CKR_SESSION_HANDLE_INVALID);
    OURS(p11->C_GetOperationState(session, bytes, &len), CKR_FUNCTION_NOT_SUPPORTED);
    RV(p11->C_DigestInit(session, &sha256), CKR_OK);
    OURS(p11->C_GetOperationState(session, bytes, &len), CKR_FUNCTION_NOT_SUPPORTED);
    OURS(p11->C_SetOperationState(session, bytes, 4, 0, 0), CKR_FUNCTION_NOT_SUPPORTED);
    OURS(p11->C_SetOperationState(999, bytes, 4, 0, 0), CKR_SESSION_HANDLE_INVALID);
    len = sizeof(bytes);
    RV(p11->C_Digest(session, bytes, 1, bytes, &len), CKR_OK); /* went on living */
    OURS(p11->C_GetFunctionStatus(session), CKR_FUNCTION_NOT_PARALLEL);
    OURS(p11->C_CancelFunction(session), CKR_FUNCTION_NOT_PARALLEL);
    OURS(p11->C_GetFunctionStatus(999), CKR_SESSION_HANDLE_INVALID);
    OURS(p11->C_CancelFunction(999), CKR_SESSION_HANDLE_INVALID);
}
END_TEST

void
chapter_sessions(TCase *tests)
{
    tcase_add_test(tests, test_open_close);
    tcase_add_test(tests, test_states);
    tcase_add_test(tests, test_login_errors);
    tcase_add_test(tests, test_operation_state);
}
