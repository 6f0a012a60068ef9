#include "peer/peer.h"
#include "base/secret.h"
#include "peer/qr.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define URI_BYTES 512

struct arguments {
    const char *source, *address;
    unsigned long minutes;
    int qr; /* 1: yes, 0: no, -1: on a terminal */
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"passphrase-source", required_argument, NULL, 'p'},
        {"valid", required_argument, NULL, 'V'}, {"address", required_argument, NULL, 'A'},
        {"qr", no_argument, NULL, 'q'}, {"no-qr", no_argument, NULL, 'Q'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "p:", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            out->source = optarg;
            break;
        case 'A':
            out->address = optarg;
            break;
        case 'q':
        case 'Q':
            out->qr = option == 'q';
            break;
        case 'V':
            out->minutes = strspn(optarg, "0123456789") == strlen(optarg) ? strtoul(optarg, NULL, 10) : 0;
            if (out->minutes < 1 || out->minutes > 1440)
                return ts_complain_usage("tallystick-peer", "uri", "--valid must be 1 to 1440 minutes");
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return ts_complain_usage("tallystick-peer", "uri", "\"%s\" is one argument too many", argv[optind]);
    return TS_EXIT_OK;
}

static int
check_address(const char *address)
{
    const char *colon = strrchr(address, ':');

    if (strlen(address) >= TS_ADDRESS_MAX || !colon || strcmp(colon, ":0") == 0)
        return ts_complain("\"%s\" is not an address that a partner could reach; give one with --address", address);
    return TS_EXIT_OK;
}

static int
show(const struct ts_peer *peer, const char *address, int64_t expires, int qr)
{
    struct ts_pair_uri uri;
    char text[URI_BYTES];
    enum ts_error error = ts_mobile_invite(&uri, &peer->env, peer->store, peer->token, peer->keyring, address, expires);

    if (error == TS_OK)
        error = ts_pair_uri_encode(text, sizeof text, &uri);
    if (error == TS_OK)
        (void)printf("%s\n", text);
    if (error == TS_OK && (qr < 0 ? isatty(STDOUT_FILENO) == 1 : qr) && !ts_qr_draw(stdout, text))
        (void)ts_complain("the URI could not be drawn as a QR code");
    ts_wipe(&uri, sizeof uri);
    ts_wipe(text, sizeof text);
    return error == TS_OK ? TS_EXIT_OK : ts_peer_failed("no invitation could be made", error);
}

int
ts_peer_uri(void *ctx, int argc, char **argv)
{
    struct ts_peer *peer = ctx;
    struct arguments arguments = {.minutes = 10, .qr = -1};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_peer_open(peer, false);
    if (code != TS_EXIT_OK)
        return code;
    const char *address = arguments.address ? arguments.address : peer->config->peer.advertise;
    if ((code = check_address(address)) == TS_EXIT_OK && (code = ts_peer_unlock(peer, arguments.source)) == TS_EXIT_OK)
        code = show(peer, address, (int64_t)time(NULL) + (int64_t)arguments.minutes * 60, arguments.qr);
    return code;
}
