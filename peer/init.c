#include "peer/peer.h"
#include "session/prime_fill.h"
#include "session/secret_ask.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "tallystick-peer"

struct arguments {
    const char *name, *source, *primes;
    uint32_t bits; /**< 0: as configured */
    bool no_primes;
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
        {"passphrase-source", required_argument, NULL, 'p'}, {"bits", required_argument, NULL, 'b'},
        {"no-primes", no_argument, NULL, 'N'}, {"primes", required_argument, NULL, 'F'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "n:p:b:", options, NULL)) != -1) {
        switch (option) {
        case 'n':
            out->name = optarg;
            break;
        case 'p':
            out->source = optarg;
            break;
        case 'N':
            out->no_primes = true;
            break;
        case 'F':
            out->primes = optarg;
            break;
        case 'b':
            out->bits = (uint32_t)strtoul(optarg, NULL, 10);
            if (out->bits != 2048 && out->bits != 3072 && out->bits != 4096)
                return ts_complain_usage("tallystick-peer", "init", "--bits must be 2048, 3072 or 4096");
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return ts_complain_usage("tallystick-peer", "init", "\"%s\" is one argument too many", argv[optind]);
    if (out->name && (!*out->name || strlen(out->name) >= TS_NAME_MAX))
        return ts_complain_usage("tallystick-peer", "init", "--name must have 1 to 64 bytes");
    return TS_EXIT_OK;
}

/* A fresh store: seal it under a new passphrase and leave it unlocked. */
static enum ts_error
seal_store(struct ts_peer *peer, const char *source)
{
    struct ts_buf passphrase;
    enum ts_error error;

    ts_buf_init_secret(&passphrase, TS_PIN_MAX);
    error = ts_secret_ask(&passphrase, &peer->env, source ? source : peer->config->peer.passphrase,
        "new passphrase of this device", true);
    if (error == TS_OK) {
        error = ts_token_create(&peer->token, peer->store, NULL, LABEL, passphrase.data, passphrase.len);
        if (error == TS_OK)
            error = ts_token_unlock(
                &peer->keyring, peer->store, NULL, peer->token, TS_USER_SO, passphrase.data, passphrase.len);
        if (error != TS_OK)
            (void)ts_peer_failed("the store cannot be made", error);
    }
    ts_buf_clear(&passphrase);
    return error;
}

static int
set_up(struct ts_peer *peer, const struct arguments *arguments)
{
    const struct ts_config *config = peer->config;
    uint32_t bits = arguments->bits ? arguments->bits : config->modulus_bits;
    enum ts_error error = ts_mobile_prepare(
        &peer->env, peer->store, peer->token, peer->keyring, arguments->name ? arguments->name : config->peer.name);

    if (error != TS_OK)
        return ts_peer_failed("the device's identity cannot be made", error);
    if ((arguments->primes || !arguments->no_primes) &&
        ts_prime_fill(&peer->env, peer->store, peer->keyring, peer->token, bits, arguments->primes, config->threads) !=
            TS_OK)
        return TS_EXIT_FAILURE;
    (void)printf("this device is ready; next: `tallystick-peer run`, and `tallystick-peer uri` to pair\n");
    return TS_EXIT_OK;
}

int
ts_peer_init(void *ctx, int argc, char **argv)
{
    struct ts_peer *peer = ctx;
    struct arguments arguments = {0};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_peer_open(peer, true);
    if (code == TS_EXIT_OK && peer->token)
        code = ts_peer_unlock(peer, arguments.source);
    else if (code == TS_EXIT_OK)
        code = seal_store(peer, arguments.source) == TS_OK ? TS_EXIT_OK : TS_EXIT_FAILURE;
    return code == TS_EXIT_OK ? set_up(peer, &arguments) : code;
}
