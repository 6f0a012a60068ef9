#include "base/secret.h"
#include "session/identity_value.h"
#include "session/mobile_internal.h"

#include <string.h>
#include <time.h>

/* The open invitation is one sealed value, so that `tallystick-peer uri` in another process can make it:
   secret (16) || expires (8) || tries left (1). No value or an empty one: none is open. */
#define INVITATION "pairing"
#define TRIES 3

struct invitation {
    uint8_t secret[TS_PAIR_SECRET_BYTES];
    uint64_t expires;
    uint8_t tries;
};

static enum ts_error
save(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, const struct invitation *invitation)
{
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, 64);
    (void)ts_buf_put(&bytes, invitation->secret, sizeof invitation->secret);
    (void)ts_buf_put_u64(&bytes, invitation->expires);
    enum ts_error error = ts_buf_put_u8(&bytes, invitation->tries);
    if (error == TS_OK)
        error = ts_value_put(store, keyring, token, INVITATION, bytes.data, bytes.len);
    ts_buf_clear(&bytes);
    return error;
}

static enum ts_error
load(struct invitation *out, struct ts_mobile *mobile)
{
    struct ts_buf bytes;
    struct ts_reader reader;

    ts_buf_init_secret(&bytes, 64);
    enum ts_error error =
        ts_value_get(&bytes, mobile->options.store, mobile->options.keyring, mobile->options.token, INVITATION);
    if (error == TS_OK) {
        ts_reader_init(&reader, bytes.data, bytes.len);
        const uint8_t *secret = ts_reader_take(&reader, sizeof out->secret);
        if (secret)
            memcpy(out->secret, secret, sizeof out->secret);
        out->expires = ts_reader_u64(&reader);
        out->tries = ts_reader_u8(&reader);
        error = ts_reader_end(&reader) == TS_OK ? TS_OK : TS_STORAGE;
    }
    ts_buf_clear(&bytes);
    if (error == TS_OK && (out->tries == 0 || out->expires <= (uint64_t)time(NULL)))
        error = TS_NOT_FOUND;
    return error;
}

enum ts_error
ts_mobile_invite(struct ts_pair_uri *out, const struct ts_env *env, struct ts_store *store, uint64_t token,
    const struct ts_keyring *keyring, const char *address, int64_t expires)
{
    struct invitation invitation = {.expires = (uint64_t)expires, .tries = TRIES};
    struct ts_identity *identity = NULL;

    if (strlen(address) >= sizeof out->address)
        return TS_USAGE;
    enum ts_error error = ts_identity_load(&identity, env, store, token, keyring);
    if (error == TS_OK)
        error = ts_random(env, invitation.secret, sizeof invitation.secret);
    if (error == TS_OK)
        error = save(store, keyring, token, &invitation);
    if (error == TS_OK) {
        memcpy(out->address, address, strlen(address) + 1);
        ts_identity_key_hash(identity, out->key_hash);
        memcpy(out->secret, invitation.secret, sizeof out->secret);
    }
    if (identity)
        ts_identity_free(identity);
    ts_wipe(&invitation, sizeof invitation);
    return error;
}

enum ts_error
ts_invitation_try(uint8_t secret[TS_PAIR_SECRET_BYTES], struct ts_mobile *mobile)
{
    struct invitation invitation = {0};
    struct ts_store *store = mobile->options.store;

    /* One transaction: two connections at once cannot share a try. */
    enum ts_error error = ts_store_begin(store);
    if (error != TS_OK)
        return error;
    error = load(&invitation, mobile);
    if (error == TS_OK) {
        invitation.tries--;
        error = save(store, mobile->options.keyring, mobile->options.token, &invitation);
    }
    if (error == TS_OK)
        error = ts_store_commit(store);
    else
        ts_store_rollback(store);
    if (error == TS_OK)
        memcpy(secret, invitation.secret, sizeof invitation.secret);
    ts_wipe(&invitation, sizeof invitation);
    return error == TS_NOT_FOUND ? TS_REFUSED : error;
}

enum ts_error
ts_invitation_close(struct ts_mobile *mobile)
{
    const struct invitation closed = {0};

    return save(mobile->options.store, mobile->options.keyring, mobile->options.token, &closed);
}

bool
ts_invitation_open(struct ts_mobile *mobile)
{
    struct invitation invitation;
    enum ts_error error = load(&invitation, mobile);

    ts_wipe(&invitation, sizeof invitation);
    return error == TS_OK;
}
