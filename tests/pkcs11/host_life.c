#include "tests/pkcs11/host.h"

#include "tests/check_main.h"

#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

bool loses_on_purpose;

#ifdef __SANITIZE_ADDRESS__
/* Asked by the leak search when the process ends. */
__attribute__((visibility("default"))) int
__lsan_is_turned_off(void)
{
    return loses_on_purpose;
}
#endif

CK_BYTE host_digest[32] = {1, 2, 3};

void
wait_for(pid_t child)
{
    int status = -1;

    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x", (unsigned)status);
}

/* --- one signer, for parent and children --- */

CK_RV
open_user(CK_SESSION_HANDLE *session)
{
    CK_RV rv = p11->C_OpenSession(live_slot(p11), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session);

    return rv == CKR_OK ? p11->C_Login(*session, CKU_USER, BYTES(live_pin()), strlen(live_pin())) : rv;
}

CK_OBJECT_HANDLE
find_key(CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class)
{
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof(object_class)}, {CKA_LABEL, BYTES("host"), 4}};

    if (p11->C_FindObjectsInit(session, template, 2) != CKR_OK)
        return 0;
    (void)p11->C_FindObjects(session, &found, 1, &count);
    (void)p11->C_FindObjectsFinal(session);
    return count ? found : 0;
}

/* Sign and verify. */
CK_RV
sign(CK_SESSION_HANDLE session)
{
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG len = sizeof(signature);

    CK_RV rv = p11->C_SignInit(session, &ecdsa, find_key(session, CKO_PRIVATE_KEY));
    if (rv == CKR_OK)
        rv = p11->C_Sign(session, host_digest, sizeof(host_digest), signature, &len);
    if (rv == CKR_OK)
        rv = p11->C_VerifyInit(session, &ecdsa, find_key(session, CKO_PUBLIC_KEY));
    return rv == CKR_OK ? p11->C_Verify(session, host_digest, sizeof(host_digest), signature, len) : rv;
}

/* Initialise, log in, sign, finalise: a whole life in a process. */
CK_RV
whole_life(void)
{
    CK_SESSION_HANDLE session = 0;

    CK_RV rv = p11->C_Initialize(NULL);
    if (rv == CKR_OK)
        rv = open_user(&session);
    if (rv == CKR_OK)
        rv = sign(session);
    CK_RV end = p11->C_Finalize(NULL);
    return rv == CKR_OK ? end : rv;
}

static void
make_key_once(void)
{
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;

    live_load();
    must(p11->C_Initialize(NULL) == CKR_OK);
    must(open_user(&session) == CKR_OK);
    if (!find_key(session, CKO_PRIVATE_KEY))
        must(live_generate(session, CK_TRUE, "host", &public_key, &private_key) == CKR_OK);
    must(p11->C_Finalize(NULL) == CKR_OK);
    _exit(0);
}

void
suite_setup(void)
{
    pid_t child = fork();

    if (child == 0)
        make_key_once();
    wait_for(child);
}

void
start(void)
{
    live_load();
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
}

void
stop(void)
{
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    live_unload();
}

void *
sign_often(void *argument)
{
    struct signer *signer = argument;

    atomic_store(&signer->begun, true);
    for (int i = 0; i < signer->rounds && signer->rv == CKR_OK; i++)
        signer->rv = sign(signer->session);
    return NULL;
}

void
start_signer(pthread_t *thread, struct signer *signer, int rounds)
{
    *signer = (struct signer){.rounds = rounds};
    ck_rv(open_user(&signer->session), CKR_OK);
    ck_assert_int_eq(pthread_create(thread, NULL, sign_often, signer), 0);
    while (!atomic_load(&signer->begun))
        (void)sched_yield();
}
