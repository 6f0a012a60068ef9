#include "tests/check_main.h"
#include "tests/two_sides.h"
#include "transport/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Refresh between two real sides: tests of the mathematics are in test_refresh.c. */

static struct two_sides both;
static struct ts_new_key key;

static struct ts_store *
store1(void)
{
    return ts_enterprise_store(both.enterprise);
}

static void
set_up(void)
{
    two_sides_start(&both);
    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    two_sides_give_primes(&both, "4", "6");
}

static void
tear_down(void)
{
    two_sides_stop(&both);
}

static enum ts_error
refresh(const struct ts_new_key *which)
{
    struct ts_refresh_job job = {.asker = {.application = "test", .host = "here", .user = "admin"}};
    uint32_t generation = 0;

    memcpy(job.key, which->key, sizeof job.key);
    return ts_refresh_enterprise(&generation, both.enterprise, both.p1.token, both.p1.keyring, &job);
}

static void
restart_peer(void (*tamper)(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits))
{
    two_sides_stop_peer(&both);
    both.tamper = tamper;
    two_sides_start_peer(&both);
}

static bool
holds(struct ts_store *store, uint32_t generation)
{
    struct ts_half_row row;
    enum ts_error error = ts_half_get_generation(&row, store, key.key, generation);

    ck_assert(error == TS_OK || error == TS_NOT_FOUND);
    return error == TS_OK;
}

static struct ts_half_row
active(struct ts_store *store)
{
    struct ts_half_row row;

    ck_assert_int_eq(ts_half_get(&row, store, key.key, false), TS_OK);
    return row;
}

/* Are the parameters that the pairing began with still there? */
static bool
holds_first_parameters(struct ts_store *store, const struct ts_keyring *keyring)
{
    static const uint8_t first[TS_AUX_BYTES];
    struct ts_half_row row = active(store);
    struct ts_buf data;

    ts_buf_init_secret(&data, 65536);
    enum ts_error error = ts_parameters_data(&data, store, keyring, row.pairing, first);
    ts_buf_clear(&data);
    ck_assert(error == TS_OK || error == TS_NOT_FOUND);
    return error == TS_OK;
}

START_TEST(a_key_signs_on_with_new_halves)
{
    struct ts_new_key other;

    ck_assert_int_eq(two_sides_sign(&both, &key, "before"), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &other, TS_CURVE_P256), TS_OK);
    ck_assert_int_eq(refresh(&key), TS_OK);
    ck_assert_uint_eq(both.asked_refresh, 1);
    ck_assert(!both.shown_locked);
    ck_assert_uint_eq(active(store1()).generation, 1);
    ck_assert_uint_eq(active(both.peer_store).generation, 1);
    ck_assert(active(store1()).acknowledged);
    ck_assert(!holds(store1(), 0) && !holds(both.peer_store, 0)); /* erased */
    ck_assert_int_eq(two_sides_sign(&both, &key, "after"), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &other, "of the first parameters"), TS_OK);
    ck_assert(holds_first_parameters(store1(), both.p1.keyring));
    two_sides_restart_enterprise(&both);
    restart_peer(NULL);
    ck_assert_int_eq(two_sides_sign(&both, &key, "from the stores"), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &other, "from the stores"), TS_OK);
}
END_TEST

START_TEST(the_first_parameters_go_with_their_last_key)
{
    struct ts_new_key fresh;

    ck_assert_int_eq(refresh(&key), TS_OK);
    ck_assert(!holds_first_parameters(store1(), both.p1.keyring));
    ck_assert(!holds_first_parameters(both.peer_store, both.p2.keyring));
    ck_assert_int_eq(two_sides_make_key(&both, &fresh, TS_CURVE_P256), TS_OK); /* with the new ones */
    ck_assert_int_eq(two_sides_sign(&both, &fresh, "new"), TS_OK);
    two_sides_give_primes(&both, "0", "2");
    ck_assert_int_eq(refresh(&key), TS_OK);
    ck_assert_uint_eq(active(store1()).generation, 2);
    ck_assert_int_eq(two_sides_sign(&both, &key, "again"), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &fresh, "still"), TS_OK);
    two_sides_restart_enterprise(&both);
    ck_assert_int_eq(two_sides_make_key(&both, &fresh, TS_CURVE_P256), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &fresh, "newest"), TS_OK);
}
END_TEST

START_TEST(a_lock_is_lifted_on_both_sides)
{
    ck_assert_int_eq(ts_half_lock(store1(), key.key, "seen cheating"), TS_OK);
    ck_assert_int_eq(ts_half_lock(both.peer_store, key.key, "was told"), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &key, "locked"), TS_LOCKED);
    both.verdict = TS_REFUSED;
    ck_assert_int_eq(refresh(&key), TS_REFUSED);
    ck_assert(both.shown_locked);
    ck_assert_int_eq(two_sides_sign(&both, &key, "locked"), TS_LOCKED);
    both.verdict = TS_OK;
    ck_assert_int_eq(refresh(&key), TS_OK); /* the refusal has cost no primes */
    ck_assert(!active(store1()).locked && !active(both.peer_store).locked);
    ck_assert_int_eq(two_sides_sign(&both, &key, "unlocked"), TS_OK);
}
END_TEST

static void
cut_confirmation(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits)
{
    (void)curve, (void)bits;
    if (type == TS_MESSAGE_REFRESH_CONFIRM)
        payload->len--;
}

START_TEST(a_run_that_broke_off_makes_room_for_the_next)
{
    restart_peer(cut_confirmation);
    ck_assert_int_eq(refresh(&key), TS_FORMAT);
    ck_assert(!holds(store1(), 1) && holds(both.peer_store, 1));
    ck_assert_int_eq(two_sides_sign(&both, &key, "the old halves sign on"), TS_OK);
    restart_peer(NULL);
    two_sides_give_primes(&both, "4", "6"); /* even with the same parameters */
    ck_assert_int_eq(refresh(&key), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &key, "and the new ones"), TS_OK);
    ck_assert(!holds(both.peer_store, 0));
}
END_TEST

static void
spoil_acknowledgement(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits)
{
    (void)curve, (void)bits;
    if (type == TS_MESSAGE_COMMIT_DONE)
        payload->data[payload->len - 1] ^= 1;
}

START_TEST(a_commit_is_repeated_until_it_is_acknowledged)
{
    restart_peer(spoil_acknowledgement);
    ck_assert_int_eq(refresh(&key), TS_OK);
    ck_assert(!active(store1()).acknowledged && holds(store1(), 0)); /* the old half stays until then */
    ck_assert(holds_first_parameters(store1(), both.p1.keyring));
    ck_assert(!holds(both.peer_store, 0));
    restart_peer(NULL);
    /* A lock that came after the refresh is not lifted by the repeated commit. */
    ck_assert_int_eq(ts_half_lock(both.peer_store, key.key, "later"), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &key, "locked at the peer"), TS_LOCKED);
    ck_assert(active(both.peer_store).locked);
    ck_assert(active(store1()).acknowledged && !holds(store1(), 0));
}
END_TEST

static void
wrong_coin(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits)
{
    (void)curve, (void)bits;
    if (type == TS_MESSAGE_REFRESH_CONFIRM)
        payload->data[3] ^= 1;
}

START_TEST(a_wrong_confirmation_locks)
{
    restart_peer(wrong_coin);
    ck_assert_int_eq(refresh(&key), TS_CHEATED);
    ck_assert(active(store1()).locked && active(both.peer_store).locked);
    ck_assert_uint_eq(active(store1()).generation, 0);
}
END_TEST

static void
copy_file(const char *from, const char *to)
{
    char command[1400];

    (void)snprintf(command, sizeof command, "cp '%s' '%s' && rm -f '%s-wal' '%s-shm'", from, to, to, to);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): two paths of our own */
}

START_TEST(a_restored_backup_neither_signs_nor_refreshes)
{
    char backup[600];

    (void)snprintf(backup, sizeof backup, "%s/backup.db", both.folder);
    two_sides_restart_enterprise(&both); /* everything is in the one file then */
    copy_file(both.p1.path, backup);
    ck_assert_int_eq(refresh(&key), TS_OK);
    ts_enterprise_shutdown(both.enterprise);
    ts_enterprise_close(both.enterprise);
    copy_file(backup, both.p1.path);
    ck_assert_int_eq(remove(backup), 0);
    ck_assert_int_eq(ts_enterprise_open(&both.enterprise, &both.p1.env, &both.p1.config), TS_OK);
    ck_assert_uint_eq(active(store1()).generation, 0);
    ck_assert_int_eq(two_sides_sign(&both, &key, "from the backup"), TS_NOT_FOUND);
    unsigned asked = both.asked_refresh;
    ck_assert_int_eq(refresh(&key), TS_NOT_FOUND);
    ck_assert_uint_eq(both.asked_refresh, asked); /* nobody was even asked */
}
END_TEST

static enum ts_error results[2];

static void *
refresh_thread(void *argument)
{
    enum ts_error *result = argument;

    *result = refresh(&key);
    return NULL;
}

START_TEST(two_at_once_do_not_meet)
{
    pthread_t threads[2];

    two_sides_give_primes(&both, "0", "2");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, refresh_thread, &results[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert(results[0] == TS_OK || results[1] == TS_OK);
    for (int i = 0; i < 2; i++)
        ck_assert(results[i] == TS_OK || results[i] == TS_EXISTS);
    ck_assert_int_eq(two_sides_sign(&both, &key, "whole"), TS_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("renewal");
    TCase *tests = tcase_create("renewal");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, a_key_signs_on_with_new_halves);
    tcase_add_test(tests, the_first_parameters_go_with_their_last_key);
    tcase_add_test(tests, a_lock_is_lifted_on_both_sides);
    tcase_add_test(tests, a_run_that_broke_off_makes_room_for_the_next);
    tcase_add_test(tests, a_commit_is_repeated_until_it_is_acknowledged);
    tcase_add_test(tests, a_wrong_confirmation_locks);
    tcase_add_test(tests, a_restored_backup_neither_signs_nor_refreshes);
    tcase_add_test(tests, two_at_once_do_not_meet);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
