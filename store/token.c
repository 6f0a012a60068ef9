#include "store/db.h"

#include "base/secret.h"
#include "store/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 10

#define SELECT_TOKEN                                                                                                   \
    "SELECT token.id, label, serial, so.failures, user.failures IS NOT NULL, user.failures FROM token"                 \
    " JOIN pin AS so ON so.token = token.id AND so.user = 0"                                                           \
    " LEFT JOIN pin AS user ON user.token = token.id AND user.user = 1"

_Static_assert(TS_USER_SO == 0 && TS_USER == 1, "the numbers are stored");

static uint32_t
tries_left(int64_t failures)
{
    return failures >= 0 && failures < TRIES ? TRIES - (uint32_t)failures : 0;
}

static void
read_token(struct ts_token_row *row, struct ts_query *query)
{
    *row = (struct ts_token_row){.id = (uint64_t)ts_query_get_int(query, 0), .tries = TRIES};
    ts_query_get_text(query, 1, row->label, sizeof row->label);
    ts_query_get_text(query, 2, row->serial, sizeof row->serial);
    row->so_tries_left = tries_left(ts_query_get_int(query, 3));
    row->user_pin_set = ts_query_get_int(query, 4) != 0;
    row->user_tries_left = tries_left(ts_query_get_int(query, 5));
}

enum ts_error
ts_token_list(struct ts_token_row **out, size_t *count, struct ts_store *store)
{
    struct ts_query query;
    void *list = NULL;
    size_t rows = 0;
    enum ts_error result = TS_OK;

    *out = NULL;
    *count = 0;
    ts_query_start(&query, store, SELECT_TOKEN " ORDER BY token.id");
    while (result == TS_OK && ts_query_row(&query)) {
        struct ts_token_row row;
        read_token(&row, &query);
        result = ts_list_append(&list, &rows, &row, sizeof row);
    }
    enum ts_error ended = ts_query_end(&query);
    if (result == TS_OK)
        result = ended;
    if (result != TS_OK) {
        free(list);
        return result;
    }
    *out = list;
    *count = rows;
    return TS_OK;
}

enum ts_error
ts_token_get(struct ts_token_row *out, struct ts_store *store, uint64_t id)
{
    struct ts_query query;

    ts_query_start(&query, store, SELECT_TOKEN " WHERE token.id = ?");
    ts_query_int(&query, (int64_t)id);
    bool found = ts_query_row(&query);
    if (found)
        read_token(out, &query);
    return ts_query_end_found(&query, found);
}

static bool
pin_length_good(size_t len)
{
    return len >= TS_PIN_MIN && len <= TS_PIN_MAX;
}

static bool
label_good(const char *label)
{
    size_t len = strnlen(label, TS_LABEL_BYTES + 1);

    return len >= 1 && len <= TS_LABEL_BYTES;
}

/* --- a new token key --- */

static enum ts_error
new_serial(char serial[17], const struct ts_env *env)
{
    uint8_t random[8];

    enum ts_error result = ts_random(env, random, sizeof random);
    for (size_t i = 0; result == TS_OK && i < sizeof random; i++)
        (void)snprintf(serial + 2 * i, 3, "%02x", random[i]);
    return result;
}

/* A new token key that only `sealed` keeps, under the SO PIN. */
static enum ts_error
new_key(struct ts_buf *sealed, struct ts_pin_place *place, struct ts_store *store, struct ts_hsm *hsm,
    const uint8_t *pin, size_t pin_len)
{
    uint8_t *key = ts_secret_new(TS_TOKEN_KEY_BYTES);

    place->user = TS_USER_SO;
    enum ts_error result = key ? ts_random(store->env, key, TS_TOKEN_KEY_BYTES) : TS_INTERNAL;
    if (result == TS_OK)
        result = ts_random(store->env, place->key_id, sizeof place->key_id);
    if (result == TS_OK)
        result = ts_pin_seal(sealed, store->env, hsm, place, pin, pin_len, key);
    ts_secret_free(key);
    return result;
}

/* The id is part of what is sealed, and sealing talks to the HSM, outside of any transaction: so an id is used up
   first, without leaving a row that others could see. */
static enum ts_error
reserve_id(uint64_t *id, struct ts_store *store, const char *serial)
{
    struct ts_query query;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    ts_query_start(&query, store, "INSERT INTO token(label, serial, key_id) VALUES('', ?, x'')");
    ts_query_text(&query, serial);
    result = ts_query_run(&query);
    *id = (uint64_t)sqlite3_last_insert_rowid(store->db);
    if (result == TS_OK) {
        ts_query_start(&query, store, "DELETE FROM token WHERE id = ?");
        ts_query_int(&query, (int64_t)*id);
        result = ts_query_change(&query);
    }
    return ts_store_finish(store, result);
}

static enum ts_error
put_pin(struct ts_store *store, const struct ts_pin_place *place, const struct ts_buf *sealed)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "INSERT INTO pin(token, user, sealed) VALUES(?, ?, ?) ON CONFLICT(token, user) DO UPDATE"
        " SET sealed = excluded.sealed, failures = 0, round = round + 1");
    ts_query_int(&query, (int64_t)place->token);
    ts_query_int(&query, (int64_t)place->user);
    ts_query_blob(&query, sealed->data, sealed->len);
    return ts_query_run(&query);
}

static enum ts_error
insert_token(struct ts_store *store, const struct ts_pin_place *place, const char *label, const struct ts_buf *sealed)
{
    struct ts_query query;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    ts_query_start(&query, store, "INSERT INTO token(id, label, serial, key_id) VALUES(?, ?, ?, ?)");
    ts_query_int(&query, (int64_t)place->token);
    ts_query_text(&query, label);
    ts_query_text(&query, place->serial);
    ts_query_blob(&query, place->key_id, sizeof place->key_id);
    result = ts_query_run(&query);
    if (result == TS_OK)
        result = put_pin(store, place, sealed);
    return ts_store_finish(store, result);
}

enum ts_error
ts_token_create(
    uint64_t *id, struct ts_store *store, struct ts_hsm *hsm, const char *label, const uint8_t *pin, size_t pin_len)
{
    struct ts_pin_place place = {0};
    struct ts_buf sealed;

    *id = 0;
    if (!label_good(label) || !pin_length_good(pin_len))
        return TS_USAGE;
    ts_buf_init(&sealed, 0);
    enum ts_error result = new_serial(place.serial, store->env);
    if (result == TS_OK)
        result = reserve_id(&place.token, store, place.serial);
    if (result == TS_OK)
        result = new_key(&sealed, &place, store, hsm, pin, pin_len);
    if (result == TS_OK)
        result = insert_token(store, &place, label, &sealed);
    if (result == TS_OK)
        *id = place.token;
    ts_buf_clear(&sealed);
    return result;
}

/* --- checking a PIN --- */

/* One try: what was read when it was counted. */
struct attempt {
    struct ts_pin_place place;
    struct ts_buf sealed;
    int64_t failures, round;
};

static enum ts_error
read_pin(struct attempt *attempt, struct ts_store *store)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "SELECT serial, key_id, sealed, failures, round FROM token"
        " LEFT JOIN pin ON pin.token = token.id AND pin.user = ? WHERE token.id = ?");
    ts_query_int(&query, (int64_t)attempt->place.user);
    ts_query_int(&query, (int64_t)attempt->place.token);
    bool found = ts_query_row(&query);
    if (found) {
        ts_query_get_text(&query, 0, attempt->place.serial, sizeof attempt->place.serial);
        ts_query_get_blob(&query, 1, attempt->place.key_id, sizeof attempt->place.key_id);
        ts_query_get_bytes(&query, 2, &attempt->sealed);
        attempt->failures = ts_query_get_int(&query, 3);
        attempt->round = ts_query_get_int(&query, 4);
    }
    enum ts_error result = ts_query_end_found(&query, found);
    if (result == TS_OK && ts_buf_error(&attempt->sealed) != TS_OK)
        result = ts_buf_error(&attempt->sealed) == TS_FORMAT ? TS_STORAGE : TS_INTERNAL;
    return result;
}

static enum ts_error
add_failure(struct ts_store *store, const struct attempt *attempt)
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE pin SET failures = failures + 1 WHERE token = ? AND user = ?");
    ts_query_int(&query, (int64_t)attempt->place.token);
    ts_query_int(&query, (int64_t)attempt->place.user);
    return ts_query_change(&query);
}

static enum ts_error
count_in_transaction(struct attempt *attempt, struct ts_store *store, const struct ts_hsm *hsm)
{
    enum ts_error result = read_pin(attempt, store);

    if (result != TS_OK)
        return result;
    if (attempt->sealed.len == 0)
        return TS_USAGE;
    if (tries_left(attempt->failures) == 0)
        return TS_PIN_LOCKED;
    result = ts_pin_check(store->env, hsm, attempt->sealed.data, attempt->sealed.len);
    return result == TS_OK ? add_failure(store, attempt) : result;
}

/* Durable before the PIN is looked at: a process that is killed after a wrong PIN has still used its try, and processes
   at once share the ten. */
static enum ts_error
count_try(struct attempt *attempt, struct ts_store *store, const struct ts_hsm *hsm)
{
    /* Within a larger unit the count could be rolled back. */
    if (ts_store_in_transaction(store))
        return TS_USAGE;
    enum ts_error result = ts_store_begin(store);
    return result == TS_OK ? ts_store_finish(store, count_in_transaction(attempt, store, hsm)) : result;
}

/* A good PIN clears the count, unless the PIN was replaced while it was checked: then it is a wrong one now. */
static enum ts_error
clear_failures(struct ts_store *store, const struct attempt *attempt)
{
    struct ts_query query;

    ts_query_start(
        &query, store, "UPDATE pin SET failures = 0, round = round + 1 WHERE token = ? AND user = ? AND sealed = ?");
    ts_query_int(&query, (int64_t)attempt->place.token);
    ts_query_int(&query, (int64_t)attempt->place.user);
    ts_query_blob(&query, attempt->sealed.data, attempt->sealed.len);
    enum ts_error result = ts_query_change(&query);
    return result == TS_NOT_FOUND ? TS_PIN_INCORRECT : result;
}

/* The PIN was not judged. Only in the same round: after a clearing the try is gone already, and giving it back would
   forget somebody else's. */
static void
give_back_try(struct ts_store *store, const struct attempt *attempt)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "UPDATE pin SET failures = failures - 1 WHERE token = ? AND user = ? AND round = ? AND failures > 0");
    ts_query_int(&query, (int64_t)attempt->place.token);
    ts_query_int(&query, (int64_t)attempt->place.user);
    ts_query_int(&query, attempt->round);
    if (ts_query_run(&query) != TS_OK)
        ts_log(store->env, TS_LOG_WARNING, "a PIN try of token %s that could not be checked stays counted",
            attempt->place.serial);
}

static void
log_wrong_pin(const struct ts_store *store, const struct attempt *attempt)
{
    uint32_t left = tries_left(attempt->failures + 1);

    ts_log(store->env, TS_LOG_WARNING, "wrong %s PIN for token %s, %u tries left",
        attempt->place.user == TS_USER ? "user" : "SO", attempt->place.serial, left);
}

static enum ts_error
check_pin(struct ts_keyring *keyring, struct attempt *attempt, struct ts_store *store, struct ts_hsm *hsm,
    const uint8_t *pin, size_t pin_len)
{
    enum ts_error result = ts_pin_open(
        keyring->key, store->env, hsm, &attempt->place, pin, pin_len, attempt->sealed.data, attempt->sealed.len);

    if (result == TS_OK)
        return clear_failures(store, attempt);
    if (result == TS_PIN_INCORRECT)
        log_wrong_pin(store, attempt);
    else
        give_back_try(store, attempt);
    return result;
}

enum ts_error
ts_token_unlock(struct ts_keyring **out, struct ts_store *store, struct ts_hsm *hsm, uint64_t id, enum ts_user user,
    const uint8_t *pin, size_t pin_len)
{
    struct attempt attempt = {.place = {.token = id, .user = user}};

    *out = NULL;
    ts_buf_init(&attempt.sealed, TS_PIN_SEALED_MAX);
    enum ts_error result = count_try(&attempt, store, hsm);
    if (result == TS_OK) {
        struct ts_keyring *keyring = ts_keyring_new(store->env, id, attempt.place.key_id);
        if (keyring) {
            result = check_pin(keyring, &attempt, store, hsm, pin, pin_len);
        } else {
            give_back_try(store, &attempt);
            result = TS_INTERNAL;
        }
        if (result == TS_OK)
            *out = keyring;
        else
            ts_keyring_free(keyring);
    }
    ts_buf_clear(&attempt.sealed);
    return result;
}

enum ts_error
ts_token_set_pin(struct ts_store *store, struct ts_hsm *hsm, uint64_t id, const struct ts_keyring *keyring,
    enum ts_user user, const uint8_t *pin, size_t pin_len)
{
    struct ts_pin_place place = {.token = id, .user = user};
    struct ts_token_row row;
    struct ts_buf sealed;

    if (!pin_length_good(pin_len))
        return TS_USAGE;
    ts_buf_init(&sealed, 0);
    enum ts_error result = ts_keyring_check(store, keyring, id);
    if (result == TS_OK)
        result = ts_token_get(&row, store, id);
    if (result != TS_OK)
        return result;
    memcpy(place.serial, row.serial, sizeof place.serial);
    memcpy(place.key_id, keyring->key_id, sizeof place.key_id);
    result = ts_pin_seal(&sealed, store->env, hsm, &place, pin, pin_len, keyring->key);
    if (result == TS_OK)
        result = ts_store_begin(store);
    if (result == TS_OK) {
        result = ts_keyring_check(store, keyring, id); /* again: it took long, and others may have written */
        if (result == TS_OK)
            result = put_pin(store, &place, &sealed);
        result = ts_store_finish(store, result);
    }
    ts_buf_clear(&sealed);
    return result == TS_NOT_FOUND ? TS_STORAGE : result;
}

/* --- making a token anew --- */

static enum ts_error
erase_content(struct ts_store *store, uint64_t id)
{
    /* In the order of the references between them. */
    static const char *const deletions[] = {
        "DELETE FROM key_lock WHERE key IN (SELECT key FROM half WHERE token = ?)",
        "DELETE FROM half WHERE token = ?",
        "DELETE FROM peer WHERE token = ?",
        "DELETE FROM object WHERE token = ?",
        "DELETE FROM primes WHERE token = ?",
        "DELETE FROM value WHERE token = ?",
        "DELETE FROM pin WHERE token = ? AND user = 1",
    };
    enum ts_error result = TS_OK;

    for (size_t i = 0; result == TS_OK && i < sizeof deletions / sizeof deletions[0]; i++) {
        struct ts_query query;
        ts_query_start(&query, store, deletions[i]);
        ts_query_int(&query, (int64_t)id);
        result = ts_query_run(&query);
    }
    return result;
}

static enum ts_error
replace_token(struct ts_store *store, const struct ts_pin_place *place, const char *label, const struct ts_buf *sealed)
{
    struct ts_query query;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    result = erase_content(store, place->token);
    if (result == TS_OK) {
        ts_query_start(&query, store, "UPDATE token SET label = ?, key_id = ? WHERE id = ?");
        ts_query_text(&query, label);
        ts_query_blob(&query, place->key_id, sizeof place->key_id);
        ts_query_int(&query, (int64_t)place->token);
        result = ts_query_change(&query);
    }
    if (result == TS_OK)
        result = put_pin(store, place, sealed);
    return ts_store_finish(store, result);
}

enum ts_error
ts_token_reset(
    struct ts_store *store, struct ts_hsm *hsm, uint64_t id, const char *label, const uint8_t *pin, size_t pin_len)
{
    struct ts_pin_place place = {.token = id};
    struct ts_keyring *old = NULL;
    struct ts_token_row row;
    struct ts_buf sealed;

    if (!label_good(label))
        return TS_USAGE;
    ts_buf_init(&sealed, 0);
    enum ts_error result = ts_token_unlock(&old, store, hsm, id, TS_USER_SO, pin, pin_len);
    ts_keyring_free(old);
    if (result == TS_OK)
        result = ts_token_get(&row, store, id);
    if (result == TS_OK) {
        memcpy(place.serial, row.serial, sizeof place.serial);
        result = new_key(&sealed, &place, store, hsm, pin, pin_len);
    }
    if (result == TS_OK)
        result = replace_token(store, &place, label, &sealed);
    ts_buf_clear(&sealed);
    return result;
}
