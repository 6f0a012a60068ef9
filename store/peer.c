#include "store/db.h"
#include "store/gcm.h"
#include "store/keyring.h"
#include "store/peer_seal.h"

#include <stdlib.h>
#include <string.h>

#define SELECT_PEER                                                                                                    \
    "SELECT pairing, token, name, address, key_hash, bits, state, confirmation, acknowledged, created, last_seen"      \
    " FROM peer"

_Static_assert(TS_PEER_PENDING == 1 && TS_PEER_ACTIVE == 2, "the numbers are stored");

void
ts_peer_aad(struct ts_buf *aad, const struct ts_peer_row *row)
{
    ts_aad_start(aad, "pairing");
    ts_aad_number(aad, row->token);
    ts_aad_bytes(aad, row->pairing, sizeof row->pairing);
    ts_aad_bytes(aad, row->key_hash, sizeof row->key_hash);
    ts_aad_number(aad, row->bits);
}

static void
read_peer(struct ts_peer_row *row, struct ts_query *query)
{
    *row = (struct ts_peer_row){.token = (uint64_t)ts_query_get_int(query, 1)};
    ts_query_get_blob(query, 0, row->pairing, sizeof row->pairing);
    ts_query_get_text(query, 2, row->name, sizeof row->name);
    ts_query_get_text(query, 3, row->address, sizeof row->address);
    ts_query_get_blob(query, 4, row->key_hash, sizeof row->key_hash);
    row->bits = (uint32_t)ts_query_get_int(query, 5);
    row->state = ts_query_get_int(query, 6) == TS_PEER_ACTIVE ? TS_PEER_ACTIVE : TS_PEER_PENDING;
    ts_query_get_blob(query, 7, row->confirmation, sizeof row->confirmation);
    row->acknowledged = ts_query_get_int(query, 8) != 0;
    row->created = ts_query_get_int(query, 9);
    row->last_seen = ts_query_get_int(query, 10);
}

static bool
row_good(const struct ts_peer_row *row)
{
    size_t name = strnlen(row->name, sizeof row->name);

    return name >= 1 && name < sizeof row->name && memchr(row->address, 0, sizeof row->address) &&
           (row->state == TS_PEER_PENDING || row->state == TS_PEER_ACTIVE);
}

/* The index forbids two active ones; a pending one beside an active one is forbidden here. */
static enum ts_error
check_name(struct ts_store *store, const struct ts_peer_row *row)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT 1 FROM peer WHERE token = ? AND name = ? AND state = 2");
    ts_query_int(&query, (int64_t)row->token);
    ts_query_text(&query, row->name);
    bool found = ts_query_row(&query);
    enum ts_error result = ts_query_end(&query);
    return result == TS_OK && found ? TS_EXISTS : result;
}

static enum ts_error
insert_peer(struct ts_store *store, const struct ts_peer_row *row, const struct ts_buf *sealed)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "INSERT INTO peer(pairing, token, name, address, key_hash, bits, state, confirmation, acknowledged, created,"
        " last_seen, sealed) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    ts_query_blob(&query, row->pairing, sizeof row->pairing);
    ts_query_int(&query, (int64_t)row->token);
    ts_query_text(&query, row->name);
    ts_query_text(&query, row->address);
    ts_query_blob(&query, row->key_hash, sizeof row->key_hash);
    ts_query_int(&query, row->bits);
    ts_query_int(&query, row->state);
    ts_query_blob(&query, row->confirmation, sizeof row->confirmation);
    ts_query_int(&query, row->acknowledged);
    ts_query_int(&query, row->created);
    ts_query_int(&query, row->last_seen);
    ts_query_blob(&query, sealed->data, sealed->len);
    return ts_query_run(&query);
}

enum ts_error
ts_peer_put(struct ts_store *store, const struct ts_keyring *keyring, const struct ts_peer_row *row,
    const uint8_t *pairing_data, size_t len)
{
    struct ts_buf aad, sealed;

    if (!row_good(row))
        return TS_USAGE;
    ts_peer_aad(&aad, row);
    ts_buf_init(&sealed, 0);
    enum ts_error result = ts_keyring_seal_aad(&sealed, keyring, pairing_data, len, &aad);
    if (result == TS_OK)
        result = ts_store_begin(store);
    if (result == TS_OK) {
        result = ts_keyring_check(store, keyring, row->token);
        if (result == TS_OK)
            result = check_name(store, row);
        if (result == TS_OK)
            result = insert_peer(store, row, &sealed);
        result = ts_store_finish(store, result);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_peer_activate(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE peer SET state = 2 WHERE pairing = ?");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    return ts_query_change(&query);
}

enum ts_error
ts_peer_set_acknowledged(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE peer SET acknowledged = 1 WHERE pairing = ?");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    return ts_query_change(&query);
}

enum ts_error
ts_peer_set_seen(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES], int64_t when)
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE peer SET last_seen = ? WHERE pairing = ?");
    ts_query_int(&query, when);
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    return ts_query_change(&query);
}

enum ts_error
ts_peer_set_address(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES], const char *address)
{
    struct ts_query query;

    if (strlen(address) >= sizeof((struct ts_peer_row *)0)->address)
        return TS_USAGE;
    ts_query_start(&query, store, "UPDATE peer SET address = ? WHERE pairing = ?");
    ts_query_text(&query, address);
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    return ts_query_change(&query);
}

enum ts_error
ts_peer_get(struct ts_peer_row *out, struct ts_store *store, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, store, SELECT_PEER " WHERE pairing = ?");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    bool found = ts_query_row(&query);
    if (found)
        read_peer(out, &query);
    return ts_query_end_found(&query, found);
}

enum ts_error
ts_peer_find(struct ts_peer_row *out, struct ts_store *store, uint64_t token, const uint8_t key_hash[32])
{
    struct ts_query query;

    ts_query_start(&query, store,
        SELECT_PEER " WHERE token = ? AND key_hash = ? ORDER BY state DESC, created DESC, pairing LIMIT 1");
    ts_query_int(&query, (int64_t)token);
    ts_query_blob(&query, key_hash, 32);
    bool found = ts_query_row(&query);
    if (found)
        read_peer(out, &query);
    return ts_query_end_found(&query, found);
}

enum ts_error
ts_peer_list(struct ts_peer_row **out, size_t *count, struct ts_store *store, uint64_t token)
{
    struct ts_query query;
    void *list = NULL;
    size_t rows = 0;
    enum ts_error result = TS_OK;

    *out = NULL;
    *count = 0;
    ts_query_start(&query, store, SELECT_PEER " WHERE ?1 = 0 OR token = ?1 ORDER BY created, pairing");
    ts_query_int(&query, (int64_t)token);
    while (result == TS_OK && ts_query_row(&query)) {
        struct ts_peer_row row;
        read_peer(&row, &query);
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

/* Row and sealed data in one reading, so that they belong together. */
static enum ts_error
read_sealed(struct ts_peer_row *row, struct ts_buf *sealed, struct ts_store *store, const uint8_t *pairing)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "SELECT pairing, token, name, address, key_hash, bits, state, confirmation, acknowledged, created, last_seen,"
        " sealed FROM peer WHERE pairing = ?");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    bool found = ts_query_row(&query);
    if (found) {
        read_peer(row, &query);
        ts_query_get_bytes(&query, 11, sealed);
    }
    return ts_query_end_found(&query, found);
}

enum ts_error
ts_peer_data(
    struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_peer_row row = {0};
    struct ts_buf aad, sealed;

    ts_buf_init(&aad, 0);
    ts_buf_init(&sealed, TS_SEALED_MAX + TS_GCM_OVERHEAD);
    enum ts_error result = read_sealed(&row, &sealed, store, pairing);
    if (result == TS_OK) {
        ts_peer_aad(&aad, &row);
        result = ts_keyring_open_aad(out, keyring, &sealed, &aad);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_peer_delete(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_query query;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    ts_query_start(&query, store, "SELECT 1 FROM half WHERE pairing = ?");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    bool used = ts_query_row(&query);
    result = ts_query_end(&query);
    if (result == TS_OK && used)
        result = TS_USAGE;
    if (result == TS_OK) {
        ts_query_start(&query, store, "DELETE FROM peer WHERE pairing = ?");
        ts_query_blob(&query, pairing, TS_ID_BYTES);
        result = ts_query_change(&query);
    }
    return ts_store_finish(store, result);
}
