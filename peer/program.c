#include "peer/peer.h"
#include "session/sessions_show.h"

/* The one table of subcommands. */
static const struct ts_command commands[] = {
    {"init", "[options]", "Make this device's store, identity and safe primes.",
        "  -n, --name NAME                   shown to partners; default: peer: name: of the configuration\n"
        "  -p, --passphrase-source SOURCE    default: peer: passphrase: of the configuration, else asked\n"
        "  -b, --bits BITS                   search safe primes for this modulus; default: modulus-bits\n"
        "      --no-primes                   do not search safe primes now; pairing will\n"
        "      --primes FILE[:N]             take published test-only primes, passing over N of them\n"
        "SOURCE is file:PATH, env:NAME or credential:NAME. Repeating the command completes what is missing.\n",
        ts_peer_init},
    {"run", "[options]", "Listen and answer until SIGTERM or SIGINT.",
        "  -p, --passphrase-source SOURCE    default: as init\n"
        "  -a, --approval MODE               ask: on this terminal; auto: everything is allowed; for tests also\n"
        "                                    refuse: everything is refused, never: nothing is answered\n"
        "  -l, --listen ADDRESS              host:port; default: peer: listen: of the configuration\n"
        "      --log TO                      syslog, stderr or a path; default: log: to: of the configuration\n"
        "      --ready-fd N                  write the address to this descriptor when listening\n",
        ts_peer_run},
    {"list", "[--json]", "Partners, and the keys with their states.", "  -j, --json    for programs\n",
        ts_peer_list_command},
    {"sessions", TS_SESSIONS_USAGE, "What partners asked and how it went, newest first; or one in full.",
        TS_SESSIONS_HELP, ts_peer_sessions},
    {"uri", "[options]", "Show the URI for one pairing, for `tallystick pair`.",
        "  -p, --passphrase-source SOURCE    default: as init\n"
        "      --valid MINUTES               1 to 1440; default: 10\n"
        "      --address ADDRESS             host:port where partners reach this device; default: peer: advertise:\n"
        "      --qr, --no-qr                 draw it as a QR code, too; default: on a terminal\n"
        "The URI holds a secret for one use: show it only to the partner.\n",
        ts_peer_uri},
    {"unpair", "PARTNER [options]", "Forget a partner.",
        "  -y, --yes    do not ask\n"
        "PARTNER is a name that `list` shows, or the id of its pairing. Not while halves of keys with it are here.\n",
        ts_peer_unpair_command},
    {"forget", "KEY [options]", "Remove this device's half of a key for ever.",
        "  -y, --yes    do not ask\n"
        "KEY is the id that `list` shows. Only for a half that is pending, or whose key was destroyed at the partner:\n"
        "without the half the key can never sign again.\n",
        ts_peer_forget},
};

static const struct ts_program program = {
    "tallystick-peer", "The mobile side: holds the second half of keys.", commands, sizeof commands / sizeof *commands};

static void
clear(void *ctx)
{
    ts_peer_clear(ctx);
}

int
ts_peer_main(int argc, char **argv)
{
    struct ts_peer peer = {0};

    return ts_command_main(&program, &peer.env, &peer.config_path, &peer, clear, argc, argv);
}
