#include "tests/pkcs11/conform.h"

#include "tests/check_main.h"
#include "tests/pkcs11/standard.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LEAST_ASSERTIONS 400

CK_SLOT_ID slot;

/* Each test is a process of its own: they count in common memory. */
static atomic_uint *assertions;

void
conform_check(CK_RV got, CK_RV expected, const char *call, const char *file, int line)
{
    atomic_fetch_add(assertions, 1);
    ck_assert_msg(got == expected, "%s:%d: %s answered %#lx instead of %#lx", file, line, call, got, expected);
    ck_assert_msg(standard_allows(call, got), "%s:%d: %s may not answer %#lx", file, line, call, got);
}

static CK_SESSION_HANDLE
open_with(CK_FLAGS flags)
{
    CK_SESSION_HANDLE session = 0;

    RV(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &session), CKR_OK);
    ck_assert_uint_ne(session, CK_INVALID_HANDLE);
    return session;
}

CK_SESSION_HANDLE
session_rw(void)
{
    return open_with(CKF_RW_SESSION);
}

CK_SESSION_HANDLE
session_ro(void)
{
    return open_with(0);
}

CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user)
{
    const char *pin = user == CKU_SO ? live_so_pin() : live_pin();

    return p11->C_Login(session, user, BYTES(pin), strlen(pin));
}

CK_SESSION_HANDLE
session_user(void)
{
    CK_SESSION_HANDLE session = session_rw();

    RV(login(session, CKU_USER), CKR_OK);
    return session;
}

CK_OBJECT_HANDLE
data_object(CK_SESSION_HANDLE session, CK_BBOOL token, CK_BBOOL is_private, const char *label)
{
    CK_OBJECT_CLASS object_class = CKO_DATA;
    CK_OBJECT_HANDLE object = 0;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &object_class, sizeof(object_class)},
        {CKA_TOKEN, &token, 1},
        {CKA_PRIVATE, &is_private, 1},
        {CKA_LABEL, BYTES(label), strlen(label)},
        {CKA_VALUE, BYTES("0123456789"), 10},
    };

    RV(p11->C_CreateObject(session, template, LENGTH(template), &object), CKR_OK);
    ck_assert_uint_ne(object, CK_INVALID_HANDLE);
    return object;
}

CK_ULONG
matching(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_OBJECT_HANDLE found[256];
    CK_ULONG got = 0;

    RV(p11->C_FindObjectsInit(session, template, count), CKR_OK);
    RV(p11->C_FindObjects(session, found, LENGTH(found), &got), CKR_OK);
    RV(p11->C_FindObjectsFinal(session), CKR_OK);
    return got;
}

static CK_OBJECT_HANDLE
find_pair(CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class)
{
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG got = 0;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof(object_class)}, {CKA_LABEL, BYTES("conform"), 7}};

    RV(p11->C_FindObjectsInit(session, template, 2), CKR_OK);
    RV(p11->C_FindObjects(session, &found, 1, &got), CKR_OK);
    RV(p11->C_FindObjectsFinal(session), CKR_OK);
    return got ? found : 0;
}

void
token_pair(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    *public_key = find_pair(session, CKO_PUBLIC_KEY);
    *private_key = find_pair(session, CKO_PRIVATE_KEY);
    if (!*public_key || !*private_key)
        RV(live_generate(session, CK_TRUE, "conform", public_key, private_key), CKR_OK);
}

static void
start(void)
{
    live_load();
    RV(p11->C_Initialize(NULL), CKR_OK);
    slot = live_slot(p11);
}

static void
stop(void)
{
    RV(p11->C_Finalize(NULL), CKR_OK);
    live_unload();
}

static void
add(Suite *suite, const char *name, void (*chapter)(TCase *), bool initialised)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, initialised ? start : live_load, initialised ? stop : live_unload);
    tcase_set_timeout(tests, 120);
    chapter(tests);
    suite_add_tcase(suite, tests);
}

int
main(int argc, char **argv)
{
    (void)argc;
    live_ensure(argv);
    assertions = mmap(NULL, sizeof(*assertions), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (assertions == MAP_FAILED)
        return 99;
    Suite *suite = suite_create(live_ours() ? "conform" : "conform-foreign");
    add(suite, "general", chapter_general, false);
    add(suite, "slots", chapter_slots, true);
    add(suite, "sessions", chapter_sessions, true);
    add(suite, "objects", chapter_objects, true);
    add(suite, "attributes", chapter_attributes, true);
    add(suite, "search", chapter_search, true);
    add(suite, "refused", chapter_refused, true);
    add(suite, "digest", chapter_digest, true);
    add(suite, "keys", chapter_keys, true);
    add(suite, "sign", chapter_sign, true);
    add(suite, "verify", chapter_verify, true);
    add(suite, "random", chapter_random, true);
    if (live_ours())
        add(suite, "version3", chapter_version3, true);
    int result = run_suite(suite);
    unsigned count = atomic_load(assertions);
    printf("# %u assertions of exact return codes\n", count);
    return result == 0 && live_ours() && count < LEAST_ASSERTIONS ? 1 : result;
}
