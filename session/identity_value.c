#include "session/identity_value.h"

#include <string.h>

#define IDENTITY_MAX_BYTES 8192

enum ts_error
ts_identity_load(struct ts_identity **out, const struct ts_env *env, struct ts_store *store, uint64_t token,
    const struct ts_keyring *keyring)
{
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, IDENTITY_MAX_BYTES);
    enum ts_error error = ts_value_get(&bytes, store, keyring, token, "identity");
    if (error == TS_OK)
        error = ts_identity_decode(out, env, bytes.data, bytes.len) == TS_OK ? TS_OK : TS_STORAGE;
    ts_buf_clear(&bytes);
    return error;
}

enum ts_error
ts_hedge_key_load(
    uint8_t hk[TS_HEDGE_KEY_BYTES], struct ts_store *store, uint64_t token, const struct ts_keyring *keyring)
{
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, TS_HEDGE_KEY_BYTES);
    enum ts_error error = ts_value_get(&bytes, store, keyring, token, "hedge");
    if (error == TS_OK && bytes.len != TS_HEDGE_KEY_BYTES)
        error = TS_STORAGE;
    for (size_t i = 0; error == TS_OK && i < TS_HEDGE_KEY_BYTES; i++)
        hk[i] = bytes.data[i];
    ts_buf_clear(&bytes);
    return error;
}

void
ts_identity_name(char out[TS_NAME_MAX], struct ts_store *store, uint64_t token, const struct ts_keyring *keyring)
{
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_NAME_MAX - 1);
    bool known = ts_value_get(&bytes, store, keyring, token, "name") == TS_OK;
    if (known && bytes.len)
        memcpy(out, bytes.data, bytes.len);
    out[known ? bytes.len : 0] = 0;
    ts_buf_clear(&bytes);
}

static enum ts_error
make_identity(const struct ts_env *env, struct ts_store *store, uint64_t token, const struct ts_keyring *keyring,
    const char *name)
{
    struct ts_identity *identity = NULL;
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, IDENTITY_MAX_BYTES);
    enum ts_error error = ts_identity_new(&identity, env, name);
    if (error == TS_OK)
        error = ts_identity_encode(&bytes, identity);
    if (error == TS_OK)
        error = ts_value_put(store, keyring, token, "name", (const uint8_t *)name, strlen(name));
    if (error == TS_OK)
        error = ts_value_put(store, keyring, token, "identity", bytes.data, bytes.len);
    ts_buf_clear(&bytes);
    if (identity)
        ts_identity_free(identity);
    return error;
}

static enum ts_error
make_hedge_key(const struct ts_env *env, struct ts_store *store, uint64_t token, const struct ts_keyring *keyring)
{
    uint8_t hk[TS_HEDGE_KEY_BYTES];
    enum ts_error error = ts_random(env, hk, sizeof hk);

    if (error == TS_OK)
        error = ts_value_put(store, keyring, token, "hedge", hk, sizeof hk);
    ts_wipe(hk, sizeof hk);
    return error;
}

enum ts_error
ts_identity_prepare(const struct ts_env *env, struct ts_store *store, uint64_t token, const struct ts_keyring *keyring,
    const char *name)
{
    struct ts_identity *identity = NULL;
    uint8_t hk[TS_HEDGE_KEY_BYTES];

    enum ts_error error = ts_identity_load(&identity, env, store, token, keyring);
    if (error == TS_NOT_FOUND)
        error = make_identity(env, store, token, keyring, name);
    if (identity)
        ts_identity_free(identity);
    if (error != TS_OK)
        return error;
    error = ts_hedge_key_load(hk, store, token, keyring);
    ts_wipe(hk, sizeof hk);
    return error == TS_NOT_FOUND ? make_hedge_key(env, store, token, keyring) : error;
}
