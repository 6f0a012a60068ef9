#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <stdlib.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS class_data = CKO_DATA, class_certificate = CKO_CERTIFICATE, class_public = CKO_PUBLIC_KEY,
                       class_private = CKO_PRIVATE_KEY, class_secret = CKO_SECRET_KEY;
static CK_KEY_TYPE key_ec = CKK_EC, key_rsa = CKK_RSA;
static CK_CERTIFICATE_TYPE x509 = CKC_X_509, wtls = CKC_WTLS;

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void
setup_with_key(void)
{
    module_setup();
    module_make_key();
}

static CK_OBJECT_HANDLE
make(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_OBJECT_HANDLE object = 0;

    ck_rv(p11->C_CreateObject(session, template, count, &object), CKR_OK);
    ck_assert_uint_ne(object, 0);
    return object;
}

static CK_OBJECT_HANDLE
make_data(CK_SESSION_HANDLE session, CK_BBOOL *token, CK_BBOOL *private, const char *label)
{
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_data, sizeof(class_data)},
        {CKA_TOKEN, token, 1},
        {CKA_PRIVATE, private, 1},
        {CKA_LABEL, (char *)label, strlen(label)},
        {CKA_VALUE, BYTES("precious content"), 16},
    };

    return make(session, template, LENGTH(template));
}

/* The attribute has exactly these bytes. */
static void
expect(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len)
{
    CK_BYTE got[512];
    CK_ATTRIBUTE template = {type, got, sizeof(got)};

    ck_rv(p11->C_GetAttributeValue(session, object, &template, 1), CKR_OK);
    ck_assert_uint_eq(template.ulValueLen, len);
    if (len > 0)
        ck_assert_mem_eq(got, value, len);
}

static CK_RV
exists(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_ULONG size = 0;

    return p11->C_GetObjectSize(session, object, &size);
}

START_TEST(test_create_refused)
{
    CK_BYTE garbage[] = {1, 2, 3}, explicit[] = {0x30, 1, 0};
    CK_OBJECT_CLASS vendor = CKO_VENDOR_DEFINED | 5;
    CK_SESSION_HANDLE session = open_rw();
    CK_OBJECT_HANDLE object = 0;
    struct {
        CK_ATTRIBUTE template[5];
        CK_ULONG count;
        CK_RV expected;
    } cases[] = {
        {{{CKA_LABEL, garbage, 3}}, 1, CKR_TEMPLATE_INCOMPLETE},
        {{{CKA_CLASS, &class_data, 4}}, 1, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, NULL, 8}}, 1, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &vendor, 8}}, 1, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_private, 8}, {CKA_KEY_TYPE, &key_ec, 8}}, 2, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_secret, 8}, {CKA_VALUE, garbage, 3}}, 2, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_data, 8}, {CKA_LABEL, garbage, 3}, {CKA_LABEL, garbage, 3}}, 3, CKR_TEMPLATE_INCONSISTENT},
        {{{CKA_CLASS, &class_data, 8}, {CKA_KEY_TYPE, &key_ec, 8}}, 2, CKR_TEMPLATE_INCONSISTENT},
        {{{CKA_CLASS, &class_data, 8}, {0x4711, garbage, 3}}, 2, CKR_ATTRIBUTE_TYPE_INVALID},
        {{{CKA_CLASS, &class_data, 8}, {CKA_TOKEN, garbage, 1}}, 1, CKR_OK},
        {{{CKA_CLASS, &class_data, 8}, {CKA_TOKEN, garbage + 1, 1}}, 2, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_data, 8}, {CKA_VALUE, NULL, 7}}, 2, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_data, 8}, {CKA_VALUE, garbage, (CK_ULONG)-1}}, 2, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_data, 8}, {CKA_UNIQUE_ID, garbage, 3}}, 2, CKR_ATTRIBUTE_READ_ONLY},
        {{{CKA_CLASS, &class_data, 8}, {CKA_PRIVATE, &yes, 1}}, 2, CKR_USER_NOT_LOGGED_IN},
        {{{CKA_CLASS, &class_public, 8}, {CKA_KEY_TYPE, &key_ec, 8}}, 2, CKR_TEMPLATE_INCOMPLETE},
        {{{CKA_CLASS, &class_public, 8}, {CKA_KEY_TYPE, &key_rsa, 8}, {CKA_EC_PARAMS, p256_oid, 10},
             {CKA_EC_POINT, p256_point, 67}},
            4, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_public, 8}, {CKA_KEY_TYPE, &key_ec, 8}, {CKA_EC_PARAMS, explicit, 3},
             {CKA_EC_POINT, p256_point, 67}},
            4, CKR_CURVE_NOT_SUPPORTED},
        {{{CKA_CLASS, &class_public, 8}, {CKA_KEY_TYPE, &key_ec, 8}, {CKA_EC_PARAMS, garbage, 3},
             {CKA_EC_POINT, p256_point, 67}},
            4, CKR_DOMAIN_PARAMS_INVALID},
        {{{CKA_CLASS, &class_public, 8}, {CKA_KEY_TYPE, &key_ec, 8}, {CKA_EC_PARAMS, p256_oid, 10},
             {CKA_EC_POINT, p256_point, 67}, {CKA_LOCAL, &yes, 1}},
            5, CKR_ATTRIBUTE_READ_ONLY},
        {{{CKA_CLASS, &class_public, 8}, {CKA_KEY_TYPE, &key_ec, 8}, {CKA_EC_PARAMS, p256_oid, 10},
             {CKA_EC_POINT, p256_point, 67}, {CKA_PUBLIC_KEY_INFO, garbage, 3}},
            5, CKR_TEMPLATE_INCONSISTENT},
        {{{CKA_CLASS, &class_certificate, 8}, {CKA_CERTIFICATE_TYPE, &x509, 8}, {CKA_VALUE, garbage, 3}}, 3,
            CKR_TEMPLATE_INCOMPLETE},
        {{{CKA_CLASS, &class_certificate, 8}, {CKA_CERTIFICATE_TYPE, &x509, 8}, {CKA_SUBJECT, garbage, 3}}, 3,
            CKR_TEMPLATE_INCOMPLETE},
        {{{CKA_CLASS, &class_certificate, 8}, {CKA_CERTIFICATE_TYPE, &wtls, 8}, {CKA_SUBJECT, garbage, 3},
             {CKA_VALUE, garbage, 3}},
            4, CKR_ATTRIBUTE_VALUE_INVALID},
        {{{CKA_CLASS, &class_certificate, 8}, {CKA_CERTIFICATE_TYPE, &x509, 8}, {CKA_SUBJECT, garbage, 3},
             {CKA_VALUE, garbage, 3}, {CKA_TRUSTED, &yes, 1}},
            5, CKR_ATTRIBUTE_READ_ONLY},
        {{{CKA_CLASS, &class_certificate, 8}, {CKA_CERTIFICATE_TYPE, &x509, 8}, {CKA_SUBJECT, garbage, 3},
             {CKA_VALUE, garbage, 3}, {CKA_CHECK_VALUE, garbage, 3}},
            5, CKR_ATTRIBUTE_VALUE_INVALID},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        CK_RV rv = p11->C_CreateObject(session, cases[i].template, cases[i].count, &object);
        ck_assert_msg(rv == cases[i].expected, "case %zu: %#lx instead of %#lx", i, rv, cases[i].expected);
    }
    ck_rv(p11->C_CreateObject(session, NULL, 1, &object), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_CreateObject(session, cases[0].template, 1, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_CreateObject(session, cases[0].template, (CK_ULONG)-1, &object), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_CreateObject(999, cases[0].template, 1, &object), CKR_SESSION_HANDLE_INVALID);
    ck_assert_uint_eq(count_matching(session, NULL, 0), PROFILES + 1); /* the one good case */
}
END_TEST

/* Session objects go with their session; token objects stay; handles are not used again. */
START_TEST(test_lifetimes)
{
    CK_SESSION_HANDLE ro = open_ro(), rw = open_rw();
    CK_ATTRIBUTE token_data[] = {{CKA_CLASS, &class_data, sizeof(class_data)}, {CKA_TOKEN, &yes, 1}};
    CK_OBJECT_HANDLE refused = 0;

    ck_rv(p11->C_CreateObject(ro, token_data, 2, &refused), CKR_SESSION_READ_ONLY);
    CK_OBJECT_HANDLE mine = make_data(ro, &no, &no, "of the session");
    CK_OBJECT_HANDLE stays = make_data(rw, &yes, &no, "of the token");
    ck_assert_uint_ne(mine, stays);
    ck_rv(exists(rw, mine), CKR_OK);
    ck_rv(p11->C_DestroyObject(ro, stays), CKR_SESSION_READ_ONLY);
    ck_rv(p11->C_CloseSession(ro), CKR_OK);
    ck_rv(exists(rw, mine), CKR_OBJECT_HANDLE_INVALID);
    ck_rv(exists(rw, stays), CKR_OK);
    CK_OBJECT_HANDLE next = make_data(rw, &no, &no, "another");
    ck_assert_uint_ne(next, mine);
    ck_rv(p11->C_CloseAllSessions(1), CKR_OK);
    rw = open_rw();
    expect(rw, stays, CKA_LABEL, "of the token", 12);
    expect(rw, stays, CKA_VALUE, "precious content", 16);
    ck_rv(p11->C_DestroyObject(rw, stays), CKR_OK);
    ck_rv(exists(rw, stays), CKR_OBJECT_HANDLE_INVALID);
    ck_rv(p11->C_DestroyObject(rw, stays), CKR_OBJECT_HANDLE_INVALID);
    CK_OBJECT_HANDLE again = make_data(rw, &yes, &no, "of the token");
    ck_assert_uint_ne(again, stays);
    ck_rv(p11->C_DestroyObject(rw, again), CKR_OK);
}
END_TEST

START_TEST(test_private_objects)
{
    CK_SESSION_HANDLE session = open_user();
    CK_OBJECT_HANDLE token = make_data(session, &yes, &yes, "private of the token");
    CK_OBJECT_HANDLE own = make_data(session, &no, &yes, "private of the session");
    CK_ATTRIBUTE data[] = {{CKA_CLASS, &class_data, sizeof(class_data)}};
    CK_ATTRIBUTE value = {CKA_VALUE, NULL, 0};

    ck_assert_uint_eq(count_matching(session, data, 1), 2);
    expect(session, token, CKA_VALUE, "precious content", 16);
    ck_rv(p11->C_Logout(session), CKR_OK);
    ck_assert_uint_eq(count_matching(session, data, 1), 0);
    ck_rv(p11->C_GetAttributeValue(session, token, &value, 1), CKR_OBJECT_HANDLE_INVALID);
    ck_rv(p11->C_DestroyObject(session, token), CKR_OBJECT_HANDLE_INVALID);
    ck_rv(p11->C_Login(session, CKU_SO, BYTES(MODULE_SO_PIN), strlen(MODULE_SO_PIN)), CKR_OK);
    ck_assert_uint_eq(count_matching(session, data, 1), 0); /* nor for the security officer */
    ck_rv(p11->C_Logout(session), CKR_OK);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES(MODULE_PIN), strlen(MODULE_PIN)), CKR_OK);
    expect(session, token, CKA_VALUE, "precious content", 16);
    ck_rv(exists(session, own), CKR_OBJECT_HANDLE_INVALID); /* logging out destroyed it */
    ck_rv(p11->C_DestroyObject(session, token), CKR_OK);
}
END_TEST

START_TEST(test_get_attributes)
{
    CK_BYTE label[4], value[16];
    CK_BBOOL token = 7;
    CK_SESSION_HANDLE session = open_rw();
    CK_OBJECT_HANDLE object = make_data(session, &no, &no, "a label");
    CK_ATTRIBUTE template[] = {
        {CKA_LABEL, label, sizeof(label)},
        {CKA_MODULUS, value, sizeof(value)},
        {CKA_VALUE, value, sizeof(value)},
        {CKA_APPLICATION, NULL, 0},
        {CKA_TOKEN, &token, 1},
    };

    /* All that can be had is filled in, the rest is marked. */
    ck_rv(p11->C_GetAttributeValue(session, object, template, LENGTH(template)), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(template[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    ck_assert_uint_eq(template[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    ck_assert_uint_eq(template[2].ulValueLen, 16);
    ck_assert_mem_eq(value, "precious content", 16);
    ck_assert_uint_eq(template[3].ulValueLen, 0);
    ck_assert_uint_eq(token, CK_FALSE);
    ck_rv(p11->C_GetAttributeValue(session, object, template + 1, 2), CKR_ATTRIBUTE_TYPE_INVALID);
    ck_rv(p11->C_GetAttributeValue(session, object, NULL, 1), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetAttributeValue(session, 4711, template, 1), CKR_OBJECT_HANDLE_INVALID);
    template[0] = (CK_ATTRIBUTE){CKA_LABEL, NULL, 99};
    ck_rv(p11->C_GetAttributeValue(session, object, template, 1), CKR_OK);
    ck_assert_uint_eq(template[0].ulValueLen, 7);
    ck_rv(p11->C_GetObjectSize(session, object, NULL), CKR_ARGUMENTS_BAD);
}
END_TEST

START_TEST(test_set_attributes)
{
    CK_SESSION_HANDLE session = open_rw(), ro = open_ro();
    CK_OBJECT_HANDLE token = make_data(session, &yes, &no, "before");
    CK_OBJECT_HANDLE own = make_data(session, &no, &no, "before");
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("after"), 5};
    CK_ATTRIBUTE partly_bad[] = {{CKA_LABEL, BYTES("after"), 5}, {CKA_TOKEN, &no, 1}};
    CK_ATTRIBUTE twice[] = {label, label};
    CK_ATTRIBUTE not_copyable = {CKA_COPYABLE, &no, 1}, copyable = {CKA_COPYABLE, &yes, 1};
    CK_OBJECT_HANDLE objects[] = {token, own};

    ck_rv(p11->C_SetAttributeValue(ro, token, &label, 1), CKR_SESSION_READ_ONLY);
    for (size_t i = 0; i < 2; i++) {
        ck_rv(p11->C_SetAttributeValue(session, objects[i], partly_bad, 2), CKR_ATTRIBUTE_READ_ONLY);
        expect(session, objects[i], CKA_LABEL, "before", 6);
        ck_rv(p11->C_SetAttributeValue(session, objects[i], twice, 2), CKR_TEMPLATE_INCONSISTENT);
        ck_rv(p11->C_SetAttributeValue(session, objects[i], NULL, 1), CKR_ARGUMENTS_BAD);
        ck_rv(p11->C_SetAttributeValue(session, objects[i], &label, 1), CKR_OK);
        expect(session, objects[i], CKA_LABEL, "after", 5);
        ck_rv(p11->C_SetAttributeValue(session, objects[i], &copyable, 1), CKR_OK);
        ck_rv(p11->C_SetAttributeValue(session, objects[i], &not_copyable, 1), CKR_OK);
        ck_rv(p11->C_SetAttributeValue(session, objects[i], &copyable, 1), CKR_ATTRIBUTE_READ_ONLY);
    }
    ck_rv(p11->C_SetAttributeValue(session, 4711, &label, 1), CKR_OBJECT_HANDLE_INVALID);
    ck_rv(p11->C_DestroyObject(session, token), CKR_OK);
}
END_TEST

START_TEST(test_protections)
{
    CK_SESSION_HANDLE session = open_rw();
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_data, sizeof(class_data)},
        {CKA_MODIFIABLE, &no, 1},
        {CKA_COPYABLE, &no, 1},
        {CKA_DESTROYABLE, &no, 1},
    };
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("x"), 1};
    CK_OBJECT_HANDLE copy = 0, object = make(session, template, LENGTH(template));

    ck_rv(p11->C_SetAttributeValue(session, object, &label, 1), CKR_ACTION_PROHIBITED);
    ck_rv(p11->C_CopyObject(session, object, NULL, 0, &copy), CKR_ACTION_PROHIBITED);
    ck_rv(p11->C_DestroyObject(session, object), CKR_ACTION_PROHIBITED);
    ck_rv(exists(session, object), CKR_OK);
}
END_TEST

START_TEST(test_copy)
{
    CK_BYTE id[32], other_id[32];
    CK_ATTRIBUTE unique = {CKA_UNIQUE_ID, id, sizeof(id)}, other = {CKA_UNIQUE_ID, other_id, sizeof(other_id)};
    CK_SESSION_HANDLE session = open_user(), ro = open_ro();
    CK_OBJECT_HANDLE copy = 0, object = make_data(session, &no, &yes, "original");
    CK_ATTRIBUTE to_token[] = {{CKA_TOKEN, &yes, 1}, {CKA_LABEL, BYTES("copy"), 4}};
    CK_ATTRIBUTE public = {CKA_PRIVATE, &no, 1}, class = {CKA_CLASS, &class_certificate, sizeof(class_certificate)};

    ck_rv(p11->C_CopyObject(session, object, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_CopyObject(session, 4711, NULL, 0, &copy), CKR_OBJECT_HANDLE_INVALID);
    ck_rv(p11->C_CopyObject(session, object, &public, 1, &copy), CKR_TEMPLATE_INCONSISTENT);
    ck_rv(p11->C_CopyObject(session, object, &class, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
    ck_rv(p11->C_CopyObject(ro, object, to_token, 2, &copy), CKR_SESSION_READ_ONLY);
    ck_rv(p11->C_CopyObject(session, object, to_token, 2, &copy), CKR_OK);
    expect(session, copy, CKA_LABEL, "copy", 4);
    expect(session, copy, CKA_VALUE, "precious content", 16);
    expect(session, copy, CKA_TOKEN, &yes, 1);
    expect(session, object, CKA_LABEL, "original", 8);
    ck_rv(p11->C_GetAttributeValue(session, object, &unique, 1), CKR_OK);
    ck_rv(p11->C_GetAttributeValue(session, copy, &other, 1), CKR_OK);
    ck_assert_mem_ne(id, other_id, sizeof(id));
    ck_rv(p11->C_DestroyObject(session, copy), CKR_OK);
}
END_TEST

START_TEST(test_search)
{
    CK_SESSION_HANDLE session = open_rw();
    CK_OBJECT_HANDLE found[8] = {0};
    CK_ULONG count = 99;
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("needle"), 6}, vendor = {CKA_VENDOR_DEFINED | 9, &yes, 1};
    CK_ATTRIBUTE bad = {CKA_LABEL, NULL, 6};

    CK_OBJECT_HANDLE needle = make_data(session, &no, &no, "needle");
    (void)make_data(session, &no, &no, "hay");
    (void)make_data(session, &no, &no, "needles");
    ck_rv(p11->C_FindObjects(session, found, 8, &count), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    ck_rv(p11->C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_FindObjectsInit(session, &bad, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    ck_assert_uint_eq(count_matching(session, NULL, 0), PROFILES + 3);
    ck_assert_uint_eq(count_matching(session, &vendor, 1), 0);
    ck_rv(p11->C_FindObjectsInit(session, &label, 1), CKR_OK);
    ck_rv(p11->C_FindObjectsInit(session, &label, 1), CKR_OPERATION_ACTIVE);
    ck_rv(p11->C_FindObjects(session, found, 8, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_FindObjects(session, NULL, 8, &count), CKR_ARGUMENTS_BAD);
    (void)make_data(session, &no, &no, "needle"); /* too late for this search */
    ck_rv(p11->C_FindObjects(session, found, 8, &count), CKR_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(found[0], needle);
    ck_rv(p11->C_FindObjects(session, found, 8, &count), CKR_OK);
    ck_assert_uint_eq(count, 0);
    ck_rv(p11->C_FindObjectsFinal(session), CKR_OK);
    /* one by one */
    ck_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    for (int i = 0; i < PROFILES + 4; i++) {
        ck_rv(p11->C_FindObjects(session, found, 1, &count), CKR_OK);
        ck_assert_uint_eq(count, 1);
    }
    ck_rv(p11->C_FindObjects(session, found, 1, &count), CKR_OK);
    ck_assert_uint_eq(count, 0);
    ck_rv(p11->C_FindObjectsFinal(session), CKR_OK);
}
END_TEST

START_TEST(test_public_key)
{
    CK_BYTE name[] = {0x13, 10, 'p', 'r', 'i', 'm', 'e', '2', '5', '6', 'v', '1'}, info[128];
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_public, sizeof(class_public)},
        {CKA_KEY_TYPE, &key_ec, sizeof(key_ec)},
        {CKA_EC_PARAMS, name, sizeof(name)},
        {CKA_EC_POINT, p256_point + 2, 65},
    };
    CK_ATTRIBUTE point = {CKA_EC_POINT, p256_point, 67}, plain = {CKA_EC_POINT, p256_point + 2, 65};
    CK_ATTRIBUTE spki = {CKA_PUBLIC_KEY_INFO, info, sizeof(info)};
    CK_MECHANISM_TYPE none = CK_UNAVAILABLE_INFORMATION;
    CK_SESSION_HANDLE session = open_rw();
    CK_OBJECT_HANDLE key = make(session, template, LENGTH(template));

    expect(session, key, CKA_EC_PARAMS, p256_oid, sizeof(p256_oid));
    expect(session, key, CKA_EC_POINT, p256_point, sizeof(p256_point));
    expect(session, key, CKA_LOCAL, &no, 1);
    expect(session, key, CKA_VERIFY, &yes, 1);
    expect(session, key, CKA_ENCRYPT, &no, 1);
    expect(session, key, CKA_KEY_GEN_MECHANISM, &none, sizeof(none));
    ck_rv(p11->C_GetAttributeValue(session, key, &spki, 1), CKR_OK);
    ck_assert_uint_eq(spki.ulValueLen, 91);
    ck_assert_mem_eq(info + 26, p256_point + 2, 65);
    ck_assert_uint_eq(count_matching(session, &point, 1), 1);
    ck_assert_uint_eq(count_matching(session, &plain, 1), 1);
}
END_TEST

START_TEST(test_certificate)
{
    CK_BYTE value[] = "no certificate, but nobody asks", check[] = {0, 0, 0};
    CK_ULONG category = 2;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_certificate, sizeof(class_certificate)},
        {CKA_CERTIFICATE_TYPE, &x509, sizeof(x509)},
        {CKA_SUBJECT, BYTES("subject"), 7},
        {CKA_VALUE, value, sizeof(value)},
        {CKA_CERTIFICATE_CATEGORY, &category, sizeof(category)},
        {CKA_TOKEN, &yes, 1},
        {CKA_ID, BYTES("id"), 2},
    };
    CK_ATTRIBUTE given = {CKA_CHECK_VALUE, check, sizeof(check)}, trusted = {CKA_TRUSTED, &yes, 1};
    CK_SESSION_HANDLE session = open_rw();
    CK_OBJECT_HANDLE object = make(session, template, LENGTH(template));

    expect(session, object, CKA_SUBJECT, "subject", 7);
    expect(session, object, CKA_ISSUER, "", 0);
    expect(session, object, CKA_TRUSTED, &no, 1);
    expect(session, object, CKA_PRIVATE, &no, 1);
    ck_rv(p11->C_GetAttributeValue(session, object, &given, 1), CKR_OK);
    ck_assert_uint_eq(given.ulValueLen, 3);
    ck_rv(p11->C_SetAttributeValue(session, object, &trusted, 1), CKR_ATTRIBUTE_READ_ONLY);
    ck_rv(p11->C_Login(session, CKU_SO, BYTES(MODULE_SO_PIN), strlen(MODULE_SO_PIN)), CKR_OK);
    ck_rv(p11->C_SetAttributeValue(session, object, &trusted, 1), CKR_OK);
    expect(session, object, CKA_TRUSTED, &yes, 1);
    ck_rv(p11->C_DestroyObject(session, object), CKR_OK);
}
END_TEST

/* Nothing of a private key leaves, and nothing makes it weaker. */
START_TEST(test_private_key)
{
    CK_BYTE value[32];
    CK_ATTRIBUTE secret = {CKA_VALUE, value, sizeof(value)};
    CK_ATTRIBUTE weaker[] = {
        {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}, {CKA_DECRYPT, &yes, 1}, {CKA_PRIVATE, &no, 1}};
    CK_ATTRIBUTE id = {CKA_ID, BYTES("nss"), 3}, session_copy = {CKA_TOKEN, &no, 1};
    CK_OBJECT_HANDLE copy = 0;
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_SESSION_HANDLE session = open_user();
    CK_OBJECT_HANDLE key = find_class(session, CKO_PRIVATE_KEY);

    ck_rv(p11->C_GetAttributeValue(session, key, &secret, 1), CKR_ATTRIBUTE_SENSITIVE);
    ck_assert_uint_eq(secret.ulValueLen, CK_UNAVAILABLE_INFORMATION);
    for (size_t i = 0; i < LENGTH(weaker); i++) {
        ck_rv(p11->C_SetAttributeValue(session, key, &weaker[i], 1), CKR_ATTRIBUTE_READ_ONLY);
        ck_rv(p11->C_CopyObject(session, key, &weaker[i], 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
    }
    ck_rv(p11->C_SetAttributeValue(session, key, &id, 1), CKR_OK);
    expect(session, key, CKA_ID, "nss", 3);
    /* Copies share the half, which lives as long as one of them. */
    ck_rv(p11->C_CopyObject(session, key, &session_copy, 1, &copy), CKR_OK);
    expect(session, copy, CKA_LABEL, MODULE_KEY_LABEL, strlen(MODULE_KEY_LABEL));
    ck_rv(p11->C_DestroyObject(session, key), CKR_OK);
    ck_rv(p11->C_SignInit(session, &ecdsa, key), CKR_KEY_HANDLE_INVALID);
    ck_rv(p11->C_SignInit(session, &ecdsa, copy), CKR_OK);
    ck_rv(p11->C_SignInit(session, NULL, copy), CKR_OK);
    ck_rv(p11->C_DestroyObject(session, copy), CKR_OK);
    ck_assert_uint_eq(find_class(session, CKO_PRIVATE_KEY), 0);
    ck_assert(module_half_is_gone());
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-object");
    TCase *tests = tcase_create("object");
    TCase *key = tcase_create("private-key");

    tcase_add_unchecked_fixture(tests, module_setup, module_teardown);
    tcase_add_checked_fixture(tests, module_start, module_stop);
    tcase_add_test(tests, test_create_refused);
    tcase_add_test(tests, test_lifetimes);
    tcase_add_test(tests, test_private_objects);
    tcase_add_test(tests, test_get_attributes);
    tcase_add_test(tests, test_set_attributes);
    tcase_add_test(tests, test_protections);
    tcase_add_test(tests, test_copy);
    tcase_add_test(tests, test_search);
    tcase_add_test(tests, test_public_key);
    tcase_add_test(tests, test_certificate);
    suite_add_tcase(suite, tests);
    tcase_add_unchecked_fixture(key, setup_with_key, module_teardown);
    tcase_add_checked_fixture(key, module_start, module_stop);
    tcase_add_test(key, test_private_key);
    suite_add_tcase(suite, key);
    return run_suite(suite);
}
