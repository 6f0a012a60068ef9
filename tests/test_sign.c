#include "mpc/presig.h"
#include "tests/cheat.h"
#include "tests/check_main.h"
#include "tests/parties.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
sign_digests(struct parties *parties, uint32_t count)
{
    struct ts_presig_p1 *p1[TS_BATCH_MAX];
    struct ts_presig_p2 *p2[TS_BATCH_MAX];

    parties_presign(p1, p2, parties, count, 7);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t digest[64], signature[2 * TS_SCALAR_MAX_BYTES];
        size_t len = 20 + 44 * i / (count > 1 ? count - 1 : 1);
        ck_assert_int_eq(ts_random(&parties->env, digest, sizeof digest), TS_OK);
        ck_assert_int_eq(parties_sign(signature, p1[i], p2[i], digest, len, "request"), TS_OK);
        ck_assert(parties_openssl_accepts(parties, digest, len, signature));
        digest[0] ^= 1;
        ck_assert(!parties_openssl_accepts(parties, digest, len, signature));
        ts_presig_p1_free(p1[i]);
        ts_presig_p2_free(p2[i]);
    }
}

static void
sign_many(const struct parties_saved *saved, uint32_t count)
{
    struct parties parties;

    parties_open(&parties, saved);
    sign_digests(&parties, count);
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

/* A second key of that pairing. */
START_TEST(test_p521)
{
    struct parties parties;

    parties_open(&parties, &p384);
    parties_keygen(&parties, TS_CURVE_P521);
    sign_digests(&parties, 3);
    parties_close(&parties);
}
END_TEST

/* One presignature of both sides, and a request. */
struct one {
    struct parties parties;
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;
    struct ts_buf answer;
    uint8_t digest[32], signature[64];
};

static const uint8_t request[] = "request", other_request[] = "another";

static void
open_one(struct one *one)
{
    *one = (struct one){.digest = {1, 2, 3}};
    ts_buf_init(&one->answer, 1024);
    parties_open(&one->parties, &p256);
    parties_presign(&one->p1, &one->p2, &one->parties, 1, 0);
}

static void
close_one(struct one *one)
{
    ts_buf_clear(&one->answer);
    ts_presig_p1_free(one->p1);
    ts_presig_p2_free(one->p2);
    parties_close(&one->parties);
}

static void
answer_one(struct one *one)
{
    ck_assert_int_eq(ts_presig_p2_bind(one->p2, request, sizeof request), TS_OK);
    ck_assert_int_eq(ts_presig_p2_answer(&one->answer, one->p2, one->digest, sizeof one->digest), TS_OK);
}

static enum ts_error
finish(struct one *one, const uint8_t *bytes, size_t len)
{
    return ts_presig_p1_finish(
        one->signature, one->p1, bytes, len, one->digest, sizeof one->digest, one->answer.data, one->answer.len);
}

static bool
is_zero(const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;
    uint8_t all = 0;

    for (size_t i = 0; i < len; i++)
        all |= byte[i];
    return all == 0;
}

/* Whatever was wrong: no signature, nothing left, no second try. */
static void
expect_consumed(struct one *one, enum ts_error error, const uint8_t *bytes, size_t len)
{
    ck_assert_int_eq(finish(one, bytes, len), error);
    ck_assert(is_zero(one->signature, sizeof one->signature));
    ck_assert(is_zero(&one->p1->values, sizeof one->p1->values));
    ck_assert_int_eq(finish(one, request, sizeof request), TS_USAGE);
}

START_TEST(test_answer_cheats)
{
    static const char *const cheats[] = {"nonce", "sigma"};
    struct one one;

    open_one(&one);
    answer_one(&one);
    ck_assert_int_eq(cheat_payload(&one.answer, TS_CURVE_P256, 2048, cheats[_i]), TS_OK);
    expect_consumed(&one, TS_CHEATED, request, sizeof request);
    close_one(&one);
}
END_TEST

/* A P2 that waits for the request before it chooses its nonce; all else in its answer is honest, so the signature would
 * verify, and only the commitment tells. */
START_TEST(test_nonce_chosen_late)
{
    struct one one;

    open_one(&one);
    one.p2->values.nonce[5] ^= 1;
    answer_one(&one);
    expect_consumed(&one, TS_CHEATED, request, sizeof request);
    close_one(&one);
}
END_TEST

START_TEST(test_other_bytes_or_digest)
{
    struct one one;

    open_one(&one);
    answer_one(&one);
    one.digest[31] ^= _i == 1;
    const uint8_t *bytes = _i == 0 ? other_request : request;
    expect_consumed(&one, TS_CHEATED, bytes, sizeof request);
    close_one(&one);
}
END_TEST

START_TEST(test_malformed_answer)
{
    struct one one;
    uint8_t byte = 0;

    open_one(&one);
    answer_one(&one);
    size_t len = 0;
    uint8_t *sigma = cheat_find(&len, NULL, &one.answer, "sigma", 0);
    if (_i == 0)
        ts_buf_put(&one.answer, &byte, 1);
    if (_i == 1)
        one.answer.len--;
    if (_i == 2)
        memset(sigma + 1, 0xff, len - 1); /* not below q */
    if (_i == 3)
        sigma[0] = 1; /* negative */
    if (_i == 4)
        one.answer.len = 0;
    expect_consumed(&one, TS_FORMAT, request, sizeof request);
    close_one(&one);
}
END_TEST

/* Every bit of the answer matters. */
START_TEST(test_flipped_answer)
{
    struct parties parties;
    struct ts_presig_p1 *p1[TS_BATCH_MAX];
    struct ts_presig_p2 *p2[TS_BATCH_MAX];
    const uint8_t digest[32] = {5};
    unsigned seed = parties_seed("answer flips");

    parties_open(&parties, &k1);
    srandom(seed);
    parties_presign(p1, p2, &parties, TS_BATCH_MAX, 0);
    for (int i = 0; i < TS_BATCH_MAX; i++) {
        struct parties_flip flip = {1, (uint32_t)random()};
        uint8_t signature[64];
        struct ts_buf answer;
        ts_buf_init(&answer, 1024);
        ck_assert_int_eq(ts_presig_p2_bind(p2[i], request, sizeof request), TS_OK);
        ck_assert_int_eq(ts_presig_p2_answer(&answer, p2[i], digest, sizeof digest), TS_OK);
        parties_flip(&flip, 1, &answer);
        enum ts_error error = ts_presig_p1_finish(
            signature, p1[i], request, sizeof request, digest, sizeof digest, answer.data, answer.len);
        ck_assert_msg(error == TS_CHEATED || error == TS_FORMAT, "random %u", flip.random);
        ts_buf_clear(&answer);
        ts_presig_p1_free(p1[i]);
        ts_presig_p2_free(p2[i]);
    }
    parties_close(&parties);
}
END_TEST

START_TEST(test_one_request_one_answer)
{
    struct one one;
    struct ts_buf again;

    open_one(&one);
    ts_buf_init(&again, 1024);
    ck_assert_int_eq(ts_presig_p2_answer(&again, one.p2, one.digest, sizeof one.digest), TS_USAGE);
    answer_one(&one);
    ck_assert(is_zero(&one.p2->values, sizeof one.p2->values));
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, request, sizeof request), TS_OK);
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, other_request, sizeof other_request), TS_CHEATED);
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, request, sizeof request - 1), TS_CHEATED);
    const uint8_t other_digest[32] = {7};
    ck_assert_int_eq(ts_presig_p2_answer(&again, one.p2, other_digest, sizeof other_digest), TS_OK);
    ck_assert_uint_eq(again.len, one.answer.len);
    ck_assert_mem_eq(again.data, one.answer.data, again.len);
    ck_assert_int_eq(finish(&one, request, sizeof request), TS_OK);
    ck_assert(parties_openssl_accepts(&one.parties, one.digest, sizeof one.digest, one.signature));
    ck_assert_int_eq(finish(&one, request, sizeof request), TS_USAGE);
    ts_buf_clear(&again);
    close_one(&one);
}
END_TEST

START_TEST(test_bound_to_other_bytes)
{
    struct one one;

    open_one(&one);
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, request, sizeof request), TS_OK);
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, other_request, sizeof other_request), TS_CHEATED);
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, request, sizeof request), TS_OK);
    close_one(&one);
}
END_TEST

/* Refused before a request came, while it was pending, after the answer. */
START_TEST(test_refusal_is_final)
{
    struct one one;

    open_one(&one);
    if (_i > 0)
        ck_assert_int_eq(ts_presig_p2_bind(one.p2, request, sizeof request), TS_OK);
    if (_i > 1)
        answer_one(&one);
    ts_buf_clear(&one.answer);
    ts_presig_p2_refuse(one.p2);
    ck_assert(is_zero(&one.p2->values, sizeof one.p2->values));
    ck_assert(is_zero(one.p2->answer, sizeof one.p2->answer));
    const enum ts_error other = _i > 0 ? TS_CHEATED : TS_REFUSED, same = _i > 0 ? TS_OK : TS_REFUSED;
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, request, sizeof request), TS_REFUSED);
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, other_request, sizeof other_request), other);
    ck_assert_int_eq(ts_presig_p2_check_bound(one.p2, request, sizeof request), same);
    ck_assert_int_eq(ts_presig_p2_check_bound(one.p2, other_request, sizeof other_request), other);
    ck_assert_int_eq(ts_presig_p2_answer(&one.answer, one.p2, one.digest, sizeof one.digest), TS_REFUSED);
    ck_assert_uint_eq(one.answer.len, 0);
    close_one(&one);
}
END_TEST

START_TEST(test_zero_digest)
{
    struct one one;

    open_one(&one);
    memset(one.digest, 0, sizeof one.digest);
    ck_assert_int_eq(ts_presig_p2_bind(one.p2, request, sizeof request), TS_OK);
    ck_assert_int_eq(ts_presig_p2_answer(&one.answer, one.p2, one.digest, sizeof one.digest), TS_FORMAT);
    ck_assert(is_zero(&one.p2->values, sizeof one.p2->values));
    one.digest[0] = 1;
    ck_assert_int_eq(ts_presig_p2_answer(&one.answer, one.p2, one.digest, sizeof one.digest), TS_REFUSED);
    close_one(&one);
}
END_TEST

START_TEST(test_fork)
{
    struct one one;
    int status = -1;

    open_one(&one);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bool good = is_zero(one.p1, sizeof *one.p1) && is_zero(one.p2, sizeof *one.p2) &&
                    ts_presig_p2_bind(one.p2, request, sizeof request) == TS_INTERNAL &&
                    ts_presig_p2_answer(&one.answer, one.p2, one.digest, sizeof one.digest) == TS_USAGE &&
                    finish(&one, request, sizeof request) == TS_USAGE;
        ts_presig_p2_refuse(one.p2);
        ts_presig_p1_free(one.p1);
        ts_presig_p2_free(one.p2);
        _exit(good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    answer_one(&one);
    ck_assert_int_eq(finish(&one, request, sizeof request), TS_OK);
    close_one(&one);
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
    tcase_add_test(all, test_p521);
    tcase_add_loop_test(all, test_answer_cheats, 0, 2);
    tcase_add_test(all, test_nonce_chosen_late);
    tcase_add_loop_test(all, test_other_bytes_or_digest, 0, 2);
    tcase_add_loop_test(all, test_malformed_answer, 0, 5);
    tcase_add_test(all, test_flipped_answer);
    tcase_add_test(all, test_one_request_one_answer);
    tcase_add_test(all, test_bound_to_other_bytes);
    tcase_add_loop_test(all, test_refusal_is_final, 0, 3);
    tcase_add_test(all, test_zero_digest);
    tcase_add_test(all, test_fork);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
