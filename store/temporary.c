#include "store/db.h"

#include <stdlib.h>

/* Marks of keys that live only as long as a session, and what the peer still has to be told about those that ended.
   A mark goes with the last half of its key (a trigger of the schema). */

enum ts_error
ts_temporary_put(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint64_t holder)
{
    struct ts_query query;

    ts_query_start(&query, store, "INSERT OR REPLACE INTO temporary(key, holder) VALUES(?, ?)");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_int(&query, (int64_t)holder);
    return ts_query_run(&query);
}

enum ts_error
ts_temporary_get(uint64_t *holder, struct ts_store *store, const uint8_t key[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT holder FROM temporary WHERE key = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    bool found = ts_query_row(&query);
    *holder = found ? (uint64_t)ts_query_get_int(&query, 0) : 0;
    return ts_query_end_found(&query, found);
}

enum ts_error
ts_temporary_keep(struct ts_store *store, const uint8_t key[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, store, "DELETE FROM temporary WHERE key = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    return ts_query_run(&query);
}

enum ts_error
ts_temporary_list(struct ts_temporary_row **out, size_t *count, struct ts_store *store, uint64_t token)
{
    struct ts_query query;
    void *list = NULL;
    enum ts_error result = TS_OK;

    *out = NULL;
    *count = 0;
    ts_query_start(&query, store,
        "SELECT key, holder FROM temporary WHERE EXISTS"
        " (SELECT 1 FROM half WHERE half.key = temporary.key AND half.token = ?)");
    ts_query_int(&query, (int64_t)token);
    while (result == TS_OK && ts_query_row(&query)) {
        struct ts_temporary_row row = {.holder = (uint64_t)ts_query_get_int(&query, 1)};
        ts_query_get_blob(&query, 0, row.key, sizeof row.key);
        result = ts_list_append(&list, count, &row, sizeof row);
    }
    enum ts_error ended = ts_query_end(&query);
    if (result == TS_OK)
        result = ended;
    if (result != TS_OK) {
        free(list);
        *count = 0;
        return result;
    }
    *out = list;
    return TS_OK;
}

enum ts_error
ts_farewell_put(struct ts_store *store, const struct ts_farewell_row *row)
{
    struct ts_query query;

    ts_query_start(
        &query, store, "INSERT OR REPLACE INTO farewell(key, generation, pairing, confirmation) VALUES(?, ?, ?, ?)");
    ts_query_blob(&query, row->key, sizeof row->key);
    ts_query_int(&query, row->generation);
    ts_query_blob(&query, row->pairing, sizeof row->pairing);
    ts_query_blob(&query, row->confirmation, sizeof row->confirmation);
    return ts_query_run(&query);
}

enum ts_error
ts_farewell_list(
    struct ts_farewell_row **out, size_t *count, struct ts_store *store, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_query query;
    void *list = NULL;
    enum ts_error result = TS_OK;

    *out = NULL;
    *count = 0;
    ts_query_start(
        &query, store, "SELECT key, generation, pairing, confirmation FROM farewell WHERE pairing = ? ORDER BY key");
    ts_query_blob(&query, pairing, TS_ID_BYTES);
    while (result == TS_OK && ts_query_row(&query)) {
        struct ts_farewell_row row = {.generation = (uint32_t)ts_query_get_int(&query, 1)};
        ts_query_get_blob(&query, 0, row.key, sizeof row.key);
        ts_query_get_blob(&query, 2, row.pairing, sizeof row.pairing);
        ts_query_get_blob(&query, 3, row.confirmation, sizeof row.confirmation);
        result = ts_list_append(&list, count, &row, sizeof row);
    }
    enum ts_error ended = ts_query_end(&query);
    if (result == TS_OK)
        result = ended;
    if (result != TS_OK) {
        free(list);
        *count = 0;
        return result;
    }
    *out = list;
    return TS_OK;
}

enum ts_error
ts_farewell_delete(struct ts_store *store, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_query query;

    ts_query_start(&query, store, "DELETE FROM farewell WHERE key = ? AND generation = ?");
    ts_query_blob(&query, key, TS_ID_BYTES);
    ts_query_int(&query, generation);
    return ts_query_run(&query);
}
