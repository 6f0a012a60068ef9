#include "mpc/machine_table.h"
#include "tests/check_main.h"
#include "tests/parties.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct parties_saved saved, renewed;
static const uint8_t key_id[TS_KEY_ID_BYTES] = "sixteen bytes id";

static void
save(void)
{
    parties_save(&saved, TS_CURVE_P256, 2048, 0);
    parties_save(&renewed, TS_CURVE_P256, 2048, 2);
}

static void
forget(void)
{
    parties_saved_clear(&saved);
    parties_saved_clear(&renewed);
}

/* Everything that the four runs need. */
struct world {
    struct parties parties;
    struct ts_pairing *fresh[2];
};

static void
open_world(struct world *world)
{
    parties_open(&world->parties, &saved);
    for (int i = 0; i < 2; i++) {
        const struct ts_buf *bytes = &renewed.pairing[i];
        ck_assert_int_eq(ts_pairing_decode(&world->fresh[i], world->parties.mpc, bytes->data, bytes->len), TS_OK);
        memcpy(world->fresh[i]->id, world->parties.pairing[i]->id, TS_PAIRING_ID_BYTES);
    }
}

static void
close_world(struct world *world)
{
    ts_pairing_free(world->fresh[0]);
    ts_pairing_free(world->fresh[1]);
    parties_close(&world->parties);
}

enum kind { PAIR, KEYGEN, PRESIGN, REFRESH, KINDS };
static const unsigned inputs[KINDS][2] = {{2, 3}, {3, 3}, {2, 2}, {3, 3}}; /* payloads that P1, P2 wait for */

static void
machines_of(struct ts_machine *machines[2], struct world *world, enum kind kind)
{
    struct parties *parties = &world->parties;

    if (kind == PAIR) {
        parties_pair_machines(machines, parties, 2048, 0, 1);
    } else if (kind == KEYGEN) {
        ck_assert_int_eq(
            ts_keygen_p1_new(&machines[0], parties->mpc, parties->pairing[0], TS_CURVE_P256, key_id), TS_OK);
        ck_assert_int_eq(ts_keygen_p2_new(&machines[1], parties->mpc, parties->pairing[1]), TS_OK);
    } else if (kind == PRESIGN) {
        parties_presign_machines(machines, parties, 1, 0);
    } else {
        ck_assert_int_eq(ts_refresh_p1_new(&machines[0], parties->mpc, world->fresh[0], parties->half[0]), TS_OK);
        ck_assert_int_eq(ts_refresh_p2_new(&machines[1], parties->mpc, world->fresh[1], parties->half[1]), TS_OK);
    }
}

/* Let a run go on until `role` has taken so many payloads. */
static void
advance(struct ts_machine *machines[2], unsigned role, unsigned payloads)
{
    struct ts_buf payload, next;
    unsigned taken = 0;

    ts_buf_init(&payload, (size_t)1 << 20);
    ts_buf_init(&next, (size_t)1 << 20);
    for (unsigned turn = 0; !(taken == payloads && (role != 0 || turn > 0)); turn++) {
        ck_assert_int_eq(ts_machine_step(machines[turn % 2], &next, turn ? payload.data : NULL, payload.len), TS_OK);
        taken += turn > 0 && turn % 2 == role;
        ts_buf_clear(&payload);
        ts_buf_put(&payload, next.data, next.len);
        ts_buf_clear(&next);
    }
    ts_buf_clear(&payload);
}

static void
record_run(struct parties_record *record, struct world *world, enum kind kind)
{
    struct ts_machine *machines[2];
    int failed = -1;

    *record = (struct parties_record){0};
    machines_of(machines, world, kind);
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], parties_record, record), TS_OK);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
}

/* The payload that a role takes after `taken` others: its turn comes at every second one. */
static unsigned
expected_payload(unsigned role, unsigned taken)
{
    return role == 0 ? 2 * taken + 2 : 2 * taken + 1;
}

static void
feed(struct ts_machine *machines[2], unsigned role, const struct ts_buf *payload, const char *what)
{
    struct ts_buf out;
    bool done = ts_machine_done(machines[role]);

    ts_buf_init(&out, (size_t)1 << 20);
    enum ts_error error = ts_machine_step(machines[role], &out, payload->data, payload->len);
    ck_assert_msg(done ? error == TS_USAGE : error == TS_FORMAT || error == TS_CHEATED, "%s", what);
    ck_assert_msg(out.len == 0, "%s", what);
    ck_assert_str_eq(ts_machine_state(machines[role]), done ? "COMPLETED" : "FAILED");
    if (!done) {
        ck_assert(machines[role]->run == NULL && machines[role]->scope == NULL);
        ck_assert_int_eq(ts_machine_step(machines[role], &out, payload->data, payload->len), TS_USAGE);
    }
    ts_buf_clear(&out);
}

/* Every payload of a whole run in every state of both machines: none is taken but the one that is due. */
START_TEST(test_every_payload_in_every_state)
{
    struct world world;
    struct parties_record record;
    enum kind kind = (enum kind)_i;

    open_world(&world);
    record_run(&record, &world, kind);
    for (unsigned role = 0; role < 2; role++) {
        for (unsigned taken = 0; taken <= inputs[kind][role]; taken++) {
            for (unsigned number = 1; number <= record.count; number++) {
                struct ts_machine *machines[2];
                char what[80];
                if (number == expected_payload(role, taken))
                    continue; /* the due one, if of another run, is replayed in the tests of each run */
                machines_of(machines, &world, kind);
                advance(machines, role, taken);
                snprintf(what, sizeof what, "kind %d role %u taken %u payload %u", (int)kind, role, taken, number);
                feed(machines, role, &record.payloads[number - 1], what);
                ts_machine_free(machines[0]);
                ts_machine_free(machines[1]);
            }
        }
    }
    parties_record_clear(&record);
    close_world(&world);
}
END_TEST

/* A caller's mistake changes nothing. */
START_TEST(test_usage_changes_nothing)
{
    struct world world;
    struct ts_machine *machines[2];
    struct ts_buf out;
    int failed = -1;

    open_world(&world);
    ts_buf_init(&out, 4096);
    machines_of(machines, &world, KEYGEN);
    ck_assert_int_eq(ts_machine_step(machines[0], &out, key_id, 3), TS_USAGE);
    ck_assert_int_eq(ts_machine_step(machines[0], &out, NULL, 3), TS_USAGE);
    ck_assert_int_eq(ts_machine_step(machines[1], &out, NULL, 0), TS_USAGE);
    ck_assert_int_eq(ts_machine_step(NULL, &out, NULL, 0), TS_USAGE);
    ck_assert_uint_eq(out.len, 0);
    ck_assert_str_eq(ts_machine_state(machines[0]), "KEYGEN_P1");
    ck_assert_int_eq(parties_pump(&failed, machines[0], machines[1], NULL, NULL), TS_OK);
    ck_assert_str_eq(ts_machine_state(machines[0]), "COMPLETED");
    ck_assert_int_eq(ts_machine_step(machines[0], &out, NULL, 0), TS_USAGE);
    ck_assert_int_eq(ts_machine_step(machines[1], &out, key_id, 3), TS_USAGE);
    ck_assert(ts_machine_done(machines[0]) && ts_machine_done(machines[1]));
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    ts_machine_free(NULL);
    close_world(&world);
}
END_TEST

START_TEST(test_empty_and_wild_payloads)
{
    struct world world;
    struct ts_machine *machines[2];
    struct ts_buf out;
    unsigned seed = parties_seed("wild payloads");

    open_world(&world);
    srandom(seed);
    ts_buf_init(&out, (size_t)1 << 20);
    for (int i = 0; i < 400; i++) {
        uint8_t wild[400];
        size_t len = (size_t)random() % sizeof wild;
        for (size_t j = 0; j < len; j++)
            wild[j] = (uint8_t)random();
        machines_of(machines, &world, i % 3 == 0 ? KEYGEN : i % 3 == 1 ? PRESIGN : REFRESH);
        ck_assert_int_eq(ts_machine_step(machines[1], &out, wild, i < 3 ? 0 : len), TS_FORMAT);
        ck_assert_int_eq(ts_machine_step(machines[0], &out, NULL, 0), TS_OK);
        ck_assert_int_eq(ts_machine_step(machines[0], &out, wild, i < 3 ? 0 : len), TS_FORMAT);
        ts_buf_clear(&out);
        ts_machine_free(machines[0]);
        ts_machine_free(machines[1]);
    }
    close_world(&world);
}
END_TEST

/* An output that does not fit ends the machine, for what was said is then unknown. */
START_TEST(test_output_without_room)
{
    struct world world;
    struct ts_machine *machines[2];
    struct ts_buf out;

    open_world(&world);
    machines_of(machines, &world, KEYGEN);
    ts_buf_init(&out, 10);
    ck_assert_int_ne(ts_machine_step(machines[0], &out, NULL, 0), TS_OK);
    ck_assert_uint_eq(out.len, 0);
    ck_assert_str_eq(ts_machine_state(machines[0]), "FAILED");
    ts_buf_clear(&out);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    close_world(&world);
}
END_TEST

static enum ts_error
no_entropy(void *ctx, uint8_t *out, size_t len)
{
    unsigned *left = ctx;

    if (*left == 0)
        return TS_INTERNAL;
    --*left;
    memset(out, (int)*left + 1, len);
    return TS_OK;
}

/* The generator fails at each of its calls in turn: an internal error, never a payload made without it. */
START_TEST(test_failing_generator)
{
    struct world world;
    struct ts_machine *machines[2];
    unsigned good = 0;
    int failed = -1;
    enum ts_error error = TS_INTERNAL;

    open_world(&world);
    while (error != TS_OK) {
        unsigned left = good++;
        ck_assert_uint_lt(good, 100);
        const struct ts_entropy entropy = world.parties.env.entropy;
        machines_of(machines, &world, (enum kind)_i);
        world.parties.env.entropy = (struct ts_entropy){&left, no_entropy};
        error = parties_pump(&failed, machines[0], machines[1], NULL, NULL);
        world.parties.env.entropy = entropy;
        ck_assert(error == TS_OK || error == TS_INTERNAL);
        ts_machine_free(machines[0]);
        ts_machine_free(machines[1]);
    }
    ck_assert_uint_gt(good, 3);
    close_world(&world);
}
END_TEST

START_TEST(test_forked_child)
{
    struct world world;
    struct ts_machine *machines[2];
    struct ts_buf out;
    int status = -1;

    open_world(&world);
    machines_of(machines, &world, PRESIGN);
    ts_buf_init(&out, 65536);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bool good = ts_machine_step(machines[0], &out, NULL, 0) == TS_USAGE && !ts_machine_done(machines[0]) &&
                    strcmp(ts_machine_state(machines[0]), "FAILED") == 0 && ts_presign_count(machines[0]) == 0;
        ts_machine_free(machines[0]);
        _exit(good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(ts_machine_step(machines[0], &out, NULL, 0), TS_OK);
    ts_buf_clear(&out);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    close_world(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("machine");
    TCase *all = tcase_create("machine");

    tcase_add_unchecked_fixture(all, save, forget);
    tcase_add_loop_test(all, test_every_payload_in_every_state, 0, KINDS);
    tcase_add_test(all, test_usage_changes_nothing);
    tcase_add_test(all, test_empty_and_wild_payloads);
    tcase_add_test(all, test_output_without_room);
    tcase_add_loop_test(all, test_failing_generator, KEYGEN, KINDS);
    tcase_add_test(all, test_forked_child);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
