#include "store/seal.h"

#include "base/secret.h"
#include "store/db.h"
#include "store/gcm.h"
#include "store/keyring.h"

#include <string.h>

#define AAD_MAX 1024

struct ts_keyring *
ts_keyring_new(const struct ts_env *env, uint64_t token, const uint8_t key_id[TS_KEY_ID_BYTES])
{
    struct ts_keyring *keyring = ts_secret_new(sizeof *keyring);

    if (!keyring)
        return NULL;
    keyring->env = env;
    keyring->token = token;
    memcpy(keyring->key_id, key_id, TS_KEY_ID_BYTES);
    return keyring;
}

void
ts_keyring_free(struct ts_keyring *keyring)
{
    ts_secret_free(keyring);
}

enum ts_error
ts_keyring_seal(struct ts_buf *out, const struct ts_keyring *keyring, const uint8_t *plain, size_t len,
    const uint8_t *aad, size_t aad_len)
{
    if (!keyring || !keyring->env)
        return TS_INTERNAL;
    enum ts_error result = ts_gcm_seal(out, keyring->env, keyring->key, plain, len, aad, aad_len);
    return result == TS_FORMAT ? TS_INTERNAL : result;
}

enum ts_error
ts_keyring_open(struct ts_buf *out, const struct ts_keyring *keyring, const uint8_t *sealed, size_t len,
    const uint8_t *aad, size_t aad_len)
{
    if (!keyring || !keyring->env)
        return TS_INTERNAL;
    enum ts_error result = ts_gcm_open(out, keyring->env, keyring->key, sealed, len, aad, aad_len);
    return result == TS_FORMAT ? TS_INTERNAL : result;
}

void
ts_aad_start(struct ts_buf *aad, const char *kind)
{
    ts_buf_init(aad, AAD_MAX);
    ts_aad_bytes(aad, kind, strlen(kind));
}

void
ts_aad_number(struct ts_buf *aad, uint64_t value)
{
    (void)ts_buf_put_u32(aad, sizeof value);
    (void)ts_buf_put_u64(aad, value);
}

void
ts_aad_bytes(struct ts_buf *aad, const void *bytes, size_t len)
{
    (void)ts_buf_put_u32(aad, (uint32_t)len);
    (void)ts_buf_put(aad, bytes, len);
}

enum ts_error
ts_keyring_seal_aad(
    struct ts_buf *out, const struct ts_keyring *keyring, const uint8_t *plain, size_t len, const struct ts_buf *aad)
{
    if (len > TS_SEALED_MAX)
        return TS_USAGE;
    if (ts_buf_error(aad) != TS_OK)
        return TS_INTERNAL;
    ts_buf_init(out, TS_SEALED_MAX + TS_GCM_OVERHEAD);
    return ts_keyring_seal(out, keyring, plain, len, aad->data, aad->len);
}

enum ts_error
ts_keyring_open_aad(
    struct ts_buf *out, const struct ts_keyring *keyring, const struct ts_buf *sealed, const struct ts_buf *aad)
{
    if (ts_buf_error(aad) != TS_OK || ts_buf_error(sealed) == TS_INTERNAL)
        return TS_INTERNAL;
    /* A stored value longer than any that is put is damage like any other. */
    enum ts_error result = TS_STORAGE;
    if (ts_buf_error(sealed) == TS_OK)
        result = ts_keyring_open(out, keyring, sealed->data, sealed->len, aad->data, aad->len);
    if (result == TS_STORAGE && keyring)
        ts_log(keyring->env, TS_LOG_ERROR,
            "a sealed value of token %llu does not open: the database was changed from outside; restore a backup",
            (unsigned long long)keyring->token);
    return result;
}

enum ts_error
ts_keyring_check(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token)
{
    uint8_t now[TS_KEY_ID_BYTES] = {0};
    struct ts_query query;

    if (!keyring || keyring->token != token)
        return TS_USAGE;
    ts_query_start(&query, store, "SELECT key_id FROM token WHERE id = ?");
    ts_query_int(&query, (int64_t)token);
    bool found = ts_query_row(&query);
    if (found)
        ts_query_get_blob(&query, 0, now, sizeof now);
    enum ts_error result = ts_query_end_found(&query, found);
    if (result != TS_OK || memcmp(now, keyring->key_id, sizeof now) == 0)
        return result;
    ts_log(store->env, TS_LOG_ERROR, "token %llu was initialised anew since this login; log in again",
        (unsigned long long)token);
    return TS_STORAGE;
}
