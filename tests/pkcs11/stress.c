/* Many threads make random valid and invalid calls, and signatures that must all be valid.

   stress [--seconds N] [--threads N] [--seed N]: one second and 64 threads by default; the seed is printed. */
#include "tests/pkcs11/arbitrary.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#define THREADS_MAX 256
#define BATCH 256
/* One in so many batches is a signature: with the peer on one machine they take most of the time anyway. One in so many of
   those is with a key that is made for it. */
#define SIGN_EVERY 8
#define MAKE_EVERY 4
/* In a run of so many seconds the pool must have made presignatures. */
#define LONG_RUN 30

static struct {
    atomic_ulong calls, signatures, keys;
    atomic_bool stop;
    CK_SLOT_ID slot;
    CK_OBJECT_HANDLE public_key, private_key;
    uint64_t seed;
    uint64_t deadline;
} shared;

static uint64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* SplitMix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void
must(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    (void)fprintf(stderr, "%s: %#lx (seed %llu)\n", what, rv, (unsigned long long)shared.seed);
    abort();
}

static void
sign_and_verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key, CK_OBJECT_HANDLE private_key, uint64_t *random)
{
    CK_MECHANISM mechanism = {next_random(random) & 1 ? CKM_ECDSA : CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE data[32], signature[64];
    CK_ULONG len = sizeof(signature);

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (CK_BYTE)next_random(random);
    must(p11->C_SignInit(session, &mechanism, private_key), "C_SignInit");
    must(p11->C_Sign(session, data, sizeof(data), signature, &len), "C_Sign");
    must(p11->C_VerifyInit(session, &mechanism, public_key), "C_VerifyInit");
    must(p11->C_Verify(session, data, sizeof(data), signature, len), "C_Verify");
    atomic_fetch_add(&shared.signatures, 1);
}

/* In sessions of their own, which nobody else touches. */
static CK_SESSION_HANDLE
open_session(void)
{
    CK_SESSION_HANDLE session = 0;

    must(p11->C_OpenSession(shared.slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    return session;
}

static void
use_shared_key(uint64_t *random)
{
    CK_SESSION_HANDLE session = open_session();

    sign_and_verify(session, shared.public_key, shared.private_key, random);
    must(p11->C_CloseSession(session), "C_CloseSession");
}

/* A key that ends while presignatures are made for it. */
static void
use_own_key(uint64_t *random)
{
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_SESSION_HANDLE session = open_session();

    must(arbitrary_keys(session, CK_FALSE, &public_key, &private_key), "C_GenerateKeyPair");
    for (int i = 0; i < 3; i++)
        sign_and_verify(session, public_key, private_key, random);
    must(p11->C_CloseSession(session), "C_CloseSession");
    atomic_fetch_add(&shared.keys, 1);
}

static void *
work(void *argument)
{
    uint64_t random = shared.seed + 0x1000003u * (uint64_t)(uintptr_t)argument;
    struct arbitrary state = {.slot = shared.slot};
    uint8_t bytes[BATCH];

    for (unsigned round = 0; !atomic_load(&shared.stop); round++) {
        if ((round + (uintptr_t)argument) % SIGN_EVERY == 0)
            use_shared_key(&random);
        if ((round + (uintptr_t)argument) % (SIGN_EVERY * MAKE_EVERY) == 0)
            use_own_key(&random);
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)next_random(&random);
        state.bytes = bytes;
        state.len = sizeof(bytes);
        while (state.len > 0) {
            arbitrary_call(&state);
            atomic_fetch_add(&shared.calls, 1);
        }
        if (now_ms() >= shared.deadline)
            atomic_store(&shared.stop, true);
    }
    return NULL;
}

/* The key of the signatures is out of the random calls' reach: it cannot be changed or destroyed, and one session keeps
   the user logged in. */
static CK_SESSION_HANDLE
set_up(void)
{
    CK_SESSION_HANDLE session = 0;

    live_load();
    must(p11->C_Initialize(&(CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK}), "C_Initialize");
    shared.slot = live_slot(p11);
    must(p11->C_OpenSession(shared.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), "C_OpenSession");
    must(p11->C_Login(session, CKU_USER, BYTES(live_pin()), strlen(live_pin())), "C_Login");
    must(arbitrary_keys(session, CK_TRUE, &shared.public_key, &shared.private_key), "C_GenerateKeyPair");
    return session;
}

static unsigned long
option(int argc, char **argv, const char *name, unsigned long otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return strtoul(argv[i + 1], NULL, 10);
    }
    return otherwise;
}

/* Conversations of the pool's thread with the peer, as the journal has them. */
static int
count_batches(void)
{
    char path[512];
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    int count = -1;

    (void)snprintf(path, sizeof(path), "%s/enterprise/token.db-sessions", getenv("WORK"));
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT count(*) FROM session WHERE kind = 3 AND status = 3", -1, &query, NULL) ==
            SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW)
        count = sqlite3_column_int(query, 0);
    (void)sqlite3_finalize(query);
    (void)sqlite3_close(db);
    return count;
}

int
main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    unsigned long count = option(argc, argv, "--threads", 64), seconds = option(argc, argv, "--seconds", 1);
    unsigned long started = 0;

    live_ensure(argv);
    shared.seed = option(argc, argv, "--seed", (unsigned long)now_ms());
    printf("# seed %llu\n", (unsigned long long)shared.seed);
    (void)fflush(stdout);
    CK_SESSION_HANDLE session = set_up();
    shared.deadline = now_ms() + 1000 * seconds;
    for (; started < count && started < THREADS_MAX; started++) {
        if (pthread_create(&threads[started], NULL, work, (void *)(uintptr_t)started) != 0)
            break;
    }
    for (unsigned long i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    must(p11->C_CloseSession(session), "C_CloseSession");
    must(p11->C_Finalize(NULL), "C_Finalize");
    live_unload();
    int batches = count_batches();
    bool good = started > 0 && atomic_load(&shared.signatures) >= started / SIGN_EVERY &&
                (batches > 0 || (seconds < LONG_RUN && batches == 0));
    printf("# %lu threads, %lu calls, %lu keys, %lu valid signatures, %d batches of presignatures\n", started,
        atomic_load(&shared.calls), atomic_load(&shared.keys), atomic_load(&shared.signatures), batches);
    printf("%sok 1 - random calls of many threads\n1..1\n", good ? "" : "not ");
    return good ? 0 : 1;
}
