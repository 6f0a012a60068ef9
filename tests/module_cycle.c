/* Load the module, log in, sign, unload; again and again. For tests/e2e_leaks.sh under valgrind.

   module_cycle CYCLES, with MODULE, TOKEN and PIN in the environment and a key with id 01 on the token. */
#include <p11-kit/pkcs11.h>

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        CK_RV rv_ = (call);                                                                                            \
        if (rv_ != CKR_OK) {                                                                                           \
            fprintf(stderr, "%s: 0x%lx\n", #call, rv_);                                                                \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static CK_SLOT_ID
find_slot(CK_FUNCTION_LIST *p11, const char *label)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = 16;

    CHECK(p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        CHECK(p11->C_GetTokenInfo(slots[i], &info));
        if (memcmp(info.label, label, strlen(label)) == 0)
            return slots[i];
    }
    fprintf(stderr, "no token %s\n", label);
    exit(1);
}

static void
sign(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_BYTE id = 1, data[32] = {1}, signature[64];
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, &id, 1}};
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG found = 0, len = sizeof signature;

    CHECK(p11->C_FindObjectsInit(session, template, 2));
    CHECK(p11->C_FindObjects(session, &key, 1, &found));
    CHECK(p11->C_FindObjectsFinal(session));
    if (found != 1)
        exit(1);
    CHECK(p11->C_SignInit(session, &mechanism, key));
    CHECK(p11->C_Sign(session, data, sizeof data, signature, &len));
}

static void
cycle(void)
{
    void *library = dlopen(getenv("MODULE"), RTLD_NOW | RTLD_LOCAL);
    CK_FUNCTION_LIST *p11 = NULL;
    CK_SESSION_HANDLE session = 0;
    const char *pin = getenv("PIN");

    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
    CHECK(get(&p11));
    CHECK(p11->C_Initialize(NULL));
    CHECK(p11->C_OpenSession(find_slot(p11, getenv("TOKEN")), CKF_SERIAL_SESSION, NULL, NULL, &session));
    CHECK(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)pin, strlen(pin)));
    sign(p11, session);
    CHECK(p11->C_Finalize(NULL));
    dlclose(library);
}

int
main(int argc, char **argv)
{
    long cycles = argc > 1 ? strtol(argv[1], NULL, 10) : 1;

    while (cycles-- > 0)
        cycle();
    puts("done");
    return 0;
}
