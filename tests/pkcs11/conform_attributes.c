#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 4 objects: what attributes are, who may set them, and what an answer leaves behind. */

#define UNAVAILABLE CK_UNAVAILABLE_INFORMATION

static void
expect_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_BBOOL expected)
{
    CK_BBOOL got = 77;
    CK_ATTRIBUTE template = {type, &got, 1};

    RV(p11->C_GetAttributeValue(session, object, &template, 1), CKR_OK);
    ck_assert_msg(got == expected, "attribute %#lx", type);
}

static void
expect_ulong(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_ULONG expected)
{
    CK_ULONG got = 77;
    CK_ATTRIBUTE template = {type, &got, sizeof(got)};

    RV(p11->C_GetAttributeValue(session, object, &template, 1), CKR_OK);
    ck_assert_uint_eq(got, expected);
}

START_TEST(test_get)
{
    CK_BYTE small[2], label[16], value[16];
    CK_SESSION_HANDLE session = session_rw();
    CK_OBJECT_HANDLE object = data_object(session, CK_FALSE, CK_FALSE, "label");
    CK_ATTRIBUTE ask[] = {
        {CKA_LABEL, label, sizeof(label)}, {CKA_MODULUS, value, sizeof(value)}, {CKA_VALUE, value, sizeof(value)}};
    CK_ATTRIBUTE tight[] = {{CKA_LABEL, small, sizeof(small)}, {CKA_VALUE, value, sizeof(value)}};
    CK_ATTRIBUTE length = {CKA_VALUE, NULL, 0};

    RV(p11->C_GetAttributeValue(999, object, &length, 1), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_GetAttributeValue(session, 0, &length, 1), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_GetAttributeValue(session, object, NULL, 1), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetAttributeValue(session, object, &length, 1), CKR_OK);
    ck_assert_uint_eq(length.ulValueLen, 10);
    RV(p11->C_GetAttributeValue(session, object, ask, 3), CKR_ATTRIBUTE_TYPE_INVALID);
    ck_assert_uint_eq(ask[0].ulValueLen, 5);
    ck_assert_mem_eq(label, "label", 5);
    ck_assert_uint_eq(ask[1].ulValueLen, UNAVAILABLE);
    ck_assert_uint_eq(ask[2].ulValueLen, 10);
    ck_assert_mem_eq(value, "0123456789", 10);
    RV(p11->C_GetAttributeValue(session, object, tight, 2), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(tight[0].ulValueLen, UNAVAILABLE);
    ck_assert_uint_eq(tight[1].ulValueLen, 10);
}
END_TEST

START_TEST(test_set)
{
    CK_BYTE got[16];
    CK_SESSION_HANDLE session = session_rw(), ro = session_ro();
    CK_OBJECT_HANDLE token = data_object(session, CK_TRUE, CK_FALSE, "before");
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("after"), 5}, token_flag = {CKA_TOKEN, &no, 1};
    CK_ATTRIBUTE unknown = {CKA_MODULUS, BYTES("x"), 1}, unique = {CKA_UNIQUE_ID, BYTES("x"), 1};
    CK_ATTRIBUTE partly[] = {label, token_flag}, twice[] = {label, label}, read = {CKA_LABEL, got, sizeof(got)};
    CK_ATTRIBUTE of_keys = {CKA_SIGN, &yes, 1};
    CK_ATTRIBUTE bad_size = {CKA_COPYABLE, &no, 2}, null_value = {CKA_LABEL, NULL, 3};

    RV(p11->C_SetAttributeValue(999, token, &label, 1), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_SetAttributeValue(session, 0, &label, 1), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_SetAttributeValue(session, token, NULL, 1), CKR_ARGUMENTS_BAD);
    RV(p11->C_SetAttributeValue(ro, token, &label, 1), CKR_SESSION_READ_ONLY);
    RV(p11->C_SetAttributeValue(session, token, &token_flag, 1), CKR_ATTRIBUTE_READ_ONLY);
    OURS(p11->C_SetAttributeValue(session, token, partly, 2), CKR_ATTRIBUTE_READ_ONLY);
    OURS(p11->C_SetAttributeValue(session, token, twice, 2), CKR_TEMPLATE_INCONSISTENT);
    OURS(p11->C_SetAttributeValue(session, token, &unknown, 1), CKR_ATTRIBUTE_TYPE_INVALID);
    OURS(p11->C_SetAttributeValue(session, token, &of_keys, 1), CKR_TEMPLATE_INCONSISTENT);
    OURS(p11->C_SetAttributeValue(session, token, &unique, 1), CKR_ATTRIBUTE_READ_ONLY);
    OURS(p11->C_SetAttributeValue(session, token, &bad_size, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    OURS(p11->C_SetAttributeValue(session, token, &null_value, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    RV(p11->C_GetAttributeValue(session, token, &read, 1), CKR_OK);
    if (live_ours())
        ck_assert_mem_eq(got, "before", 6); /* nothing of all that */
    RV(p11->C_SetAttributeValue(session, token, &label, 1), CKR_OK);
    read.ulValueLen = sizeof(got);
    RV(p11->C_GetAttributeValue(session, token, &read, 1), CKR_OK);
    ck_assert_mem_eq(got, "after", 5);
    RV(p11->C_DestroyObject(session, token), CKR_OK);
}
END_TEST

START_TEST(test_protections)
{
    CK_OBJECT_CLASS class_data = CKO_DATA;
    CK_OBJECT_HANDLE object = 0, copy = 0;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class_data, sizeof(class_data)}, {CKA_PRIVATE, &no, 1},
        {CKA_MODIFIABLE, &no, 1}, {CKA_COPYABLE, &no, 1}, {CKA_DESTROYABLE, &no, 1}};
    CK_ATTRIBUTE label = {CKA_LABEL, BYTES("x"), 1};
    CK_SESSION_HANDLE session = session_rw();

    RV(p11->C_CreateObject(session, template, 5, &object), CKR_OK);
    RV(p11->C_SetAttributeValue(session, object, &label, 1), CKR_ACTION_PROHIBITED);
    RV(p11->C_CopyObject(session, object, &label, 1, &copy), CKR_ACTION_PROHIBITED);
    RV(p11->C_DestroyObject(session, object), CKR_ACTION_PROHIBITED);
}
END_TEST

static CK_RV
create_with(CK_SESSION_HANDLE session, CK_ATTRIBUTE *extra, CK_ULONG count)
{
    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_OBJECT_HANDLE object = 0;
    CK_ATTRIBUTE template[8] = {{CKA_CLASS, &object_class, sizeof(object_class)},
        {CKA_CERTIFICATE_TYPE, &type, sizeof(type)}, {CKA_SUBJECT, BYTES("subject"), 7}, {CKA_VALUE, BYTES("value"), 5},
        {CKA_PRIVATE, &no, 1}};

    memcpy(template + 5, extra, count * sizeof(*extra));
    return p11->C_CreateObject(session, template, 5 + count, &object);
}

START_TEST(test_dates)
{
    CK_ATTRIBUTE good[] = {{CKA_START_DATE, BYTES("20240229"), 8}, {CKA_END_DATE, BYTES("20250101"), 8}};
    CK_ATTRIBUTE backwards[] = {{CKA_START_DATE, BYTES("20250102"), 8}, {CKA_END_DATE, BYTES("20250101"), 8}};
    CK_ATTRIBUTE none[] = {{CKA_START_DATE, NULL, 0}, {CKA_END_DATE, BYTES("20250101"), 8}};
    const char *bad[] = {"20230229", "20231301", "20230100", "20230132", "2023010x", "20230431", "21000229"};
    CK_SESSION_HANDLE session = session_rw();

    OURS(create_with(session, good, 2), CKR_OK);
    OURS(create_with(session, none, 2), CKR_OK);
    OURS(create_with(session, backwards, 2), CKR_TEMPLATE_INCONSISTENT);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        CK_ATTRIBUTE date = {CKA_START_DATE, BYTES(bad[i]), 8};
        OURS(create_with(session, &date, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    }
    CK_ATTRIBUTE shorter = {CKA_END_DATE, BYTES("2023"), 4};
    OURS(create_with(session, &shorter, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    if (live_ours()) {
        CK_OBJECT_HANDLE public_key = public_key_object(session);
        CK_ATTRIBUTE end = {CKA_END_DATE, BYTES("20200101"), 8}, start = {CKA_START_DATE, BYTES("20210101"), 8};
        RV(p11->C_SetAttributeValue(session, public_key, &end, 1), CKR_OK);
        RV(p11->C_SetAttributeValue(session, public_key, &start, 1), CKR_TEMPLATE_INCONSISTENT);
        start.pValue = BYTES("20190101");
        RV(p11->C_SetAttributeValue(session, public_key, &start, 1), CKR_OK);
    }
}
END_TEST

/* A whole chain, of which the token has one key at most: each certificate leads to the next by its issuer's name. */
START_TEST(test_chain)
{
    static const char *const names[] = {"leaf", "intermediate", "root"};
    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE x509 = CKC_X_509;
    CK_ULONG category = 2; /* an authority's */
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    CK_BYTE issuer[32] = "leaf";
    CK_SESSION_HANDLE session = session_rw();

    for (size_t i = 0; i < LENGTH(names); i++) {
        const char *above = names[i + 1 < LENGTH(names) ? i + 1 : i];
        CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof(object_class)},
            {CKA_CERTIFICATE_TYPE, &x509, sizeof(x509)}, {CKA_PRIVATE, &no, 1},
            {CKA_SUBJECT, BYTES(names[i]), strlen(names[i])}, {CKA_ISSUER, BYTES(above), strlen(above)},
            {CKA_SERIAL_NUMBER, BYTES(names[i]), 1}, {CKA_VALUE, BYTES(names[i]), strlen(names[i])},
            {CKA_CERTIFICATE_CATEGORY, &category, sizeof(category)}};
        RV(p11->C_CreateObject(session, template, i == 0 ? 7 : 8, &found), CKR_OK);
    }
    CK_ATTRIBUTE by[] = {{CKA_CLASS, &object_class, sizeof(object_class)}, {CKA_SUBJECT, issuer, 4}};
    for (size_t i = 0; i < LENGTH(names); i++) {
        CK_ATTRIBUTE read = {CKA_ISSUER, issuer, sizeof(issuer)};
        RV(p11->C_FindObjectsInit(session, by, 2), CKR_OK);
        RV(p11->C_FindObjects(session, &found, 1, &count), CKR_OK);
        RV(p11->C_FindObjectsFinal(session), CKR_OK);
        ck_assert_uint_eq(count, 1);
        expect_bool(session, found, CKA_TRUSTED, CK_FALSE);
        expect_ulong(session, found, CKA_CERTIFICATE_CATEGORY, i == 0 ? 0 : 2);
        RV(p11->C_GetAttributeValue(session, found, &read, 1), CKR_OK);
        by[1].ulValueLen = read.ulValueLen;
    }
    ck_assert_mem_eq(issuer, "root", 4);
}
END_TEST

/* "For reference only": a key whose time is over signs, and it is the application's to look (4.8 and 4.9). */
START_TEST(test_dates_restrict_nothing)
{
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[32] = {1}, signature[64];
    CK_ULONG len = sizeof(signature);
    CK_ATTRIBUTE over[] = {{CKA_START_DATE, BYTES("20010101"), 8}, {CKA_END_DATE, BYTES("20011231"), 8}};
    CK_ATTRIBUTE always[] = {{CKA_START_DATE, NULL, 0}, {CKA_END_DATE, NULL, 0}};
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_SESSION_HANDLE session = session_user();

    token_pair(session, &public_key, &private_key);
    RV(p11->C_SetAttributeValue(session, private_key, over, 2), CKR_OK);
    RV(p11->C_SetAttributeValue(session, public_key, over, 2), CKR_OK);
    RV(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
    RV(p11->C_Sign(session, digest, sizeof(digest), signature, &len), CKR_OK);
    RV(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
    RV(p11->C_Verify(session, digest, sizeof(digest), signature, len), CKR_OK);
    RV(p11->C_SetAttributeValue(session, private_key, always, 2), CKR_OK);
    RV(p11->C_SetAttributeValue(session, public_key, always, 2), CKR_OK);
}
END_TEST

START_TEST(test_trust)
{
    CK_ULONG authority = 2, nonsense = 4;
    CK_ATTRIBUTE trusted = {CKA_TRUSTED, &yes, 1};
    CK_ATTRIBUTE category = {CKA_CERTIFICATE_CATEGORY, &authority, sizeof(authority)};
    CK_ATTRIBUTE bad_category = {CKA_CERTIFICATE_CATEGORY, &nonsense, sizeof(nonsense)};
    CK_SESSION_HANDLE session = session_user();

    RV(create_with(session, &trusted, 1), CKR_ATTRIBUTE_READ_ONLY);
    OURS(create_with(session, &category, 1), CKR_OK);
    OURS(create_with(session, &bad_category, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    CK_OBJECT_HANDLE key = public_key_object(session);
    OURS(p11->C_SetAttributeValue(session, key, &trusted, 1), CKR_ATTRIBUTE_READ_ONLY);
    expect_bool(session, key, CKA_TRUSTED, CK_FALSE);
    RV(p11->C_Logout(session), CKR_OK);
    RV(login(session, CKU_SO), CKR_OK);
    RV(create_with(session, &trusted, 1), CKR_OK);
    OURS(p11->C_SetAttributeValue(session, key, &trusted, 1), CKR_OK);
}
END_TEST

/* What a pair that was made here says of itself. */
START_TEST(test_key_pair)
{
    CK_BYTE secret[64], id[64];
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_SESSION_HANDLE session = session_user();
    CK_ATTRIBUTE value = {CKA_VALUE, secret, sizeof(secret)}, unique = {CKA_UNIQUE_ID, id, sizeof(id)};
    CK_ATTRIBUTE mixed[] = {{CKA_VALUE, secret, sizeof(secret)}, {CKA_LABEL, id, sizeof(id)}};
    static const CK_ATTRIBUTE_TYPE truths[] = {
        CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL, CKA_SIGN, CKA_TOKEN, CKA_PRIVATE};
    static const CK_ATTRIBUTE_TYPE lies[] = {
        CKA_EXTRACTABLE, CKA_DECRYPT, CKA_UNWRAP, CKA_ALWAYS_AUTHENTICATE, CKA_WRAP_WITH_TRUSTED};

    token_pair(session, &public_key, &private_key);
    for (size_t i = 0; i < LENGTH(truths); i++)
        expect_bool(session, private_key, truths[i], CK_TRUE);
    for (size_t i = 0; live_ours() && i < LENGTH(lies); i++)
        expect_bool(session, private_key, lies[i], CK_FALSE);
    expect_bool(session, public_key, CKA_LOCAL, CK_TRUE);
    expect_bool(session, public_key, CKA_VERIFY, CK_TRUE);
    expect_ulong(session, private_key, CKA_KEY_GEN_MECHANISM, CKM_EC_KEY_PAIR_GEN);
    expect_ulong(session, public_key, CKA_KEY_TYPE, CKK_EC);
    expect_ulong(session, private_key, CKA_CLASS, CKO_PRIVATE_KEY);
    RV(p11->C_GetAttributeValue(session, private_key, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
    ck_assert_uint_eq(value.ulValueLen, UNAVAILABLE);
    RV(p11->C_GetAttributeValue(session, private_key, mixed, 2), CKR_ATTRIBUTE_SENSITIVE);
    ck_assert_uint_eq(mixed[1].ulValueLen, 7);
    OURS(p11->C_GetAttributeValue(session, private_key, &unique, 1), CKR_OK);
    CK_OBJECT_HANDLE imported = public_key_object(session);
    expect_bool(session, imported, CKA_LOCAL, CK_FALSE);
    expect_ulong(session, imported, CKA_KEY_GEN_MECHANISM, UNAVAILABLE);
}
END_TEST

/* Nothing makes a private key weaker, and it is said. */
START_TEST(test_private_key_stays_strong)
{
    CK_OBJECT_HANDLE public_key = 0, private_key = 0, copy = 0;
    CK_SESSION_HANDLE session = session_user();
    CK_ATTRIBUTE weaker[] = {{CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}, {CKA_DECRYPT, &yes, 1},
        {CKA_UNWRAP, &yes, 1}, {CKA_SIGN_RECOVER, &yes, 1}};
    CK_ATTRIBUTE fixed[] = {{CKA_LOCAL, &no, 1}, {CKA_ALWAYS_SENSITIVE, &no, 1}, {CKA_NEVER_EXTRACTABLE, &no, 1},
        {CKA_PRIVATE, &no, 1}, {CKA_TOKEN, &no, 1}, {CKA_MODIFIABLE, &no, 1}};
    CK_ATTRIBUTE id = {CKA_ID, BYTES("nss-id"), 6};

    token_pair(session, &public_key, &private_key);
    for (size_t i = 0; i < LENGTH(weaker); i++) {
        OURS(p11->C_SetAttributeValue(session, private_key, &weaker[i], 1), CKR_ATTRIBUTE_READ_ONLY);
        OURS(p11->C_CopyObject(session, private_key, &weaker[i], 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
    }
    for (size_t i = 0; i < LENGTH(fixed); i++)
        RV(p11->C_SetAttributeValue(session, private_key, &fixed[i], 1), CKR_ATTRIBUTE_READ_ONLY);
    RV(p11->C_SetAttributeValue(session, private_key, &id, 1), CKR_OK); /* NSS does, afterwards */
    RV(p11->C_SetAttributeValue(session, public_key, &id, 1), CKR_OK);
}
END_TEST

void
chapter_attributes(TCase *tests)
{
    tcase_add_test(tests, test_get);
    tcase_add_test(tests, test_set);
    tcase_add_test(tests, test_protections);
    tcase_add_test(tests, test_dates);
    tcase_add_test(tests, test_dates_restrict_nothing);
    tcase_add_test(tests, test_chain);
    tcase_add_test(tests, test_trust);
    tcase_add_test(tests, test_key_pair);
    tcase_add_test(tests, test_private_key_stays_strong);
}
