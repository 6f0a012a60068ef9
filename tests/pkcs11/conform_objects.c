#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.7 object management: create, copy, destroy, size. */

static CK_OBJECT_CLASS class_data = CKO_DATA, class_public = CKO_PUBLIC_KEY, class_private = CKO_PRIVATE_KEY,
                       class_certificate = CKO_CERTIFICATE;
static CK_KEY_TYPE key_ec = CKK_EC;
static CK_CERTIFICATE_TYPE x509 = CKC_X_509;

CK_OBJECT_HANDLE
public_key_object(CK_SESSION_HANDLE session)
{
    /* The base point of P-256 is as good a public key as any. */
    static CK_BYTE point[67] = {0x04, 65, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
        0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98,
        0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
        0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    CK_OBJECT_HANDLE object = 0;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_public, sizeof(class_public)},
        {CKA_KEY_TYPE, &key_ec, sizeof(key_ec)},
        {CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)},
        {CKA_EC_POINT, point, sizeof(point)},
        {CKA_VERIFY, &yes, 1},
        {CKA_PRIVATE, &no, 1},
    };

    RV(p11->C_CreateObject(session, template, LENGTH(template), &object), CKR_OK);
    return object;
}

START_TEST(test_create)
{
    CK_OBJECT_HANDLE object = 0;
    CK_SESSION_HANDLE session = session_rw(), ro = session_ro();
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("x"), 1}, class = {CKA_CLASS, &class_data, sizeof(class_data)};
    CK_ATTRIBUTE to_token[] = {class, {CKA_TOKEN, &yes, 1}, {CKA_PRIVATE, &no, 1}};
    CK_ATTRIBUTE is_private[] = {class, {CKA_PRIVATE, &yes, 1}};
    CK_ATTRIBUTE twice[] = {class, label, label};
    CK_ATTRIBUTE wrong_class[] = {class, {CKA_KEY_TYPE, &key_ec, sizeof(key_ec)}};
    CK_ATTRIBUTE unknown[] = {class, {0x7654, &yes, 1}};
    CK_ATTRIBUTE bad_bool[] = {class, {CKA_TOKEN, BYTES("\x05"), 1}};
    CK_ATTRIBUTE short_class[] = {{CKA_CLASS, &class_data, 1}};
    CK_ATTRIBUTE null_value[] = {class, {CKA_VALUE, NULL, 5}};
    CK_ATTRIBUTE huge[] = {class, {CKA_VALUE, &yes, ~0UL}};
    CK_ATTRIBUTE private_key[] = {
        {CKA_CLASS, &class_private, sizeof(class_private)}, {CKA_KEY_TYPE, &key_ec, sizeof(key_ec)}};
    CK_ATTRIBUTE no_value[] = {{CKA_CLASS, &class_public, sizeof(class_public)},
        {CKA_KEY_TYPE, &key_ec, sizeof(key_ec)}, {CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)}};
    CK_ATTRIBUTE certificate[] = {{CKA_CLASS, &class_certificate, sizeof(class_certificate)},
        {CKA_CERTIFICATE_TYPE, &x509, sizeof(x509)}, {CKA_VALUE, BYTES("junk"), 4}};

    RV(p11->C_CreateObject(999, to_token, 3, &object), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_CreateObject(session, NULL, 1, &object), CKR_ARGUMENTS_BAD);
    RV(p11->C_CreateObject(session, &class, 1, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_CreateObject(session, &label, 1, &object), CKR_TEMPLATE_INCOMPLETE);
    RV(p11->C_CreateObject(ro, to_token, 3, &object), CKR_SESSION_READ_ONLY);
    RV(p11->C_CreateObject(session, is_private, 2, &object), CKR_USER_NOT_LOGGED_IN);
    OURS(p11->C_CreateObject(session, twice, 3, &object), CKR_TEMPLATE_INCONSISTENT);
    OURS(p11->C_CreateObject(session, wrong_class, 2, &object), CKR_TEMPLATE_INCONSISTENT);
    OURS(p11->C_CreateObject(session, unknown, 2, &object), CKR_ATTRIBUTE_TYPE_INVALID);
    OURS(p11->C_CreateObject(session, bad_bool, 2, &object), CKR_ATTRIBUTE_VALUE_INVALID);
    OURS(p11->C_CreateObject(session, short_class, 1, &object), CKR_ATTRIBUTE_VALUE_INVALID);
    OURS(p11->C_CreateObject(session, null_value, 2, &object), CKR_ATTRIBUTE_VALUE_INVALID);
    OURS(p11->C_CreateObject(session, huge, 2, &object), CKR_ATTRIBUTE_VALUE_INVALID);
    OURS(p11->C_CreateObject(session, &class, ~0UL, &object), CKR_ARGUMENTS_BAD);
    OURS(p11->C_CreateObject(session, private_key, 2, &object), CKR_ATTRIBUTE_VALUE_INVALID);
    OURS(p11->C_CreateObject(session, no_value, 3, &object), CKR_TEMPLATE_INCOMPLETE);
    OURS(p11->C_CreateObject(session, certificate, 3, &object), CKR_TEMPLATE_INCOMPLETE);
    OURS(p11->C_CreateObject(session, &class, 1, &object), CKR_OK);
    (void)public_key_object(session);
}
END_TEST

START_TEST(test_destroy)
{
    CK_SESSION_HANDLE session = session_rw(), ro = session_ro();
    CK_OBJECT_HANDLE object = data_object(session, CK_TRUE, CK_FALSE, "doomed");

    RV(p11->C_DestroyObject(999, object), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_DestroyObject(session, 0), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_DestroyObject(session, ~0UL), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_DestroyObject(ro, object), CKR_SESSION_READ_ONLY);
    RV(p11->C_DestroyObject(session, object), CKR_OK);
    RV(p11->C_DestroyObject(session, object), CKR_OBJECT_HANDLE_INVALID);
    /* A read-only session may have session objects, and they die with it. */
    object = data_object(ro, CK_FALSE, CK_FALSE, "short-lived");
    RV(p11->C_DestroyObject(ro, object), CKR_OK);
    object = data_object(ro, CK_FALSE, CK_FALSE, "short-lived");
    RV(p11->C_CloseSession(ro), CKR_OK);
    RV(p11->C_DestroyObject(session, object), CKR_OBJECT_HANDLE_INVALID);
}
END_TEST

START_TEST(test_size)
{
    CK_ULONG size = 0, larger = 0;
    CK_SESSION_HANDLE session = session_rw();
    CK_OBJECT_HANDLE object = data_object(session, CK_FALSE, CK_FALSE, "a");
    CK_OBJECT_HANDLE longer = data_object(session, CK_FALSE, CK_FALSE, "a much longer label");

    RV(p11->C_GetObjectSize(999, object, &size), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_GetObjectSize(session, 0, &size), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_GetObjectSize(session, object, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetObjectSize(session, object, &size), CKR_OK);
    RV(p11->C_GetObjectSize(session, longer, &larger), CKR_OK);
    if (live_ours())
        ck_assert_uint_gt(larger, size);
}
END_TEST

START_TEST(test_copy)
{
    CK_OBJECT_HANDLE copy = 0;
    CK_SESSION_HANDLE session = session_user(), ro = session_ro();
    CK_OBJECT_HANDLE object = data_object(session, CK_FALSE, CK_FALSE, "original");
    CK_OBJECT_HANDLE secret = data_object(session, CK_FALSE, CK_TRUE, "secret");
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("copy"), 4}, twice[] = {label, label};
    CK_ATTRIBUTE to_token = {CKA_TOKEN, &yes, 1}, to_private = {CKA_PRIVATE, &yes, 1},
                 to_public = {CKA_PRIVATE, &no, 1};
    CK_ATTRIBUTE other_class = {CKA_CLASS, &class_public, sizeof(class_public)};
    CK_ATTRIBUTE same_class = {CKA_CLASS, &class_data, sizeof(class_data)};
    CK_ATTRIBUTE not_copyable = {CKA_COPYABLE, &no, 1};

    RV(p11->C_CopyObject(999, object, &label, 1, &copy), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_CopyObject(session, 0, &label, 1, &copy), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_CopyObject(session, object, &label, 1, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_CopyObject(session, object, &label, 1, &copy), CKR_OK);
    ck_assert_uint_ne(copy, object);
    RV(p11->C_CopyObject(ro, object, &to_token, 1, &copy), CKR_SESSION_READ_ONLY);
    RV(p11->C_CopyObject(session, object, &to_private, 1, &copy), CKR_OK);
    RV(p11->C_CopyObject(session, secret, &to_public, 1, &copy), CKR_TEMPLATE_INCONSISTENT);
    OURS(p11->C_CopyObject(session, object, NULL, 2, &copy), CKR_ARGUMENTS_BAD);
    OURS(p11->C_CopyObject(session, object, twice, 2, &copy), CKR_TEMPLATE_INCONSISTENT);
    OURS(p11->C_CopyObject(session, object, &other_class, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
    OURS(p11->C_CopyObject(session, object, &same_class, 1, &copy), CKR_OK);
    RV(p11->C_CopyObject(session, object, &to_token, 1, &copy), CKR_OK);
    RV(p11->C_DestroyObject(session, copy), CKR_OK);
    OURS(p11->C_SetAttributeValue(session, object, &not_copyable, 1), CKR_OK); /* SoftHSM2 has it fixed */
    OURS(p11->C_CopyObject(session, object, &label, 1, &copy), CKR_ACTION_PROHIBITED);
}
END_TEST

START_TEST(test_private_objects)
{
    CK_ULONG size = 0;
    CK_SESSION_HANDLE session = session_user();
    CK_OBJECT_HANDLE token = data_object(session, CK_TRUE, CK_TRUE, "private");
    CK_OBJECT_HANDLE own = data_object(session, CK_FALSE, CK_TRUE, "private");
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("private"), 7};

    ck_assert_uint_eq(matching(session, &label, 1), 2);
    RV(p11->C_Logout(session), CKR_OK);
    ck_assert_uint_eq(matching(session, &label, 1), 0);
    OURS(p11->C_GetObjectSize(session, token, &size), CKR_OBJECT_HANDLE_INVALID);
    OURS(p11->C_GetAttributeValue(session, token, &label, 1), CKR_OBJECT_HANDLE_INVALID);
    OURS(p11->C_SetAttributeValue(session, token, &label, 1), CKR_OBJECT_HANDLE_INVALID);
    OURS(p11->C_CopyObject(session, token, NULL, 0, &own), CKR_OBJECT_HANDLE_INVALID);
    OURS(p11->C_DestroyObject(session, token), CKR_OBJECT_HANDLE_INVALID);
    RV(login(session, CKU_SO), CKR_OK);
    ck_assert_uint_eq(matching(session, &label, 1), 0);
    RV(p11->C_Logout(session), CKR_OK);
    RV(login(session, CKU_USER), CKR_OK);
    ck_assert_uint_eq(matching(session, &label, 1), 1);
    OURS(p11->C_GetObjectSize(session, own, &size), CKR_OBJECT_HANDLE_INVALID);
    OURS(p11->C_DestroyObject(session, token), CKR_OK);
}
END_TEST

void
chapter_objects(TCase *tests)
{
    tcase_add_test(tests, test_create);
    tcase_add_test(tests, test_destroy);
    tcase_add_test(tests, test_size);
    tcase_add_test(tests, test_copy);
    tcase_add_test(tests, test_private_objects);
}
