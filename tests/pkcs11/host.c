/* The module inside other people's processes: with a live peer, what fork, dlclose, threads, descriptors, signals and
   the host's own settings may do to it, and what it must not do to them. */
#include "tests/pkcs11/host.h"

#include "tests/check_main.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
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

/* --- loading --- */

START_TEST(test_reload)
{
    for (int i = 0; i < 100; i++) {
        CK_SESSION_HANDLE session = 0;
        live_load();
        ck_rv(p11->C_Initialize(NULL), CKR_OK);
        if (i % 20 == 0) {
            ck_rv(open_user(&session), CKR_OK);
            ck_rv(sign(session), CKR_OK);
        }
        ck_rv(p11->C_Finalize(NULL), CKR_OK);
        live_unload();
    }
}
END_TEST

static unsigned
count_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    unsigned count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* OpenSSL has taken itself down, and the module's thread goes on: in so long it draws random numbers and has done its
   batch. */
static void
linger(void)
{
    (void)poll(NULL, 0, 300);
}

/* With a thread of the module's that makes presignatures. */
static void
forget_to_finalize(void)
{
    CK_SESSION_HANDLE session = 0;
    unsigned before = count_entries("/proc/self/task");

    loses_on_purpose = true;
    must(atexit(linger) == 0); /* before OpenSSL's, and so called after it */
    live_load();
    must(p11->C_Initialize(NULL) == CKR_OK);
    must(open_user(&session) == CKR_OK);
    for (int i = 0; i < 3; i++)
        must(sign(session) == CKR_OK);
    must(count_entries("/proc/self/task") > before);
}

static bool
is_loaded(void)
{
    void *library = dlopen(getenv("MODULE"), RTLD_NOW | RTLD_NOLOAD);

    return library && dlclose(library) == 0;
}

/* Whoever forgets C_Finalize and unloads, or never unloads, ends in peace: the code stays as long as the thread. */
START_TEST(test_no_farewell)
{
    pid_t child = fork();

    if (child == 0) {
        forget_to_finalize();
        exit(0);
    }
    wait_for(child);
    child = fork();
    if (child == 0) {
        forget_to_finalize();
        live_unload();
        must(is_loaded());
        exit(0);
    }
    wait_for(child);
    start();
    stop();
    ck_assert(!is_loaded());
}
END_TEST

static void
copy_file(const char *to, const char *from)
{
    char command[1024];

    (void)snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
    ck_assert_int_eq(system(command), 0);
}

static CK_FUNCTION_LIST *
list_of(void *library)
{
    CK_C_GetFunctionList get_list = NULL;
    CK_FUNCTION_LIST *list = NULL;

    ck_assert_msg(library != NULL, "%s", dlerror());
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    ck_rv(get_list(&list), CKR_OK);
    return list;
}

static void
sign_with(CK_FUNCTION_LIST *list)
{
    CK_SESSION_HANDLE session = 0;
    CK_FUNCTION_LIST *before = p11;

    p11 = list;
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    p11 = before;
}

START_TEST(test_two_names)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/second-name.so", getenv("WORK"));
    copy_file(path, getenv("MODULE"));
    start();
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_FUNCTION_LIST *second = list_of(library);
    ck_assert_ptr_ne(second, p11);
    ck_rv(second->C_Initialize(NULL), CKR_OK);
    sign_with(p11);
    sign_with(second);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    ck_rv(second->C_Finalize(NULL), CKR_OK); /* the other one is still alive */
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
    ck_assert_int_eq(dlclose(library), 0);
    sign_with(p11);
    stop();
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* whose runtime can be in a process only once */
/* The copy in the other name space alone: glibc gives two C libraries of a process one array of thread-specific values,
   so that OpenSSL in both of them breaks, whoever uses it. */
START_TEST(test_dlmopen)
{
    void *library = dlmopen(LM_ID_NEWLM, getenv("MODULE"), RTLD_NOW | RTLD_LOCAL);

    p11 = list_of(library);
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
    sign_with(p11);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    ck_rv(whole_life(), CKR_OK);
    ck_assert_int_eq(dlclose(library), 0);
}
END_TEST
#endif

/* --- threads and locks --- */

START_TEST(test_no_threads)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS | CKF_OS_LOCKING_OK};
    unsigned before = count_entries("/proc/self/task");

    live_load();
    ck_rv(p11->C_Initialize(&args), CKR_OK);
    sign_with(p11);
    ck_assert_uint_eq(count_entries("/proc/self/task"), before);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    ck_assert_uint_eq(count_entries("/proc/self/task"), before);
    live_unload();
}
END_TEST

static atomic_int made, held;

static CK_RV
mutex_create(void **mutex)
{
    pthread_mutex_t *one = malloc(sizeof(*one));

    atomic_fetch_add(&made, 1);
    *mutex = one;
    return one && pthread_mutex_init(one, NULL) == 0 ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV
mutex_destroy(void *mutex)
{
    atomic_fetch_sub(&made, 1);
    pthread_mutex_destroy(mutex);
    free(mutex);
    return CKR_OK;
}

static CK_RV
mutex_lock(void *mutex)
{
    CK_RV rv = pthread_mutex_lock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;

    atomic_fetch_add(&held, 1);
    return rv;
}

static CK_RV
mutex_unlock(void *mutex)
{
    atomic_fetch_sub(&held, 1);
    return pthread_mutex_unlock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

START_TEST(test_application_mutexes)
{
    CK_C_INITIALIZE_ARGS args = {mutex_create, mutex_destroy, mutex_lock, mutex_unlock, 0, NULL};
    struct signer signers[2];
    pthread_t threads[2];
    CK_SESSION_HANDLE session = 0;

    live_load();
    ck_rv(p11->C_Initialize(&args), CKR_OK);
    ck_assert_int_ge(atomic_load(&made), 1);
    ck_rv(open_user(&session), CKR_OK);
    for (size_t i = 0; i < 2; i++) {
        signers[i] = (struct signer){.rounds = 3};
        ck_rv(p11->C_OpenSession(live_slot(p11), CKF_SERIAL_SESSION, NULL, NULL, &signers[i].session), CKR_OK);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, &signers[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_rv(signers[i].rv, CKR_OK);
    }
    ck_assert_int_eq(atomic_load(&held), 0);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    ck_assert_int_eq(atomic_load(&made), 0);
    live_unload();
}
END_TEST

static void *
small_life(void *argument)
{
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_RV *rv = argument;

    *rv = p11->C_Initialize(NULL);
    if (*rv == CKR_OK)
        *rv = open_user(&session);
    if (*rv == CKR_OK)
        *rv = live_generate(session, CK_FALSE, "small", &public_key, &private_key);
    if (*rv == CKR_OK)
        *rv = sign(session);
    CK_RV end = p11->C_Finalize(NULL);
    if (*rv == CKR_OK)
        *rv = end;
    return NULL;
}

/* Java's and some servers' threads have no more. */
START_TEST(test_small_stack)
{
    CK_RV rv = CKR_GENERAL_ERROR;
    pthread_attr_t attributes;
    pthread_t thread;

    live_load();
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, small_life, &rv), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_rv(rv, CKR_OK);
    live_unload();
}
END_TEST

/* C_Finalize while others sign: each ends in time, with a signature or with an answer that is allowed. */
START_TEST(test_finalize_while_signing)
{
    struct signer signers[3];
    pthread_t threads[3];

    live_load();
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
    start_signer(&threads[0], &signers[0], 1000);
    for (size_t i = 1; i < 3; i++) {
        signers[i] = (struct signer){.rounds = 1000};
        ck_rv(p11->C_OpenSession(live_slot(p11), CKF_SERIAL_SESSION, NULL, NULL, &signers[i].session), CKR_OK);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, &signers[i]), 0);
    }
    CK_SESSION_HANDLE session = 0;
    ck_rv(p11->C_OpenSession(live_slot(p11), CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    ck_rv(sign(session), CKR_OK); /* so that they are in the middle of it */
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        CK_RV rv = signers[i].rv;
        ck_assert_msg(rv == CKR_FUNCTION_CANCELED || rv == CKR_CRYPTOKI_NOT_INITIALIZED, "thread %zu: %#lx", i, rv);
    }
    ck_rv(p11->C_GetInfo(&(CK_INFO){0}), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(whole_life(), CKR_OK);
    live_unload();
}
END_TEST

/* --- keys that live only as long as a session --- */

/* Halves in the store of one side. */
static int
halves(const char *store)
{
    char path[512];
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", getenv("WORK"), store);
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT count(*) FROM half", -1, &query, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(query), SQLITE_ROW);
    int count = sqlite3_column_int(query, 0);
    ck_assert_int_eq(sqlite3_finalize(query), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return count;
}

static void
expect_halves(int here, int there)
{
    ck_assert_int_eq(halves("enterprise/token.db"), here);
    ck_assert_int_eq(halves("peer/peer.db"), there);
}

START_TEST(test_session_key_ends)
{
    int here = halves("enterprise/token.db"), there = halves("peer/peer.db");
    CK_SESSION_HANDLE session = 0, other = 0;
    CK_OBJECT_HANDLE public_key = 0, private_key = 0, copy = 0;
    CK_ATTRIBUTE to_token = {CKA_TOKEN, &yes, 1};

    start();
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(p11->C_OpenSession(live_slot(p11), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &other), CKR_OK);
    ck_rv(live_generate(session, CK_FALSE, "closed", &public_key, &private_key), CKR_OK);
    expect_halves(here + 1, there + 1);
    ck_rv(p11->C_CloseSession(session), CKR_OK);
    expect_halves(here, there);
    ck_rv(live_generate(other, CK_FALSE, "destroyed", &public_key, &private_key), CKR_OK);
    ck_rv(p11->C_DestroyObject(other, private_key), CKR_OK);
    expect_halves(here, there);
    ck_rv(live_generate(other, CK_FALSE, "logged out", &public_key, &private_key), CKR_OK);
    ck_rv(p11->C_Logout(other), CKR_OK);
    expect_halves(here, there);
    ck_rv(p11->C_Login(other, CKU_USER, BYTES(live_pin()), strlen(live_pin())), CKR_OK);
    ck_rv(live_generate(other, CK_FALSE, "finalised", &public_key, &private_key), CKR_OK);
    expect_halves(here + 1, there + 1);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    expect_halves(here, there);
    /* A copy on the token keeps it, also when the session's object goes; and the other way round. */
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(live_generate(session, CK_FALSE, "kept", &public_key, &private_key), CKR_OK);
    ck_rv(p11->C_CopyObject(session, private_key, &to_token, 1, &copy), CKR_OK);
    ck_rv(p11->C_DestroyObject(session, private_key), CKR_OK);
    expect_halves(here + 1, there + 1);
    CK_ATTRIBUTE to_session = {CKA_TOKEN, &no, 1};
    ck_rv(p11->C_CopyObject(session, copy, &to_session, 1, &private_key), CKR_OK);
    ck_rv(p11->C_DestroyObject(session, copy), CKR_OK);
    expect_halves(here + 1, there + 1);
    ck_rv(p11->C_CloseSession(session), CKR_OK);
    expect_halves(here, there);
    stop();
}
END_TEST

/* A process that dies without a word: the next login erases the half here, the next connection the one there. */
START_TEST(test_session_key_of_the_dead)
{
    int here = halves("enterprise/token.db"), there = halves("peer/peer.db"), status = 0;
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    int ready[2];
    char byte;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        live_load();
        must(p11->C_Initialize(NULL) == CKR_OK);
        must(open_user(&session) == CKR_OK);
        must(live_generate(session, CK_FALSE, "orphan", &public_key, &private_key) == CKR_OK);
        must(write(ready[1], "x", 1) == 1);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    /* Alive: nobody else's login takes it away. */
    start();
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    stop();
    expect_halves(here + 1, there + 1);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    start();
    ck_rv(open_user(&session), CKR_OK);
    expect_halves(here, there + 1);
    ck_rv(sign(session), CKR_OK);
    expect_halves(here, there);
    stop();
}
END_TEST

int
main(int argc, char **argv)
{
    (void)argc;
    live_ensure(argv);
    Suite *suite = suite_create("pkcs11-host");
    TCase *alone = tcase_create("alone"), *running = tcase_create("running");

    tcase_add_unchecked_fixture(running, suite_setup, NULL);
    tcase_add_checked_fixture(running, start, stop);
    tcase_set_timeout(running, 120);
    host_fork_tests(running, alone);
    suite_add_tcase(suite, running);
    tcase_add_unchecked_fixture(alone, suite_setup, NULL);
    tcase_set_timeout(alone, 120);
    tcase_add_test(alone, test_reload);
    tcase_add_test(alone, test_no_farewell);
    tcase_add_test(alone, test_two_names);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(alone, test_dlmopen);
#endif
    tcase_add_test(alone, test_no_threads);
    tcase_add_test(alone, test_application_mutexes);
    tcase_add_test(alone, test_small_stack);
    tcase_add_test(alone, test_finalize_while_signing);
    host_place_tests(alone);
    host_peace_tests(alone);
    tcase_add_test(alone, test_session_key_ends);
    tcase_add_test(alone, test_session_key_of_the_dead);
    suite_add_tcase(suite, alone);
    return run_suite(suite);
}
