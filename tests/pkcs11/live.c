#include "tests/pkcs11/live.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *live_library;
CK_FUNCTION_LIST *p11;
CK_FUNCTION_LIST_3_0 *p11_3;
CK_BYTE p256_oid[10] = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void
give_up(const char *what)
{
    printf("Bail out! %s\n", what);
    exit(99);
}

static const char *
need(const char *name)
{
    const char *value = getenv(name);

    if (!value)
        give_up(name);
    return value;
}

bool
live_ours(void)
{
    return getenv("FOREIGN") == NULL;
}

const char *
live_pin(void)
{
    return need("PIN");
}

const char *
live_so_pin(void)
{
    return need("SOPIN");
}

void
live_ensure(char **argv)
{
    const char *source = getenv("TS_SRCDIR");
    const char *foreign = getenv("TS_PKCS11_MODULE");
    const char *script = foreign && !strstr(foreign, "tallystick") ? "pkcs11/with-softhsm" : "with-token";
    char path[512];
    char *wrapped[16] = {path};

    if (getenv("WORK") && getenv("MODULE") && getenv("TOKEN"))
        return;
    (void)snprintf(path, sizeof(path), "%s/tests/%s", source ? source : ".", script);
    for (size_t i = 0; argv[i] && i < 14; i++)
        wrapped[i + 1] = argv[i];
    execv(path, wrapped);
    perror(path);
    give_up("the program needs a token");
}

void
live_load(void)
{
    CK_C_GetFunctionList get_list = NULL;
    CK_C_GetInterface get_interface = NULL;
    CK_INTERFACE *interface = NULL;
    CK_VERSION version = {3, 0};

    live_library = dlopen(need("MODULE"), RTLD_NOW | RTLD_LOCAL);
    if (!live_library)
        give_up(dlerror());
    *(void **)&get_list = dlsym(live_library, "C_GetFunctionList");
    *(void **)&get_interface = dlsym(live_library, "C_GetInterface");
    if (!*(void **)&get_list || get_list(&p11) != CKR_OK)
        give_up("no C_GetFunctionList");
    p11_3 = NULL;
    if (*(void **)&get_interface && get_interface(NULL, &version, &interface, 0) == CKR_OK)
        p11_3 = interface->pFunctionList;
}

void
live_unload(void)
{
    (void)dlclose(live_library);
    live_library = NULL;
}

CK_SLOT_ID
live_slot(CK_FUNCTION_LIST *module)
{
    const char *label = need("TOKEN");
    CK_SLOT_ID slots[16];
    CK_ULONG count = 0;

    if (module->C_GetSlotList(CK_TRUE, NULL, &count) != CKR_OK || count > LENGTH(slots) ||
        module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        give_up("no slots");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && memcmp(info.label, label, strlen(label)) == 0 &&
            info.label[strlen(label)] == ' ')
            return slots[i];
    }
    give_up("no token");
    return 0;
}

CK_RV
live_generate(CK_SESSION_HANDLE session, CK_BBOOL token, const char *label, CK_OBJECT_HANDLE *public_key,
    CK_OBJECT_HANDLE *private_key)
{
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE public_template[] = {
        {CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)},
        {CKA_TOKEN, &token, 1},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
        {CKA_VERIFY, &yes, 1},
        {CKA_PRIVATE, &no, 1},
    };
    CK_ATTRIBUTE private_template[] = {
        {CKA_TOKEN, &token, 1},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
        {CKA_SIGN, &yes, 1},
        {CKA_PRIVATE, &yes, 1},
        {CKA_SENSITIVE, &yes, 1},
        {CKA_EXTRACTABLE, &no, 1},
    };

    return p11->C_GenerateKeyPair(session, &mechanism, public_template, LENGTH(public_template), private_template,
        LENGTH(private_template), public_key, private_key);
}
