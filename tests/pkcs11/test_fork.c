#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's checks end it with a number; 0 is good. */
static void
wait_for(pid_t child)
{
    int status = -1;

    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x", (unsigned)status);
}

#define child_must(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            _exit(__LINE__ % 200 + 1);                                                                                 \
    } while (0)

/* In the child nothing works but C_Initialize; then everything, anew; the parent notices nothing. */
START_TEST(test_fork_after_login)
{
    CK_INFO info;
    CK_SESSION_INFO session_info;
    CK_SESSION_HANDLE session = open_user(), other = 0;

    pid_t child = fork();
    if (child == 0) {
        child_must(p11->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED);
        child_must(p11->C_CloseSession(session) == CKR_CRYPTOKI_NOT_INITIALIZED);
        child_must(p11->C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED);
        child_must(p11->C_Initialize(NULL) == CKR_OK);
        child_must(p11->C_Initialize(NULL) == CKR_CRYPTOKI_ALREADY_INITIALIZED);
        child_must(p11->C_GetSessionInfo(session, &session_info) == CKR_SESSION_HANDLE_INVALID);
        child_must(p11->C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &other) == CKR_OK);
        child_must(p11->C_GetSessionInfo(other, &session_info) == CKR_OK);
        child_must(session_info.state == CKS_RW_PUBLIC_SESSION);
        child_must(p11->C_Login(other, CKU_USER, BYTES(MODULE_PIN), strlen(MODULE_PIN)) == CKR_OK);
        child_must(p11->C_Finalize(NULL) == CKR_OK);
        child_must(p11->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED);
        _exit(0);
    }
    wait_for(child);
    ck_rv(p11->C_GetSessionInfo(session, &session_info), CKR_OK);
    ck_assert_uint_eq(session_info.state, CKS_RW_USER_FUNCTIONS);
    ck_assert_uint_eq(find_class(session, CKO_DATA), 0);
}
END_TEST

/* A child that exits without a word, and one that initialises and does not finalise. */
START_TEST(test_fork_and_leave)
{
    CK_SESSION_HANDLE session = open_user();

    pid_t child = fork();
    if (child == 0)
        _exit(0);
    wait_for(child);
    child = fork();
    if (child == 0) {
        child_must(p11->C_Initialize(NULL) == CKR_OK);
        _exit(0);
    }
    wait_for(child);
    ck_rv(p11->C_Logout(session), CKR_OK);
}
END_TEST

/* nginx: the master initialises, each worker does again, and forks may go deeper. */
START_TEST(test_fork_chain)
{
    CK_ULONG count = 0;

    pid_t child = fork();
    if (child == 0) {
        child_must(p11->C_Initialize(NULL) == CKR_OK);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            child_must(p11->C_GetSlotList(CK_TRUE, NULL, &count) == CKR_CRYPTOKI_NOT_INITIALIZED);
            child_must(p11->C_Initialize(NULL) == CKR_OK);
            child_must(p11->C_GetSlotList(CK_TRUE, NULL, &count) == CKR_OK && count == 2);
            child_must(p11->C_Finalize(NULL) == CKR_OK);
            _exit(0);
        }
        int status = -1;
        child_must(waitpid(grandchild, &status, 0) == grandchild && status == 0);
        child_must(p11->C_GetSlotList(CK_TRUE, NULL, &count) == CKR_OK && count == 2);
        child_must(p11->C_Finalize(NULL) == CKR_OK);
        _exit(0);
    }
    wait_for(child);
    ck_rv(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    ck_assert_uint_eq(count, 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-fork");
    TCase *tests = tcase_create("fork");

    tcase_add_unchecked_fixture(tests, module_setup, module_teardown);
    tcase_add_checked_fixture(tests, module_start, module_stop);
    tcase_add_test(tests, test_fork_after_login);
    tcase_add_test(tests, test_fork_and_leave);
    tcase_add_test(tests, test_fork_chain);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
