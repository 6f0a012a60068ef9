#include "store/db.h"
#include "store/keyring.h"
#include "tests/check_main.h"
#include "tests/softhsm.h"
#include "tests/store_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct softhsm soft;
static struct fixture fx;
static struct ts_hsm *hsm;
static char uri[1024];

static void
start(void)
{
    if (!softhsm_start(&soft))
        abort();
}

static void
stop(void)
{
    softhsm_stop(&soft);
}

static void
open_fixture(void)
{
    fixture_open(&fx);
}

static void
close_fixture(void)
{
    ts_hsm_free(hsm);
    fixture_close(&fx);
}

static void
make_hsm(const char *key, bool generate)
{
    struct ts_hsm_options options = {.env = &fx.env, .uri = uri};

    ts_hsm_free(hsm);
    softhsm_uri(uri, sizeof uri, &soft, key, NULL);
    ck_assert_int_eq(ts_hsm_new(&hsm, &options), TS_OK);
    if (generate)
        ck_assert_int_eq(ts_hsm_generate(hsm), TS_OK);
}

static enum ts_error
create(const char *label, const char *pin)
{
    return ts_token_create(&fx.token, fx.store, hsm, label, (const uint8_t *)pin, strlen(pin));
}

static enum ts_error
unlock(enum ts_user user, const char *pin)
{
    ts_keyring_free(fx.keyring);
    return ts_token_unlock(&fx.keyring, fx.store, hsm, fx.token, user, (const uint8_t *)pin, strlen(pin));
}

static enum ts_error
set_pin(enum ts_user user, const char *pin)
{
    return ts_token_set_pin(fx.store, hsm, fx.token, fx.keyring, user, (const uint8_t *)pin, strlen(pin));
}

static enum ts_error
reset(const char *label, const char *pin)
{
    return ts_token_reset(fx.store, hsm, fx.token, label, (const uint8_t *)pin, strlen(pin));
}

static struct ts_token_row
row(void)
{
    struct ts_token_row token;

    ck_assert_int_eq(ts_token_get(&token, fx.store, fx.token), TS_OK);
    return token;
}

static enum ts_error
put_value(const char *text)
{
    return ts_value_put(fx.store, fx.keyring, fx.token, "test", (const uint8_t *)text, strlen(text));
}

static void
expect_value(const char *text)
{
    struct ts_buf out;

    ts_buf_init_secret(&out, 256);
    ck_assert_int_eq(ts_value_get(&out, fx.store, fx.keyring, fx.token, "test"), TS_OK);
    ck_assert_uint_eq(out.len, strlen(text));
    ck_assert_mem_eq(out.data, text, out.len);
    ts_buf_clear(&out);
}

START_TEST(both_pins_open_the_same_token_key)
{
    make_hsm("both", true);
    ck_assert_int_eq(create("my token", FIXTURE_PIN), TS_OK);
    ck_assert_uint_eq(fx.token, 1);
    ck_assert_str_eq(row().label, "my token");
    ck_assert_uint_eq(strspn(row().serial, "0123456789abcdef"), 16);
    ck_assert(!row().user_pin_set);
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_USAGE);
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(put_value("kept"), TS_OK);
    ck_assert_int_eq(set_pin(TS_USER, FIXTURE_USER_PIN), TS_OK);
    ck_assert(row().user_pin_set);
    fixture_reopen(&fx);
    make_hsm("both", false);
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_OK);
    expect_value("kept");
    ck_assert_int_eq(set_pin(TS_USER, "another-pin"), TS_OK);
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_PIN_INCORRECT);
    ck_assert_int_eq(unlock(TS_USER, "another-pin"), TS_OK);
    expect_value("kept");
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_PIN), TS_PIN_INCORRECT);
}
END_TEST

START_TEST(arguments_are_checked)
{
    struct ts_token_row none;
    char longest[TS_PIN_MAX + 2];

    memset(longest, 'p', sizeof longest);
    longest[TS_PIN_MAX + 1] = 0;
    ck_assert_int_eq(create("", FIXTURE_PIN), TS_USAGE);
    ck_assert_int_eq(create("123456789012345678901234567890123", FIXTURE_PIN), TS_USAGE);
    ck_assert_int_eq(create("label", "123"), TS_USAGE);
    ck_assert_int_eq(create("label", longest), TS_USAGE);
    longest[TS_PIN_MAX] = 0;
    ck_assert_int_eq(create("12345678901234567890123456789012", longest), TS_OK);
    ck_assert_int_eq(unlock(TS_USER_SO, longest), TS_OK);
    ck_assert_int_eq(set_pin(TS_USER, "123"), TS_USAGE);
    ck_assert_int_eq(unlock(TS_USER_SO, ""), TS_PIN_INCORRECT);
    fx.token = 77;
    ck_assert_int_eq(unlock(TS_USER_SO, longest), TS_NOT_FOUND);
    ck_assert_int_eq(reset("label", longest), TS_NOT_FOUND);
    ck_assert_int_eq(ts_token_get(&none, fx.store, 77), TS_NOT_FOUND);
}
END_TEST

START_TEST(wrong_pins_are_counted_and_lock)
{
    fixture_token(&fx);
    ck_assert_int_eq(set_pin(TS_USER, FIXTURE_USER_PIN), TS_OK);
    for (uint32_t left = 9; left >= 7; left--) {
        ck_assert_int_eq(unlock(TS_USER, "wrong"), TS_PIN_INCORRECT);
        ck_assert_uint_eq(row().user_tries_left, left);
        fixture_reopen(&fx);
    }
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_OK);
    ck_assert_uint_eq(row().user_tries_left, 10);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(unlock(TS_USER, "wrong"), TS_PIN_INCORRECT);
    ck_assert_uint_eq(row().user_tries_left, 0);
    ck_assert_uint_eq(row().so_tries_left, 10);
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_PIN_LOCKED);
    fixture_reopen(&fx);
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_PIN_LOCKED);
    /* the security officer sets a new one */
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(set_pin(TS_USER, "new-user-pin"), TS_OK);
    ck_assert_uint_eq(row().user_tries_left, 10);
    ck_assert_int_eq(unlock(TS_USER, "new-user-pin"), TS_OK);
}
END_TEST

START_TEST(a_locked_so_pin_protects_against_reset)
{
    fixture_token(&fx);
    ck_assert_int_eq(put_value("kept"), TS_OK);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(reset("other", "wrong"), TS_PIN_INCORRECT);
    ck_assert_int_eq(reset("other", FIXTURE_PIN), TS_PIN_LOCKED);
    ck_assert_str_eq(row().label, "test");
    expect_value("kept");
}
END_TEST

/* One process of several: five wrong PINs; tells how many were looked at. */
static int
guess_in_child(void)
{
    int judged = 0;

    fx.store = NULL;
    if (ts_store_open(&fx.store, &fx.env, fx.path) != TS_OK)
        return 100;
    for (int i = 0; i < 5; i++) {
        enum ts_error result = unlock(TS_USER_SO, "wrong");
        if (result == TS_PIN_INCORRECT)
            judged++;
        else if (result != TS_PIN_LOCKED)
            return 101;
    }
    ts_store_close(fx.store);
    return judged;
}

START_TEST(processes_share_the_tries)
{
    pid_t children[4];
    int judged = 0;

    fixture_token(&fx);
    ts_keyring_free(fx.keyring);
    fx.keyring = NULL;
    ts_store_close(fx.store);
    for (size_t i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(guess_in_child());
    }
    for (size_t i = 0; i < 4; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) <= 5);
        judged += WEXITSTATUS(status);
    }
    ck_assert_int_eq(judged, 10);
    ck_assert_int_eq(ts_store_open(&fx.store, &fx.env, fx.path), TS_OK);
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_PIN_LOCKED);
}
END_TEST

/* Stands for kill -9 in the middle of a check: the log line is written while the HSM logs in. */
static void
die(void *ctx, enum ts_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    if (strstr(line, "open to others"))
        _exit(42);
}

static int
unlock_and_die(const char *pin_file)
{
    struct ts_hsm_options options = {.env = &fx.env, .uri = uri};
    char source[256];

    fx.store = NULL;
    hsm = NULL;
    (void)snprintf(source, sizeof source, "pin-source=file:%s", pin_file);
    softhsm_uri(uri, sizeof uri, &soft, "killed", source);
    fx.env.log = (struct ts_log){NULL, TS_LOG_DEBUG, die};
    if (ts_hsm_new(&hsm, &options) == TS_OK && ts_store_open(&fx.store, &fx.env, fx.path) == TS_OK)
        (void)unlock(TS_USER_SO, "wrong");
    return 1;
}

/* Open to others, so that reading it writes a line in the log. */
static void
write_pin_file(const char *path)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    (void)fputs(SOFTHSM_PIN, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

START_TEST(a_try_is_counted_before_the_check)
{
    char pin_file[128];
    int status = -1;

    make_hsm("killed", true);
    ck_assert_int_eq(create("token", FIXTURE_PIN), TS_OK);
    ts_hsm_free(hsm);
    hsm = NULL;
    softhsm_path(pin_file, sizeof pin_file, &soft, "open-pin");
    write_pin_file(pin_file);
    pid_t pid = fork();
    if (pid == 0)
        _exit(unlock_and_die(pin_file));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    ck_assert_uint_eq(row().so_tries_left, 9);
}
END_TEST

/* Somebody replaces the PIN while it is checked: the log line is written in the middle of that. */
static void
replace_pin(void *ctx, enum ts_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    if (strstr(line, "open to others"))
        fixture_tamper(&fx, "UPDATE pin SET sealed = substr(sealed, 1, 21) || zeroblob(88), failures = 5, round = 9");
}

START_TEST(a_pin_replaced_meanwhile_is_a_wrong_one)
{
    char pin_file[128], source[256];
    struct ts_hsm_options options = {.env = &fx.env, .uri = uri};

    make_hsm("meanwhile", true);
    ck_assert_int_eq(create("token", FIXTURE_PIN), TS_OK);
    softhsm_path(pin_file, sizeof pin_file, &soft, "other-pin");
    write_pin_file(pin_file);
    (void)snprintf(source, sizeof source, "pin-source=file:%s", pin_file);
    softhsm_uri(uri, sizeof uri, &soft, "meanwhile", source);
    ts_hsm_free(hsm);
    ck_assert_int_eq(ts_hsm_new(&hsm, &options), TS_OK);
    fx.env.log.write = replace_pin;
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_PIN_INCORRECT);
    ck_assert_ptr_null(fx.keyring);
    ck_assert_uint_eq(row().so_tries_left, 5); /* the new PIN's count is not cleared */
}
END_TEST

/* The database as bytes, its log written back first: equal files hold equal content. */
static uint32_t
database_sum(void)
{
    uint32_t sum = 2166136261u;
    int byte;

    ck_assert_int_eq(ts_db_execute(fx.store, "PRAGMA wal_checkpoint(TRUNCATE)"), TS_OK);
    FILE *file = fopen(fx.path, "rb");
    ck_assert_ptr_nonnull(file);
    /* The first page's change counters move with each write; the content does not. */
    (void)fseek(file, 4096, SEEK_SET);
    while ((byte = fgetc(file)) != EOF)
        sum = (sum ^ (uint32_t)byte) * 16777619u;
    fclose(file);
    return sum;
}

START_TEST(the_hsm_key_is_gone_then_another)
{
    make_hsm("vanish", true);
    ck_assert_int_eq(create("token", FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(set_pin(TS_USER, FIXTURE_USER_PIN), TS_OK);
    ck_assert_int_eq(put_value("kept"), TS_OK);
    ck_assert_int_eq(unlock(TS_USER, "wrong"), TS_PIN_INCORRECT);
    ck_assert(softhsm_delete_key(&soft, "vanish"));
    for (int other = 0; other <= 1; other++) {
        make_hsm("vanish", other == 1);
        uint32_t before = database_sum();
        /* right or wrong: the PIN is not judged, and the try not counted */
        ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_STORAGE);
        ck_assert_int_eq(unlock(TS_USER, "wrong"), TS_STORAGE);
        ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_STORAGE);
        ck_assert_int_eq(reset("anew", FIXTURE_PIN), TS_STORAGE);
        ck_assert_uint_eq(row().user_tries_left, 9);
        ck_assert_uint_eq(row().so_tries_left, 10);
        ck_assert_uint_eq(before, database_sum());
        ck_assert_ptr_nonnull(strstr(fx.log, other ? "it is another key" : "is not there"));
    }
    ck_assert(softhsm_delete_key(&soft, "vanish"));
    uint64_t id = 0;
    ck_assert_int_eq(
        ts_token_create(&id, fx.store, hsm, "new", (const uint8_t *)FIXTURE_PIN, strlen(FIXTURE_PIN)), TS_NOT_FOUND);
    ck_assert_uint_eq(id, 0);
}
END_TEST

START_TEST(an_unreachable_hsm_costs_no_try)
{
    struct ts_hsm_options options = {
        .env = &fx.env, .uri = "pkcs11:token=hsm;object=k?module-path=/nonexistent.so&pin-value=1234"};

    make_hsm("away", true);
    ck_assert_int_eq(create("token", FIXTURE_PIN), TS_OK);
    ts_hsm_free(hsm);
    ck_assert_int_eq(ts_hsm_new(&hsm, &options), TS_OK);
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(unlock(TS_USER_SO, "wrong"), TS_IO);
    ck_assert_uint_eq(row().so_tries_left, 10);
    ts_hsm_free(hsm);
    hsm = NULL;
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_IO);
    ck_assert_ptr_nonnull(strstr(fx.log, "none is configured"));
    ck_assert_uint_eq(row().so_tries_left, 10);
}
END_TEST

START_TEST(a_token_without_hsm_layer_is_refused_where_there_is_an_hsm)
{
    fixture_token(&fx);
    make_hsm("layer", true);
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_STORAGE);
    ck_assert_uint_eq(row().so_tries_left, 10);
}
END_TEST

START_TEST(no_secret_lies_in_the_files)
{
    make_hsm("bytes", true);
    ck_assert_int_eq(create("token-label", FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(set_pin(TS_USER, FIXTURE_USER_PIN), TS_OK);
    ck_assert_int_eq(put_value("plain value of the test"), TS_OK);
    ck_assert_int_eq(unlock(TS_USER, "wrong-pin-0815"), TS_PIN_INCORRECT);
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_OK);
    ck_assert(fixture_holds(&fx, "token-label", 11)); /* the search does find what is there */
    ck_assert(!fixture_holds(&fx, FIXTURE_PIN, strlen(FIXTURE_PIN)));
    ck_assert(!fixture_holds(&fx, FIXTURE_USER_PIN, strlen(FIXTURE_USER_PIN)));
    ck_assert(!fixture_holds(&fx, "wrong-pin-0815", 14));
    ck_assert(!fixture_holds(&fx, "plain value of the test", 23));
    for (size_t at = 0; at + 8 <= TS_TOKEN_KEY_BYTES; at++)
        ck_assert(!fixture_holds(&fx, fx.keyring->key + at, 8));
    ck_assert_ptr_null(strstr(fx.log, "wrong-pin-0815"));
    ck_assert_ptr_null(strstr(fx.log, FIXTURE_USER_PIN));
}
END_TEST

START_TEST(reset_erases_everything_but_id_and_serial)
{
    const struct ts_attribute attribute = {.type = 3, .value = (uint8_t *)"label", .len = 5};
    struct ts_half_row half = {.curve = "P-256", .state = TS_HALF_ACTIVE};
    struct ts_object_row *objects;
    uint64_t object;
    size_t count;

    fixture_token(&fx);
    struct ts_token_row before = row();
    struct ts_peer_row peer = fixture_peer(&fx, 1);
    half.token = fx.token;
    memcpy(half.pairing, peer.pairing, sizeof half.pairing);
    ck_assert_int_eq(set_pin(TS_USER, FIXTURE_USER_PIN), TS_OK);
    ck_assert_int_eq(put_value("value"), TS_OK);
    ck_assert_int_eq(ts_primes_put(fx.store, fx.keyring, fx.token, 2048, (const uint8_t *)"pq", 2), TS_OK);
    ck_assert_int_eq(ts_peer_put(fx.store, fx.keyring, &peer, (const uint8_t *)"data", 4), TS_OK);
    ck_assert_int_eq(ts_half_put(fx.store, fx.keyring, &half, (const uint8_t *)"half", 4), TS_OK);
    ck_assert_int_eq(ts_object_put(&object, fx.store, NULL, fx.token, &attribute, 1), TS_OK);
    ck_assert_int_eq(reset("anew", "wrong"), TS_PIN_INCORRECT);
    expect_value("value");
    ck_assert_int_eq(reset("anew", FIXTURE_PIN), TS_OK);
    ck_assert_str_eq(row().label, "anew");
    ck_assert_str_eq(row().serial, before.serial);
    ck_assert(!row().user_pin_set);
    ck_assert_int_eq(ts_peer_get(&peer, fx.store, peer.pairing), TS_NOT_FOUND);
    ck_assert_int_eq(ts_half_get(&half, fx.store, half.key, true), TS_NOT_FOUND);
    ck_assert_int_eq(ts_primes_count(&count, fx.store, fx.token, 2048), TS_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(ts_object_list(&objects, &count, fx.store, NULL, fx.token), TS_OK);
    ck_assert_uint_eq(count, 0);
    ts_object_list_free(objects, count);
    /* who was logged in before can neither write nor set a PIN any more */
    ck_assert_int_eq(put_value("stale"), TS_STORAGE);
    ck_assert_int_eq(set_pin(TS_USER, FIXTURE_USER_PIN), TS_STORAGE);
    ck_assert(!row().user_pin_set);
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(put_value("fresh"), TS_OK);
    expect_value("fresh");
}
END_TEST

START_TEST(a_sealed_key_opens_only_in_its_place)
{
    fixture_token(&fx);
    ck_assert_int_eq(set_pin(TS_USER, FIXTURE_USER_PIN), TS_OK);
    uint64_t first = fx.token;
    ck_assert_int_eq(create("second", FIXTURE_PIN), TS_OK);
    ck_assert_uint_eq(fx.token, first + 1);
    /* the first token's SO key in the place of the second's */
    fixture_tamper(
        &fx, "UPDATE pin SET sealed = (SELECT sealed FROM pin WHERE token = 1 AND user = 0) WHERE token = 2");
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_PIN_INCORRECT);
    /* the user's in the place of the security officer's */
    fx.token = first;
    fixture_tamper(&fx,
        "UPDATE pin SET sealed = (SELECT sealed FROM pin WHERE token = 1 AND user = 1) WHERE token = 1 AND user = 0");
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_USER_PIN), TS_PIN_INCORRECT);
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_OK);
    fixture_tamper(&fx, "UPDATE token SET serial = '0000000000000000' WHERE id = 1");
    ck_assert_int_eq(unlock(TS_USER, FIXTURE_USER_PIN), TS_PIN_INCORRECT);
}
END_TEST

START_TEST(a_damaged_pin_row_is_told_apart)
{
    fixture_token(&fx);
    fixture_tamper(&fx, "UPDATE pin SET sealed = x'0102'");
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_STORAGE);
    fixture_tamper(&fx, "UPDATE pin SET sealed = zeroblob(100000)");
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_STORAGE);
    fixture_tamper(&fx, "UPDATE pin SET failures = -1000");
    ck_assert_uint_eq(row().so_tries_left, 0);
}
END_TEST

START_TEST(unlocking_is_refused_inside_a_transaction)
{
    fixture_token(&fx);
    ck_assert_int_eq(ts_store_begin(fx.store), TS_OK);
    ck_assert_int_eq(unlock(TS_USER_SO, "wrong"), TS_USAGE);
    ck_assert_int_eq(reset("anew", FIXTURE_PIN), TS_USAGE);
    ts_store_rollback(fx.store);
    ck_assert_int_eq(unlock(TS_USER_SO, FIXTURE_PIN), TS_OK);
}
END_TEST

START_TEST(tokens_are_listed_and_ids_never_come_back)
{
    struct ts_token_row *list;
    size_t count;

    ck_assert_int_eq(ts_token_list(&list, &count, fx.store), TS_OK);
    ck_assert_uint_eq(count, 0);
    free(list);
    ck_assert_int_eq(create("one", FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(create("two", FIXTURE_PIN), TS_OK);
    ck_assert_int_eq(ts_token_list(&list, &count, fx.store), TS_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[0].label, "one");
    ck_assert_str_eq(list[1].label, "two");
    ck_assert_str_ne(list[0].serial, list[1].serial);
    free(list);
    fixture_tamper(&fx, "DELETE FROM pin; DELETE FROM token");
    ck_assert_int_eq(create("three", FIXTURE_PIN), TS_OK);
    ck_assert_uint_eq(fx.token, 3);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("token");
    TCase *tests = tcase_create("token");

    tcase_add_unchecked_fixture(tests, start, stop);
    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, both_pins_open_the_same_token_key);
    tcase_add_test(tests, arguments_are_checked);
    tcase_add_test(tests, wrong_pins_are_counted_and_lock);
    tcase_add_test(tests, a_locked_so_pin_protects_against_reset);
    tcase_add_test(tests, processes_share_the_tries);
    tcase_add_test(tests, a_try_is_counted_before_the_check);
    tcase_add_test(tests, a_pin_replaced_meanwhile_is_a_wrong_one);
    tcase_add_test(tests, the_hsm_key_is_gone_then_another);
    tcase_add_test(tests, an_unreachable_hsm_costs_no_try);
    tcase_add_test(tests, a_token_without_hsm_layer_is_refused_where_there_is_an_hsm);
    tcase_add_test(tests, no_secret_lies_in_the_files);
    tcase_add_test(tests, reset_erases_everything_but_id_and_serial);
    tcase_add_test(tests, a_sealed_key_opens_only_in_its_place);
    tcase_add_test(tests, a_damaged_pin_row_is_told_apart);
    tcase_add_test(tests, unlocking_is_refused_inside_a_transaction);
    tcase_add_test(tests, tokens_are_listed_and_ids_never_come_back);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
