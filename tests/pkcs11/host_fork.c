#include "tests/pkcs11/host.h"

#include <pthread.h>
#include <stdlib.h>

START_TEST(test_fork_before_login)
{
    CK_SESSION_HANDLE session = 0;
    pid_t child = fork();

    if (child == 0) {
        must(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_CRYPTOKI_NOT_INITIALIZED);
        must(whole_life() == CKR_OK);
        _exit(0);
    }
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK); /* both at once */
    wait_for(child);
    ck_rv(sign(session), CKR_OK);
}
END_TEST

/* The connection to the peer is open, its TLS state in the parent's memory: the child must not touch it. */
START_TEST(test_fork_after_signing)
{
    CK_SESSION_HANDLE session = 0;

    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    for (int i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            must(sign(session) == CKR_CRYPTOKI_NOT_INITIALIZED);
            must(p11->C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED);
            must(i & 1 || whole_life() == CKR_OK);
            loses_on_purpose = true;
            if (i == 2)
                exit(0); /* through the host's atexit functions, without C_Finalize */
            _exit(0);
        }
        wait_for(child);
        ck_rv(sign(session), CKR_OK);
    }
}
END_TEST

START_TEST(test_fork_in_the_middle)
{
    struct signer signer;
    pthread_t thread;

    start_signer(&thread, &signer, 12);
    for (int i = 0; i < 6; i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)alarm(60);
            must(p11->C_CloseSession(signer.session) == CKR_CRYPTOKI_NOT_INITIALIZED);
            must(i & 1 || whole_life() == CKR_OK);
            _exit(0);
        }
        wait_for(child);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_rv(signer.rv, CKR_OK);
}
END_TEST

/* Handlers of the host that were there before the module: they run while its own have not yet run. pkcs11-helper, and
   OpenVPN with it, initialises the module in the child's. */
static bool child_lives, parent_looks;
static CK_RV seen_before, seen_after, seen_in_child;

static void
look_before(void)
{
    CK_SESSION_HANDLE session = 0;

    if (parent_looks)
        seen_before = open_user(&session);
}

static void
look_after(void)
{
    if (parent_looks)
        seen_after = sign(1);
}

static void
live_in_child(void)
{
    if (child_lives)
        seen_in_child = whole_life();
}

static void
fork_with_handlers(bool parent)
{
    child_lives = true;
    parent_looks = parent;
    pid_t child = fork();
    child_lives = parent_looks = false;
    if (child == 0) {
        must(seen_in_child == CKR_OK);
        must(whole_life() == CKR_OK);
        _exit(0);
    }
    wait_for(child);
}

START_TEST(test_fork_handlers)
{
    ck_assert_int_eq(pthread_atfork(look_before, look_after, live_in_child), 0);
    start();
    fork_with_handlers(false);
    fork_with_handlers(true);
    ck_rv(seen_before, CKR_OK);
    ck_rv(seen_after, CKR_OK);
    ck_rv(sign(1), CKR_OK);
    stop();
}
END_TEST

void
host_fork_tests(TCase *running, TCase *alone)
{
    tcase_add_test(running, test_fork_before_login);
#ifndef __SANITIZE_ADDRESS__ /* gcc 12's allocator may stay locked in the child of a busy process */
    tcase_add_test(running, test_fork_after_signing);
    tcase_add_test(running, test_fork_in_the_middle);
#else
    (void)test_fork_after_signing;
    (void)test_fork_in_the_middle;
#endif
    tcase_add_test(alone, test_fork_handlers);
}
