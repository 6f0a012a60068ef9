#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- application mutexes --- */

static unsigned made, taken, given, destroyed;

static CK_RV
create(void **mutex)
{
    pthread_mutex_t *one = malloc(sizeof(*one));

    made++;
    *mutex = one;
    return pthread_mutex_init(one, NULL) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV
destroy(void *mutex)
{
    destroyed++;
    pthread_mutex_destroy(mutex);
    free(mutex);
    return CKR_OK;
}

static CK_RV
lock(void *mutex)
{
    taken++;
    return pthread_mutex_lock(mutex) == 0 ? CKR_OK : CKR_MUTEX_BAD;
}

static CK_RV
unlock(void *mutex)
{
    given++;
    return pthread_mutex_unlock(mutex) == 0 ? CKR_OK : CKR_MUTEX_BAD;
}

START_TEST(test_initialize_arguments)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    int something = 0;

    args.pReserved = &something;
    ck_rv(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args.pReserved = NULL;
    args.CreateMutex = create;
    ck_rv(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args.DestroyMutex = destroy;
    args.LockMutex = lock;
    ck_rv(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args = (CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS};
    ck_rv(p11->C_Initialize(&args), CKR_OK);
    ck_rv(p11->C_Initialize(&args), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    ck_rv(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    ck_rv(p11->C_Finalize(&something), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    ck_rv(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}
END_TEST

START_TEST(test_application_mutexes)
{
    CK_C_INITIALIZE_ARGS args = {create, destroy, lock, unlock, 0, NULL};
    CK_INFO info;

    ck_rv(p11->C_Initialize(&args), CKR_OK);
    ck_rv(p11->C_GetInfo(&info), CKR_OK);
    ck_assert_uint_ge(made, 1);
    ck_assert_uint_ge(taken, 1);
    ck_assert_uint_eq(taken, given);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    ck_assert_uint_eq(made, destroyed);
    /* With the system's locking allowed, theirs need not be used. */
    made = 0;
    args.flags = CKF_OS_LOCKING_OK;
    ck_rv(p11->C_Initialize(&args), CKR_OK);
    ck_assert_uint_eq(made, 0);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
}
END_TEST

static CK_RV
create_fails(void **mutex)
{
    *mutex = NULL;
    return CKR_HOST_MEMORY;
}

START_TEST(test_application_mutex_fails)
{
    CK_C_INITIALIZE_ARGS args = {create_fails, destroy, lock, unlock, 0, NULL};
    CK_INFO info;

    ck_rv(p11->C_Initialize(&args), CKR_HOST_MEMORY);
    ck_rv(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
}
END_TEST

START_TEST(test_not_initialized)
{
    CK_INFO info;
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session = 0;

    ck_rv(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_CloseSession(1), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_Login(1, CKU_USER, BYTES("1234"), 4), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_Sign(1, NULL, 0, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_EncryptInit(1, NULL, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &count, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11_3->C_SessionCancel(1, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_rv(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}
END_TEST

START_TEST(test_info)
{
    CK_INFO info;

    ck_rv(p11->C_Initialize(NULL), CKR_OK);
    ck_rv(p11->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetInfo(&info), CKR_OK);
    ck_assert_uint_eq(info.cryptokiVersion.major, 3);
    ck_assert_uint_eq(info.cryptokiVersion.minor, 0);
    ck_assert_uint_eq(info.flags, 0);
    ck_assert_mem_eq(info.manufacturerID, "tallystick                      ", 32);
    ck_assert_mem_eq(info.libraryDescription, "tallystick two-party ECDSA      ", 32);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
}
END_TEST

START_TEST(test_interfaces)
{
    CK_INTERFACE list[3];
    CK_INTERFACE *one = NULL;
    CK_ULONG count = 3;
    CK_VERSION version = {2, 40};
    CK_FUNCTION_LIST *again = NULL;

    ck_rv(p11_3->C_GetInterfaceList(NULL, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11_3->C_GetInterfaceList(NULL, &count), CKR_OK);
    ck_assert_uint_eq(count, 2);
    count = 1;
    ck_rv(p11_3->C_GetInterfaceList(list, &count), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(count, 2);
    ck_rv(p11_3->C_GetInterfaceList(list, &count), CKR_OK);
    ck_assert_str_eq((char *)list[0].pInterfaceName, "PKCS 11");
    ck_assert_str_eq((char *)list[1].pInterfaceName, "PKCS 11");
    ck_assert_uint_eq(((CK_VERSION *)list[0].pFunctionList)->major, 3);
    ck_assert_uint_eq(((CK_VERSION *)list[0].pFunctionList)->minor, 0);
    ck_assert_uint_eq(((CK_VERSION *)list[1].pFunctionList)->major, 2);
    ck_assert_uint_eq(((CK_VERSION *)list[1].pFunctionList)->minor, 40);
    ck_rv(p11_3->C_GetInterface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
    ck_rv(p11_3->C_GetInterface(NULL, NULL, &one, 0), CKR_OK);
    ck_assert_ptr_eq(one->pFunctionList, p11_3);
    ck_rv(p11_3->C_GetInterface(BYTES("PKCS 11"), &version, &one, 0), CKR_OK);
    ck_assert_ptr_eq(one->pFunctionList, p11);
    version.minor = 41;
    ck_rv(p11_3->C_GetInterface(BYTES("PKCS 11"), &version, &one, 0), CKR_ARGUMENTS_BAD);
    ck_rv(p11_3->C_GetInterface(BYTES("Vendor"), NULL, &one, 0), CKR_ARGUMENTS_BAD);
    ck_rv(p11_3->C_GetInterface(NULL, NULL, &one, 1), CKR_ARGUMENTS_BAD); /* fork-safe: it is not */
    ck_rv(p11->C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetFunctionList(&again), CKR_OK);
    ck_assert_ptr_eq(again, p11);
    ck_assert_uint_eq(p11->version.major, 2);
    ck_assert_uint_eq(p11->version.minor, 40);
}
END_TEST

/* Every entry is there: a caller would jump to NULL otherwise. */
START_TEST(test_tables_are_full)
{
    void *entry;

    for (size_t at = sizeof(void *); at < sizeof(*p11); at += sizeof(void *)) {
        memcpy(&entry, (char *)p11 + at, sizeof(entry));
        ck_assert_ptr_nonnull(entry);
    }
    for (size_t at = sizeof(void *); at < sizeof(*p11_3); at += sizeof(void *)) {
        memcpy(&entry, (char *)p11_3 + at, sizeof(entry));
        ck_assert_ptr_nonnull(entry);
    }
}
END_TEST

START_TEST(test_load_again)
{
    for (int i = 0; i < 100; i++) {
        CK_ULONG count = 0;
        ck_rv(p11->C_Initialize(NULL), CKR_OK);
        ck_rv(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
        ck_assert_uint_eq(count, 1);
        ck_rv(p11->C_Finalize(NULL), CKR_OK);
        module_unload();
        module_load();
    }
}
END_TEST

START_TEST(test_bad_configuration)
{
    ck_assert_int_eq(setenv("TALLYSTICK_CONF", module_path("no such file"), 1), 0);
    ck_rv(p11->C_Initialize(NULL), CKR_GENERAL_ERROR);
    ck_rv(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_assert_int_eq(setenv("TALLYSTICK_CONF", module_path("tallystick.yaml"), 1), 0);
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-general");
    TCase *tests = tcase_create("general");

    tcase_add_unchecked_fixture(tests, module_setup_empty, module_teardown);
    tcase_add_checked_fixture(tests, module_load, module_unload);
    tcase_add_test(tests, test_initialize_arguments);
    tcase_add_test(tests, test_application_mutexes);
    tcase_add_test(tests, test_application_mutex_fails);
    tcase_add_test(tests, test_not_initialized);
    tcase_add_test(tests, test_info);
    tcase_add_test(tests, test_interfaces);
    tcase_add_test(tests, test_tables_are_full);
    tcase_add_test(tests, test_load_again);
    tcase_add_test(tests, test_bad_configuration);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
