#include "mpc/refresh_message.h"
#include "mpc/refresh_run.h"
#include "tests/check_main.h"
#include "tests/parties.h"

#include <string.h>

#define BITS 2048u

/* A key under old parameters; a pairing with the same id and new ones. */
static struct parties_saved old, fresh;

static void
save(void)
{
    parties_save(&old, TS_CURVE_P256, BITS, 0);
    parties_save(&fresh, TS_CURVE_P256, BITS, 2);
}

static void
forget(void)
{
    parties_saved_clear(&old);
    parties_saved_clear(&fresh);
}

struct renewal {
    struct parties parties; /* old key, old parameters */
    struct ts_pairing *fresh[2];
};

static void
open_renewal(struct renewal *renewal)
{
    parties_open(&renewal->parties, &old);
    for (int i = 0; i < 2; i++) {
        const struct ts_buf *bytes = &fresh.pairing[i];
        ck_assert_int_eq(ts_pairing_decode(&renewal->fresh[i], renewal->parties.mpc, bytes->data, bytes->len), TS_OK);
        memcpy(renewal->fresh[i]->id, renewal->parties.pairing[i]->id, TS_PAIRING_ID_BYTES);
    }
}

static void
close_renewal(struct renewal *renewal)
{
    ts_pairing_free(renewal->fresh[0]);
    ts_pairing_free(renewal->fresh[1]);
    parties_close(&renewal->parties);
}

static void
machines_of(struct ts_machine *machines[2], struct renewal *renewal)
{
    struct parties *parties = &renewal->parties;

    ck_assert_int_eq(ts_refresh_p1_new(&machines[0], parties->mpc, renewal->fresh[0], parties->half[0]), TS_OK);
    ck_assert_int_eq(ts_refresh_p2_new(&machines[1], parties->mpc, renewal->fresh[1], parties->half[1]), TS_OK);
}

static void
take_halves(struct ts_half *halves[2], struct ts_machine *machines[2])
{
    uint8_t confirmation[2][TS_HASH_BYTES];

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ts_refresh_take(&halves[i], confirmation[i], machines[i]), TS_OK);
        ts_machine_free(machines[i]);
    }
    ck_assert_mem_eq(confirmation[0], confirmation[1], TS_HASH_BYTES);
}

static void
swap_in(struct renewal *renewal, struct ts_half *halves[2])
{
    for (int i = 0; i < 2; i++) {
        ts_half_free(renewal->parties.half[i]);
        renewal->parties.half[i] = halves[i];
        struct ts_pairing *pairing = renewal->parties.pairing[i];
        renewal->parties.pairing[i] = renewal->fresh[i];
        renewal->fresh[i] = pairing;
    }
}

START_TEST(test_refreshed_key_signs)
{
    struct renewal renewal;
    struct ts_machine *machines[2];
    struct ts_half *halves[2];
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;
    uint8_t digest[32] = {1}, signature[64];
    int failed = -1;

    open_renewal(&renewal);
    struct parties *parties = &renewal.parties;
    const struct ts_group *group = ts_mpc_group(parties->mpc, TS_CURVE_P256);
    machines_of(machines, &renewal);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    take_halves(halves, machines);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(halves[i]->generation, 1);
        ck_assert(ts_point_equal(group, halves[i]->X, parties->half[i]->X));
        ck_assert(!ts_num_equal(halves[i]->x, parties->half[i]->x));
        ck_assert_mem_ne(halves[i]->hk, parties->half[i]->hk, TS_HEDGE_KEY_BYTES);
        ck_assert_mem_eq(halves[i]->aux, renewal.fresh[i]->aux, TS_HASH_BYTES);
        struct ts_buf bytes;
        struct ts_half *again = NULL;
        ts_buf_init_secret(&bytes, 4096);
        ck_assert_int_eq(ts_half_encode(&bytes, parties->mpc, halves[i]), TS_OK);
        ck_assert_int_eq(ts_half_decode(&again, parties->mpc, bytes.data, bytes.len), TS_OK);
        ts_half_free(again);
        ts_buf_clear(&bytes);
    }
    swap_in(&renewal, halves);
    parties_presign(&p1, &p2, parties, 1, 0);
    ck_assert_int_eq(parties_sign(signature, p1, p2, digest, sizeof digest, "request"), TS_OK);
    ck_assert(parties_openssl_accepts(parties, digest, sizeof digest, signature));
    ts_presig_p1_free(p1);
    ts_presig_p2_free(p2);
    close_renewal(&renewal);
}
END_TEST

/* One side at the old generation, the other at the new one. */
START_TEST(test_mixed_generations)
{
    struct renewal renewal;
    struct ts_machine *machines[2];
    struct ts_half *halves[2];
    int failed = -1;

    open_renewal(&renewal);
    struct parties *parties = &renewal.parties;
    machines_of(machines, &renewal);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    take_halves(halves, machines);
    struct ts_presign_place place = {parties->mpc, parties->pairing[0], parties->half[0], parties->n1, parties->n2, 0};
    ck_assert_int_eq(ts_presign_p1_new(&machines[0], &place, 1), TS_OK);
    place.half = halves[0];
    ck_assert_int_eq(ts_presign_p1_new(&machines[1], &place, 1), TS_USAGE); /* new half, old parameters */
    place.pairing = renewal.fresh[1];
    place.half = halves[1];
    ck_assert_int_eq(ts_presign_p2_new(&machines[1], &place), TS_OK);
    parties_expect(machines, NULL, NULL, TS_CHEATED, 0);
    ts_half_free(halves[0]);
    ts_half_free(halves[1]);
    close_renewal(&renewal);
}
END_TEST

START_TEST(test_refused_arguments)
{
    struct renewal renewal;
    struct ts_machine *machine = NULL;

    open_renewal(&renewal);
    struct parties *parties = &renewal.parties;
    ck_assert_int_eq(ts_refresh_p1_new(&machine, parties->mpc, parties->pairing[0], parties->half[0]), TS_USAGE);
    ck_assert_int_eq(ts_refresh_p1_new(&machine, parties->mpc, renewal.fresh[1], parties->half[0]), TS_USAGE);
    ck_assert_int_eq(ts_refresh_p2_new(&machine, parties->mpc, renewal.fresh[1], parties->half[0]), TS_USAGE);
    parties->half[0]->generation = UINT32_MAX;
    ck_assert_int_eq(ts_refresh_p1_new(&machine, parties->mpc, renewal.fresh[0], parties->half[0]), TS_USAGE);
    ck_assert_ptr_null(machine);
    close_renewal(&renewal);
}
END_TEST

static struct parties_cheat cheats[] = {
    {1, "key", 0, TS_FORMAT, 1},
    {1, "pairing", 0, TS_FORMAT, 1},
    {1, "generation", 0, TS_FORMAT, 1},
    {1, "n1", 0, TS_CHEATED, 1},
    {2, "n2", 0, TS_CHEATED, 1},
    {3, "c", 0, TS_CHEATED, 1},
    {4, "d", 0, TS_CHEATED, 1}, /* P1's new share is not the one that P2 expects */
    {5, "d", 0, TS_CHEATED, 1},
    {5, "u", 0, TS_CHEATED, 1},
    {5, "C", 0, TS_CHEATED, 1},
    {5, "z1", 0, TS_CHEATED, 1},
    {5, "z2", 0, TS_CHEATED, 1},
    {5, "z3", 0, TS_CHEATED, 1},
    {6, NULL, 0, TS_CHEATED, 0},
};

START_TEST(test_cheats)
{
    struct renewal renewal;
    struct ts_machine *machines[2];

    open_renewal(&renewal);
    machines_of(machines, &renewal);
    parties_expect(machines, parties_cheat, &cheats[_i], cheats[_i].error, cheats[_i].failed);
    close_renewal(&renewal);
}
END_TEST

/* The same coin in another form: d + q, or below zero. */
START_TEST(test_coin_is_a_scalar)
{
    struct renewal renewal;
    struct ts_scope *scope = NULL;
    struct ts_buf bytes;
    const struct ts_num *d = NULL;

    open_renewal(&renewal);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    const struct ts_group *group = ts_mpc_group(renewal.parties.mpc, TS_CURVE_P256);
    const struct ts_num *q = ts_modulus_num(ts_group_order(group)), *one = ts_num_from_u64(scope, 1);
    const struct ts_num *coins[] = {ts_num_sub(scope, q, one), q, ts_num_add(scope, q, one), ts_num_neg(scope, one)};
    ts_buf_init(&bytes, 1024);
    ts_coin_encode(&bytes, coins[_i]);
    ck_assert_int_eq(ts_coin_decode(&d, scope, group, bytes.data, bytes.len), _i ? TS_FORMAT : TS_OK);
    ts_buf_clear(&bytes);
    ts_scope_free(scope);
    close_renewal(&renewal);
}
END_TEST

/* A P1 that waits for d2 and only then chooses d1, with an honest proof for the share that comes of it. */
static void
choose_late(void *ctx, unsigned number, struct ts_buf *payload)
{
    struct ts_machine *machine = ctx;
    struct ts_refresh_run *run = machine->run;

    (void)payload;
    if (number == 4)
        run->d = ts_num_from_u64(machine->scope, 3);
}

START_TEST(test_late_coin)
{
    struct renewal renewal;
    struct ts_machine *machines[2];

    open_renewal(&renewal);
    machines_of(machines, &renewal);
    parties_expect(machines, choose_late, machines[0], TS_CHEATED, 1);
    close_renewal(&renewal);
}
END_TEST

/* A P1 that encrypts another share than the coin gives. */
static void
keep_share(void *ctx, unsigned number, struct ts_buf *payload)
{
    struct ts_machine *machine = ctx;
    struct ts_refresh_run *run = machine->run;
    struct ts_half *changed = (struct ts_half *)run->old;

    (void)payload;
    if (number == 3)
        changed->x = ts_num_add(changed->scope, changed->x, ts_num_from_u64(changed->scope, 1));
}

START_TEST(test_other_share)
{
    struct renewal renewal;
    struct ts_machine *machines[2];

    open_renewal(&renewal);
    machines_of(machines, &renewal);
    parties_expect(machines, keep_share, machines[0], TS_CHEATED, 1);
    close_renewal(&renewal);
}
END_TEST

START_TEST(test_no_point_at_infinity)
{
    struct renewal renewal;
    struct ts_machine *machines[2];

    open_renewal(&renewal);
    machines_of(machines, &renewal);
    struct ts_refresh_run *run = machines[_i]->run;
    struct ts_scope *scope = run->half->scope;
    const struct ts_modulus *q = ts_group_order(ts_mpc_group(renewal.parties.mpc, TS_CURVE_P256));
    const struct ts_num *zero = ts_num_from_u64(scope, 0);
    /* d = -x1, or d = x2: the own share becomes zero. */
    const struct ts_num *d = _i == 0 ? ts_mod_sub(scope, zero, run->old->x, q) : run->old->x;
    ck_assert_int_eq(ts_refresh_move(machines[_i], d, zero), TS_CHEATED);
    ck_assert_int_eq(ts_refresh_move(machines[_i], d, ts_num_from_u64(scope, 1)), TS_OK);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    close_renewal(&renewal);
}
END_TEST

START_TEST(test_replay)
{
    struct renewal renewal;
    struct ts_machine *machines[2];
    struct parties_record record = {0};
    int failed = -1;

    open_renewal(&renewal);
    machines_of(machines, &renewal);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], parties_record, &record), TS_OK);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    ck_assert_uint_eq(record.count, 7);
    for (unsigned number = 1; number <= 6; number++) {
        struct parties_replay replay = {number, &record};
        machines_of(machines, &renewal);
        parties_expect(machines, parties_replay, &replay, TS_CHEATED, number == 6 ? 0 : 1);
    }
    parties_record_clear(&record);
    close_renewal(&renewal);
}
END_TEST

START_TEST(test_flipped_bits)
{
    struct renewal renewal;
    struct ts_machine *machines[2];
    unsigned seed = parties_seed("refresh flips");

    open_renewal(&renewal);
    srandom(seed);
    for (int i = 0; i < 60; i++) {
        struct parties_flip flip = {1 + (unsigned)i % 6, (uint32_t)random()};
        int failed = -1;
        machines_of(machines, &renewal);
        enum ts_error error = parties_pump(&failed, machines[0], machines[1], parties_flip, &flip);
        ck_assert_msg(error == TS_CHEATED || error == TS_FORMAT, "payload %u, random %u: %s", flip.number, flip.random,
            ts_error_text(error));
        ts_machine_free(machines[0]);
        ts_machine_free(machines[1]);
    }
    close_renewal(&renewal);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("refresh");
    TCase *all = tcase_create("refresh");

    tcase_add_unchecked_fixture(all, save, forget);
    tcase_add_test(all, test_refreshed_key_signs);
    tcase_add_test(all, test_mixed_generations);
    tcase_add_test(all, test_refused_arguments);
    tcase_add_loop_test(all, test_cheats, 0, (int)(sizeof cheats / sizeof *cheats));
    tcase_add_loop_test(all, test_coin_is_a_scalar, 0, 4);
    tcase_add_test(all, test_late_coin);
    tcase_add_test(all, test_other_share);
    tcase_add_loop_test(all, test_no_point_at_infinity, 0, 2);
    tcase_add_test(all, test_replay);
    tcase_add_test(all, test_flipped_bits);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
