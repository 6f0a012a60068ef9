#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.18 key management: C_GenerateKeyPair. What is refused is refused before the peer hears of it. */

static CK_MECHANISM generator = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
static CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)};
static CK_OBJECT_HANDLE public_key, private_key;

static CK_RV
generate(CK_SESSION_HANDLE session, CK_ATTRIBUTE *of_public, CK_ULONG public_count, CK_ATTRIBUTE *of_private,
    CK_ULONG private_count)
{
    return p11->C_GenerateKeyPair(
        session, &generator, of_public, public_count, of_private, private_count, &public_key, &private_key);
}

START_TEST(test_arguments)
{
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0}, parameter = {CKM_EC_KEY_PAIR_GEN, &yes, 1},
                 rsa = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_SESSION_HANDLE session = session_user();

    RV(generate(999, &curve, 1, NULL, 0), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_GenerateKeyPair(session, NULL, &curve, 1, NULL, 0, &public_key, &private_key), CKR_ARGUMENTS_BAD);
    RV(p11->C_GenerateKeyPair(session, &generator, &curve, 1, NULL, 0, NULL, &private_key), CKR_ARGUMENTS_BAD);
    RV(p11->C_GenerateKeyPair(session, &generator, &curve, 1, NULL, 0, &public_key, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GenerateKeyPair(session, &ecdsa, &curve, 1, NULL, 0, &public_key, &private_key), CKR_MECHANISM_INVALID);
    OURS(p11->C_GenerateKeyPair(session, &parameter, &curve, 1, NULL, 0, &public_key, &private_key),
        CKR_MECHANISM_PARAM_INVALID);
    OURS(generate(session, NULL, 3, NULL, 0), CKR_ARGUMENTS_BAD);
    OURS(p11->C_GenerateKeyPair(session, &rsa, NULL, 4, NULL, 0, &public_key, &private_key), CKR_ARGUMENTS_BAD);
    OURS(p11->C_GenerateKeyPair(session, &rsa, &curve, 1, NULL, 2, &public_key, &private_key), CKR_ARGUMENTS_BAD);
    OURS(p11->C_GenerateKeyPair(session, &rsa, &curve, 1, NULL, 0, &public_key, &private_key), CKR_MECHANISM_INVALID);
    OURS(generate(session, &curve, ~0UL, NULL, 0), CKR_ARGUMENTS_BAD);
    RV(generate(session, NULL, 0, NULL, 0), CKR_TEMPLATE_INCOMPLETE);
}
END_TEST

START_TEST(test_permissions)
{
    CK_ATTRIBUTE token[] = {{CKA_TOKEN, &yes, 1}};
    CK_SESSION_HANDLE session = session_rw(), ro = session_ro();

    OURS(generate(session, &curve, 1, NULL, 0), CKR_USER_NOT_LOGGED_IN);
    OURS(generate(session, &curve, 1, token, 1), CKR_USER_NOT_LOGGED_IN);
    RV(login(session, CKU_USER), CKR_OK);
    RV(generate(ro, &curve, 1, token, 1), CKR_SESSION_READ_ONLY);
}
END_TEST

START_TEST(test_templates)
{
    CK_BYTE explicit[] = {0x30, 3, 2, 1, 1}, short_oid[] = {0x06, 9, 1}, other[] = {0x06, 3, 0x2a, 3, 4};
    CK_BYTE ed25519[] = {0x06, 3, 0x2b, 0x65, 0x70}, wrong_tag[] = {0x05, 0};
    CK_OBJECT_CLASS class_data = CKO_DATA;
    CK_KEY_TYPE key_rsa = CKK_RSA;
    CK_ATTRIBUTE bad[] = {{CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}, {CKA_PRIVATE, &no, 1},
        {CKA_DECRYPT, &yes, 1}, {CKA_UNWRAP, &yes, 1}, {CKA_SIGN_RECOVER, &yes, 1}, {CKA_ALWAYS_AUTHENTICATE, &yes, 1},
        {CKA_WRAP_WITH_TRUSTED, &yes, 1}, {CKA_SIGN, BYTES("\x07"), 1}, {CKA_SIGN, &yes, 2}};
    CK_ATTRIBUTE fixed[] = {{CKA_LOCAL, &yes, 1}, {CKA_ALWAYS_SENSITIVE, &yes, 1}, {CKA_NEVER_EXTRACTABLE, &yes, 1},
        {CKA_UNIQUE_ID, &yes, 1}, {CKA_VALUE, &yes, 1}};
    CK_ATTRIBUTE contrary[] = {{CKA_CLASS, &class_data, sizeof(class_data)}, {CKA_KEY_TYPE, &key_rsa, sizeof(key_rsa)},
        {CKA_VERIFY, &yes, 1}, {CKA_MODULUS_BITS, &key_rsa, sizeof(key_rsa)}};
    CK_ATTRIBUTE twice[] = {{CKA_LABEL, BYTES("a"), 1}, {CKA_LABEL, BYTES("a"), 1}}, unknown = {0x7654, &yes, 1};
    struct {
        CK_ATTRIBUTE params;
        CK_RV expected;
    } curves[] = {
        {{CKA_EC_PARAMS, explicit, sizeof(explicit)}, CKR_CURVE_NOT_SUPPORTED},
        {{CKA_EC_PARAMS, other, sizeof(other)}, CKR_CURVE_NOT_SUPPORTED},
        {{CKA_EC_PARAMS, ed25519, sizeof(ed25519)}, CKR_CURVE_NOT_SUPPORTED},
        {{CKA_EC_PARAMS, short_oid, sizeof(short_oid)}, CKR_DOMAIN_PARAMS_INVALID},
        {{CKA_EC_PARAMS, wrong_tag, sizeof(wrong_tag)}, CKR_DOMAIN_PARAMS_INVALID},
        {{CKA_EC_PARAMS, NULL, 0}, CKR_DOMAIN_PARAMS_INVALID},
    };
    CK_SESSION_HANDLE session = session_user();

    for (size_t i = 0; i < LENGTH(bad); i++)
        OURS(generate(session, &curve, 1, &bad[i], 1), CKR_ATTRIBUTE_VALUE_INVALID);
    for (size_t i = 0; i < LENGTH(fixed); i++)
        OURS(generate(session, &curve, 1, &fixed[i], 1), CKR_ATTRIBUTE_READ_ONLY);
    for (size_t i = 0; i < 3; i++)
        OURS(generate(session, &curve, 1, &contrary[i], 1), CKR_TEMPLATE_INCONSISTENT);
    OURS(generate(session, &curve, 1, &contrary[3], 1), CKR_ATTRIBUTE_TYPE_INVALID);
    OURS(generate(session, &curve, 1, &unknown, 1), CKR_ATTRIBUTE_TYPE_INVALID);
    OURS(generate(session, &curve, 1, twice, 2), CKR_TEMPLATE_INCONSISTENT);
    for (size_t i = 0; i < LENGTH(curves); i++)
        OURS(generate(session, &curves[i].params, 1, NULL, 0), curves[i].expected);
    OURS(generate(session, &curve, 1, &curves[1].params, 1), CKR_TEMPLATE_INCONSISTENT);
}
END_TEST

/* A bare template, as keytool's: both halves of the pair belong to the session. */
START_TEST(test_session_pair)
{
    CK_BYTE point[80], params[16];
    CK_OBJECT_HANDLE copy = 0;
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_ATTRIBUTE to_token[] = {{CKA_TOKEN, &yes, 1}, {CKA_LABEL, BYTES("kept"), 4}};
    CK_ATTRIBUTE read[] = {{CKA_EC_POINT, point, sizeof(point)}, {CKA_EC_PARAMS, params, sizeof(params)}};
    CK_BYTE digest[32] = {1}, signature[64];
    CK_ULONG size = 0, len = sizeof(signature);
    CK_SESSION_HANDLE session = session_user(), other = session_rw();

    OURS(generate(session, &curve, 1, NULL, 0), CKR_OK);
    if (!live_ours())
        return; /* that module makes a public session key private, or a bare private key public */
    RV(p11->C_GetAttributeValue(session, public_key, read, 2), CKR_OK);
    ck_assert_uint_eq(read[0].ulValueLen, 67);
    ck_assert_uint_eq(point[0], 0x04);
    ck_assert_uint_eq(point[1], 65);
    ck_assert_mem_eq(params, p256_oid, sizeof(p256_oid));
    RV(p11->C_CopyObject(other, private_key, to_token, 2, &copy), CKR_OK);
    RV(p11->C_CloseSession(session), CKR_OK);
    RV(p11->C_GetObjectSize(other, private_key, &size), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_GetObjectSize(other, public_key, &size), CKR_OBJECT_HANDLE_INVALID);
    RV(p11->C_SignInit(other, &ecdsa, copy), CKR_OK);
    RV(p11->C_Sign(other, digest, sizeof(digest), signature, &len), CKR_OK);
    RV(p11->C_DestroyObject(other, copy), CKR_OK);
}
END_TEST

/* pkcs11-tool without usage flags asks for CKA_DERIVE; the printable name of a curve is as good as its OID. */
START_TEST(test_named_curve_and_derive)
{
    CK_BYTE name[] = {0x13, 10, 'p', 'r', 'i', 'm', 'e', '2', '5', '6', 'v', '1'};
    CK_ATTRIBUTE params = {CKA_EC_PARAMS, name, sizeof(name)}, derive = {CKA_DERIVE, &yes, 1};
    CK_SESSION_HANDLE session = session_user();

    OURS(generate(session, &params, 1, &derive, 1), CKR_OK);
}
END_TEST

void
chapter_keys(TCase *tests)
{
    tcase_add_test(tests, test_arguments);
    tcase_add_test(tests, test_permissions);
    tcase_add_test(tests, test_templates);
    tcase_add_test(tests, test_session_pair);
    tcase_add_test(tests, test_named_curve_and_derive);
}
