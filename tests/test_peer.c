#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct fixture fx;
static const char pairing_data[] = "what both sides agreed on";

static void
open_fixture(void)
{
    fixture_open(&fx);
    fixture_token(&fx);
}

static void
close_fixture(void)
{
    fixture_close(&fx);
}

static enum ts_error
put(const struct ts_peer_row *row)
{
    return ts_peer_put(fx.store, fx.keyring, row, (const uint8_t *)pairing_data, sizeof pairing_data);
}

static enum ts_error
data(const struct ts_peer_row *row)
{
    struct ts_buf out;

    ts_buf_init_secret(&out, 256);
    enum ts_error result = ts_peer_data(&out, fx.store, fx.keyring, row->pairing);
    if (result == TS_OK)
        ck_assert_mem_eq(out.data, pairing_data, sizeof pairing_data);
    ck_assert_uint_eq(out.len, result == TS_OK ? sizeof pairing_data : 0);
    ts_buf_clear(&out);
    return result;
}

START_TEST(a_peer_comes_back_as_it_was)
{
    struct ts_peer_row row = fixture_peer(&fx, 3), back;

    strcpy(row.address, "phone.example:8083");
    row.state = TS_PEER_PENDING;
    ck_assert_int_eq(put(&row), TS_OK);
    ck_assert_int_eq(put(&row), TS_EXISTS);
    fixture_reopen(&fx);
    ck_assert_int_eq(ts_peer_get(&back, fx.store, row.pairing), TS_OK);
    ck_assert_mem_eq(back.pairing, row.pairing, sizeof row.pairing);
    ck_assert_mem_eq(back.key_hash, row.key_hash, sizeof row.key_hash);
    ck_assert_mem_eq(back.confirmation, row.confirmation, sizeof row.confirmation);
    ck_assert_str_eq(back.name, "peer 3");
    ck_assert_str_eq(back.address, "phone.example:8083");
    ck_assert_uint_eq(back.bits, 2048);
    ck_assert_uint_eq(back.token, fx.token);
    ck_assert_int_eq(back.state, TS_PEER_PENDING);
    ck_assert(!back.acknowledged);
    ck_assert_int_eq(back.created, 1003);
    ck_assert_int_eq(back.last_seen, 0);
    ck_assert_int_eq(data(&row), TS_OK);
    ck_assert(!fixture_holds(&fx, pairing_data, sizeof pairing_data - 1));
}
END_TEST

START_TEST(each_field_is_set)
{
    struct ts_peer_row row = fixture_peer(&fx, 4), back;
    uint8_t other[TS_ID_BYTES] = {0};
    char longest[300];

    row.state = TS_PEER_PENDING;
    ck_assert_int_eq(put(&row), TS_OK);
    ck_assert_int_eq(ts_peer_activate(fx.store, row.pairing), TS_OK);
    ck_assert_int_eq(ts_peer_activate(fx.store, row.pairing), TS_OK);
    ck_assert_int_eq(ts_peer_set_acknowledged(fx.store, row.pairing), TS_OK);
    ck_assert_int_eq(ts_peer_set_seen(fx.store, row.pairing, 4711), TS_OK);
    ck_assert_int_eq(ts_peer_set_address(fx.store, row.pairing, "[::1]:1"), TS_OK);
    ck_assert_int_eq(ts_peer_get(&back, fx.store, row.pairing), TS_OK);
    ck_assert(back.state == TS_PEER_ACTIVE && back.acknowledged && back.last_seen == 4711);
    ck_assert_str_eq(back.address, "[::1]:1");
    ck_assert_int_eq(data(&row), TS_OK);
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    ck_assert_int_eq(ts_peer_set_address(fx.store, row.pairing, longest), TS_USAGE);
    ck_assert_int_eq(ts_peer_activate(fx.store, other), TS_NOT_FOUND);
    ck_assert_int_eq(ts_peer_set_acknowledged(fx.store, other), TS_NOT_FOUND);
    ck_assert_int_eq(ts_peer_set_seen(fx.store, other, 1), TS_NOT_FOUND);
    ck_assert_int_eq(ts_peer_set_address(fx.store, other, ""), TS_NOT_FOUND);
    ck_assert_int_eq(ts_peer_delete(fx.store, other), TS_NOT_FOUND);
    ck_assert_int_eq(ts_peer_get(&back, fx.store, other), TS_NOT_FOUND);
}
END_TEST

START_TEST(active_names_are_unique)
{
    struct ts_peer_row first = fixture_peer(&fx, 1), second = fixture_peer(&fx, 2), third = fixture_peer(&fx, 3);

    strcpy(second.name, first.name);
    strcpy(third.name, first.name);
    first.state = second.state = TS_PEER_PENDING;
    ck_assert_int_eq(put(&first), TS_OK);
    ck_assert_int_eq(put(&second), TS_OK); /* the first attempt was given up */
    ck_assert_int_eq(ts_peer_activate(fx.store, second.pairing), TS_OK);
    ck_assert_int_eq(ts_peer_activate(fx.store, first.pairing), TS_EXISTS);
    ck_assert_int_eq(put(&third), TS_EXISTS);
    third.state = TS_PEER_PENDING;
    ck_assert_int_eq(put(&third), TS_EXISTS);
    third.name[0] = 0;
    ck_assert_int_eq(put(&third), TS_USAGE);
}
END_TEST

START_TEST(a_peer_is_found_by_its_key)
{
    struct ts_peer_row first = fixture_peer(&fx, 1), second = fixture_peer(&fx, 2), back;

    memcpy(second.key_hash, first.key_hash, sizeof second.key_hash);
    first.state = second.state = TS_PEER_PENDING;
    ck_assert_int_eq(ts_peer_find(&back, fx.store, fx.token, first.key_hash), TS_NOT_FOUND);
    ck_assert_int_eq(put(&first), TS_OK);
    ck_assert_int_eq(put(&second), TS_OK);
    ck_assert_int_eq(ts_peer_find(&back, fx.store, fx.token, first.key_hash), TS_OK);
    ck_assert_mem_eq(back.pairing, second.pairing, sizeof back.pairing);
    ck_assert_int_eq(ts_peer_activate(fx.store, first.pairing), TS_OK);
    ck_assert_int_eq(ts_peer_find(&back, fx.store, fx.token, first.key_hash), TS_OK);
    ck_assert_mem_eq(back.pairing, first.pairing, sizeof back.pairing);
    ck_assert_int_eq(ts_peer_find(&back, fx.store, fx.token + 1, first.key_hash), TS_NOT_FOUND);
}
END_TEST

START_TEST(peers_are_listed_and_deleted)
{
    struct ts_peer_row *list;
    size_t count;

    for (uint8_t tag = 9; tag >= 5; tag--) {
        struct ts_peer_row row = fixture_peer(&fx, tag);
        ck_assert_int_eq(put(&row), TS_OK);
    }
    struct ts_half_row half = {.token = fx.token, .curve = "P-256", .state = TS_HALF_PENDING};
    struct ts_peer_row used = fixture_peer(&fx, 5);
    memcpy(half.pairing, used.pairing, sizeof half.pairing);
    ck_assert_int_eq(ts_half_put(fx.store, fx.keyring, &half, (const uint8_t *)"h", 1), TS_OK);
    ck_assert_int_eq(ts_peer_delete(fx.store, used.pairing), TS_USAGE);
    ck_assert_int_eq(ts_peer_list(&list, &count, fx.store, 0), TS_OK);
    ck_assert_uint_eq(count, 5);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(list[i].created, 1005 + (int64_t)i);
    free(list);
    ck_assert_int_eq(ts_half_delete(fx.store, half.key, 0), TS_OK);
    ck_assert_int_eq(ts_peer_delete(fx.store, used.pairing), TS_OK);
    ck_assert_int_eq(ts_peer_list(&list, &count, fx.store, fx.token), TS_OK);
    ck_assert_uint_eq(count, 4);
    free(list);
    ck_assert_int_eq(ts_peer_list(&list, &count, fx.store, fx.token + 1), TS_OK);
    ck_assert_uint_eq(count, 0);
    free(list);
}
END_TEST

static const char *const tampering[] = {
    "UPDATE peer SET key_hash = zeroblob(32) WHERE name = 'peer 1'",
    "UPDATE peer SET bits = 3072 WHERE name = 'peer 1'",
    "UPDATE peer SET sealed = (SELECT sealed FROM peer WHERE name = 'peer 2') WHERE name = 'peer 1'",
    "UPDATE peer SET sealed = zeroblob(3000000) WHERE name = 'peer 1'",
};

START_TEST(a_changed_row_does_not_open)
{
    struct ts_peer_row first = fixture_peer(&fx, 1), second = fixture_peer(&fx, 2);

    ck_assert_int_eq(put(&first), TS_OK);
    ck_assert_int_eq(put(&second), TS_OK);
    fixture_tamper(&fx, tampering[_i]);
    ck_assert_int_eq(data(&first), TS_STORAGE);
    ck_assert_int_eq(data(&second), TS_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("peer");
    TCase *tests = tcase_create("peer");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, a_peer_comes_back_as_it_was);
    tcase_add_test(tests, each_field_is_set);
    tcase_add_test(tests, active_names_are_unique);
    tcase_add_test(tests, a_peer_is_found_by_its_key);
    tcase_add_test(tests, peers_are_listed_and_deleted);
    tcase_add_loop_test(tests, a_changed_row_does_not_open, 0, sizeof tampering / sizeof tampering[0]);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
