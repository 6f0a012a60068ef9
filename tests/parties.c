#include "tests/parties.h"

#include "tests/cheat.h"
#include "tests/safe_primes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#define PAYLOAD_MAX ((size_t)1 << 20)
#define PRIMES_MAX 512

enum ts_error
parties_pump(int *failed, struct ts_machine *first, struct ts_machine *second, parties_tamper *tamper, void *ctx)
{
    struct ts_machine *machines[2] = {first, second};
    struct ts_buf in, out;
    enum ts_error error = TS_OK;

    ts_buf_init(&in, PAYLOAD_MAX);
    ts_buf_init(&out, PAYLOAD_MAX);
    *failed = -1;
    for (unsigned turn = 0; error == TS_OK; turn++) {
        error = ts_machine_step(machines[turn % 2], &out, turn ? in.data : NULL, in.len);
        if (error != TS_OK)
            *failed = (int)(turn % 2);
        if (error != TS_OK || out.len == 0)
            break;
        if (tamper)
            tamper(ctx, turn + 1, &out);
        ts_buf_clear(&in);
        ts_buf_put(&in, out.data, out.len);
        ts_buf_clear(&out);
        /* Where the last message is a commit it is the session's. */
        if (ts_machine_done(first) && ts_machine_done(second))
            break;
    }
    ts_buf_clear(&in);
    ts_buf_clear(&out);
    return error;
}

void
parties_record(void *ctx, unsigned number, struct ts_buf *payload)
{
    struct parties_record *record = ctx;

    ck_assert_uint_le(number, PARTIES_PAYLOADS);
    struct ts_buf *kept = &record->payloads[number - 1];
    ts_buf_init(kept, PAYLOAD_MAX);
    ck_assert_int_eq(ts_buf_put(kept, payload->data, payload->len), TS_OK);
    record->count = number;
}

void
parties_record_clear(struct parties_record *record)
{
    for (unsigned i = 0; i < record->count; i++)
        ts_buf_clear(&record->payloads[i]);
    record->count = 0;
}

void
parties_open_bare(struct parties *parties)
{
    memset(parties, 0, sizeof *parties);
    ck_assert_int_eq(ts_env_init(&parties->env), TS_OK);
    ck_assert_int_eq(ts_mpc_new(&parties->mpc, &parties->env), TS_OK);
    ck_assert_int_eq(ts_random(&parties->env, parties->n1, sizeof parties->n1), TS_OK);
    ck_assert_int_eq(ts_random(&parties->env, parties->n2, sizeof parties->n2), TS_OK);
}

void
parties_open(struct parties *parties, const struct parties_saved *saved)
{
    parties_open_bare(parties);
    for (int i = 0; i < 2; i++) {
        const struct ts_buf *pairing = &saved->pairing[i], *half = &saved->half[i];
        ck_assert_int_eq(ts_pairing_decode(&parties->pairing[i], parties->mpc, pairing->data, pairing->len), TS_OK);
        ck_assert_int_eq(ts_half_decode(&parties->half[i], parties->mpc, half->data, half->len), TS_OK);
    }
}

void
parties_close(struct parties *parties)
{
    for (int i = 0; i < 2; i++) {
        ts_half_free(parties->half[i]);
        ts_pairing_free(parties->pairing[i]);
    }
    ts_mpc_free(parties->mpc);
    ts_env_clear(&parties->env);
}

void
parties_save(struct parties_saved *saved, enum ts_curve curve, uint32_t bits, unsigned pair)
{
    struct parties parties;

    parties_open_bare(&parties);
    parties_pair(parties.pairing, &parties, bits, pair, pair + 1);
    parties_keygen(&parties, curve);
    for (int i = 0; i < 2; i++) {
        ts_buf_init(&saved->pairing[i], PAYLOAD_MAX);
        ts_buf_init(&saved->half[i], PAYLOAD_MAX);
        ck_assert_int_eq(ts_pairing_encode(&saved->pairing[i], parties.pairing[i]), TS_OK);
        ck_assert_int_eq(ts_half_encode(&saved->half[i], parties.mpc, parties.half[i]), TS_OK);
    }
    parties_close(&parties);
}

void
parties_saved_clear(struct parties_saved *saved)
{
    for (int i = 0; i < 2; i++) {
        ts_buf_clear(&saved->pairing[i]);
        ts_buf_clear(&saved->half[i]);
    }
}

void
parties_pair_machines(
    struct ts_machine *machines[2], struct parties *parties, uint32_t bits, unsigned p1_primes, unsigned p2_primes)
{
    static const uint8_t hk[2][TS_HEDGE_KEY_BYTES] = {{1}, {2}};
    uint8_t primes[2][PRIMES_MAX];

    ck_assert(load_safe_primes(primes[0], bits, p1_primes) && load_safe_primes(primes[1], bits, p2_primes));
    ck_assert_int_eq(ts_pair_p1_new(&machines[0], parties->mpc, bits, primes[0], bits / 8, hk[0]), TS_OK);
    ck_assert_int_eq(ts_pair_p2_new(&machines[1], parties->mpc, bits, primes[1], bits / 8, hk[1]), TS_OK);
}

static void
pump_honest(struct ts_machine *machines[2])
{
    int failed = -1;

    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    ck_assert(ts_machine_done(machines[0]) && ts_machine_done(machines[1]));
}

void
parties_pair(struct ts_pairing *out[2], struct parties *parties, uint32_t bits, unsigned p1_primes, unsigned p2_primes)
{
    struct ts_machine *machines[2];
    uint8_t confirmation[2][TS_HASH_BYTES];

    parties_pair_machines(machines, parties, bits, p1_primes, p2_primes);
    pump_honest(machines);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ts_pair_take(&out[i], confirmation[i], machines[i]), TS_OK);
        ts_machine_free(machines[i]);
    }
    ck_assert_mem_eq(confirmation[0], confirmation[1], TS_HASH_BYTES);
}

void
parties_keygen(struct parties *parties, enum ts_curve curve)
{
    struct ts_machine *machines[2];
    uint8_t key[TS_KEY_ID_BYTES];
    uint8_t confirmation[2][TS_HASH_BYTES];

    ck_assert_int_eq(ts_random(&parties->env, key, sizeof key), TS_OK);
    ck_assert_int_eq(ts_keygen_p1_new(&machines[0], parties->mpc, parties->pairing[0], curve, key), TS_OK);
    ck_assert_int_eq(ts_keygen_p2_new(&machines[1], parties->mpc, parties->pairing[1]), TS_OK);
    pump_honest(machines);
    for (int i = 0; i < 2; i++) {
        ts_half_free(parties->half[i]);
        ck_assert_int_eq(ts_keygen_take(&parties->half[i], confirmation[i], machines[i]), TS_OK);
        ts_machine_free(machines[i]);
    }
    ck_assert_mem_eq(confirmation[0], confirmation[1], TS_HASH_BYTES);
}

void
parties_presign_machines(struct ts_machine *machines[2], struct parties *parties, uint32_t count, uint64_t batch)
{
    struct ts_presign_place place = {.mpc = parties->mpc, .n1 = parties->n1, .n2 = parties->n2, .batch = batch};

    place.pairing = parties->pairing[0];
    place.half = parties->half[0];
    ck_assert_int_eq(ts_presign_p1_new(&machines[0], &place, count), TS_OK);
    place.pairing = parties->pairing[1];
    place.half = parties->half[1];
    ck_assert_int_eq(ts_presign_p2_new(&machines[1], &place), TS_OK);
}

void
parties_presign(
    struct ts_presig_p1 *p1[], struct ts_presig_p2 *p2[], struct parties *parties, uint32_t count, uint64_t batch)
{
    struct ts_machine *machines[2];

    parties_presign_machines(machines, parties, count, batch);
    pump_honest(machines);
    ck_assert_uint_eq(ts_presign_count(machines[0]), count);
    ck_assert_uint_eq(ts_presign_count(machines[1]), count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_int_eq(ts_presign_p1_take(&p1[i], machines[0], i), TS_OK);
        ck_assert_int_eq(ts_presign_p2_take(&p2[i], machines[1], i), TS_OK);
    }
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
}

enum ts_error
parties_sign(uint8_t *signature, struct ts_presig_p1 *p1, struct ts_presig_p2 *p2, const uint8_t *digest, size_t len,
    const char *request)
{
    const uint8_t *bytes = (const uint8_t *)request;
    struct ts_buf answer;

    ts_buf_init(&answer, 1024);
    ck_assert_int_eq(ts_presig_p2_bind(p2, bytes, strlen(request)), TS_OK);
    ck_assert_int_eq(ts_presig_p2_answer(&answer, p2, digest, len), TS_OK);
    enum ts_error error =
        ts_presig_p1_finish(signature, p1, bytes, strlen(request), digest, len, answer.data, answer.len);
    ts_buf_clear(&answer);
    return error;
}

static EVP_PKEY *
openssl_key(const struct parties *parties)
{
    static const char *const names[] = {NULL, "prime256v1", "secp256k1", "secp384r1", "secp521r1"};
    const struct ts_half *half = parties->half[0];
    const struct ts_group *group = ts_mpc_group(parties->mpc, half->curve);
    uint8_t point[TS_POINT_MAX_BYTES];
    EVP_PKEY *key = NULL;

    ck_assert_int_eq(ts_point_encode(point, group, half->X), TS_OK);
    char name[16];
    strcpy(name, names[half->curve]);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, ts_group_point_bytes(group)),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    ck_assert(ctx && EVP_PKEY_fromdata_init(ctx) == 1);
    ck_assert(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

bool
parties_openssl_accepts(const struct parties *parties, const uint8_t *digest, size_t len, const uint8_t *signature)
{
    const struct ts_group *group = ts_mpc_group(parties->mpc, parties->half[0]->curve);
    int scalar_len = (int)ts_group_scalar_bytes(group);
    uint8_t order[TS_SCALAR_MAX_BYTES];
    EVP_PKEY *key = openssl_key(parties);
    BIGNUM *s = BN_bin2bn(signature + scalar_len, scalar_len, NULL);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;

    ck_assert_int_eq(ts_num_to_bytes(order, (size_t)scalar_len, ts_modulus_num(ts_group_order(group))), TS_OK);
    BIGNUM *half = BN_bin2bn(order, scalar_len, NULL);
    BN_rshift1(half, half);
    bool low = BN_cmp(s, half) <= 0;
    BN_free(half);
    ck_assert_int_eq(ECDSA_SIG_set0(pair, BN_bin2bn(signature, scalar_len, NULL), s), 1);
    int der_len = i2d_ECDSA_SIG(pair, &der);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    ck_assert(ctx && EVP_PKEY_verify_init(ctx) == 1);
    bool good = EVP_PKEY_verify(ctx, der, (size_t)der_len, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    EVP_PKEY_free(key);
    return low && good;
}

void
parties_expect(struct ts_machine *machines[2], parties_tamper *tamper, void *ctx, enum ts_error error, int failed)
{
    struct ts_buf out;
    int who = -1;

    ts_buf_init(&out, PAYLOAD_MAX);
    ck_assert_int_eq(parties_pump(&who, machines[0], machines[1], tamper, ctx), error);
    ck_assert_int_eq(who, failed);
    ck_assert_str_eq(ts_machine_state(machines[failed]), "FAILED");
    ck_assert(!ts_machine_done(machines[failed]));
    ck_assert_int_eq(ts_machine_step(machines[failed], &out, NULL, 0), TS_USAGE);
    ck_assert_int_eq(ts_machine_step(machines[failed], &out, (const uint8_t *)"", 0), TS_USAGE);
    ck_assert_uint_eq(out.len, 0);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
}

void
parties_cheat(void *ctx, unsigned number, struct ts_buf *payload)
{
    const struct parties_cheat *cheat = ctx;

    if (number != cheat->number)
        return;
    if (cheat->label)
        ck_assert_int_eq(cheat_item(payload, cheat->label, cheat->nth), TS_OK);
    else
        payload->data[payload->len - 1] ^= 1;
}

void
parties_replay(void *ctx, unsigned number, struct ts_buf *payload)
{
    const struct parties_replay *replay = ctx;

    if (number != replay->number)
        return;
    const struct ts_buf *old = &replay->record->payloads[number - 1];
    ts_buf_clear(payload);
    ck_assert_int_eq(ts_buf_put(payload, old->data, old->len), TS_OK);
}

void
parties_flip(void *ctx, unsigned number, struct ts_buf *payload)
{
    const struct parties_flip *flip = ctx;

    if (number != flip->number)
        return;
    size_t bit = flip->random % (8 * payload->len);
    payload->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

unsigned
parties_seed(const char *test)
{
    const char *given = getenv("TS_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

    printf("# %s: TS_TEST_SEED=%u\n", test, seed);
    fflush(stdout);
    return seed;
}
