/* The module inside other people's processes: with a live peer, what fork, dlclose, threads, descriptors, signals and
   the host's own settings may do to it, and what it must not do to them. */
#include "tests/pkcs11/host.h"

#include "tests/check_main.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

/* --- signals --- */

static atomic_uint alarms;

static void
on_alarm(int number)
{
    (void)number;
    atomic_fetch_add(&alarms, 1);
}

START_TEST(test_signals)
{
    struct sigaction action = {.sa_handler = on_alarm}, before, after; /* no SA_RESTART: every wait is interrupted */
    struct sigaction pipe_before, pipe_after;
    sigset_t mask_before, mask_after;
    CK_SESSION_HANDLE session = 0;
    timer_t timer;
    struct itimerspec often = {{0, 2000000}, {0, 2000000}};

    (void)sigaction(SIGALRM, &action, NULL);
    (void)sigaction(SIGALRM, NULL, &before);
    (void)sigaction(SIGPIPE, NULL, &pipe_before);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
    start();
    ck_assert_int_eq(timer_settime(timer, 0, &often, NULL), 0);
    ck_rv(open_user(&session), CKR_OK);
    for (int i = 0; i < 5; i++)
        ck_rv(sign(session), CKR_OK);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    ck_assert_int_eq(timer_delete(timer), 0);
    ck_assert_uint_gt(atomic_load(&alarms), 0);
    (void)sigaction(SIGALRM, NULL, &after);
    (void)sigaction(SIGPIPE, NULL, &pipe_after);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    ck_assert_ptr_eq((void *)before.sa_handler, (void *)after.sa_handler);
    ck_assert_ptr_eq((void *)pipe_before.sa_handler, (void *)pipe_after.sa_handler);
    for (int number = 1; number < NSIG; number++)
        ck_assert_int_eq(sigismember(&mask_before, number), sigismember(&mask_after, number));
    live_unload();
}
END_TEST

/* --- descriptors --- */

/* The host's own are all used up: clear errors, no crash, and all is well again afterwards. */
START_TEST(test_no_descriptors)
{
    struct rlimit before, tight;
    CK_SESSION_HANDLE session = 0;

    start();
    ck_rv(open_user(&session), CKR_OK);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    for (rlim_t limit = 0; limit < 64; limit += 1) {
        tight.rlim_cur = limit;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
        CK_RV rv = sign(session);
        ck_assert_msg(rv == CKR_OK || rv == CKR_DEVICE_ERROR, "limit %lu: %#lx", (unsigned long)limit, rv);
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_rv(sign(session), CKR_OK);
    stop();
}
END_TEST

START_TEST(test_no_descriptors_at_start)
{
    struct rlimit before, tight;
    CK_SESSION_HANDLE session = 0;

    live_load();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    for (rlim_t limit = 0; limit < 40; limit++) {
        tight.rlim_cur = limit;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
        CK_RV rv = p11->C_Initialize(NULL);
        ck_assert_msg(rv == CKR_OK || rv == CKR_GENERAL_ERROR || rv == CKR_HOST_MEMORY, "limit %lu: %#lx",
            (unsigned long)limit, rv);
        ck_rv(p11->C_Finalize(NULL), rv == CKR_OK ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED);
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    stop();
}
END_TEST

/* A daemon without standard descriptors that still prints: not one byte of it may reach our files and connections. */
START_TEST(test_closed_descriptors)
{
    pid_t child = fork();

    if (child == 0) {
        CK_SESSION_HANDLE session = 0;
        live_load();
        for (int fd = 0; fd <= 2; fd++)
            (void)close(fd);
        must(p11->C_Initialize(NULL) == CKR_OK);
        must(open_user(&session) == CKR_OK);
        for (int i = 0; i < 3; i++) {
            must(write(1, "out of place", 12) != 0);
            must(write(2, "out of place", 12) != 0);
            must(sign(session) == CKR_OK);
        }
        must(p11->C_Finalize(NULL) == CKR_OK);
        _exit(0);
    }
    wait_for(child);
    live_load();
    ck_rv(whole_life(), CKR_OK);
    live_unload();
}
END_TEST

/* Nothing on the host's standard output and error, whatever goes wrong. */
START_TEST(test_silence)
{
    int pipes[2];
    char byte;

    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        CK_SESSION_HANDLE session = 0;
        (void)dup2(pipes[1], 1);
        (void)dup2(pipes[1], 2);
        (void)close(pipes[0]);
        (void)close(pipes[1]);
        live_load();
        must(p11->C_Initialize(NULL) == CKR_OK);
        must(p11->C_OpenSession(4711, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_SLOT_ID_INVALID);
        must(open_user(&session) == CKR_OK);
        must(sign(session) == CKR_OK);
        must(p11->C_Finalize(NULL) == CKR_OK);
        _exit(0);
    }
    (void)close(pipes[1]);
    wait_for(child);
    ck_assert_int_eq(read(pipes[0], &byte, 1), 0);
    (void)close(pipes[0]);
}
END_TEST

/* --- where the host stands --- */

START_TEST(test_chdir)
{
    CK_SESSION_HANDLE session = 0;

    start();
    ck_assert_int_eq(chdir("/"), 0);
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    ck_assert_int_eq(chdir("/proc"), 0);
    ck_rv(sign(session), CKR_OK);
    stop();
}
END_TEST

/* As nginx and sshd do: set up, then into an empty folder. */
START_TEST(test_chroot)
{
    char jail[512];
    CK_SESSION_HANDLE session = 0;

    if (geteuid() != 0)
        return; /* only root may */
    (void)snprintf(jail, sizeof(jail), "%s/jail-XXXXXX", getenv("WORK"));
    ck_assert_ptr_nonnull(mkdtemp(jail));
    pid_t child = fork();
    if (child == 0) {
        live_load();
        must(p11->C_Initialize(NULL) == CKR_OK);
        must(open_user(&session) == CKR_OK);
        must(chroot(jail) == 0 && chdir("/") == 0);
        must(sign(session) == CKR_OK);
        must(sign(session) == CKR_OK);
        must(p11->C_Finalize(NULL) == CKR_OK);
        _exit(0); /* no farewell of a sanitizer, which would look for /proc */
    }
    wait_for(child);
}
END_TEST

START_TEST(test_locale_and_zone)
{
    CK_SESSION_HANDLE session = 0;
    char number[16];

    ck_assert_int_eq(setenv("TZ", "XYZ-05:30", 1), 0);
    tzset();
    (void)setlocale(LC_ALL, "");
    char *before = strdup(setlocale(LC_ALL, NULL));
    ck_assert_int_eq(setenv("TZ", "UTC0", 1), 0); /* whoever calls tzset again changes the zone */
    mode_t mask = umask(0);
    start();
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    stop();
    ck_assert_str_eq(setlocale(LC_ALL, NULL), before);
    ck_assert_str_eq(tzname[0], "XYZ");
    ck_assert_int_eq((int)timezone, -(5 * 3600 + 1800));
    ck_assert_uint_eq(umask(mask), 0);
    (void)snprintf(number, sizeof(number), "%.1f", 1.5);
    ck_assert_uint_eq(strlen(number), 3);
    free(before);
}
END_TEST

void
host_place_tests(TCase *tests)
{
    tcase_add_test(tests, test_signals);
    tcase_add_test(tests, test_no_descriptors);
    tcase_add_test(tests, test_no_descriptors_at_start);
    tcase_add_test(tests, test_closed_descriptors);
    tcase_add_test(tests, test_silence);
    tcase_add_test(tests, test_chdir);
    tcase_add_test(tests, test_chroot);
    tcase_add_test(tests, test_locale_and_zone);
}
