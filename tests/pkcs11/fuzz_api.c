/* Fuzz target: arbitrary sequences of calls of the C API, with the user logged in and a key on the token; nothing goes
   to the peer. Each input is a life of its own in sessions that are closed at its end.

   With a fuzzing engine: LLVMFuzzerTestOneInput. Alone (FUZZ_REPLAY): fuzz_api FILE... runs each file once, or the
   whole corpus. Both run
   themselves through tests/with-token. */
#include "tests/pkcs11/arbitrary.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static CK_SESSION_HANDLE keeper; /* keeps the user logged in */
static CK_SLOT_ID slot;
static CK_OBJECT_HANDLE public_key, private_key;

static void
must(CK_RV rv)
{
    if (rv == CKR_OK)
        return;
    (void)fprintf(stderr, "set-up: %#lx\n", rv);
    exit(99);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    live_ensure(*argv);
    live_load();
    must(p11->C_Initialize(NULL));
    slot = live_slot(p11);
    must(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &keeper));
    must(p11->C_Login(keeper, CKU_USER, BYTES(live_pin()), strlen(live_pin())));
    must(arbitrary_keys(keeper, CK_TRUE, &public_key, &private_key));
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arbitrary state = {.bytes = data, .len = size, .slot = slot};

    for (size_t i = 0; i < 2; i++)
        must(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &state.sessions[i]));
    state.session_next = 2;
    state.objects[0] = public_key;
    state.objects[1] = private_key;
    state.object_next = 2;
    while (state.len > 0)
        arbitrary_call(&state);
    for (size_t i = 0; i < LENGTH(state.objects); i++)
        (void)p11->C_DestroyObject(keeper, state.objects[i]); /* the token shall not grow from input to input */
    for (size_t i = 0; i < LENGTH(state.sessions); i++)
        (void)p11->C_CloseSession(state.sessions[i]);
    return 0;
}

#ifdef FUZZ_REPLAY

static int
replay(const char *name)
{
    static uint8_t bytes[1 << 16];
    FILE *file = fopen(name, "rb");

    if (!file) {
        perror(name);
        return 1;
    }
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    return LLVMFuzzerTestOneInput(bytes, len);
}

/* Every file of the corpus that is kept with the sources. Returns how many. */
static int
replay_corpus(int *failed)
{
    const char *source = getenv("TS_SRCDIR");
    char folder[512], name[1024];
    int count = 0;

    (void)snprintf(folder, sizeof(folder), "%s/tests/pkcs11/fuzz_api_corpus", source ? source : ".");
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        *failed |= replay(name);
        count++;
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

int
main(int argc, char **argv)
{
    int failed = 0, count = argc - 1;

    (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    if (count == 0)
        count = replay_corpus(&failed);
    must(p11->C_Finalize(NULL));
    printf("%sok 1 - %d inputs\n1..1\n", failed || count == 0 ? "not " : "", count);
    return failed || count == 0;
}

#endif
