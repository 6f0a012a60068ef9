#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.4 general-purpose functions, and what every function answers before C_Initialize. */

static CK_RV
take_nothing(void *mutex)
{
    (void)mutex;
    return CKR_OK;
}

static CK_RV
make_nothing(void **mutex)
{
    *mutex = NULL;
    return CKR_OK;
}

START_TEST(test_initialize)
{
    int something = 0;
    CK_C_INITIALIZE_ARGS args = {0};

    args.pReserved = &something;
    RV(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args = (CK_C_INITIALIZE_ARGS){.CreateMutex = make_nothing};
    RV(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args.DestroyMutex = take_nothing;
    RV(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args.LockMutex = take_nothing;
    RV(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args.UnlockMutex = take_nothing;
    RV(p11->C_Initialize(&args), CKR_OK);
    RV(p11->C_Initialize(&args), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    RV(p11->C_Finalize(&something), CKR_ARGUMENTS_BAD);
    RV(p11->C_Finalize(NULL), CKR_OK);
    RV(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    args = (CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK};
    RV(p11->C_Initialize(&args), CKR_OK);
    RV(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    RV(p11->C_Finalize(NULL), CKR_OK);
    args.flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS;
    OURS(p11->C_Initialize(&args), CKR_OK);
    OURS(p11->C_Finalize(NULL), CKR_OK);
}
END_TEST

START_TEST(test_lists)
{
    CK_FUNCTION_LIST *list = NULL;
    CK_INFO info;

    RV(p11->C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetFunctionList(&list), CKR_OK);
    ck_assert_ptr_eq(list, p11);
    ck_assert_uint_eq(list->version.major, 2);
    ck_assert_uint_eq(list->version.minor, 40);
    RV(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    RV(p11->C_Initialize(NULL), CKR_OK);
    RV(p11->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetInfo(&info), CKR_OK);
    ck_assert_uint_eq(info.flags, 0);
    ck_assert_ptr_null(memchr(info.manufacturerID, 0, sizeof(info.manufacturerID)));
    ck_assert_ptr_null(memchr(info.libraryDescription, 0, sizeof(info.libraryDescription)));
    RV(p11->C_Finalize(NULL), CKR_OK);
}
END_TEST

#define DEAD CKR_CRYPTOKI_NOT_INITIALIZED

START_TEST(test_before_initialize)
{
    CK_BYTE bytes[64] = {0};
    CK_ULONG len = sizeof(bytes), count = 1;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_MECHANISM_INFO mechanism_info;
    CK_OBJECT_HANDLE object = 0;
    CK_SESSION_HANDLE session = 0;
    CK_SESSION_INFO session_info;
    CK_SLOT_ID id = 0;
    CK_SLOT_INFO slot_info;
    CK_TOKEN_INFO token_info;

    RV(p11->C_GetSlotList(CK_TRUE, NULL, &count), DEAD);
    RV(p11->C_GetSlotInfo(1, &slot_info), DEAD);
    RV(p11->C_GetTokenInfo(1, &token_info), DEAD);
    RV(p11->C_GetMechanismList(1, NULL, &count), DEAD);
    RV(p11->C_GetMechanismInfo(1, CKM_ECDSA, &mechanism_info), DEAD);
    RV(p11->C_InitToken(1, bytes, 8, bytes), DEAD);
    RV(p11->C_InitPIN(1, bytes, 8), DEAD);
    RV(p11->C_SetPIN(1, bytes, 8, bytes, 8), DEAD);
    RV(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session), DEAD);
    RV(p11->C_CloseSession(1), DEAD);
    RV(p11->C_CloseAllSessions(1), DEAD);
    RV(p11->C_GetSessionInfo(1, &session_info), DEAD);
    RV(p11->C_GetOperationState(1, bytes, &len), DEAD);
    RV(p11->C_SetOperationState(1, bytes, 8, 0, 0), DEAD);
    RV(p11->C_Login(1, CKU_USER, bytes, 8), DEAD);
    RV(p11->C_Logout(1), DEAD);
    RV(p11->C_CreateObject(1, NULL, 0, &object), DEAD);
    RV(p11->C_CopyObject(1, 1, NULL, 0, &object), DEAD);
    RV(p11->C_DestroyObject(1, 1), DEAD);
    RV(p11->C_GetObjectSize(1, 1, &count), DEAD);
    RV(p11->C_GetAttributeValue(1, 1, NULL, 0), DEAD);
    RV(p11->C_SetAttributeValue(1, 1, NULL, 0), DEAD);
    RV(p11->C_FindObjectsInit(1, NULL, 0), DEAD);
    RV(p11->C_FindObjects(1, &object, 1, &count), DEAD);
    RV(p11->C_FindObjectsFinal(1), DEAD);
    RV(p11->C_EncryptInit(1, &mechanism, 1), DEAD);
    RV(p11->C_Encrypt(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_EncryptUpdate(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_EncryptFinal(1, bytes, &len), DEAD);
    RV(p11->C_DecryptInit(1, &mechanism, 1), DEAD);
    RV(p11->C_Decrypt(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_DecryptUpdate(1, bytes, 1, bytes, &len), DEAD);
    OURS(p11->C_DecryptFinal(1, bytes, &len), DEAD);
    RV(p11->C_DigestInit(1, &mechanism), DEAD);
    RV(p11->C_Digest(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_DigestUpdate(1, bytes, 1), DEAD);
    RV(p11->C_DigestKey(1, 1), DEAD);
    RV(p11->C_DigestFinal(1, bytes, &len), DEAD);
    RV(p11->C_SignInit(1, &mechanism, 1), DEAD);
    RV(p11->C_Sign(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_SignUpdate(1, bytes, 1), DEAD);
    RV(p11->C_SignFinal(1, bytes, &len), DEAD);
    RV(p11->C_SignRecoverInit(1, &mechanism, 1), DEAD);
    RV(p11->C_SignRecover(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_VerifyInit(1, &mechanism, 1), DEAD);
    RV(p11->C_Verify(1, bytes, 1, bytes, 1), DEAD);
    RV(p11->C_VerifyUpdate(1, bytes, 1), DEAD);
    RV(p11->C_VerifyFinal(1, bytes, 1), DEAD);
    RV(p11->C_VerifyRecoverInit(1, &mechanism, 1), DEAD);
    RV(p11->C_VerifyRecover(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_DigestEncryptUpdate(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_DecryptDigestUpdate(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_SignEncryptUpdate(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_DecryptVerifyUpdate(1, bytes, 1, bytes, &len), DEAD);
    RV(p11->C_GenerateKey(1, &mechanism, NULL, 0, &object), DEAD);
    RV(p11->C_GenerateKeyPair(1, &mechanism, NULL, 0, NULL, 0, &object, &object), DEAD);
    RV(p11->C_WrapKey(1, &mechanism, 1, 1, bytes, &len), DEAD);
    RV(p11->C_UnwrapKey(1, &mechanism, 1, bytes, 1, NULL, 0, &object), DEAD);
    RV(p11->C_DeriveKey(1, &mechanism, 1, NULL, 0, &object), DEAD);
    RV(p11->C_SeedRandom(1, bytes, 1), DEAD);
    RV(p11->C_GenerateRandom(1, bytes, 1), DEAD);
    OURS(p11->C_GetFunctionStatus(1), DEAD);
    OURS(p11->C_CancelFunction(1), DEAD);
    RV(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL), DEAD);
    RV(p11->C_Finalize(NULL), DEAD);
}
END_TEST

void
chapter_general(TCase *tests)
{
    tcase_add_test(tests, test_initialize);
    tcase_add_test(tests, test_lists);
    tcase_add_test(tests, test_before_initialize);
}
