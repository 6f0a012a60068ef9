#include "store/db.h"
#include "store/gcm.h"
#include "store/keyring.h"

#include <string.h>

#define NAME_MAX_BYTES 32

static bool
name_good(const char *name)
{
    size_t len = strnlen(name, NAME_MAX_BYTES + 1);

    for (size_t i = 0; i < len; i++)
        if (name[i] < 0x21 || name[i] > 0x7e)
            return false;
    return len >= 1 && len <= NAME_MAX_BYTES;
}

static void
value_aad(struct ts_buf *aad, uint64_t token, const char *name)
{
    ts_aad_start(aad, "value");
    ts_aad_number(aad, token);
    ts_aad_bytes(aad, name, strlen(name));
}

static enum ts_error
write_value(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, const char *name,
    const struct ts_buf *sealed)
{
    struct ts_query query;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    result = ts_keyring_check(store, keyring, token);
    if (result == TS_OK) {
        ts_query_start(&query, store,
            "INSERT INTO value(token, name, sealed) VALUES(?, ?, ?)"
            " ON CONFLICT(token, name) DO UPDATE SET sealed = excluded.sealed");
        ts_query_int(&query, (int64_t)token);
        ts_query_text(&query, name);
        ts_query_blob(&query, sealed->data, sealed->len);
        result = ts_query_run(&query);
    }
    return ts_store_finish(store, result);
}

enum ts_error
ts_value_put(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, const char *name,
    const uint8_t *value, size_t len)
{
    struct ts_buf aad, sealed;

    if (!name_good(name))
        return TS_USAGE;
    value_aad(&aad, token, name);
    ts_buf_init(&sealed, 0);
    enum ts_error result = ts_keyring_seal_aad(&sealed, keyring, value, len, &aad);
    if (result == TS_OK)
        result = write_value(store, keyring, token, name, &sealed);
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

enum ts_error
ts_value_get(
    struct ts_buf *out, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, const char *name)
{
    struct ts_buf aad, sealed;
    struct ts_query query;

    value_aad(&aad, token, name);
    ts_buf_init(&sealed, TS_SEALED_MAX + TS_GCM_OVERHEAD);
    ts_query_start(&query, store, "SELECT sealed FROM value WHERE token = ? AND name = ?");
    ts_query_int(&query, (int64_t)token);
    ts_query_text(&query, name);
    bool found = ts_query_row(&query);
    if (found)
        ts_query_get_bytes(&query, 0, &sealed);
    enum ts_error result = ts_query_end_found(&query, found);
    if (result == TS_OK)
        result = ts_keyring_open_aad(out, keyring, &sealed, &aad);
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}
