#include "base/env.h"
#include "tests/check_main.h"
#include "transport/pair_code.h"
#include "transport/pair_uri.h"

#include <stdio.h>
#include <string.h>

#define HASH "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define SECRET "__79_Pv6-fj39vX08_Lx8A"
#define GOOD "tallystick:phone.example:8083?k=" HASH "&s=" SECRET

static struct ts_pair_uri
a_uri(void)
{
    struct ts_pair_uri uri = {.address = "phone.example:8083"};

    for (int i = 0; i < TS_KEY_HASH_BYTES; i++)
        uri.key_hash[i] = (uint8_t)i;
    for (int i = 0; i < TS_PAIR_SECRET_BYTES; i++)
        uri.secret[i] = (uint8_t)(0xff - i);
    return uri;
}

START_TEST(a_uri_survives)
{
    struct ts_pair_uri in = a_uri(), out;
    char text[400];

    ck_assert_int_eq(ts_pair_uri_encode(text, sizeof text, &in), TS_OK);
    ck_assert_str_eq(text, GOOD);
    ck_assert_int_eq(ts_pair_uri_decode(&out, text), TS_OK);
    ck_assert_mem_eq(&in, &out, sizeof in);
    ck_assert_int_eq(ts_pair_uri_decode(&out, "tallystick:phone.example:8083?s=" SECRET "&k=" HASH), TS_OK);
    ck_assert_mem_eq(&in, &out, sizeof in);
    ck_assert_int_eq(ts_pair_uri_decode(&out, "tallystick:[::1]:1?k=" HASH "&s=" SECRET), TS_OK);
    ck_assert_str_eq(out.address, "[::1]:1");
    ck_assert_int_eq(ts_pair_uri_encode(text, strlen(GOOD), &in), TS_USAGE);
    ck_assert_int_eq(ts_pair_uri_encode(text, strlen(GOOD) + 1, &in), TS_OK);
    ck_assert_int_eq(ts_pair_uri_encode(text, 0, &in), TS_USAGE);
    strcpy(in.address, "phone.example");
    ck_assert_int_eq(ts_pair_uri_encode(text, sizeof text, &in), TS_USAGE);
}
END_TEST

static const char *const bad[] = {
    "",
    "tallystick",
    "tallystick:",
    "Tallystick:h:1?k=" HASH "&s=" SECRET,
    "http:h:1?k=" HASH "&s=" SECRET,
    "tallystick:h:1",
    "tallystick:h:1?",
    "tallystick:h:1?k=" HASH,
    "tallystick:h:1?s=" SECRET,
    "tallystick:h:1?k=" HASH "&s=" SECRET "&",
    "tallystick:h:1?k=" HASH "&s=" SECRET "&x=1",
    "tallystick:h:1?k=" HASH "&k=" HASH "&s=" SECRET,
    "tallystick:h:1?k=" HASH "&s=" SECRET "&s=" SECRET,
    "tallystick:h:1?k=" HASH "&&s=" SECRET,
    "tallystick:h:1?k=" HASH "&s=" SECRET " ",
    "tallystick:h:1?k=" HASH "=&s=" SECRET,
    "tallystick:h:1?k=A" HASH "&s=" SECRET,
    "tallystick:h:1?k=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9&s=" SECRET, /* spare bits set */
    "tallystick:h:1?k=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh&s=" SECRET,
    "tallystick:h:1?k=" HASH "&s=__79/Pv6+fj39vX08/Lx8A",
    "tallystick:h:1?k=" HASH "&s=__79_Pv6-fj39vX08_Lx8B",
    "tallystick:h?k=" HASH "&s=" SECRET,
    "tallystick::1?k=" HASH "&s=" SECRET,
    "tallystick:h:?k=" HASH "&s=" SECRET,
    "tallystick:h:0?k=" HASH "&s=" SECRET,
    "tallystick:h:01?k=" HASH "&s=" SECRET,
    "tallystick:h:+1?k=" HASH "&s=" SECRET,
    "tallystick:h:65536?k=" HASH "&s=" SECRET,
    "tallystick:h:99999?k=" HASH "&s=" SECRET,
    "tallystick:h:123456?k=" HASH "&s=" SECRET,
    "tallystick:h h:1?k=" HASH "&s=" SECRET,
    "tallystick:h/x:1?k=" HASH "&s=" SECRET,
    "tallystick:::1:1?k=" HASH "&s=" SECRET,
    "tallystick:[::1:1?k=" HASH "&s=" SECRET,
    "tallystick:[::1]1?k=" HASH "&s=" SECRET,
    "tallystick:[h]:1?k=" HASH "&s=" SECRET,
    "tallystick:[]:1?k=" HASH "&s=" SECRET,
    "tallystick:h:1?K=" HASH "&s=" SECRET,
    "tallystick:h:1?k" HASH "&s=" SECRET,
};

START_TEST(other_uris_are_refused)
{
    struct ts_pair_uri out, zero = {0};

    ck_assert_int_eq(ts_pair_uri_decode(&out, bad[_i]), TS_USAGE);
    ck_assert_mem_eq(&out, &zero, sizeof out);
}
END_TEST

START_TEST(long_hosts_and_every_changed_character)
{
    struct ts_pair_uri out, good = a_uri();
    char text[600];

    ck_assert_int_eq(ts_pair_uri_decode(&out, NULL), TS_USAGE);
    for (size_t len = 240; len < 300; len++) {
        char host[301];
        memset(host, 'h', len);
        host[len] = 0;
        (void)snprintf(text, sizeof text, "tallystick:%s:65535?k=" HASH "&s=" SECRET, host);
        ck_assert_int_eq(ts_pair_uri_decode(&out, text), len <= 253 ? TS_OK : TS_USAGE);
    }
    strcpy(text, GOOD);
    for (size_t i = 0; i < strlen(GOOD); i++)
        for (int c = 1; c < 256; c++) {
            text[i] = (char)c;
            if (c != (unsigned char)GOOD[i] && ts_pair_uri_decode(&out, text) == TS_OK)
                ck_assert_mem_ne(&out, &good, sizeof out);
            text[i] = GOOD[i];
        }
}
END_TEST

START_TEST(the_proof_binds_everything)
{
    /* HMAC-SHA256 of the text, made with Python's hmac. */
    static const uint8_t expected[32] = {0xc8, 0x31, 0xe9, 0x68, 0xed, 0x24, 0x9c, 0x0d, 0x48, 0x3d, 0xbd, 0xdd, 0x45,
        0x3f, 0x65, 0xf6, 0x3b, 0x15, 0x8d, 0xf8, 0xcb, 0xd3, 0x1d, 0x44, 0x6f, 0x87, 0x9f, 0x86, 0xfb, 0x4e, 0x29,
        0xbc};
    struct ts_env env;
    uint8_t secret[16], exporter[32], dialler[32], listener[32], base[32], other[32];

    memset(secret, 1, sizeof secret);
    memset(exporter, 2, sizeof exporter);
    memset(dialler, 3, sizeof dialler);
    memset(listener, 4, sizeof listener);
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_pair_proof(base, &env, secret, 1, exporter, dialler, listener), TS_OK);
    ck_assert_mem_eq(base, expected, sizeof base);
    ck_assert_int_eq(ts_pair_proof(other, &env, secret, 2, exporter, dialler, listener), TS_OK);
    ck_assert_mem_ne(base, other, sizeof base);
    ck_assert_int_eq(ts_pair_proof(other, &env, secret, 1, exporter, listener, dialler), TS_OK);
    ck_assert_mem_ne(base, other, sizeof base);
    exporter[31] ^= 1;
    ck_assert_int_eq(ts_pair_proof(other, &env, secret, 1, exporter, dialler, listener), TS_OK);
    ck_assert_mem_ne(base, other, sizeof base);
    exporter[31] ^= 1;
    secret[0] ^= 1;
    ck_assert_int_eq(ts_pair_proof(other, &env, secret, 1, exporter, dialler, listener), TS_OK);
    ck_assert_mem_ne(base, other, sizeof base);
    ts_env_clear(&env);
}
END_TEST

/* Computed with Python's hashlib from the description in the header. */
START_TEST(the_code_is_drawn_from_channel_and_nonces)
{
    static const uint8_t expected[32] = {0xce, 0x19, 0xca, 0x4d, 0xca, 0x3e, 0x59, 0xc6, 0xbe, 0x2b, 0xb0, 0xa2, 0xe8,
        0xea, 0x31, 0x54, 0xf1, 0x74, 0x27, 0x0b, 0x48, 0x1e, 0xdd, 0xf7, 0xbf, 0x04, 0x7d, 0x0e, 0x5c, 0x88, 0xa1,
        0x15};
    uint8_t exporter[32], first[32], second[32], commitment[32];
    char code[TS_PAIR_CODE_BYTES];
    struct ts_env env;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    memset(exporter, 1, sizeof exporter);
    memset(first, 2, sizeof first);
    memset(second, 3, sizeof second);
    ck_assert_int_eq(ts_pair_code_commit(commitment, &env, exporter, first), TS_OK);
    ck_assert_mem_eq(commitment, expected, sizeof expected);
    ck_assert_int_eq(ts_pair_code(code, &env, exporter, first, second), TS_OK);
    ck_assert_str_eq(code, "643458");
    exporter[31] ^= 1;
    ck_assert_int_eq(ts_pair_code(code, &env, exporter, first, second), TS_OK);
    ck_assert_str_ne(code, "643458");
    ck_assert_int_eq(ts_pair_code_commit(commitment, &env, exporter, first), TS_OK);
    ck_assert_mem_ne(commitment, expected, sizeof expected);
    ts_env_clear(&env);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pair_uri");
    TCase *tests = tcase_create("pair_uri");

    tcase_add_test(tests, a_uri_survives);
    tcase_add_loop_test(tests, other_uris_are_refused, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tests, long_hosts_and_every_changed_character);
    tcase_add_test(tests, the_proof_binds_everything);
    tcase_add_test(tests, the_code_is_drawn_from_channel_and_nonces);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
