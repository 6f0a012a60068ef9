#include "store/db.h"

#include "base/secret.h"
#include "store/gcm.h"
#include "store/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND 1000000000u

#define HALF_COLUMNS                                                                                                   \
    "half.key, generation, token, pairing, curve, label, public_key, confirmation, state, acknowledged, created,"      \
    " key_lock.key IS NOT NULL, parameters"
#define FROM_HALF " FROM half LEFT JOIN key_lock ON key_lock.key = half.key"

_Static_assert(TS_HALF_PENDING == 1 && TS_HALF_ACTIVE == 2, "the numbers are stored");

/* Everything that never changes in the row: none of it can be exchanged behind the half's back. */
static void
half_aad(struct ts_buf *aad, const struct ts_half_row *row)
{
    ts_aad_start(aad, "half");
    ts_aad_number(aad, row->token);
    ts_aad_bytes(aad, row->key, sizeof row->key);
    ts_aad_number(aad, row->generation);
    ts_aad_bytes(aad, row->pairing, sizeof row->pairing);
    ts_aad_bytes(aad, row->curve, strlen(row->curve));
    ts_aad_bytes(aad, row->label, strlen(row->label));
    ts_aad_bytes(aad, row->public_key, row->public_key_len);
}

static void
read_public_key(struct ts_half_row *row, struct ts_query *query, int column)
{
    struct ts_buf point;

    ts_buf_init(&point, sizeof row->public_key);
    ts_query_get_bytes(query, column, &point);
    if (ts_buf_error(&point) != TS_OK)
        query->rc = SQLITE_CORRUPT;
    else if (point.len > 0)
        memcpy(row->public_key, point.data, point.len);
    row->public_key_len = point.len;
    ts_buf_clear(&point);
}

static void
read_half(struct ts_half_row *row, struct ts_query *query)
{
    *row = (struct ts_half_row){.token = (uint64_t)ts_query_get_int(query, 2)};
    ts_query_get_blob(query, 0, row->key, sizeof row->key);
    row->generation = (uint32_t)ts_query_get_int(query, 1);
    ts_query_get_blob(query, 3, row->pairing, sizeof row->pairing);
    ts_query_get_text(query, 4, row->curve, sizeof row->curve);
    ts_query_get_text(query, 5, row->label, sizeof row->label);
    read_public_key(row, query, 6);
    ts_query_get_blob(query, 7, row->confirmation, sizeof row->confirmation);
    row->state = ts_query_get_int(query, 8) == TS_HALF_ACTIVE ? TS_HALF_ACTIVE : TS_HALF_PENDING;
    row->acknowledged = ts_query_get_int(query, 9) != 0;
    row->created = ts_query_get_int(query, 10);
    row->locked = ts_query_get_int(query, 11) != 0;
    ts_query_get_blob(query, 12, row->parameters, sizeof row->parameters);
}

static bool
row_good(const struct ts_half_row *row)
{
    return *row->curve && memchr(row->curve, 0, sizeof row->curve) && memchr(row->label, 0, sizeof row->label) &&
           row->public_key_len <= sizeof row->public_key &&
           (row->state == TS_HALF_PENDING || row->state == TS_HALF_ACTIVE);
}

static enum ts_error
insert_half(struct ts_store *store, const struct ts_half_row *row, const struct ts_buf *sealed)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "INSERT INTO half(key, generation, token, pairing, curve, label, public_key, confirmation, state,"
        " acknowledged, created, sealed, parameters) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    ts_query_blob(&query, row->key, sizeof row->key);
    ts_query_int(&query, row->generation);
    ts_query_int(&query, (int64_t)row->token);
    ts_query_blob(&query, row->pairing, sizeof row->pairing);
    ts_query_text(&query, row->curve);
    ts_query_text(&query, row->label);
    ts_query_blob(&query, row->public_key, row->public_key_len);
    ts_query_blob(&query, row->confirmation, sizeof row->confirmation);
    ts_query_int(&query, row->state);
    ts_query_int(&query, row->acknowledged);
    ts_query_int(&query, row->created);
    ts_query_blob(&query, sealed->data, sealed->len);
    ts_query_blob(&query, row->parameters, sizeof row->parameters);
    return ts_query_run(&query);
}

enum ts_error
ts_half_put(struct ts_store *store, const struct ts_keyring *keyring, const struct ts_half_row *row,
    const uint8_t *half, size_t len)
{
    struct ts_buf aad, sealed;

    if (!row_good(row))
        return TS_USAGE;
    half_aad(&aad, row);
    ts_buf_init(&sealed, 0);
    enum ts_error result = ts_keyring_seal_aad(&sealed, keyring, half, len, &aad);
    if (result == TS_OK)
        result = ts_store_begin(store);
    if (result == TS_OK) {
        result = ts_keyring_check(store, keyring, row->token);
        if (result == TS_OK)
            result = insert_half(store, row, &sealed);
        result = ts_store_finish(store, result);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

static enum ts_error
set_active(struct ts_store *store, const uint8_t *key, uint32_t generation)
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE half SET state = 2 WHERE key = ? AND generation = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_int(&query, generation);
    return ts_query_change(&query);
}

enum ts_error
ts_half_activate(
    struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation, const uint8_t confirmation[32])
{
    struct ts_half_row row;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    result = ts_half_get_generation(&row, store, key, generation);
    if (result == TS_OK && !ts_equal(row.confirmation, confirmation, sizeof row.confirmation))
        result = TS_CHEATED;
    if (result == TS_OK && row.state != TS_HALF_ACTIVE)
        result = set_active(store, key, generation);
    return ts_store_finish(store, result);
}

enum ts_error
ts_half_set_acknowledged(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE half SET acknowledged = 1 WHERE key = ? AND generation = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_int(&query, generation);
    return ts_query_change(&query);
}

static enum ts_error
insert_lock(struct ts_store *store, const uint8_t *key, const char *reason)
{
    uint64_t now_ns = store->env->clock.realtime_ns(store->env->clock.ctx);
    struct ts_query query;

    /* The first reason stays: it is the one that counts. */
    ts_query_start(
        &query, store, "INSERT INTO key_lock(key, reason, since) VALUES(?, ?, ?) ON CONFLICT(key) DO NOTHING");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_text(&query, reason);
    ts_query_int(&query, (int64_t)(now_ns / NS_PER_SECOND));
    return ts_query_run(&query);
}

enum ts_error
ts_half_lock(struct ts_store *store, const uint8_t key[TS_ID_BYTES], const char *reason)
{
    struct ts_half_row row;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    result = ts_half_get(&row, store, key, true);
    if (result == TS_OK)
        result = insert_lock(store, key, reason);
    return ts_store_finish(store, result);
}

enum ts_error
ts_half_get(struct ts_half_row *out, struct ts_store *store, const uint8_t key[TS_ID_BYTES], bool any_state)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "SELECT " HALF_COLUMNS FROM_HALF " WHERE half.key = ? AND state >= ? ORDER BY generation DESC LIMIT 1");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_int(&query, any_state ? TS_HALF_PENDING : TS_HALF_ACTIVE);
    bool found = ts_query_row(&query);
    if (found)
        read_half(out, &query);
    return ts_query_end_found(&query, found);
}

/* Row and sealed half in one reading, so that they belong together; `sealed` may be NULL. */
static enum ts_error
read_generation(
    struct ts_half_row *out, struct ts_buf *sealed, struct ts_store *store, const uint8_t *key, uint32_t generation)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT " HALF_COLUMNS ", sealed" FROM_HALF " WHERE half.key = ? AND generation = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_int(&query, generation);
    bool found = ts_query_row(&query);
    if (found)
        read_half(out, &query);
    if (found && sealed)
        ts_query_get_bytes(&query, 13, sealed);
    return ts_query_end_found(&query, found);
}

enum ts_error
ts_half_get_generation(
    struct ts_half_row *out, struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    return read_generation(out, NULL, store, key, generation);
}

enum ts_error
ts_half_data(struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring,
    const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_half_row row = {0};
    struct ts_buf aad, sealed;

    ts_buf_init(&aad, 0);
    ts_buf_init(&sealed, TS_SEALED_MAX + TS_GCM_OVERHEAD);
    enum ts_error result = read_generation(&row, &sealed, store, key, generation);
    if (result == TS_OK) {
        half_aad(&aad, &row);
        result = ts_keyring_open_aad(out, keyring, &sealed, &aad);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_half_list(struct ts_half_row **out, size_t *count, struct ts_store *store, uint64_t token)
{
    struct ts_query query;
    void *list = NULL;
    size_t rows = 0;
    enum ts_error result = TS_OK;

    *out = NULL;
    *count = 0;
    ts_query_start(&query, store,
        "SELECT " HALF_COLUMNS FROM_HALF " WHERE ?1 = 0 OR token = ?1 ORDER BY created, half.key, generation");
    ts_query_int(&query, (int64_t)token);
    while (result == TS_OK && ts_query_row(&query)) {
        struct ts_half_row row;
        read_half(&row, &query);
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
ts_half_delete(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_query query;

    /* A lock outlives its halves: no later half of this key may come unlocked. */
    ts_query_start(&query, store, "DELETE FROM half WHERE key = ? AND generation = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_int(&query, generation);
    return ts_query_change(&query);
}

enum ts_error
ts_half_lock_reason(char *out, size_t size, struct ts_store *store, const uint8_t key[TS_ID_BYTES])
{
    struct ts_query query;
    struct ts_buf reason;

    if (size == 0)
        return TS_USAGE;
    out[0] = 0;
    ts_buf_init(&reason, TS_SEALED_MAX);
    ts_query_start(&query, store, "SELECT reason FROM key_lock WHERE key = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    bool found = ts_query_row(&query);
    if (found)
        ts_query_get_bytes(&query, 0, &reason);
    enum ts_error result = ts_query_end(&query);
    if (result == TS_OK && reason.len > 0)
        (void)snprintf(out, size, "%.*s", (int)reason.len, (const char *)reason.data);
    ts_buf_clear(&reason);
    return result;
}
