#include "mpc/keygen_message.h"
#include "mpc/keygen_run.h"
#include "mpc/share.h"
#include "tests/check_main.h"
#include "tests/parties.h"

#include <string.h>

static struct parties_saved saved;
static const uint8_t key_id[TS_KEY_ID_BYTES] = "sixteen bytes id";

static void
save(void)
{
    parties_save(&saved, TS_CURVE_P256, 2048, 0);
}

static void
forget(void)
{
    parties_saved_clear(&saved);
}

static void
machines_of(struct ts_machine *machines[2], struct parties *parties)
{
    ck_assert_int_eq(ts_keygen_p1_new(&machines[0], parties->mpc, parties->pairing[0], TS_CURVE_P256, key_id), TS_OK);
    ck_assert_int_eq(ts_keygen_p2_new(&machines[1], parties->mpc, parties->pairing[1]), TS_OK);
}

START_TEST(test_halves_fit)
{
    struct parties parties;

    parties_open(&parties, &saved);
    parties_keygen(&parties, TS_CURVE_SECP256K1);
    const struct ts_half *one = parties.half[0], *two = parties.half[1];
    const struct ts_group *group = ts_mpc_group(parties.mpc, TS_CURVE_SECP256K1);
    struct ts_scope *scope = NULL;
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    const struct ts_num *x = ts_num_add(scope, one->x, two->x);
    ck_assert(ts_point_equal(group, ts_point_mul_base(scope, group, x), one->X));
    ck_assert(ts_point_equal(group, one->X, two->X));
    ck_assert(ts_point_equal(group, one->X1, two->X1) && ts_point_equal(group, one->X2, two->X2));
    ck_assert(ts_num_equal_vartime(one->C, two->C));
    ck_assert(ts_num_equal(ts_paillier_decrypt(scope, &parties.pairing[0]->own, two->C), one->x));
    ck_assert_mem_eq(one->key, two->key, TS_KEY_ID_BYTES);
    ck_assert_mem_ne(one->hk, two->hk, TS_HEDGE_KEY_BYTES);
    ck_assert_uint_eq(one->generation, 0);
    ts_scope_free(scope);
    parties_close(&parties);
}
END_TEST

START_TEST(test_refused_arguments)
{
    struct parties parties;
    struct ts_machine *machine = NULL;

    parties_open(&parties, &saved);
    const struct ts_pairing *one = parties.pairing[0], *two = parties.pairing[1];
    ck_assert_int_eq(ts_keygen_p1_new(&machine, parties.mpc, one, TS_CURVE_P384, key_id), TS_USAGE);
    ck_assert_int_eq(ts_keygen_p1_new(&machine, parties.mpc, one, TS_CURVE_NONE, key_id), TS_USAGE);
    ck_assert_int_eq(ts_keygen_p1_new(&machine, parties.mpc, two, TS_CURVE_P256, key_id), TS_USAGE);
    ck_assert_int_eq(ts_keygen_p2_new(&machine, parties.mpc, one), TS_USAGE);
    ck_assert_ptr_null(machine);
    parties_close(&parties);
}
END_TEST

START_TEST(test_asked_and_taken_once)
{
    struct parties parties;
    struct ts_machine *machines[2];
    enum ts_curve curve;
    uint8_t key[TS_KEY_ID_BYTES], confirmation[TS_HASH_BYTES];
    struct ts_half *half = NULL;
    int failed = -1;

    parties_open(&parties, &saved);
    machines_of(machines, &parties);
    ck_assert_int_eq(ts_keygen_p2_asked(&curve, key, machines[1]), TS_USAGE);
    ck_assert_int_eq(ts_keygen_take(&half, confirmation, machines[0]), TS_USAGE);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    ck_assert_int_eq(ts_keygen_p2_asked(&curve, key, machines[0]), TS_USAGE);
    ck_assert_int_eq(ts_keygen_p2_asked(&curve, key, machines[1]), TS_OK);
    ck_assert_int_eq(curve, TS_CURVE_P256);
    ck_assert_mem_eq(key, key_id, sizeof key);
    ck_assert_int_eq(ts_keygen_take(&half, confirmation, machines[0]), TS_OK);
    ts_half_free(half);
    ck_assert_int_eq(ts_keygen_take(&half, confirmation, machines[0]), TS_USAGE);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    parties_close(&parties);
}
END_TEST

static struct parties_cheat cheats[] = {
    {1, "key", 0, TS_CHEATED, 0},
    {1, "n1", 0, TS_CHEATED, 0},
    {1, "pairing", 0, TS_FORMAT, 1},
    {2, "n2", 0, TS_CHEATED, 0},
    {3, "c", 0, TS_CHEATED, 1},
    {4, "z", 0, TS_CHEATED, 0},
    {5, "z", 0, TS_CHEATED, 1},
    {5, "u", 0, TS_CHEATED, 1},
    {5, "C", 0, TS_CHEATED, 1},
    {5, "S", 0, TS_CHEATED, 1},
    {5, "A", 0, TS_CHEATED, 1},
    {5, "D", 0, TS_CHEATED, 1},
    {5, "z1", 0, TS_CHEATED, 1},
    {5, "z2", 0, TS_CHEATED, 1},
    {5, "z3", 0, TS_CHEATED, 1},
    {6, NULL, 0, TS_CHEATED, 0},
};

START_TEST(test_cheats)
{
    struct parties parties;
    struct ts_machine *machines[2];

    parties_open(&parties, &saved);
    machines_of(machines, &parties);
    parties_expect(machines, parties_cheat, &cheats[_i], cheats[_i].error, cheats[_i].failed);
    parties_close(&parties);
}
END_TEST

/* A P1 that commits to what is no proof, or encrypts what is not its share. */
struct liar {
    struct ts_keygen_run *run;
    bool proof;
};

static void
lie(void *ctx, unsigned number, struct ts_buf *payload)
{
    const struct liar *liar = ctx;
    struct ts_keygen_run *run = liar->run;
    struct ts_scope *scope = run->half->scope;
    uint8_t c[TS_HASH_BYTES];

    if (number != 3)
        return;
    if (!liar->proof) {
        run->half->x = ts_num_add(scope, run->half->x, ts_num_from_u64(scope, 1));
        return;
    }
    run->X1.proof.z = ts_num_sub(scope, run->X1.proof.z, ts_num_from_u64(scope, 1));
    ck_assert_int_eq(ts_known_point_commit(c, run->u, &run->place, &run->X1), TS_OK);
    memcpy(payload->data + payload->len - sizeof c, c, sizeof c);
}

START_TEST(test_lying_p1)
{
    struct parties parties;
    struct ts_machine *machines[2];

    parties_open(&parties, &saved);
    machines_of(machines, &parties);
    struct liar liar = {machines[0]->run, _i == 0};
    parties_expect(machines, lie, &liar, TS_CHEATED, 1);
    parties_close(&parties);
}
END_TEST

START_TEST(test_replay)
{
    struct parties parties;
    struct ts_machine *machines[2];
    struct parties_record record = {0};
    int failed = -1;

    parties_open(&parties, &saved);
    machines_of(machines, &parties);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], parties_record, &record), TS_OK);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    ck_assert_uint_eq(record.count, 7);
    for (unsigned number = 1; number <= 6; number++) {
        struct parties_replay replay = {number, &record};
        machines_of(machines, &parties);
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
    unsigned seed = parties_seed("keygen flips");

    parties_open(&parties, &saved);
    srandom(seed);
    for (int i = 0; i < 120; i++) {
        struct parties_flip flip = {1 + (unsigned)i % 6, (uint32_t)random()};
        int failed = -1;
        machines_of(machines, &parties);
        enum ts_error error = parties_pump(&failed, machines[0], machines[1], parties_flip, &flip);
        ck_assert_msg(error == TS_CHEATED || error == TS_FORMAT, "payload %u, random %u: %s", flip.number, flip.random,
            ts_error_text(error));
        ts_machine_free(machines[0]);
        ts_machine_free(machines[1]);
    }
    parties_close(&parties);
}
END_TEST

/* P1 asks for a curve that P2 must not take with 2048 bits, or for none. */
START_TEST(test_p2_refuses_curves)
{
    static const enum ts_curve curves[] = {TS_CURVE_P256, TS_CURVE_NONE, TS_CURVE_P384, TS_CURVE_P521};
    struct parties parties;
    struct ts_machine *machine = NULL;
    struct ts_buf in, out;

    parties_open(&parties, &saved);
    struct ts_keygen_start init = {.curve = curves[_i]};
    memcpy(init.pairing, parties.pairing[1]->id, sizeof init.pairing);
    ts_buf_init(&in, 1024);
    ts_buf_init(&out, 1024);
    ts_keygen_start_encode(&in, &init);
    ck_assert_int_eq(ts_keygen_p2_new(&machine, parties.mpc, parties.pairing[1]), TS_OK);
    ck_assert_int_eq(ts_machine_step(machine, &out, in.data, in.len), _i ? TS_FORMAT : TS_OK);
    ts_machine_free(machine);
    ts_buf_clear(&in);
    ts_buf_clear(&out);
    parties_close(&parties);
}
END_TEST

START_TEST(test_public_key_not_infinity)
{
    struct parties parties;

    parties_open(&parties, &saved);
    struct ts_half *half = parties.half[0];
    const struct ts_group *group = ts_mpc_group(parties.mpc, half->curve);
    ck_assert_int_eq(ts_half_join(half, parties.mpc), TS_OK);
    half->X2 = ts_point_mul(half->scope, group, ts_num_neg(half->scope, ts_num_from_u64(half->scope, 1)), half->X1);
    ck_assert_int_eq(ts_half_join(half, parties.mpc), TS_CHEATED);
    parties_close(&parties);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("keygen");
    TCase *all = tcase_create("keygen");

    tcase_add_unchecked_fixture(all, save, forget);
    tcase_add_test(all, test_halves_fit);
    tcase_add_test(all, test_refused_arguments);
    tcase_add_test(all, test_asked_and_taken_once);
    tcase_add_loop_test(all, test_cheats, 0, (int)(sizeof cheats / sizeof *cheats));
    tcase_add_loop_test(all, test_lying_p1, 0, 2);
    tcase_add_test(all, test_replay);
    tcase_add_test(all, test_flipped_bits);
    tcase_add_loop_test(all, test_p2_refuses_curves, 0, 4);
    tcase_add_test(all, test_public_key_not_infinity);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
