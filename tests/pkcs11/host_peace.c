/* The module beside the rest of the host: its OpenSSL, its other threads, its descriptors. */
#include "tests/pkcs11/host.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

/* --- OpenSSL --- */

/* The host's own OpenSSL can do nothing any more: ours has a context of its own, or a host that loads the module through an
   OpenSSL provider would call itself. Logged in before, for the HSM behind it is a library that does use the host's. */
START_TEST(test_crippled_openssl)
{
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_BYTE out[32];
    CK_ULONG len = sizeof(out);
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;

    start();
    ck_rv(open_user(&session), CKR_OK);
    ck_assert_int_eq(EVP_set_default_properties(NULL, "provider=nobody"), 1);
    ck_assert_ptr_null(EVP_MD_fetch(NULL, "SHA256", NULL));
    ERR_clear_error();
    ck_rv(sign(session), CKR_OK);
    ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
    ck_rv(p11->C_Digest(session, out, 1, out, &len), CKR_OK);
    ck_rv(p11->C_GenerateRandom(session, out, sizeof(out)), CKR_OK);
    ck_rv(live_generate(session, CK_FALSE, "crippled", &public_key, &private_key), CKR_OK);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    stop();
}
END_TEST

/* The latchset provider calls C_Finalize when OpenSSL takes its providers down at the end of the process: half of OpenSSL is
   gone then, and so are the libraries that were loaded after it. */
static int told[2];

static void
finalize_with_provider(void *context)
{
    (void)context;
    must(p11->C_CloseAllSessions(live_slot(p11)) == CKR_OK);
    must(p11->C_Finalize(NULL) == CKR_OK);
    must(write(told[1], "x", 1) == 1);
}

static int
provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **functions, void **context)
{
    static const OSSL_DISPATCH own[] = {
        {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))finalize_with_provider}, {0, NULL}};

    (void)handle;
    (void)core;
    *functions = own;
    *context = told;
    return 1;
}

static void
live_until_teardown(void)
{
    static const char configuration[] = "openssl_conf = init\n[init]\nproviders = all\n[all]\ndefault = on\n"
                                        "teardown = on\n[on]\nactivate = 1\n";
    char path[512];
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;

    (void)alarm(60);
    (void)snprintf(path, sizeof(path), "%s/teardown.cnf", getenv("WORK"));
    FILE *file = fopen(path, "w");
    must(file && fputs(configuration, file) >= 0 && fclose(file) == 0 && setenv("OPENSSL_CONF", path, 1) == 0);
    must(OSSL_PROVIDER_add_builtin(NULL, "teardown", provider_init) == 1);
    must(OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 && OSSL_PROVIDER_available(NULL, "teardown") == 1);
    live_load();
    must(p11->C_Initialize(NULL) == CKR_OK && open_user(&session) == CKR_OK);
    for (int i = 0; i < 4; i++) /* enough for the thread of the presignatures to be there */
        must(sign(session) == CKR_OK);
    must(live_generate(session, CK_FALSE, "last", &public_key, &private_key) == CKR_OK);
    exit(0);
}

START_TEST(test_finalize_in_teardown)
{
    char byte;

    ck_assert_int_eq(pipe(told), 0);
    pid_t child = fork();
    if (child == 0)
        live_until_teardown();
    (void)close(told[1]);
    wait_for(child);
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    (void)close(told[0]);
}
END_TEST

/* Good and bad calls leave the thread's queue of errors as it was: what is in it is the host's. */
START_TEST(test_error_queue)
{
    CK_OBJECT_CLASS certificate = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE x509 = CKC_X_509;
    CK_ATTRIBUTE junk[] = {{CKA_CLASS, &certificate, sizeof(certificate)}, {CKA_CERTIFICATE_TYPE, &x509, sizeof(x509)},
        {CKA_SUBJECT, BYTES("s"), 1}, {CKA_VALUE, BYTES("no certificate"), 14}};
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_BYTE zero[64] = {0};
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE object = 0;
    const char *data = NULL;

    start();
    ERR_raise_data(ERR_LIB_USER, 42, "the host's");
    unsigned long mine = ERR_peek_error();
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    ck_rv(p11->C_CreateObject(session, junk, LENGTH(junk), &object), CKR_OK);
    ck_rv(p11->C_VerifyInit(session, &ecdsa, find_key(session, CKO_PUBLIC_KEY)), CKR_OK);
    ck_rv(p11->C_Verify(session, zero, 32, zero, 64), CKR_SIGNATURE_INVALID);
    stop();
    ck_assert_uint_eq(ERR_get_error_all(NULL, NULL, NULL, &data, NULL), mine);
    ck_assert_str_eq(data, "the host's");
    ck_assert_uint_eq(ERR_get_error(), 0);
}
END_TEST

/* --- threads that wait for the peer --- */

struct waiter {
    CK_SESSION_HANDLE session;
    CK_RV rv;
    atomic_bool done;
};

static void *
sign_once(void *argument)
{
    struct waiter *waiter = argument;

    waiter->rv = sign(waiter->session);
    atomic_store(&waiter->done, true);
    return NULL;
}

static void
start_waiter(pthread_t *thread, struct waiter *waiter)
{
    *waiter = (struct waiter){.rv = CKR_GENERAL_ERROR};
    ck_rv(p11->C_OpenSession(live_slot(p11), CKF_SERIAL_SESSION, NULL, NULL, &waiter->session), CKR_OK);
    ck_assert_int_eq(pthread_create(thread, NULL, sign_once, waiter), 0);
}

static void
end_waiter(pthread_t thread, const struct waiter *waiter)
{
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_rv(waiter->rv, CKR_OK);
}

static void
signal_peer(int number)
{
    const char *pid = getenv("PEER_PID");

    ck_assert_ptr_nonnull(pid);
    ck_assert_int_eq(kill((pid_t)strtol(pid, NULL, 10), number), 0);
}

/* While one thread waits for a peer that does not answer, everything that needs no peer goes on in the others. */
START_TEST(test_no_lock_while_waiting)
{
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_BYTE out[32];
    CK_ULONG len = sizeof(out);
    CK_SESSION_HANDLE session = 0;
    struct waiter waiter;
    pthread_t thread;

    start();
    ck_rv(open_user(&session), CKR_OK);
    ck_rv(sign(session), CKR_OK);
    signal_peer(SIGSTOP);
    start_waiter(&thread, &waiter);
    for (int i = 0; i < 50; i++) {
        len = sizeof(out);
        ck_rv(p11->C_DigestInit(session, &sha256), CKR_OK);
        ck_rv(p11->C_Digest(session, out, 1, out, &len), CKR_OK);
        ck_assert_uint_ne(find_key(session, CKO_PRIVATE_KEY), 0);
        ck_rv(p11->C_GenerateRandom(session, out, sizeof(out)), CKR_OK);
    }
    bool done = atomic_load(&waiter.done);
    signal_peer(SIGCONT);
    ck_assert(!done);
    end_waiter(thread, &waiter);
    stop();
}
END_TEST

static unsigned
sockets(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[64], to[PATH_MAX] = "";
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%.20s", entry->d_name);
        count += readlink(path, to, sizeof(to) - 1) > 0 && strncmp(to, "socket:", 7) == 0;
    }
    (void)closedir(dir);
    return count;
}

/* All threads of a process share one connection. */
START_TEST(test_one_connection)
{
    struct waiter waiters[4];
    pthread_t threads[4];
    CK_SESSION_HANDLE session = 0;
    unsigned before = sockets();

    start();
    ck_rv(open_user(&session), CKR_OK);
    ck_assert_uint_eq(sockets(), before); /* logging in needs no peer */
    for (size_t i = 0; i < LENGTH(threads); i++)
        start_waiter(&threads[i], &waiters[i]);
    for (size_t i = 0; i < LENGTH(threads); i++)
        end_waiter(threads[i], &waiters[i]);
    ck_assert_uint_eq(sockets(), before + 1);
    stop();
    ck_assert_uint_eq(sockets(), before);
}
END_TEST

void
host_peace_tests(TCase *tests)
{
    tcase_add_test(tests, test_crippled_openssl);
    tcase_add_test(tests, test_finalize_in_teardown);
    tcase_add_test(tests, test_error_queue);
    tcase_add_test(tests, test_no_lock_while_waiting);
    tcase_add_test(tests, test_one_connection);
}
