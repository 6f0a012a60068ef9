#include "mpc/presign_message.h"
#include "mpc/presign_run.h"
#include "tests/cheat.h"
#include "tests/check_main.h"
#include "tests/parties.h"

#include <string.h>

static struct parties_saved saved;

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

/* As many commitments as it says, but more than a batch may have. */
START_TEST(test_batch_is_bounded)
{
    static const uint32_t counts[] = {TS_BATCH_MAX, TS_BATCH_MAX + 1, 0, UINT32_MAX};
    struct parties parties;
    struct ts_machine *machines[2];
    struct ts_buf in, out;

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 1, 0);
    ts_buf_init(&in, (size_t)1 << 20);
    ts_buf_init(&out, (size_t)1 << 20);
    ts_presign_count_put(&in, counts[_i]);
    for (uint32_t i = 0; i < counts[_i] && i <= TS_BATCH_MAX; i++)
        ts_presign_commitment_put(&in, parties.n1);
    ck_assert_int_eq(ts_machine_step(machines[1], &out, in.data, in.len), _i ? TS_FORMAT : TS_OK);
    ts_buf_clear(&in);
    ts_buf_clear(&out);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
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

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 1, 0);
    parties_expect(machines, trail, &number, TS_FORMAT, number % 2 == 0 ? 0 : 1);
    parties_close(&parties);
}
END_TEST

START_TEST(test_batch)
{
    struct parties parties;
    struct ts_presig_p1 *p1[4];
    struct ts_presig_p2 *p2[4];

    parties_open(&parties, &saved);
    parties_presign(p1, p2, &parties, 4, 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_mem_eq(p1[i]->values.R, p2[i]->values.R, 65);
        ck_assert_mem_ne(p1[i]->values.R, p1[(i + 1) % 4]->values.R, 65);
        ck_assert_uint_eq(p1[i]->owner.place.index, (unsigned)i);
        ck_assert(ts_presig_p1_belongs(p1[i], parties.half[0]) && ts_presig_p2_belongs(p2[i], parties.half[1]));
        parties.half[0]->generation++;
        parties.half[1]->key[0] ^= 1;
        ck_assert(!ts_presig_p1_belongs(p1[i], parties.half[0]) && !ts_presig_p2_belongs(p2[i], parties.half[1]));
        parties.half[0]->generation--;
        parties.half[1]->key[0] ^= 1;
    }
    for (int i = 0; i < 4; i++) {
        ts_presig_p1_free(p1[i]);
        ts_presig_p2_free(p2[i]);
    }
    parties_close(&parties);
}
END_TEST

static void
sign_and_free(struct parties *parties, struct ts_machine *machines[2], uint32_t index)
{
    const uint8_t digest[32] = {9, (uint8_t)index};
    uint8_t signature[64];
    struct ts_presig_p1 *p1 = NULL;
    struct ts_presig_p2 *p2 = NULL;

    ck_assert_int_eq(ts_presign_p1_take(&p1, machines[0], index), TS_OK);
    ck_assert_int_eq(ts_presign_p2_take(&p2, machines[1], index), TS_OK);
    ck_assert_int_eq(parties_sign(signature, p1, p2, digest, sizeof digest, "request"), TS_OK);
    ck_assert(parties_openssl_accepts(parties, digest, sizeof digest, signature));
    ts_presig_p1_free(p1);
    ts_presig_p2_free(p2);
}

/* Fewer, as many and more than P1 then asks for. */
START_TEST(test_prepared_ahead)
{
    struct parties parties;
    struct ts_machine *machines[2];
    uint32_t prepared = (uint32_t)_i;
    bool more = prepared > 0;
    int failed = -1;

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 2, 5);
    for (uint32_t i = 0; i < prepared; i++) {
        ck_assert(more);
        ck_assert_int_eq(ts_presign_p2_idle(&more, machines[1], prepared), TS_OK);
    }
    ck_assert(!more);
    ck_assert_int_eq(ts_presign_p2_idle(&more, machines[1], prepared), TS_OK);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    for (uint32_t i = 0; i < 2; i++)
        sign_and_free(&parties, machines, i);
    ck_assert_int_eq(ts_presign_p2_idle(&more, machines[1], 9), TS_USAGE);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    parties_close(&parties);
}
END_TEST

static void
step(struct ts_machine *machine, struct ts_buf *payload)
{
    struct ts_buf out;

    ts_buf_init(&out, 1 << 20);
    ck_assert_int_eq(ts_machine_step(machine, &out, payload->data, payload->len), TS_OK);
    ts_buf_clear(payload);
    *payload = out;
}

/* While P2 waits for the openings it prepares as many as P1 has asked for, whatever the caller says. */
START_TEST(test_prepared_between)
{
    struct parties parties;
    struct ts_machine *machines[2];
    struct ts_buf payload;
    bool more = true;

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 2, 0);
    ts_buf_init(&payload, 1 << 20);
    step(machines[0], &payload);
    ck_assert_int_eq(ts_presign_p2_idle(&more, machines[0], 2), TS_USAGE);
    step(machines[1], &payload);
    ck_assert_int_eq(ts_presign_p2_idle(&more, machines[1], 50), TS_OK);
    ck_assert(more);
    ck_assert_int_eq(ts_presign_p2_idle(&more, machines[1], 0), TS_OK);
    ck_assert(!more);
    step(machines[0], &payload);
    step(machines[1], &payload);
    step(machines[0], &payload);
    ts_buf_clear(&payload);
    sign_and_free(&parties, machines, 0);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    parties_close(&parties);
}
END_TEST

/* What is prepared belongs to one batch: the numbers of another sid are others, and P1 does not take them. */
START_TEST(test_prepared_for_another_batch)
{
    struct parties parties;
    struct ts_machine *machines[2], *later[2];
    bool more = false;
    int failed = -1;

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 1, 0);
    parties_presign_machines(later, &parties, 1, 1);
    ck_assert_int_eq(ts_presign_p2_idle(&more, later[1], 1), TS_OK);
    ck_assert_int_eq(parties_pump(&failed, machines[0], later[1], NULL, NULL), TS_CHEATED);
    ck_assert_int_eq(failed, 0);
    for (int i = 0; i < 2; i++) {
        ts_machine_free(machines[i]);
        ts_machine_free(later[i]);
    }
    parties_close(&parties);
}
END_TEST

START_TEST(test_taken_once)
{
    struct parties parties;
    struct ts_machine *machines[2];
    struct ts_presig_p1 *p1 = NULL;
    struct ts_presig_p2 *p2 = NULL;
    int failed = -1;

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 2, 0);
    ck_assert_int_eq(ts_presign_p1_take(&p1, machines[0], 0), TS_USAGE);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    ck_assert_int_eq(ts_presign_p1_take(&p1, machines[0], 2), TS_USAGE);
    ck_assert_int_eq(ts_presign_p1_take(&p1, machines[1], 0), TS_USAGE);
    ck_assert_int_eq(ts_presign_p1_take(&p1, machines[0], 1), TS_OK);
    ts_presig_p1_free(p1);
    ck_assert_int_eq(ts_presign_p1_take(&p1, machines[0], 1), TS_USAGE);
    ck_assert_int_eq(ts_presign_p2_take(&p2, machines[1], 1), TS_OK);
    ts_presig_p2_free(p2);
    ck_assert_int_eq(ts_presign_p2_take(&p2, machines[1], 1), TS_USAGE);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    parties_close(&parties);
}
END_TEST

START_TEST(test_refused_arguments)
{
    struct parties parties;
    struct ts_machine *machine = NULL;

    parties_open(&parties, &saved);
    struct ts_presign_place place = {parties.mpc, parties.pairing[0], parties.half[0], parties.n1, parties.n2, 0};
    ck_assert_int_eq(ts_presign_p1_new(&machine, &place, 0), TS_USAGE);
    ck_assert_int_eq(ts_presign_p1_new(&machine, &place, TS_BATCH_MAX + 1), TS_USAGE);
    ck_assert_int_eq(ts_presign_p2_new(&machine, &place), TS_USAGE);
    place.half = parties.half[1];
    ck_assert_int_eq(ts_presign_p1_new(&machine, &place, 1), TS_USAGE);
    place.half = parties.half[0];
    parties.half[0]->aux[0] ^= 1; /* a half of other parameters */
    ck_assert_int_eq(ts_presign_p1_new(&machine, &place, 1), TS_USAGE);
    ck_assert_ptr_null(machine);
    parties_close(&parties);
}
END_TEST

static struct parties_cheat cheats[] = {
    {1, "count", 0, TS_FORMAT, 1},
    {1, "c", 0, TS_CHEATED, 1},
    {1, "c", 1, TS_CHEATED, 1},
    {2, "z", 0, TS_CHEATED, 0},
    {2, "z", 1, TS_CHEATED, 0},
    {3, "z", 0, TS_CHEATED, 1},
    {3, "u", 1, TS_CHEATED, 1},
    {4, "D", 0, TS_CHEATED, 0},
    {4, "D", 1, TS_CHEATED, 0},
    {4, "A", 0, TS_CHEATED, 0},
    {4, "E", 0, TS_CHEATED, 0},
    {4, "F", 0, TS_CHEATED, 0},
    {4, "S", 0, TS_CHEATED, 0},
    {4, "T", 0, TS_CHEATED, 0},
    {4, "z1", 0, TS_CHEATED, 0},
    {4, "z2", 0, TS_CHEATED, 0},
    {4, "z3", 1, TS_CHEATED, 0},
    {4, "z4", 0, TS_CHEATED, 0},
    {4, "w", 0, TS_CHEATED, 0},
};

START_TEST(test_cheats)
{
    struct parties parties;
    struct ts_machine *machines[2];

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 2, 0);
    parties_expect(machines, parties_cheat, &cheats[_i], cheats[_i].error, cheats[_i].failed);
    parties_close(&parties);
}
END_TEST

/* A P1 that commits to a nonce's point with what is no proof. */
static void
lie(void *ctx, unsigned number, struct ts_buf *payload)
{
    struct ts_machine *machine = ctx;
    struct ts_presign_run *run = machine->run;
    struct ts_presign_opening *own = &run->entries[1].own;
    const struct ts_place place = ts_place_by(&run->place, TS_ROLE_P1, 1);
    uint8_t c[TS_HASH_BYTES];

    if (number != 1)
        return;
    own->R1.proof.z = ts_num_sub(machine->scope, own->R1.proof.z, ts_num_from_u64(machine->scope, 1));
    ck_assert_int_eq(ts_known_point_commit(c, own->u, &place, &own->R1), TS_OK);
    memcpy(cheat_find(NULL, NULL, payload, "c", 1), c, sizeof c);
}

START_TEST(test_lying_p1)
{
    struct parties parties;
    struct ts_machine *machines[2];

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 2, 0);
    parties_expect(machines, lie, machines[0], TS_CHEATED, 1);
    parties_close(&parties);
}
END_TEST

/* Exchange the two entries of a payload. */
static void
reorder(void *ctx, unsigned number, struct ts_buf *payload)
{
    static const char *const first[] = {"c", "W", "W", "D"};
    struct ts_buf swapped;
    size_t head = 0;

    if (number != *(unsigned *)ctx)
        return;
    size_t one = (size_t)(cheat_find(NULL, &head, payload, first[number - 1], 0) - payload->data) - head;
    size_t two = (size_t)(cheat_find(NULL, &head, payload, first[number - 1], 1) - payload->data) - head;
    ts_buf_init(&swapped, payload->max);
    ts_buf_put(&swapped, payload->data, one);
    ts_buf_put(&swapped, payload->data + two, payload->len - two);
    ts_buf_put(&swapped, payload->data + one, two - one);
    ts_buf_clear(payload);
    ck_assert_int_eq(ts_buf_put(payload, swapped.data, swapped.len), TS_OK);
    ts_buf_clear(&swapped);
}

START_TEST(test_reordered)
{
    struct parties parties;
    struct ts_machine *machines[2];
    unsigned number = (unsigned)_i;

    parties_open(&parties, &saved);
    parties_presign_machines(machines, &parties, 2, 0);
    parties_expect(machines, reorder, &number, TS_CHEATED, number % 2 == 0 ? 0 : 1);
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
    parties_presign_machines(machines, &parties, 2, 0);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], parties_record, &record), TS_OK);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    ck_assert_uint_eq(record.count, 4);
    for (unsigned number = 1; number <= 4; number++) {
        struct parties_replay replay = {number, &record};
        parties_presign_machines(machines, &parties, 2, 1);
        parties_expect(machines, parties_replay, &replay, TS_CHEATED, number % 2 == 0 ? 0 : 1);
    }
    parties_record_clear(&record);
    parties_close(&parties);
}
END_TEST

/* Two sides that do not mean the same run have different sids, and the first proof fails. */
START_TEST(test_other_run)
{
    struct parties parties;
    struct ts_machine *machines[2];
    uint8_t other[TS_NONCE_BYTES] = {0};

    parties_open(&parties, &saved);
    struct ts_presign_place place = {parties.mpc, parties.pairing[0], parties.half[0], parties.n1, parties.n2, 4};
    ck_assert_int_eq(ts_presign_p1_new(&machines[0], &place, 1), TS_OK);
    place.pairing = parties.pairing[1];
    place.half = parties.half[1];
    place.batch += _i == 0;
    place.n1 = _i == 1 ? other : place.n1;
    place.n2 = _i == 2 ? other : place.n2;
    parties.half[1]->key[3] ^= _i == 3;
    parties.half[1]->generation += _i == 4;
    parties.pairing[1]->id[0] ^= _i == 5;
    parties.half[1]->aux[31] ^= _i == 6;
    parties.pairing[1]->aux[31] ^= _i == 6;
    parties.half[1]->X = _i == 7 ? parties.half[1]->X1 : parties.half[1]->X;
    ck_assert_int_eq(ts_presign_p2_new(&machines[1], &place), TS_OK);
    parties_expect(machines, NULL, NULL, TS_CHEATED, 0);
    parties_close(&parties);
}
END_TEST

/* A changed nonce commitment is noticed when the nonce is opened, everything else at once. */
static bool
hits(const struct ts_buf *payload, const char *label, uint32_t random)
{
    size_t byte = random % (8 * payload->len) / 8;

    for (unsigned nth = 0; nth < 2; nth++) {
        size_t len = 0;
        size_t start = (size_t)(cheat_find(&len, NULL, payload, label, nth) - payload->data);
        if (byte >= start && byte < start + len)
            return true;
    }
    return false;
}

struct watched_flip {
    struct parties_flip flip;
    bool late;
};

static void
watched_flip(void *ctx, unsigned number, struct ts_buf *payload)
{
    struct watched_flip *watched = ctx;

    if (number == 2 && watched->flip.number == 2)
        watched->late = hits(payload, "cn", watched->flip.random);
    parties_flip(&watched->flip, number, payload);
}

static void
check_nonce_commitment(struct ts_machine *machines[2])
{
    static const uint8_t digest[32] = {1, 2, 3};
    uint8_t signature[64];
    unsigned caught = 0;

    for (uint32_t i = 0; i < 2; i++) {
        struct ts_presig_p1 *p1 = NULL;
        struct ts_presig_p2 *p2 = NULL;
        ck_assert_int_eq(ts_presign_p1_take(&p1, machines[0], i), TS_OK);
        ck_assert_int_eq(ts_presign_p2_take(&p2, machines[1], i), TS_OK);
        caught += parties_sign(signature, p1, p2, digest, sizeof digest, "request") == TS_CHEATED;
        ts_presig_p1_free(p1);
        ts_presig_p2_free(p2);
    }
    ck_assert_uint_eq(caught, 1);
}

START_TEST(test_flipped_bits)
{
    struct parties parties;
    struct ts_machine *machines[2];
    unsigned seed = parties_seed("presign flips");

    parties_open(&parties, &saved);
    srandom(seed);
    for (int i = 0; i < 80; i++) {
        struct watched_flip watched = {{1 + (unsigned)i % 4, (uint32_t)random()}, false};
        int failed = -1;
        parties_presign_machines(machines, &parties, 2, 0);
        enum ts_error error = parties_pump(&failed, machines[0], machines[1], watched_flip, &watched);
        if (watched.late)
            check_nonce_commitment(machines);
        ck_assert_msg(watched.late ? error == TS_OK : error == TS_CHEATED || error == TS_FORMAT,
            "payload %u, random %u: %s", watched.flip.number, watched.flip.random, ts_error_text(error));
        ts_machine_free(machines[0]);
        ts_machine_free(machines[1]);
    }
    parties_close(&parties);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("presign");
    TCase *all = tcase_create("presign");

    tcase_add_unchecked_fixture(all, save, forget);
    tcase_add_loop_test(all, test_batch_is_bounded, 0, 4);
    tcase_add_test(all, test_batch);
    tcase_add_loop_test(all, test_trailing_byte, 1, 5);
    tcase_add_loop_test(all, test_prepared_ahead, 0, 4);
    tcase_add_test(all, test_prepared_between);
    tcase_add_test(all, test_prepared_for_another_batch);
    tcase_add_test(all, test_taken_once);
    tcase_add_test(all, test_refused_arguments);
    tcase_add_loop_test(all, test_cheats, 0, (int)(sizeof cheats / sizeof *cheats));
    tcase_add_test(all, test_lying_p1);
    tcase_add_loop_test(all, test_reordered, 1, 5);
    tcase_add_test(all, test_replay);
    tcase_add_loop_test(all, test_other_run, 0, 8);
    tcase_add_test(all, test_flipped_bits);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
