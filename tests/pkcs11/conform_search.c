#include "tests/pkcs11/conform.h"

#include <stdio.h>

/* PKCS#11 3.0, 5.7.6 to 5.7.8: C_FindObjects. */

START_TEST(test_states)
{
    CK_OBJECT_HANDLE found[4];
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session = session_rw();
    CK_ATTRIBUTE null_value = {CKA_LABEL, NULL, 5}, vendor = {CKA_VENDOR_DEFINED | 9, &yes, 1};

    RV(p11->C_FindObjectsInit(999, NULL, 0), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_FindObjects(999, found, 1, &count), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_FindObjectsFinal(999), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_FindObjects(session, found, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    RV(p11->C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
    OURS(p11->C_FindObjectsInit(session, &null_value, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    OURS(p11->C_FindObjectsInit(session, &null_value, ~0UL), CKR_ARGUMENTS_BAD);
    ck_assert_uint_eq(matching(session, &vendor, 1), 0);
    RV(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    RV(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    RV(p11->C_FindObjects(session, NULL, 1, &count), CKR_ARGUMENTS_BAD);
    RV(p11->C_FindObjects(session, found, 1, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_FindObjects(session, found, 0, &count), CKR_OK);
    ck_assert_uint_eq(count, 0);
    RV(p11->C_FindObjectsFinal(session), CKR_OK);
    RV(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
}
END_TEST

/* What is made and destroyed after C_FindObjectsInit does not change the answer. */
START_TEST(test_snapshot)
{
    CK_OBJECT_HANDLE found[8];
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session = session_rw();
    CK_OBJECT_HANDLE first = data_object(session, CK_FALSE, CK_FALSE, "needle");
    CK_OBJECT_HANDLE second = data_object(session, CK_FALSE, CK_FALSE, "needle");
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("needle"), 6};

    RV(p11->C_FindObjectsInit(session, &label, 1), CKR_OK);
    (void)data_object(session, CK_FALSE, CK_FALSE, "needle");
    RV(p11->C_FindObjects(session, found, 1, &count), CKR_OK);
    ck_assert_uint_eq(count, 1);
    RV(p11->C_FindObjects(session, found + 1, 7, &count), CKR_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert(found[0] != found[1]);
    ck_assert((found[0] == first || found[0] == second) && (found[1] == first || found[1] == second));
    RV(p11->C_FindObjects(session, found, 8, &count), CKR_OK);
    ck_assert_uint_eq(count, 0);
    RV(p11->C_FindObjectsFinal(session), CKR_OK);
    ck_assert_uint_eq(matching(session, &label, 1), 3);
}
END_TEST

/* Enough objects and repeated searches that an index is in use; it follows every change. */
START_TEST(test_many)
{
    CK_OBJECT_CLASS class_data = CKO_DATA, class_public = CKO_PUBLIC_KEY, class_vendor = CKO_VENDOR_DEFINED | 3;
    CK_KEY_TYPE key_ec = CKK_EC;
    CK_OBJECT_HANDLE objects[60];
    CK_SESSION_HANDLE session = session_rw();
    CK_ATTRIBUTE by_class = {CKA_CLASS, &class_data, sizeof(class_data)};
    CK_ATTRIBUTE vendor = {CKA_CLASS, &class_vendor, sizeof(class_vendor)};
    CK_ATTRIBUTE by_type[] = {
        {CKA_KEY_TYPE, &key_ec, sizeof(key_ec)}, {CKA_CLASS, &class_public, sizeof(class_public)}, {CKA_TOKEN, &no, 1}};
    CK_ATTRIBUTE renamed = {CKA_LABEL, BYTES("renamed"), 7};
    char label[16];
    CK_ULONG before = matching(session, &by_class, 1);

    for (size_t i = 0; i < LENGTH(objects); i++) {
        (void)snprintf(label, sizeof(label), "object %zu", i % 20);
        objects[i] = data_object(session, i % 2 ? CK_TRUE : CK_FALSE, CK_FALSE, label);
    }
    CK_OBJECT_HANDLE key = public_key_object(session);
    for (int round = 0; round < 3; round++) {
        CK_ATTRIBUTE wanted[] = {{CKA_LABEL, BYTES("object 7"), 8}, by_class};
        ck_assert_uint_eq(matching(session, wanted, 1), 3);
        ck_assert_uint_eq(matching(session, wanted, 2), 3);
        ck_assert_uint_eq(matching(session, &by_class, 1), before + LENGTH(objects));
        ck_assert_uint_eq(matching(session, by_type, 3), 1);
        ck_assert_uint_eq(matching(session, &vendor, 1), 0);
    }
    for (size_t i = 7; i < LENGTH(objects); i += 20)
        RV(p11->C_SetAttributeValue(session, objects[i], &renamed, 1), CKR_OK);
    for (int round = 0; round < 3; round++) {
        CK_ATTRIBUTE old = {CKA_LABEL, BYTES("object 7"), 8};
        ck_assert_uint_eq(matching(session, &old, 1), 0);
        ck_assert_uint_eq(matching(session, &renamed, 1), 3);
    }
    for (size_t i = 0; i < LENGTH(objects); i++)
        RV(p11->C_DestroyObject(session, objects[i]), CKR_OK);
    RV(p11->C_DestroyObject(session, key), CKR_OK);
    ck_assert_uint_eq(matching(session, &by_class, 1), before);
    ck_assert_uint_eq(matching(session, by_type, 3), 0);
}
END_TEST

void
chapter_search(TCase *tests)
{
    tcase_add_test(tests, test_states);
    tcase_add_test(tests, test_snapshot);
    tcase_add_test(tests, test_many);
}
