#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <stdio.h>
#include <string.h>

/* The succession of generations and of the parameters that they belong to. */

static struct fixture fx;
static const uint8_t first[TS_AUX_BYTES];
static const uint8_t aux1[TS_AUX_BYTES] = {1}, aux2[TS_AUX_BYTES] = {2};
static uint8_t pairing[TS_ID_BYTES];

static void
open_fixture(void)
{
    fixture_open(&fx);
    fixture_token(&fx);
    struct ts_peer_row peer = fixture_peer(&fx, 1);
    memcpy(pairing, peer.pairing, sizeof pairing);
    ck_assert_int_eq(ts_peer_put(fx.store, fx.keyring, &peer, (const uint8_t *)"the first", 9), TS_OK);
}

static void
close_fixture(void)
{
    fixture_close(&fx);
}

static enum ts_error
put_parameters(const uint8_t aux[TS_AUX_BYTES], const char *text)
{
    return ts_parameters_put(fx.store, fx.keyring, pairing, aux, (const uint8_t *)text, strlen(text));
}

/* The parameters' text, "" when they are not there. */
static const char *
parameters(const uint8_t aux[TS_AUX_BYTES])
{
    static char text[64];
    struct ts_buf out;

    ts_buf_init_secret(&out, sizeof text - 1);
    enum ts_error error = ts_parameters_data(&out, fx.store, fx.keyring, pairing, aux);
    ck_assert(error == TS_OK || error == TS_NOT_FOUND);
    (void)snprintf(text, sizeof text, "%.*s", (int)out.len, out.len ? (const char *)out.data : "");
    ts_buf_clear(&out);
    return text;
}

static struct ts_half_row
make_row(uint8_t tag, uint32_t generation, enum ts_half_state state, const uint8_t aux[TS_AUX_BYTES])
{
    struct ts_half_row row = {.generation = generation, .token = fx.token, .state = state};

    memset(row.key, tag, sizeof row.key);
    memcpy(row.pairing, pairing, sizeof row.pairing);
    memset(row.confirmation, (int)generation + 1, sizeof row.confirmation);
    memcpy(row.parameters, aux, sizeof row.parameters);
    strcpy(row.curve, "P-256");
    return row;
}

static enum ts_error
put_half(uint8_t tag, uint32_t generation, enum ts_half_state state, const uint8_t aux[TS_AUX_BYTES])
{
    struct ts_half_row row = make_row(tag, generation, state, aux);

    return ts_half_put(fx.store, fx.keyring, &row, (const uint8_t *)"half", 4);
}

static enum ts_error
succeed(uint8_t tag, uint32_t generation)
{
    struct ts_half_row row = make_row(tag, generation, TS_HALF_ACTIVE, first);

    return ts_half_succeed(fx.store, row.key, generation);
}

static bool
holds(uint8_t tag, uint32_t generation)
{
    struct ts_half_row row = make_row(tag, generation, TS_HALF_ACTIVE, first), back;

    return ts_half_get_generation(&back, fx.store, row.key, generation) == TS_OK;
}

static const uint8_t *
current(void)
{
    static uint8_t aux[TS_AUX_BYTES];

    ck_assert_int_eq(ts_parameters_current(aux, fx.store, pairing), TS_OK);
    return aux;
}

START_TEST(parameters_come_back_and_are_bound)
{
    uint8_t stranger[TS_ID_BYTES] = {9};
    struct ts_buf out;

    ck_assert_int_eq(put_parameters(first, "x"), TS_USAGE);
    ck_assert_int_eq(put_parameters(aux1, "those of one"), TS_OK);
    ck_assert_int_eq(put_parameters(aux1, "again"), TS_EXISTS);
    ck_assert_int_eq(put_parameters(aux2, "those of two"), TS_OK);
    ck_assert_int_eq(ts_parameters_put(fx.store, fx.keyring, stranger, aux1, (const uint8_t *)"x", 1), TS_NOT_FOUND);
    fixture_reopen(&fx);
    ck_assert_str_eq(parameters(first), "the first");
    ck_assert_str_eq(parameters(aux1), "those of one");
    ck_assert_str_eq(parameters(aux2), "those of two");
    ck_assert(!fixture_holds(&fx, "those of", 8)); /* sealed */
    fixture_tamper(&fx, "UPDATE parameters SET sealed = (SELECT sealed FROM parameters WHERE number = 2)"
                        " WHERE number = 1");
    ts_buf_init_secret(&out, 64);
    ck_assert_int_eq(ts_parameters_data(&out, fx.store, fx.keyring, pairing, aux1), TS_STORAGE);
    ts_buf_clear(&out);
}
END_TEST

START_TEST(a_half_needs_its_parameters)
{
    ck_assert_int_ne(put_half(1, 0, TS_HALF_ACTIVE, aux1), TS_OK);
    ck_assert(!holds(1, 0));
    ck_assert_int_eq(put_parameters(aux1, "one"), TS_OK);
    ck_assert_int_eq(put_half(1, 0, TS_HALF_ACTIVE, aux1), TS_OK);
    ck_assert_int_eq(succeed(1, 0), TS_OK); /* then the first parameters go */
    ck_assert_str_eq(parameters(first), "");
    ck_assert_int_ne(put_half(2, 0, TS_HALF_ACTIVE, first), TS_OK);
    ck_assert(!holds(2, 0));
}
END_TEST

START_TEST(old_halves_and_parameters_are_erased)
{
    ck_assert_int_eq(put_half(1, 0, TS_HALF_ACTIVE, first), TS_OK);
    ck_assert_int_eq(put_half(2, 0, TS_HALF_ACTIVE, first), TS_OK);
    ck_assert_int_eq(put_parameters(aux1, "one"), TS_OK);
    ck_assert_int_eq(put_half(1, 1, TS_HALF_PENDING, aux1), TS_OK);
    ck_assert_int_eq(succeed(1, 1), TS_NOT_FOUND); /* pending */
    ck_assert_mem_eq(current(), first, TS_AUX_BYTES);
    struct ts_half_row row = make_row(1, 1, TS_HALF_ACTIVE, aux1);
    ck_assert_int_eq(ts_half_activate(fx.store, row.key, 1, row.confirmation), TS_OK);
    ck_assert_int_eq(succeed(1, 1), TS_OK);
    ck_assert(!holds(1, 0) && holds(1, 1) && holds(2, 0));
    ck_assert_mem_eq(current(), aux1, TS_AUX_BYTES);
    ck_assert_str_eq(parameters(first), "the first"); /* key 2 needs them */
    ck_assert_int_eq(put_parameters(aux2, "two"), TS_OK);
    ck_assert_int_eq(put_half(2, 1, TS_HALF_ACTIVE, aux2), TS_OK);
    ck_assert_int_eq(succeed(2, 1), TS_OK);
    ck_assert_str_eq(parameters(first), "");
    ck_assert_str_eq(parameters(aux1), "one");
    ck_assert_int_eq(ts_half_delete(fx.store, row.key, 1), TS_OK); /* key 1 is destroyed */
    ck_assert_int_eq(succeed(2, 1), TS_OK);
    ck_assert_str_eq(parameters(aux1), "");
    memset(row.key, 2, sizeof row.key);
    ck_assert_int_eq(ts_half_delete(fx.store, row.key, 1), TS_OK);
    ck_assert_str_eq(parameters(aux2), "two"); /* the newest stay, for new keys */
    ck_assert_int_eq(put_half(3, 0, TS_HALF_ACTIVE, current()), TS_OK);
}
END_TEST

START_TEST(a_pending_generation_is_withdrawn_with_its_parameters)
{
    ck_assert_int_eq(put_half(1, 0, TS_HALF_ACTIVE, first), TS_OK);
    ck_assert_int_eq(put_parameters(aux1, "one"), TS_OK);
    ck_assert_int_eq(put_half(1, 1, TS_HALF_PENDING, aux1), TS_OK);
    struct ts_half_row row = make_row(1, 1, TS_HALF_PENDING, aux1);
    row.confirmation[0] ^= 1;
    ck_assert_int_eq(ts_half_withdraw(fx.store, row.key, 1, row.confirmation), TS_NOT_FOUND);
    row.confirmation[0] ^= 1;
    ck_assert_int_eq(ts_half_withdraw(fx.store, row.key, 0, row.confirmation), TS_NOT_FOUND); /* active */
    ck_assert_int_eq(ts_half_withdraw(fx.store, row.key, 1, row.confirmation), TS_OK);
    ck_assert(holds(1, 0) && !holds(1, 1));
    ck_assert_str_eq(parameters(aux1), "");
    ck_assert_str_eq(parameters(first), "the first");
}
END_TEST

START_TEST(only_an_older_lock_is_lifted)
{
    struct ts_half_row row = make_row(1, 1, TS_HALF_ACTIVE, first), back;

    ck_assert_int_eq(put_half(1, 0, TS_HALF_ACTIVE, first), TS_OK);
    row.created = 10; /* long before the lock */
    ck_assert_int_eq(ts_half_put(fx.store, fx.keyring, &row, (const uint8_t *)"half", 4), TS_OK);
    ck_assert_int_eq(ts_half_lock(fx.store, row.key, "now"), TS_OK);
    ck_assert_int_eq(ts_half_unlock(fx.store, row.key, 1), TS_OK);
    ck_assert_int_eq(ts_half_get(&back, fx.store, row.key, false), TS_OK);
    ck_assert(back.locked);
    row.generation = 2;
    row.created = INT32_MAX * (int64_t)4;
    ck_assert_int_eq(ts_half_put(fx.store, fx.keyring, &row, (const uint8_t *)"half", 4), TS_OK);
    ck_assert_int_eq(ts_half_unlock(fx.store, row.key, 2), TS_OK);
    ck_assert_int_eq(ts_half_get(&back, fx.store, row.key, false), TS_OK);
    ck_assert(!back.locked);
    ck_assert_int_eq(ts_half_unlock(fx.store, row.key, 2), TS_OK); /* idempotent */
    ck_assert_int_eq(ts_half_unlock(fx.store, row.key, 3), TS_NOT_FOUND);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("parameters");
    TCase *tests = tcase_create("parameters");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, parameters_come_back_and_are_bound);
    tcase_add_test(tests, a_half_needs_its_parameters);
    tcase_add_test(tests, old_halves_and_parameters_are_erased);
    tcase_add_test(tests, a_pending_generation_is_withdrawn_with_its_parameters);
    tcase_add_test(tests, only_an_older_lock_is_lifted);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
