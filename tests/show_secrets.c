/* For tests/e2e_secrets.sh only: open a store with its PIN and print every secret in it as hexadecimal, one a line, so
   that the test can look for their bytes in the files.

   show_secrets enterprise PIN | show_secrets peer PASSPHRASE; the configuration is found as the programs find it. */
#include "base/secret.h"
#include "base/text.h"
#include "mpc/half.h"
#include "session/enterprise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)65536)

static struct ts_mpc *mpc;
static int shown;

static void
show(const char *name, const struct ts_num *value, size_t bits)
{
    uint8_t bytes[512];
    char text[2 * sizeof bytes + 1];
    size_t len = (bits + 7) / 8;

    if (ts_num_to_bytes(bytes, len, value) != TS_OK)
        exit(3);
    ts_text_hex(text, bytes, len);
    printf("%s %s\n", name, text);
    shown++;
}

static void
show_half(struct ts_store *store, const struct ts_keyring *keyring, const struct ts_half_row *row)
{
    struct ts_half *half = NULL;
    struct ts_buf bytes;
    char text[267];

    ts_buf_init_secret(&bytes, ROOM);
    if (ts_half_data(&bytes, store, keyring, row->key, row->generation) != TS_OK ||
        ts_half_decode(&half, mpc, bytes.data, bytes.len) != TS_OK)
        exit(3);
    show(half->role == TS_ROLE_P1 ? "x1" : "x2", half->x, 8 * ts_group_scalar_bytes(ts_mpc_group(mpc, half->curve)));
    ts_text_hex(text, half->hk, sizeof half->hk);
    printf("hedge-key %s\n", text);
    ts_text_hex(text, row->public_key, row->public_key_len);
    printf("PUBLIC %s\n", text);
    ts_half_free(half);
    ts_buf_clear(&bytes);
}

static void
show_pairing(struct ts_store *store, const struct ts_keyring *keyring, const struct ts_peer_row *row)
{
    struct ts_pairing *pairing = NULL;
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, ROOM);
    if (ts_peer_data(&bytes, store, keyring, row->pairing) != TS_OK ||
        ts_pairing_decode(&pairing, mpc, bytes.data, bytes.len) != TS_OK)
        exit(3);
    show("prime", ts_modulus_num(pairing->own.p), pairing->bits / 2);
    show("prime", ts_modulus_num(pairing->own.q), pairing->bits / 2);
    show("lambda", pairing->own.lambda, pairing->bits);
    ts_pairing_free(pairing);
    ts_buf_clear(&bytes);
}

static void
show_all(struct ts_store *store, struct ts_hsm *hsm, const char *pin)
{
    struct ts_token_row *tokens = NULL;
    struct ts_half_row *halves = NULL;
    struct ts_peer_row *peers = NULL;
    struct ts_keyring *keyring = NULL;
    size_t count = 0, half_count = 0, peer_count = 0;

    if (ts_token_list(&tokens, &count, store) != TS_OK || count != 1)
        exit(3);
    enum ts_user user = tokens[0].user_pin_set ? TS_USER : TS_USER_SO;
    if (ts_token_unlock(&keyring, store, hsm, tokens[0].id, user, (const uint8_t *)pin, strlen(pin)) != TS_OK)
        exit(3);
    if (ts_half_list(&halves, &half_count, store, tokens[0].id) != TS_OK ||
        ts_peer_list(&peers, &peer_count, store, tokens[0].id) != TS_OK)
        exit(3);
    for (size_t i = 0; i < half_count; i++)
        show_half(store, keyring, &halves[i]);
    for (size_t i = 0; i < peer_count; i++)
        show_pairing(store, keyring, &peers[i]);
    ts_keyring_free(keyring);
    free(tokens);
    free(halves);
    free(peers);
}

int
main(int argc, char **argv)
{
    struct ts_env env;
    struct ts_config *config = NULL;
    struct ts_store *store = NULL;
    struct ts_hsm *hsm = NULL;
    char error[512];

    if (argc != 3 || ts_env_init(&env) != TS_OK || ts_config_load(&config, NULL, error, sizeof error) != TS_OK ||
        ts_mpc_new(&mpc, &env) != TS_OK)
        return 2;
    bool peer = strcmp(argv[1], "peer") == 0;
    if (!peer && ts_hsm_new(&hsm, &(struct ts_hsm_options){&env, config->hsm}) != TS_OK)
        return 2;
    if (ts_store_open(&store, &env, peer ? config->peer.store : config->store) != TS_OK)
        return 2;
    show_all(store, hsm, argv[2]);
    ts_store_close(store);
    if (hsm)
        ts_hsm_free(hsm);
    ts_mpc_free(mpc);
    ts_config_free(config);
    ts_env_clear(&env);
    return shown ? 0 : 3;
}
