#ifndef TS_TESTS_PKCS11_HOST_H
#define TS_TESTS_PKCS11_HOST_H

#include "tests/pkcs11/live.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <unistd.h>

#define ck_rv(call, expected) ck_assert_uint_eq((call), (expected))
#define SMALL_STACK (128 * 1024)

/* Ends a child with a number that tells the line; 0 is good. */
#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            _exit(__LINE__ % 250 + 1);                                                                                 \
    } while (0)

/** Lives of a host process, for parent and children; they share one signing key, "host". */

/** For a child that ends with everything in its hands, its own or its parent's: that is no leak. */
extern bool loses_on_purpose;

/** The child must end with 0. */
void wait_for(pid_t child);
/** A read-write session with the user logged in. */
CK_RV open_user(CK_SESSION_HANDLE *session);
/** The key of that class; 0 when there is none. */
CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class);
/** Sign and verify. */
CK_RV sign(CK_SESSION_HANDLE session);
/** A thread that signs so many rounds, or until an error. */
struct signer {
    CK_SESSION_HANDLE session;
    CK_RV rv;
    int rounds;
    atomic_bool begun;
};
void *sign_often(void *signer);
/** With a session of its own; it has begun when this returns. */
void start_signer(pthread_t *thread, struct signer *signer, int rounds);
/** Initialise, log in, sign, finalise: a whole life in a process. */
CK_RV whole_life(void);
/** Fixtures: the key is made once by a child; load and initialise; finalise and unload. */
void suite_setup(void);
void start(void);
void stop(void);

/** Children with and without the module in them (host_fork.c). running: the module is loaded and initialised. */
void host_fork_tests(TCase *running, TCase *alone);
/** Where the process stands and what it is left with: signals, descriptors, folders, locale (host_place.c). */
void host_place_tests(TCase *tests);
/** What it leaves alone in the rest of the host: OpenSSL, other threads (host_peace.c). */
void host_peace_tests(TCase *tests);

extern CK_BYTE host_digest[32];

#endif
