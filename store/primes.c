#include "store/db.h"
#include "store/gcm.h"
#include "store/keyring.h"

static void
primes_aad(struct ts_buf *aad, uint64_t token, uint32_t bits, int64_t id)
{
    ts_aad_start(aad, "primes");
    ts_aad_number(aad, token);
    ts_aad_number(aad, bits);
    ts_aad_number(aad, (uint64_t)id);
}

/* The row comes first, because its id is part of what is sealed. */
static enum ts_error
insert_row(int64_t *id, struct ts_store *store, uint64_t token, uint32_t bits)
{
    struct ts_query query;

    ts_query_start(&query, store, "INSERT INTO primes(token, bits, sealed) VALUES(?, ?, x'')");
    ts_query_int(&query, (int64_t)token);
    ts_query_int(&query, bits);
    enum ts_error result = ts_query_run(&query);
    *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

static enum ts_error
put_in_transaction(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, uint32_t bits,
    const uint8_t *value, size_t len)
{
    struct ts_buf aad, sealed;
    struct ts_query query;
    int64_t id = 0;

    ts_buf_init(&sealed, 0);
    enum ts_error result = ts_keyring_check(store, keyring, token);
    if (result == TS_OK)
        result = insert_row(&id, store, token, bits);
    primes_aad(&aad, token, bits, id);
    if (result == TS_OK)
        result = ts_keyring_seal_aad(&sealed, keyring, value, len, &aad);
    if (result == TS_OK) {
        ts_query_start(&query, store, "UPDATE primes SET sealed = ? WHERE id = ?");
        ts_query_blob(&query, sealed.data, sealed.len);
        ts_query_int(&query, id);
        result = ts_query_change(&query);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_primes_put(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, uint32_t bits,
    const uint8_t *value, size_t len)
{
    enum ts_error result = ts_store_begin(store);

    if (result != TS_OK)
        return result;
    return ts_store_finish(store, put_in_transaction(store, keyring, token, bits, value, len));
}

static enum ts_error
read_first(int64_t *id, struct ts_buf *sealed, struct ts_store *store, uint64_t token, uint32_t bits)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT id, sealed FROM primes WHERE token = ? AND bits = ? ORDER BY id LIMIT 1");
    ts_query_int(&query, (int64_t)token);
    ts_query_int(&query, bits);
    bool found = ts_query_row(&query);
    *id = ts_query_get_int(&query, 0);
    if (found)
        ts_query_get_bytes(&query, 1, sealed);
    return ts_query_end_found(&query, found);
}

static enum ts_error
take_in_transaction(
    struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, uint32_t bits)
{
    struct ts_buf aad, sealed;
    struct ts_query query;
    int64_t id = 0;

    ts_buf_init(&sealed, TS_SEALED_MAX + TS_GCM_OVERHEAD);
    enum ts_error result = read_first(&id, &sealed, store, token, bits);
    primes_aad(&aad, token, bits, id);
    if (result == TS_OK)
        result = ts_keyring_open_aad(out, keyring, &sealed, &aad);
    if (result == TS_OK) {
        ts_query_start(&query, store, "DELETE FROM primes WHERE id = ?");
        ts_query_int(&query, id);
        result = ts_query_change(&query);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_primes_take(
    struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, uint32_t bits)
{
    enum ts_error result = ts_store_begin(store);

    if (result != TS_OK)
        return result;
    result = ts_store_finish(store, take_in_transaction(out, store, keyring, token, bits));
    if (result != TS_OK)
        ts_buf_clear(out); /* still in the store: another may take them */
    return result;
}

enum ts_error
ts_primes_count(size_t *out, struct ts_store *store, uint64_t token, uint32_t bits)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT count(*) FROM primes WHERE token = ? AND bits = ?");
    ts_query_int(&query, (int64_t)token);
    ts_query_int(&query, bits);
    bool found = ts_query_row(&query);
    *out = (size_t)ts_query_get_int(&query, 0);
    return ts_query_end_found(&query, found);
}
