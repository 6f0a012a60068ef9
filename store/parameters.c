#include "store/db.h"

#include "base/secret.h"
#include "store/gcm.h"
#include "store/keyring.h"
#include "store/peer_seal.h"

#include <string.h>

static const uint8_t first[TS_AUX_BYTES];

static bool
is_first(const uint8_t aux[TS_AUX_BYTES])
{
    return memcmp(aux, first, sizeof first) == 0;
}

static void
parameters_aad(struct ts_buf *aad, const struct ts_peer_row *peer, const uint8_t aux[TS_AUX_BYTES])
{
    ts_peer_aad(aad, peer);
    ts_aad_bytes(aad, aux, TS_AUX_BYTES);
}

static enum ts_error
insert(struct ts_store *store, const uint8_t *pairing, const uint8_t *aux, const struct ts_buf *sealed)
{
    struct ts_query query;

    ts_query_start(&query, store, "INSERT INTO parameters(pairing, aux, sealed) VALUES(?, ?, ?)");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    ts_query_blob(&query, aux, TS_AUX_BYTES);
    ts_query_blob(&query, sealed->data, sealed->len);
    return ts_query_run(&query);
}

enum ts_error
ts_parameters_put(struct ts_store *store, const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES],
    const uint8_t aux[TS_AUX_BYTES], const uint8_t *data, size_t len)
{
    struct ts_peer_row peer;
    struct ts_buf aad, sealed;

    if (is_first(aux))
        return TS_USAGE;
    ts_buf_init(&aad, 0);
    ts_buf_init(&sealed, 0);
    enum ts_error result = ts_store_begin(store);
    if (result == TS_OK) {
        result = ts_peer_get(&peer, store, pairing);
        if (result == TS_OK)
            result = ts_keyring_check(store, keyring, peer.token);
        if (result == TS_OK) {
            parameters_aad(&aad, &peer, aux);
            result = ts_keyring_seal_aad(&sealed, keyring, data, len, &aad);
        }
        if (result == TS_OK)
            result = insert(store, pairing, aux, &sealed);
        result = ts_store_finish(store, result);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

static enum ts_error
read_sealed(struct ts_buf *sealed, struct ts_store *store, const uint8_t *pairing, const uint8_t *aux)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT sealed FROM parameters WHERE pairing = ? AND aux = ?");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    ts_query_blob(&query, aux, TS_AUX_BYTES);
    bool found = ts_query_row(&query);
    if (found)
        ts_query_get_bytes(&query, 0, sealed);
    return ts_query_end_found(&query, found);
}

/* Empty after a refresh; empty without one is damage, which ts_peer_data tells. */
static enum ts_error
first_are_there(struct ts_store *store, const uint8_t *pairing)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "SELECT 1 FROM peer WHERE pairing = ?1 AND (length(sealed) > 0"
        " OR NOT EXISTS(SELECT 1 FROM parameters WHERE pairing = ?1 AND settled = 1))");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    return ts_query_end_found(&query, ts_query_row(&query));
}

enum ts_error
ts_parameters_data(struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES])
{
    struct ts_peer_row peer;
    struct ts_buf aad, sealed;

    if (is_first(aux)) {
        enum ts_error there = first_are_there(store, pairing);
        return there == TS_OK ? ts_peer_data(out, store, keyring, pairing) : there;
    }
    ts_buf_init(&aad, 0);
    ts_buf_init(&sealed, TS_SEALED_MAX + TS_GCM_OVERHEAD);
    enum ts_error result = ts_peer_get(&peer, store, pairing);
    if (result == TS_OK)
        result = read_sealed(&sealed, store, pairing, aux);
    if (result == TS_OK) {
        parameters_aad(&aad, &peer, aux);
        result = ts_keyring_open_aad(out, keyring, &sealed, &aad);
    }
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_parameters_current(uint8_t aux[TS_AUX_BYTES], struct ts_store *store, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_query query;

    memset(aux, 0, TS_AUX_BYTES);
    ts_query_start(
        &query, store, "SELECT aux FROM parameters WHERE pairing = ? AND settled = 1 ORDER BY number DESC LIMIT 1");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    if (ts_query_row(&query))
        ts_query_get_blob(&query, 0, aux, TS_AUX_BYTES);
    return ts_query_end(&query);
}

/* Parameters that no half needs, but for the newest that both sides have: new keys get those. The first ones lie in the
   peer's row. */
static enum ts_error
erase_unused(struct ts_store *store, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, store,
        "DELETE FROM parameters WHERE pairing = ?1 AND aux NOT IN(SELECT parameters FROM half WHERE pairing = ?1)"
        " AND (settled = 0 OR number < (SELECT max(number) FROM parameters WHERE pairing = ?1 AND settled = 1))");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    enum ts_error result = ts_query_run(&query);
    if (result != TS_OK)
        return result;
    ts_query_start(&query, store,
        "UPDATE peer SET sealed = x'' WHERE pairing = ?1"
        " AND EXISTS(SELECT 1 FROM parameters WHERE pairing = ?1 AND settled = 1)"
        " AND NOT EXISTS(SELECT 1 FROM half WHERE pairing = ?1 AND parameters = ?2)");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    ts_query_blob(&query, first, sizeof first);
    return ts_query_run(&query);
}

static enum ts_error
settle(struct ts_store *store, const struct ts_half_row *row)
{
    struct ts_query query;

    ts_query_start(&query, store, "UPDATE parameters SET settled = 1 WHERE pairing = ? AND aux = ?");
    ts_query_blob(&query, row->pairing, sizeof row->pairing);
    ts_query_blob(&query, row->parameters, sizeof row->parameters);
    return ts_query_run(&query);
}

static enum ts_error
erase_before(struct ts_store *store, const struct ts_half_row *row)
{
    struct ts_query query;

    ts_query_start(&query, store, "DELETE FROM half WHERE key = ? AND generation < ?");
    ts_query_blob(&query, row->key, sizeof row->key);
    ts_query_int(&query, row->generation);
    return ts_query_run(&query);
}

enum ts_error
ts_half_withdraw(
    struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation, const uint8_t confirmation[32])
{
    struct ts_half_row row;
    enum ts_error result = ts_store_begin(store);

    if (result != TS_OK)
        return result;
    result = ts_half_get_generation(&row, store, key, generation);
    if (result == TS_OK && (row.state != TS_HALF_PENDING || !ts_equal(row.confirmation, confirmation, 32)))
        result = TS_NOT_FOUND;
    if (result == TS_OK)
        result = ts_half_delete(store, key, generation);
    if (result == TS_OK)
        result = erase_unused(store, row.pairing);
    return ts_store_finish(store, result);
}

enum ts_error
ts_half_unlock(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_half_row row;
    struct ts_query query;
    enum ts_error result = ts_store_begin(store);

    if (result != TS_OK)
        return result;
    result = ts_half_get_generation(&row, store, key, generation);
    if (result == TS_OK) {
        ts_query_start(&query, store, "DELETE FROM key_lock WHERE key = ? AND since <= ?");
        ts_query_blob(&query, key, TS_ID_BYTES);
        ts_query_int(&query, row.created);
        result = ts_query_run(&query);
    }
    return ts_store_finish(store, result);
}

enum ts_error
ts_half_succeed(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_half_row row;
    enum ts_error result = ts_store_begin(store);

    if (result != TS_OK)
        return result;
    result = ts_half_get_generation(&row, store, key, generation);
    if (result == TS_OK && row.state != TS_HALF_ACTIVE)
        result = TS_NOT_FOUND;
    if (result == TS_OK)
        result = settle(store, &row);
    if (result == TS_OK)
        result = erase_before(store, &row);
    if (result == TS_OK)
        result = erase_unused(store, row.pairing);
    return ts_store_finish(store, result);
}
