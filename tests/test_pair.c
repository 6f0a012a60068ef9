#include "mpc/pair_message.h"
#include "mpc/pair_run.h"
#include "tests/check_main.h"
#include "tests/parties.h"
#include "tests/safe_primes.h"

#include <string.h>

#define BITS 2048u
#define BYTES (BITS / 8)

static const uint8_t hk[TS_HEDGE_KEY_BYTES] = {9};

START_TEST(test_both_sides_agree)
{
    struct parties parties;
    uint32_t bits = _i ? 3072 : 2048;

    parties_open_bare(&parties);
    parties_pair(parties.pairing, &parties, bits, 0, 1);
    const struct ts_pairing *one = parties.pairing[0], *two = parties.pairing[1];
    ck_assert_mem_eq(one->id, two->id, sizeof one->id);
    ck_assert_mem_eq(one->aux, two->aux, sizeof one->aux);
    ck_assert_uint_eq(one->bits, bits);
    ck_assert(one->role == TS_ROLE_P1 && two->role == TS_ROLE_P2);
    ck_assert(ts_num_equal_vartime(ts_modulus_num(one->own.key.N), ts_modulus_num(two->paillier.N)));
    ck_assert(ts_num_equal_vartime(ts_modulus_num(two->own.key.N), ts_modulus_num(one->p2.N)));
    ck_assert(!ts_num_equal_vartime(ts_modulus_num(one->p1.N), ts_modulus_num(one->p2.N)));
    parties_close(&parties);
}
END_TEST

START_TEST(test_refused_arguments)
{
    struct parties parties;
    struct ts_machine *machine = NULL;
    uint8_t primes[BYTES];

    parties_open_bare(&parties);
    ck_assert(load_safe_primes(primes, BITS, 0));
    ck_assert_int_eq(ts_pair_p1_new(&machine, parties.mpc, 1024, primes, 128, hk), TS_USAGE);
    ck_assert_int_eq(ts_pair_p1_new(&machine, parties.mpc, BITS, primes, BYTES - 1, hk), TS_USAGE);
    ck_assert_int_eq(ts_pair_p2_new(&machine, parties.mpc, 3072, primes, BYTES, hk), TS_USAGE);
    ck_assert_ptr_null(machine);
    parties_close(&parties);
}
END_TEST

static struct parties_cheat cheats[] = {
    {1, "pairing", 0, TS_CHEATED, 0},
    {1, "bits", 0, TS_FORMAT, 1},
    {1, "n1", 0, TS_CHEATED, 0},
    {2, "n2", 0, TS_CHEATED, 0},
    {2, "Nh", 0, TS_FORMAT, 0}, /* even now */
    {2, "sh", 0, TS_CHEATED, 0},
    {2, "th", 0, TS_CHEATED, 0},
    {2, "A", 5, TS_CHEATED, 0},
    {2, "z", 127, TS_CHEATED, 0},
    {3, "N", 0, TS_FORMAT, 1},
    {3, "s", 0, TS_CHEATED, 1},
    {3, "t", 0, TS_CHEATED, 1},
    {3, "A", 0, TS_CHEATED, 1}, /* ring_pedersen */
    {3, "z", 0, TS_CHEATED, 1},
    {3, "w", 0, TS_CHEATED, 1}, /* paillier_blum */
    {3, "x", 127, TS_CHEATED, 1},
    {3, "z", 128, TS_CHEATED, 1},
    {3, "P", 0, TS_CHEATED, 1}, /* no_small_factor */
    {3, "z1", 0, TS_CHEATED, 1},
    {3, "v", 0, TS_CHEATED, 1},
    {4, NULL, 0, TS_CHEATED, 0},
    {5, NULL, 0, TS_CHEATED, 1},
};

START_TEST(test_cheats)
{
    struct parties parties;
    struct ts_machine *machines[2];

    parties_open_bare(&parties);
    parties_pair_machines(machines, &parties, BITS, 0, 1);
    parties_expect(machines, parties_cheat, &cheats[_i], cheats[_i].error, cheats[_i].failed);
    parties_close(&parties);
}
END_TEST

static void
cut_off(void *ctx, unsigned number, struct ts_buf *payload)
{
    if (number == *(unsigned *)ctx)
        payload->len--;
}

START_TEST(test_cut_off)
{
    struct parties parties;
    struct ts_machine *machines[2];
    unsigned number = (unsigned)_i;

    parties_open_bare(&parties);
    parties_pair_machines(machines, &parties, BITS, 0, 1);
    parties_expect(machines, cut_off, &number, TS_FORMAT, number % 2 == 0 ? 0 : 1);
    parties_close(&parties);
}
END_TEST

static void
trail(void *ctx, unsigned number, struct ts_buf *payload)
{
    if (number == *(unsigned *)ctx)
        ck_assert_int_eq(ts_buf_put_u8(payload, 0), TS_OK);
}

START_TEST(test_trailing_byte)
{
    struct parties parties;
    struct ts_machine *machines[2];
    unsigned number = (unsigned)_i;

    parties_open_bare(&parties);
    parties_pair_machines(machines, &parties, BITS, 0, 1);
    parties_expect(machines, trail, &number, TS_FORMAT, number % 2 == 0 ? 0 : 1);
    parties_close(&parties);
}
END_TEST

/* P2's modulus shares a prime with P1's: all proofs are good, P1 must still refuse. */
START_TEST(test_common_factor_at_p1)
{
    struct parties parties;
    struct ts_machine *machines[2];
    uint8_t one[BYTES], two[BYTES], other[BYTES];

    parties_open_bare(&parties);
    ck_assert(load_safe_primes(one, BITS, 0) && load_safe_primes(other, BITS, 1));
    memcpy(two, one, BYTES / 2);
    memcpy(two + BYTES / 2, other, BYTES / 2);
    ck_assert_int_eq(ts_pair_p1_new(&machines[0], parties.mpc, BITS, one, BYTES, hk), TS_OK);
    ck_assert_int_eq(ts_pair_p2_new(&machines[1], parties.mpc, BITS, two, BYTES, hk), TS_OK);
    parties_expect(machines, NULL, NULL, TS_CHEATED, 0);
    parties_close(&parties);
}
END_TEST

/* A P1 whose payload 3 speaks of other primes, with honest proofs for them. */
struct forger {
    const struct ts_machine *p1;
    uint8_t primes[BYTES];
};

static void
forge(void *ctx, unsigned number, struct ts_buf *payload)
{
    const struct forger *forger = ctx;
    const struct ts_pair_run *run = forger->p1->run;
    const struct ts_hedge hedge = {.hk = hk};
    struct ts_pair_params1 message;
    struct ts_trapdoor key;
    struct ts_scope *scope = NULL;

    if (number != 3)
        return;
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    const struct ts_num *p = ts_num_from_bytes(scope, forger->primes, BYTES / 2);
    const struct ts_num *q = ts_num_from_bytes(scope, forger->primes + BYTES / 2, BYTES / 2);
    const struct ts_place *place = &run->place;
    ck_assert_int_eq(ts_trapdoor_draw(&key, scope, BITS, p, q, place, &hedge), TS_OK);
    ck_assert_int_eq(ts_ring_pedersen_prove(&message.ring, scope, place, &hedge, &key), TS_OK);
    ck_assert_int_eq(ts_paillier_blum_prove(&message.blum, scope, place, &hedge, &key), TS_OK);
    ck_assert_int_eq(ts_no_small_factor_prove(&message.factor, scope, place, &hedge, &key, &run->pairing->p2), TS_OK);
    message.N = ts_modulus_num(key.pedersen.N);
    message.s = key.pedersen.s;
    message.t = key.pedersen.t;
    ts_buf_clear(payload);
    ts_pair_params1_encode(payload, &message);
    ck_assert_int_eq(ts_buf_error(payload), TS_OK);
    ts_scope_free(scope);
}

START_TEST(test_common_factor_at_p2)
{
    struct parties parties;
    struct ts_machine *machines[2];
    struct forger forger;
    uint8_t theirs[BYTES];
    int failed = -1;

    parties_open_bare(&parties);
    /* The forgery itself is good: with primes of its own P2 accepts, only the hash of P1's own copy differs. */
    parties_pair_machines(machines, &parties, BITS, 0, 1);
    forger.p1 = machines[0];
    ck_assert(load_safe_primes(forger.primes, BITS, 2) && load_safe_primes(theirs, BITS, 1));
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], forge, &forger), TS_CHEATED);
    ck_assert_int_eq(failed, 0);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    parties_pair_machines(machines, &parties, BITS, 0, 1);
    forger.p1 = machines[0];
    memcpy(forger.primes, theirs, BYTES / 2);
    parties_expect(machines, forge, &forger, TS_CHEATED, 1);
    parties_close(&parties);
}
END_TEST

START_TEST(test_wrong_size)
{
    struct parties parties;
    struct ts_machine *machines[2], *other[2];

    parties_open_bare(&parties);
    parties_pair_machines(machines, &parties, 3072, 0, 1);
    parties_pair_machines(other, &parties, 2048, 0, 1);
    ts_machine_free(machines[1]);
    ts_machine_free(other[0]);
    machines[1] = other[1];
    parties_expect(machines, NULL, NULL, TS_FORMAT, 1);
    parties_close(&parties);
}
END_TEST

START_TEST(test_replay)
{
    struct parties parties;
    struct ts_machine *machines[2];
    struct parties_record record = {0};
    int failed = -1;

    parties_open_bare(&parties);
    parties_pair_machines(machines, &parties, BITS, 0, 1);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], parties_record, &record), TS_OK);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    ck_assert_uint_eq(record.count, 5);
    for (unsigned number = 1; number <= 5; number++) {
        struct parties_replay replay = {number, &record};
        parties_pair_machines(machines, &parties, BITS, 0, 1);
        parties_expect(machines, parties_replay, &replay, TS_CHEATED, number % 2 == 0 || number == 1 ? 0 : 1);
    }
    parties_record_clear(&record);
    parties_close(&parties);
}
END_TEST

START_TEST(test_flipped_bits)
{
    struct parties parties;
    struct ts_machine *machines[2];
    unsigned seed = parties_seed("pair flips");

    parties_open_bare(&parties);
    srandom(seed);
    for (int i = 0; i < 8; i++) {
        struct parties_flip flip = {1 + (unsigned)i % 5, (uint32_t)random()};
        int failed = -1;
        parties_pair_machines(machines, &parties, BITS, 0, 1);
        enum ts_error error = parties_pump(&failed, machines[0], machines[1], parties_flip, &flip);
        ck_assert_msg(error == TS_CHEATED || error == TS_FORMAT, "payload %u, random %u: %s", flip.number, flip.random,
            ts_error_text(error));
        ts_machine_free(machines[0]);
        ts_machine_free(machines[1]);
    }
    parties_close(&parties);
}
END_TEST

START_TEST(test_renewed)
{
    static const uint8_t id[TS_PAIRING_ID_BYTES] = {7}, other[TS_PAIRING_ID_BYTES] = {8};
    struct parties parties;
    struct ts_machine *machines[2];
    uint8_t one[BYTES], two[BYTES], confirmation[TS_HASH_BYTES];
    struct ts_pairing *pairing = NULL;
    int failed = -1;

    parties_open_bare(&parties);
    ck_assert(load_safe_primes(one, BITS, 2) && load_safe_primes(two, BITS, 3));
    ck_assert_int_eq(ts_pair_p1_renew(&machines[0], parties.mpc, BITS, one, BYTES, hk, id), TS_OK);
    ck_assert_int_eq(ts_pair_p2_renew(&machines[1], parties.mpc, BITS, two, BYTES, hk, id), TS_OK);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    ck_assert_int_eq(ts_pair_take(&pairing, confirmation, machines[1]), TS_OK);
    ck_assert_mem_eq(pairing->id, id, sizeof id);
    ts_pairing_free(pairing);
    ck_assert_int_eq(ts_pair_take(&pairing, confirmation, machines[1]), TS_USAGE);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    ck_assert_int_eq(ts_pair_p1_renew(&machines[0], parties.mpc, BITS, one, BYTES, hk, other), TS_OK);
    ck_assert_int_eq(ts_pair_p2_renew(&machines[1], parties.mpc, BITS, two, BYTES, hk, id), TS_OK);
    parties_expect(machines, NULL, NULL, TS_FORMAT, 1);
    parties_close(&parties);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pair");
    TCase *whole = tcase_create("whole"), *cheating = tcase_create("cheats"), *wire = tcase_create("wire");
    TCase *factors = tcase_create("factors"), *random = tcase_create("random");

    tcase_add_loop_test(whole, test_both_sides_agree, 0, 2);
    tcase_add_test(whole, test_refused_arguments);
    tcase_add_test(whole, test_wrong_size);
    tcase_add_test(whole, test_renewed);
    tcase_add_loop_test(cheating, test_cheats, 0, (int)(sizeof cheats / sizeof *cheats));
    tcase_add_loop_test(wire, test_cut_off, 1, 6);
    tcase_add_loop_test(wire, test_trailing_byte, 1, 6);
    tcase_add_test(factors, test_common_factor_at_p1);
    tcase_add_test(factors, test_common_factor_at_p2);
    tcase_add_test(random, test_replay);
    tcase_add_test(random, test_flipped_bits);
    suite_add_tcase(suite, whole);
    suite_add_tcase(suite, cheating);
    suite_add_tcase(suite, wire);
    suite_add_tcase(suite, factors);
    suite_add_tcase(suite, random);
    return run_suite(suite);
}
