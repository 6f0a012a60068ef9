#include "store/db.h"
#include "store/schema.h"
#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <stdio.h>
#include <string.h>

/* Databases of earlier versions: made by taking away what each version added. */

static struct fixture fx;

static const char *const without[] = {
    "",
    "", /* there is nothing before version 1 */
    "DROP TRIGGER temporary_ends; DROP TABLE temporary; DROP TABLE farewell;",
    "DROP TRIGGER half_needs_parameters; ALTER TABLE half DROP COLUMN parameters; DROP TABLE parameters;",
};
_Static_assert(sizeof without / sizeof *without == TS_SCHEMA_VERSION + 1, "say what the new version added");

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

/* Name and columns of everything, as one text. */
static void
describe(char *out, size_t size)
{
    struct ts_query query;
    char line[200];

    out[0] = 0;
    ts_query_start(&query, fx.store,
        "SELECT s.type || ' ' || s.name || ' ' || ifnull(group_concat(c.name), '') FROM sqlite_schema AS s"
        " LEFT JOIN pragma_table_info(s.name) AS c GROUP BY s.type, s.name ORDER BY s.type, s.name");
    while (ts_query_row(&query)) {
        ts_query_get_text(&query, 0, line, sizeof line);
        ck_assert_uint_lt(strlen(out) + strlen(line) + 2, size);
        strcat(strcat(out, line), "\n");
    }
    ck_assert_int_eq(ts_query_end(&query), TS_OK);
}

static void
put_key(uint8_t tag)
{
    struct ts_peer_row peer = fixture_peer(&fx, tag);
    struct ts_half_row half = {.token = fx.token, .curve = "P-256", .state = TS_HALF_ACTIVE};

    ck_assert_int_eq(ts_peer_put(fx.store, fx.keyring, &peer, (const uint8_t *)"pairing", 7), TS_OK);
    memset(half.key, tag, sizeof half.key);
    memcpy(half.pairing, peer.pairing, sizeof half.pairing);
    ck_assert_int_eq(ts_half_put(fx.store, fx.keyring, &half, (const uint8_t *)"half", 4), TS_OK);
}

static void
check_key(uint8_t tag)
{
    uint8_t key[TS_ID_BYTES];
    struct ts_half_row row;
    struct ts_buf out;

    memset(key, tag, sizeof key);
    ts_buf_init_secret(&out, 64);
    ck_assert_int_eq(ts_half_get(&row, fx.store, key, false), TS_OK);
    ck_assert_int_eq(ts_half_data(&out, fx.store, fx.keyring, key, 0), TS_OK);
    ck_assert_uint_eq(out.len, 4);
    ts_buf_clear(&out);
    ck_assert_int_eq(ts_parameters_data(&out, fx.store, fx.keyring, row.pairing, row.parameters), TS_OK);
    ck_assert_uint_eq(out.len, 7);
    ts_buf_clear(&out);
}

START_TEST(an_earlier_database_is_taken_along)
{
    static char now[16384], upgraded[16384];
    char version[64];

    put_key(5);
    describe(now, sizeof now);
    for (int from = TS_SCHEMA_VERSION; from > _i; from--) {
        if (*without[from])
            ck_assert_int_eq(ts_db_execute(fx.store, without[from]), TS_OK);
    }
    (void)snprintf(version, sizeof version, "PRAGMA user_version = %d", _i);
    ck_assert_int_eq(ts_db_execute(fx.store, version), TS_OK);
    describe(upgraded, sizeof upgraded);
    ck_assert_str_ne(upgraded, now);
    fixture_reopen(&fx);
    describe(upgraded, sizeof upgraded);
    ck_assert_str_eq(upgraded, now);
    check_key(5);
    put_key(6);
    check_key(6);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("schema");
    TCase *tests = tcase_create("schema");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_loop_test(tests, an_earlier_database_is_taken_along, 1, TS_SCHEMA_VERSION);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
