#include "tests/pkcs11/conform.h"

/* What PKCS#11 3.0 adds: interfaces, C_LoginUser, C_SessionCancel, messages, profile objects, CKA_UNIQUE_ID. */

#define NONE CKR_FUNCTION_NOT_SUPPORTED

START_TEST(test_interfaces)
{
    CK_INTERFACE list[4];
    CK_INTERFACE *one = NULL;
    CK_ULONG count = 0;
    CK_VERSION v2 = {2, 40}, v3 = {3, 0}, v31 = {3, 1};

    RV(p11_3->C_GetInterfaceList(NULL, NULL), CKR_ARGUMENTS_BAD);
    RV(p11_3->C_GetInterfaceList(NULL, &count), CKR_OK);
    ck_assert_uint_eq(count, 2);
    count = 1;
    RV(p11_3->C_GetInterfaceList(list, &count), CKR_BUFFER_TOO_SMALL);
    count = LENGTH(list);
    RV(p11_3->C_GetInterfaceList(list, &count), CKR_OK);
    ck_assert_uint_eq(((CK_VERSION *)list[0].pFunctionList)->major, 3);
    ck_assert_uint_eq(((CK_VERSION *)list[1].pFunctionList)->major, 2);
    RV(p11_3->C_GetInterface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
    RV(p11_3->C_GetInterface(NULL, NULL, &one, 0), CKR_OK);
    ck_assert_ptr_eq(one->pFunctionList, p11_3);
    RV(p11_3->C_GetInterface(BYTES("PKCS 11"), &v2, &one, 0), CKR_OK);
    ck_assert_ptr_eq(one->pFunctionList, p11);
    RV(p11_3->C_GetInterface(BYTES("PKCS 11"), &v3, &one, 0), CKR_OK);
    RV(p11_3->C_GetInterface(BYTES("PKCS 11"), &v31, &one, 0), CKR_ARGUMENTS_BAD);
    RV(p11_3->C_GetInterface(BYTES("Vendor"), NULL, &one, 0), CKR_ARGUMENTS_BAD);
    RV(p11_3->C_GetInterface(BYTES("PKCS 11"), NULL, &one, 2), CKR_ARGUMENTS_BAD); /* no such flag */
}
END_TEST

START_TEST(test_login_user)
{
    const char *pin = live_pin();
    CK_SESSION_HANDLE session = session_rw();

    RV(p11_3->C_LoginUser(999, CKU_USER, BYTES(pin), strlen(pin), NULL, 0), CKR_SESSION_HANDLE_INVALID);
    RV(p11_3->C_LoginUser(session, CKU_USER, BYTES(pin), strlen(pin), NULL, 3), CKR_ARGUMENTS_BAD);
    RV(p11_3->C_LoginUser(session, CKU_USER, BYTES(pin), strlen(pin), BYTES("eve"), 3), CKR_USER_TYPE_INVALID);
    RV(p11_3->C_LoginUser(session, 9, BYTES(pin), strlen(pin), NULL, 0), CKR_USER_TYPE_INVALID);
    RV(p11_3->C_LoginUser(session, CKU_USER, NULL, 4, NULL, 0), CKR_ARGUMENTS_BAD);
    RV(p11_3->C_LoginUser(session, CKU_USER, BYTES("nonsense"), 8, NULL, 0), CKR_PIN_INCORRECT);
    RV(p11_3->C_LoginUser(session, CKU_USER, BYTES(pin), strlen(pin), BYTES(""), 0), CKR_OK);
    RV(p11_3->C_LoginUser(session, CKU_USER, BYTES(pin), strlen(pin), NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
    RV(p11_3->C_Logout(session), CKR_OK);
}
END_TEST

START_TEST(test_cancel)
{
    CK_BYTE out[64];
    CK_ULONG len = sizeof(out), count = 0;
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
    CK_OBJECT_HANDLE public_key = 0, private_key = 0, found = 0;
    CK_SESSION_HANDLE session = session_user();

    token_pair(session, &public_key, &private_key);
    RV(p11_3->C_SessionCancel(999, CKF_SIGN), CKR_SESSION_HANDLE_INVALID);
    RV(p11_3->C_SessionCancel(session, 0), CKR_OK);
    RV(p11_3->C_SessionCancel(session, CKF_SIGN | CKF_VERIFY | CKF_DIGEST | CKF_FIND_OBJECTS), CKR_OK);
    RV(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    RV(p11->C_DigestInit(session, &sha256), CKR_OK);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    RV(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    RV(p11_3->C_SessionCancel(session, CKF_DIGEST), CKR_OK);
    RV(p11->C_Digest(session, out, 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11_3->C_SessionCancel(session, CKF_SIGN), CKR_OK);
    RV(p11->C_Sign(session, out, 32, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11_3->C_SessionCancel(session, CKF_VERIFY), CKR_OK);
    RV(p11->C_Verify(session, out, 32, out, 64), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_FindObjects(session, &found, 1, &count), CKR_OK); /* untouched till now */
    RV(p11_3->C_SessionCancel(session, CKF_FIND_OBJECTS), CKR_OK);
    RV(p11->C_FindObjects(session, &found, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
}
END_TEST

static void
messages(CK_SESSION_HANDLE session, CK_RV expected)
{
    CK_BYTE b[16];
    CK_ULONG len = sizeof(b);
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};

    RV(p11_3->C_MessageEncryptInit(session, &mechanism, 1), expected);
    RV(p11_3->C_EncryptMessage(session, NULL, 0, b, 1, b, 1, b, &len), expected);
    RV(p11_3->C_EncryptMessageBegin(session, NULL, 0, b, 1), expected);
    RV(p11_3->C_EncryptMessageNext(session, NULL, 0, b, 1, b, &len, 0), expected);
    RV(p11_3->C_MessageEncryptFinal(session), expected);
    RV(p11_3->C_MessageDecryptInit(session, &mechanism, 1), expected);
    RV(p11_3->C_DecryptMessage(session, NULL, 0, b, 1, b, 1, b, &len), expected);
    RV(p11_3->C_DecryptMessageBegin(session, NULL, 0, b, 1), expected);
    RV(p11_3->C_DecryptMessageNext(session, NULL, 0, b, 1, b, &len, 0), expected);
    RV(p11_3->C_MessageDecryptFinal(session), expected);
    RV(p11_3->C_MessageSignInit(session, &mechanism, 1), expected);
    RV(p11_3->C_SignMessage(session, NULL, 0, b, 1, b, &len), expected);
    RV(p11_3->C_SignMessageBegin(session, NULL, 0), expected);
    RV(p11_3->C_SignMessageNext(session, NULL, 0, b, 1, b, &len), expected);
    RV(p11_3->C_MessageSignFinal(session), expected);
    RV(p11_3->C_MessageVerifyInit(session, &mechanism, 1), expected);
    RV(p11_3->C_VerifyMessage(session, NULL, 0, b, 1, b, 1), expected);
    RV(p11_3->C_VerifyMessageBegin(session, NULL, 0), expected);
    RV(p11_3->C_VerifyMessageNext(session, NULL, 0, b, 1, b, 1), expected);
    RV(p11_3->C_MessageVerifyFinal(session), expected);
}

START_TEST(test_messages)
{
    messages(session_rw(), NONE);
    messages(999, CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_Finalize(NULL), CKR_OK);
    messages(1, CKR_CRYPTOKI_NOT_INITIALIZED);
    RV(p11_3->C_LoginUser(1, CKU_USER, NULL, 0, NULL, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    RV(p11_3->C_SessionCancel(1, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    RV(p11->C_Initialize(NULL), CKR_OK);
}
END_TEST

/* OASIS PKCS#11 Profiles 3.0: seen by anybody, changed by nobody. */
START_TEST(test_profiles)
{
    CK_OBJECT_CLASS class_profile = CKO_PROFILE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class_profile, sizeof(class_profile)}, {CKA_PROFILE_ID, NULL, 0}};
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("x"), 1};
    CK_OBJECT_HANDLE found = 0, copy = 0;
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session = session_rw(), ro = session_ro();

    ck_assert_uint_eq(matching(ro, template, 1), 4);
    for (CK_ULONG profile = CKP_BASELINE_PROVIDER; profile <= CKP_PUBLIC_CERTIFICATES_TOKEN; profile++) {
        CK_ULONG got = 0;
        CK_BYTE id[32];
        CK_ATTRIBUTE read[] = {{CKA_PROFILE_ID, &got, sizeof(got)}, {CKA_UNIQUE_ID, id, sizeof(id)}};
        template[1] = (CK_ATTRIBUTE){CKA_PROFILE_ID, &profile, sizeof(profile)};
        RV(p11->C_FindObjectsInit(session, template, 2), CKR_OK);
        RV(p11->C_FindObjects(session, &found, 1, &count), CKR_OK);
        RV(p11->C_FindObjectsFinal(session), CKR_OK);
        ck_assert_uint_eq(count, 1);
        RV(p11->C_GetAttributeValue(session, found, read, 2), CKR_OK);
        ck_assert_uint_eq(got, profile);
        RV(p11->C_SetAttributeValue(ro, found, &label, 1), CKR_SESSION_READ_ONLY);
        RV(p11->C_SetAttributeValue(session, found, &label, 1), CKR_ACTION_PROHIBITED);
        RV(p11->C_CopyObject(session, found, &label, 1, &copy), CKR_ACTION_PROHIBITED);
        RV(p11->C_DestroyObject(ro, found), CKR_SESSION_READ_ONLY);
        RV(p11->C_DestroyObject(session, found), CKR_ACTION_PROHIBITED);
    }
    RV(p11->C_CreateObject(session, template, 1, &copy), CKR_ATTRIBUTE_VALUE_INVALID);
}
END_TEST

/* It finds exactly one object, whatever else changes. */
START_TEST(test_unique_id)
{
    CK_BYTE id[64];
    CK_SESSION_HANDLE session = session_rw();
    CK_OBJECT_HANDLE object = data_object(session, CK_FALSE, CK_FALSE, "one"), copy = 0;
    CK_ATTRIBUTE unique = {CKA_UNIQUE_ID, id, sizeof(id)}, label = {CKA_LABEL, BYTES("two"), 3};

    RV(p11->C_GetAttributeValue(session, object, &unique, 1), CKR_OK);
    RV(p11->C_CopyObject(session, object, NULL, 0, &copy), CKR_OK);
    RV(p11->C_SetAttributeValue(session, object, &label, 1), CKR_OK);
    ck_assert_uint_eq(matching(session, &unique, 1), 1);
    RV(p11->C_SetAttributeValue(session, object, &unique, 1), CKR_ATTRIBUTE_READ_ONLY);
}
END_TEST

void
chapter_version3(TCase *tests)
{
    tcase_add_test(tests, test_interfaces);
    tcase_add_test(tests, test_login_user);
    tcase_add_test(tests, test_cancel);
    tcase_add_test(tests, test_messages);
    tcase_add_test(tests, test_profiles);
    tcase_add_test(tests, test_unique_id);
}
