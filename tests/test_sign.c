#include "tests/check_main.h"
#include "tests/parties.h"

#include <stdio.h>
#include <string.h>

static struct parties_saved p256, k1, p384;

static void
save(void)
{
    parties_save(&p256, TS_CURVE_P256, 2048, 0);
    parties_save(&k1, TS_CURVE_SECP256K1, 2048, 2);
    parties_save(&p384, TS_CURVE_P384, 3072, 0);
}

static void
forget(void)
{
    parties_saved_clear(&p256);
    parties_saved_clear(&k1);
    parties_saved_clear(&p384);
}

/* Random digests of 20 to 64 bytes under one key. */
static void
sign_many(const struct parties_saved *saved, uint32_t count)
{
    struct parties parties;
    struct ts_presig_p1 *p1[TS_BATCH_MAX];
    struct ts_presig_p2 *p2[TS_BATCH_MAX];

    parties_open(&parties, saved);
    parties_presign(p1, p2, &parties, count, 7);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t digest[64], signature[2 * TS_SCALAR_MAX_BYTES];
        size_t len = 20 + 44 * i / (count > 1 ? count - 1 : 1);
        ck_assert_int_eq(ts_random(&parties.env, digest, sizeof digest), TS_OK);
        ck_assert_int_eq(parties_sign(signature, p1[i], p2[i], digest, len, "request"), TS_OK);
        ck_assert(parties_openssl_accepts(&parties, digest, len, signature));
        digest[0] ^= 1;
        ck_assert(!parties_openssl_accepts(&parties, digest, len, signature));
        ts_presig_p1_free(p1[i]);
        ts_presig_p2_free(p2[i]);
    }
    parties_close(&parties);
}

START_TEST(test_p256)
{
    sign_many(&p256, 20);
}
END_TEST

START_TEST(test_secp256k1)
{
    sign_many(&k1, 20);
}
END_TEST

START_TEST(test_p384)
{
    sign_many(&p384, 3);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sign");
    TCase *all = tcase_create("sign");

    tcase_add_unchecked_fixture(all, save, forget);
    tcase_add_test(all, test_p256);
    tcase_add_test(all, test_secp256k1);
    tcase_add_test(all, test_p384);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
