#include "tests/check_main.h"
#include "transport/identity.h"
#include "transport/identity_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

START_TEST(an_identity_survives_its_encoding)
{
    struct ts_env env;
    struct ts_identity *identity = NULL, *again = NULL;
    uint8_t hash[TS_KEY_HASH_BYTES], hash_again[TS_KEY_HASH_BYTES];
    struct ts_buf bytes;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_identity_new(&identity, &env, "phone"), TS_OK);
    ts_buf_init_secret(&bytes, 8192);
    ck_assert_int_eq(ts_identity_encode(&bytes, identity), TS_OK);
    ck_assert_int_eq(ts_identity_decode(&again, &env, bytes.data, bytes.len), TS_OK);
    ts_identity_key_hash(identity, hash);
    ts_identity_key_hash(again, hash_again);
    ck_assert_mem_eq(hash, hash_again, sizeof hash);
    ck_assert_int_eq(X509_cmp(identity->certificate, again->certificate), 0);
    ck_assert_int_eq(X509_check_private_key(again->certificate, again->key), 1);
    ts_identity_free(again);
    for (size_t len = 0; len < bytes.len; len++)
        ck_assert_int_eq(ts_identity_decode(&again, &env, bytes.data, len), TS_FORMAT);
    (void)ts_buf_put_u8(&bytes, 0);
    ck_assert_int_eq(ts_identity_decode(&again, &env, bytes.data, bytes.len), TS_FORMAT);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ts_buf_clear(&bytes);
    ts_identity_free(identity);
    ts_env_clear(&env);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
    struct ts_env env;
    struct ts_identity *one = NULL, *two = NULL, *mixed = NULL;
    struct ts_buf bytes;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_identity_new(&one, &env, "one"), TS_OK);
    ck_assert_int_eq(ts_identity_new(&two, &env, "two"), TS_OK);
    X509 *certificate = one->certificate;
    one->certificate = two->certificate;
    ts_buf_init_secret(&bytes, 8192);
    ck_assert_int_eq(ts_identity_encode(&bytes, one), TS_OK);
    one->certificate = certificate;
    ck_assert_int_eq(ts_identity_decode(&mixed, &env, bytes.data, bytes.len), TS_FORMAT);
    ts_buf_clear(&bytes);
    ts_identity_free(one);
    ts_identity_free(two);
    ts_env_clear(&env);
}
END_TEST

START_TEST(the_hash_is_that_of_the_public_key_info)
{
    struct ts_env env;
    struct ts_identity *identity = NULL;
    uint8_t hash[TS_KEY_HASH_BYTES], expected[EVP_MAX_MD_SIZE];
    unsigned char *der = NULL;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_identity_new(&identity, &env, "phone"), TS_OK);
    int len = i2d_PUBKEY(identity->key, &der);
    ck_assert_int_eq(len, 91); /* P-256, uncompressed */
    ck_assert_int_eq(EVP_Digest(der, (size_t)len, expected, NULL, EVP_sha256(), NULL), 1);
    ts_identity_key_hash(identity, hash);
    ck_assert_mem_eq(hash, expected, sizeof hash);
    OPENSSL_free(der);
    ts_identity_free(identity);
    ts_env_clear(&env);
}
END_TEST

START_TEST(certificates_that_are_not_ours_are_refused)
{
    struct ts_env env;
    struct ts_identity *one = NULL, *two = NULL;
    uint8_t hash[TS_KEY_HASH_BYTES];

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_identity_new(&one, &env, "one"), TS_OK);
    ck_assert_int_eq(ts_identity_new(&two, &env, "two"), TS_OK);
    ck_assert_int_eq(ts_certificate_check(hash, &env, one->certificate), TS_OK);
    /* Signed by another key. */
    ck_assert_int_gt(X509_sign(one->certificate, two->key, EVP_sha256()), 0);
    ck_assert_int_eq(ts_certificate_check(hash, &env, one->certificate), TS_FORMAT);
    /* Another curve, signed by itself. */
    EVP_PKEY *p384 = EVP_PKEY_Q_keygen(env.libctx, NULL, "EC", "P-384");
    ck_assert_int_eq(X509_set_pubkey(one->certificate, p384), 1);
    ck_assert_int_gt(X509_sign(one->certificate, p384, EVP_sha256()), 0);
    ck_assert_int_eq(ts_certificate_check(hash, &env, one->certificate), TS_FORMAT);
    EVP_PKEY_free(p384);
    ts_identity_free(one);
    ts_identity_free(two);
    ts_env_clear(&env);
}
END_TEST

START_TEST(names)
{
    struct ts_env env;
    struct ts_identity *identity = NULL;
    char name[66];

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    memset(name, 'n', sizeof name);
    name[65] = 0;
    ck_assert_int_eq(ts_identity_new(&identity, &env, name), TS_USAGE);
    name[64] = 0;
    ck_assert_int_eq(ts_identity_new(&identity, &env, name), TS_OK);
    ts_identity_free(identity);
    ck_assert_int_eq(ts_identity_new(&identity, &env, ""), TS_USAGE);
    ck_assert_int_eq(ts_identity_new(&identity, &env, NULL), TS_USAGE);
    ck_assert_int_eq(ts_identity_new(&identity, &env, "\xff"), TS_USAGE);
    ck_assert_int_eq(ts_identity_new(&identity, &env, "T\xc3\xa9l\xc3\xa9phone"), TS_OK);
    ts_identity_free(identity);
    ts_env_clear(&env);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tests = tcase_create("identity");

    tcase_add_test(tests, an_identity_survives_its_encoding);
    tcase_add_test(tests, a_key_of_another_certificate_is_refused);
    tcase_add_test(tests, the_hash_is_that_of_the_public_key_info);
    tcase_add_test(tests, certificates_that_are_not_ours_are_refused);
    tcase_add_test(tests, names);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
