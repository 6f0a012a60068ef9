#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <stdio.h>
#include <string.h>

static struct fixture fx;
static const char half_bytes[] = "the bytes of one half of a key";

static void
open_fixture(void)
{
    fixture_open(&fx);
    fixture_token(&fx);
    struct ts_peer_row peer = fixture_peer(&fx, 1);
    ck_assert_int_eq(ts_peer_put(fx.store, fx.keyring, &peer, (const uint8_t *)"pairing", 7), TS_OK);
}

static void
close_fixture(void)
{
    fixture_close(&fx);
}

static struct ts_half_row
make_row(uint8_t tag, uint32_t generation, enum ts_half_state state)
{
    struct ts_half_row row = {.generation = generation, .token = fx.token, .state = state, .created = 100 + tag};

    memset(row.key, tag, sizeof row.key);
    memset(row.pairing, 1, sizeof row.pairing);
    memset(row.confirmation, tag + 1, sizeof row.confirmation);
    memset(row.public_key, tag + 2, 65);
    row.public_key_len = 65;
    strcpy(row.curve, "P-256");
    (void)snprintf(row.label, sizeof row.label, "key %u", tag);
    return row;
}

static enum ts_error
put(const struct ts_half_row *row)
{
    return ts_half_put(fx.store, fx.keyring, row, (const uint8_t *)half_bytes, sizeof half_bytes);
}

static enum ts_error
data(const struct ts_half_row *row)
{
    struct ts_buf out;

    ts_buf_init_secret(&out, 256);
    enum ts_error result = ts_half_data(&out, fx.store, fx.keyring, row->key, row->generation);
    if (result == TS_OK)
        ck_assert_mem_eq(out.data, half_bytes, sizeof half_bytes);
    ck_assert_uint_eq(out.len, result == TS_OK ? sizeof half_bytes : 0);
    ts_buf_clear(&out);
    return result;
}

START_TEST(a_half_comes_back_as_it_was)
{
    struct ts_half_row row = make_row(7, 1, TS_HALF_PENDING), back;

    ck_assert_int_eq(put(&row), TS_OK);
    ck_assert_int_eq(put(&row), TS_EXISTS);
    fixture_reopen(&fx);
    ck_assert_int_eq(ts_half_get_generation(&back, fx.store, row.key, 1), TS_OK);
    ck_assert_mem_eq(back.key, row.key, sizeof row.key);
    ck_assert_mem_eq(back.pairing, row.pairing, sizeof row.pairing);
    ck_assert_mem_eq(back.confirmation, row.confirmation, sizeof row.confirmation);
    ck_assert_uint_eq(back.public_key_len, 65);
    ck_assert_mem_eq(back.public_key, row.public_key, 65);
    ck_assert_str_eq(back.curve, "P-256");
    ck_assert_str_eq(back.label, "key 7");
    ck_assert_uint_eq(back.token, fx.token);
    ck_assert_int_eq(back.state, TS_HALF_PENDING);
    ck_assert_int_eq(back.created, 107);
    ck_assert(!back.locked && !back.acknowledged);
    ck_assert_int_eq(data(&row), TS_OK);
    ck_assert(!fixture_holds(&fx, half_bytes, sizeof half_bytes - 1));
    ck_assert_int_eq(ts_half_set_acknowledged(fx.store, row.key, 1), TS_OK);
    ck_assert_int_eq(ts_half_get_generation(&back, fx.store, row.key, 1), TS_OK);
    ck_assert(back.acknowledged);
}
END_TEST

START_TEST(rows_are_checked)
{
    struct ts_half_row row = make_row(1, 1, TS_HALF_PENDING);

    row.state = 3;
    ck_assert_int_eq(put(&row), TS_USAGE);
    row = make_row(1, 1, TS_HALF_PENDING);
    memset(row.label, 'x', sizeof row.label);
    ck_assert_int_eq(put(&row), TS_USAGE);
    row = make_row(1, 1, TS_HALF_PENDING);
    row.public_key_len = sizeof row.public_key + 1;
    ck_assert_int_eq(put(&row), TS_USAGE);
    row = make_row(1, 1, TS_HALF_PENDING);
    memset(row.pairing, 9, sizeof row.pairing); /* no such peer */
    ck_assert_int_eq(put(&row), TS_NOT_FOUND);
    row = make_row(1, 1, TS_HALF_PENDING);
    row.token++;
    ck_assert_int_eq(put(&row), TS_USAGE);
}
END_TEST

START_TEST(activation_needs_the_confirmation)
{
    struct ts_half_row row = make_row(2, 1, TS_HALF_PENDING), back;
    uint8_t wrong[32] = {0};

    ck_assert_int_eq(put(&row), TS_OK);
    ck_assert_int_eq(ts_half_get(&back, fx.store, row.key, false), TS_NOT_FOUND);
    ck_assert_int_eq(ts_half_get(&back, fx.store, row.key, true), TS_OK);
    ck_assert_int_eq(ts_half_activate(fx.store, row.key, 1, wrong), TS_CHEATED);
    ck_assert_int_eq(ts_half_activate(fx.store, row.key, 2, row.confirmation), TS_NOT_FOUND);
    ck_assert_int_eq(ts_half_get(&back, fx.store, row.key, false), TS_NOT_FOUND);
    ck_assert_int_eq(ts_half_activate(fx.store, row.key, 1, row.confirmation), TS_OK);
    ck_assert_int_eq(ts_half_activate(fx.store, row.key, 1, row.confirmation), TS_OK);
    ck_assert_int_eq(ts_half_activate(fx.store, row.key, 1, wrong), TS_CHEATED);
    fixture_reopen(&fx);
    ck_assert_int_eq(ts_half_get(&back, fx.store, row.key, false), TS_OK);
    ck_assert_int_eq(back.state, TS_HALF_ACTIVE);
}
END_TEST

START_TEST(the_highest_active_generation_counts)
{
    struct ts_half_row first = make_row(3, 1, TS_HALF_ACTIVE), second = make_row(3, 2, TS_HALF_PENDING), back;

    ck_assert_int_eq(put(&first), TS_OK);
    ck_assert_int_eq(put(&second), TS_OK);
    ck_assert_int_eq(ts_half_get(&back, fx.store, first.key, false), TS_OK);
    ck_assert_uint_eq(back.generation, 1);
    ck_assert_int_eq(ts_half_get(&back, fx.store, first.key, true), TS_OK);
    ck_assert_uint_eq(back.generation, 2);
    ck_assert_int_eq(ts_half_activate(fx.store, first.key, 2, second.confirmation), TS_OK);
    ck_assert_int_eq(ts_half_get(&back, fx.store, first.key, false), TS_OK);
    ck_assert_uint_eq(back.generation, 2);
    ck_assert_int_eq(ts_half_delete(fx.store, first.key, 1), TS_OK);
    ck_assert_int_eq(ts_half_delete(fx.store, first.key, 1), TS_NOT_FOUND);
    ck_assert_int_eq(data(&first), TS_NOT_FOUND);
    ck_assert_int_eq(data(&second), TS_OK);
}
END_TEST

START_TEST(a_lock_holds_for_every_generation_and_for_ever)
{
    struct ts_half_row first = make_row(4, 1, TS_HALF_ACTIVE), second = make_row(4, 2, TS_HALF_PENDING), back;
    struct ts_half_row other = make_row(5, 1, TS_HALF_ACTIVE);
    char reason[16];

    ck_assert_int_eq(ts_half_lock(fx.store, first.key, "why"), TS_NOT_FOUND);
    ck_assert_int_eq(put(&first), TS_OK);
    ck_assert_int_eq(put(&other), TS_OK);
    ck_assert_int_eq(ts_half_lock_reason(reason, sizeof reason, fx.store, first.key), TS_OK);
    ck_assert_str_eq(reason, "");
    ts_keyring_free(fx.keyring); /* not needed */
    fx.keyring = NULL;
    ck_assert_int_eq(ts_half_lock(fx.store, first.key, "wrong proof"), TS_OK);
    ck_assert_int_eq(ts_half_lock(fx.store, first.key, "later reason"), TS_OK);
    fixture_reopen(&fx);
    ck_assert_int_eq(ts_half_get(&back, fx.store, first.key, false), TS_OK);
    ck_assert(back.locked);
    ck_assert_int_eq(ts_half_get(&back, fx.store, other.key, false), TS_OK);
    ck_assert(!back.locked);
    ck_assert_int_eq(ts_half_lock_reason(reason, sizeof reason, fx.store, first.key), TS_OK);
    ck_assert_str_eq(reason, "wrong proof");
    ck_assert_int_eq(ts_half_lock_reason(reason, 6, fx.store, first.key), TS_OK);
    ck_assert_str_eq(reason, "wrong");
    ck_assert_int_eq(ts_token_unlock(&fx.keyring, fx.store, NULL, fx.token, TS_USER_SO, (const uint8_t *)FIXTURE_PIN,
                         strlen(FIXTURE_PIN)),
        TS_OK);
    ck_assert_int_eq(ts_half_delete(fx.store, first.key, 1), TS_OK);
    ck_assert_int_eq(put(&second), TS_OK);
    ck_assert_int_eq(ts_half_get(&back, fx.store, first.key, true), TS_OK);
    ck_assert(back.locked);
}
END_TEST

START_TEST(halves_are_listed)
{
    struct ts_half_row *list;
    size_t count;

    for (uint8_t tag = 1; tag <= 5; tag++) {
        struct ts_half_row row = make_row(tag, 1, TS_HALF_ACTIVE);
        ck_assert_int_eq(put(&row), TS_OK);
    }
    for (uint64_t token = 0; token <= 2; token++) {
        ck_assert_int_eq(ts_half_list(&list, &count, fx.store, token), TS_OK);
        ck_assert_uint_eq(count, token <= 1 ? 5 : 0);
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(list[i].created, 101 + (int64_t)i);
        free(list);
    }
}
END_TEST

#define MOVE_TO_ANOTHER_PEER                                                                                           \
    "INSERT INTO peer SELECT zeroblob(16), token, 'x', address, key_hash, bits, state, confirmation, acknowledged,"    \
    " created, last_seen, sealed FROM peer; UPDATE half SET pairing = zeroblob(16)"

/* Each change of what the half belongs to, made behind the store's back. */
static const char *const tampering[] = {
    "UPDATE half SET sealed = (SELECT sealed FROM half WHERE generation = 2) WHERE generation = 1",
    "UPDATE half SET sealed = substr(sealed, 1, length(sealed) - 1)",
    "UPDATE half SET sealed = x''",
    "UPDATE half SET curve = 'P-384'",
    "UPDATE half SET label = 'another key'",
    "UPDATE half SET public_key = zeroblob(65)",
    MOVE_TO_ANOTHER_PEER,
    "UPDATE half SET generation = 9 WHERE generation = 1; UPDATE half SET generation = 1 WHERE generation = 2",
};

START_TEST(a_changed_row_does_not_open)
{
    struct ts_half_row first = make_row(6, 1, TS_HALF_ACTIVE), second = make_row(6, 2, TS_HALF_ACTIVE);

    ck_assert_int_eq(put(&first), TS_OK);
    ck_assert_int_eq(put(&second), TS_OK);
    ck_assert_int_eq(data(&first), TS_OK);
    fixture_tamper(&fx, tampering[_i]);
    ck_assert_int_eq(data(&first), TS_STORAGE);
    ck_assert_ptr_nonnull(strstr(fx.log, "does not open"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("half");
    TCase *tests = tcase_create("half");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, a_half_comes_back_as_it_was);
    tcase_add_test(tests, rows_are_checked);
    tcase_add_test(tests, activation_needs_the_confirmation);
    tcase_add_test(tests, the_highest_active_generation_counts);
    tcase_add_test(tests, a_lock_holds_for_every_generation_and_for_ever);
    tcase_add_test(tests, halves_are_listed);
    tcase_add_loop_test(tests, a_changed_row_does_not_open, 0, sizeof tampering / sizeof tampering[0]);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
