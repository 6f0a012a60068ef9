#include "peer/peer.h"
#include "session/secret_ask.h"
#include "session/store_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
ts_peer_failed(const char *what, enum ts_error error)
{
    return ts_complain("%s: %s", what, ts_error_text(error));
}

static int
open_store(struct ts_peer *peer, bool make)
{
    const char *path = peer->config->peer.store;
    enum ts_error error;

    if (!make && access(path, F_OK) != 0)
        return ts_complain("%s is not there; run `tallystick-peer init` first", path);
    error = ts_store_open_at(&peer->store, &peer->env, path);
    return error == TS_OK ? TS_EXIT_OK : ts_peer_failed(path, error);
}

int
ts_peer_open(struct ts_peer *peer, bool make)
{
    char message[512];
    struct ts_token_row *list = NULL;
    size_t count = 0;
    enum ts_error error = ts_config_load(&peer->config, peer->config_path, message, sizeof message);
    int code;

    if (error != TS_OK) {
        (void)ts_complain("%s", *message ? message : ts_error_text(error));
        return error == TS_USAGE ? TS_EXIT_USAGE : TS_EXIT_FAILURE;
    }
    if (peer->config->role && strcmp(peer->config->role, "mobile-app") != 0)
        return ts_complain_usage("tallystick-peer", NULL,
            "role: %s: this is the configuration of the other side; the peer is the mobile app", peer->config->role);
    if ((code = open_store(peer, make)) != TS_EXIT_OK)
        return code;
    error = ts_token_list(&list, &count, peer->store);
    if (error == TS_OK && count == 1)
        peer->token = list[0].id;
    free(list);
    if (error != TS_OK)
        return ts_peer_failed(peer->config->peer.store, error);
    if (count > 1)
        return ts_complain("%s is the store of an enterprise, not of a peer", peer->config->peer.store);
    if (count == 0 && !make)
        return ts_complain("%s is not set up; run `tallystick-peer init`", peer->config->peer.store);
    return TS_EXIT_OK;
}

static int
explain(const struct ts_peer *peer, enum ts_error error)
{
    struct ts_token_row row;

    if (error == TS_PIN_INCORRECT && ts_token_get(&row, peer->store, peer->token) == TS_OK)
        return ts_complain("the passphrase is wrong; %u tries left", (unsigned)row.so_tries_left);
    if (error == TS_PIN_LOCKED)
        return ts_complain("too many wrong passphrases: the store is locked; restore it from a backup");
    return ts_peer_failed("the store cannot be unlocked", error);
}

int
ts_peer_unlock(struct ts_peer *peer, const char *source)
{
    struct ts_buf passphrase;
    enum ts_error error;
    int code = TS_EXIT_FAILURE;

    ts_buf_init_secret(&passphrase, TS_PIN_MAX);
    error = ts_secret_ask(
        &passphrase, &peer->env, source ? source : peer->config->peer.passphrase, "passphrase of this device", false);
    if (error == TS_OK) {
        error = ts_token_unlock(
            &peer->keyring, peer->store, NULL, peer->token, TS_USER_SO, passphrase.data, passphrase.len);
        code = error == TS_OK ? TS_EXIT_OK : explain(peer, error);
    }
    ts_buf_clear(&passphrase);
    return code;
}

void
ts_peer_clear(struct ts_peer *peer)
{
    ts_keyring_free(peer->keyring);
    if (peer->store)
        ts_store_close(peer->store);
    ts_config_free(peer->config);
    peer->keyring = NULL;
    peer->store = NULL;
    peer->config = NULL;
}

char *
ts_peer_address(const char *address, uint16_t port)
{
    const char *colon = strrchr(address, ':');
    char *out;

    if (!colon || strcmp(colon, ":0") != 0)
        return strdup(address);
    if (asprintf(&out, "%.*s:%u", (int)(colon - address), address, (unsigned)port) < 0)
        return NULL;
    return out;
}
