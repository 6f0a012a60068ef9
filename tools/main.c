#include "tools/tool.h"
#include "session/sessions_show.h"

/* The one table of subcommands. */
static const struct ts_command commands[] = {
    {"init", "--label LABEL [options]", "Make a token whose keys are sealed by the HSM.",
        "  -l, --label LABEL            name of the token, 1 to 32 bytes\n"
        "  -n, --name NAME              what its peers call it; default: the host's name\n"
        "  -S, --so-pin-source SOURCE   PIN of the security officer; default: asked on the terminal\n"
        "  -P, --pin-source SOURCE      PIN of the user; default: asked on the terminal\n"
        "  -b, --bits BITS              search safe primes for this modulus; default: modulus-bits\n"
        "      --no-primes              do not search safe primes now; `pair` will\n"
        "      --primes FILE[:N]        take published test-only primes, passing over N of them\n"
        "SOURCE is file:PATH, env:NAME or credential:NAME. Repeating the command completes what is missing.\n",
        ts_tool_init},
    {"pair", "URI [options]", "Pair a token with the device that shows the URI (`tallystick-peer uri`).",
        "  -t, --token LABEL            default: the only token\n"
        "  -n, --name NAME              how the peer is called here; default: the name it gives itself\n"
        "  -P, --pin-source SOURCE      PIN of the user; default: asked on the terminal\n"
        "  -y, --yes                    do not compare codes: for scripts\n"
        "      --code CODE              the six digits that the device shows; -: read from standard input when due\n"
        "      --replace PEER           it takes the place of this peer, on which no key may depend\n"
        "      --primes FILE[:N]        take published test-only primes, passing over N of them\n"
        "Both sides show the same six digits, drawn from the channel between them, and both must confirm them.\n"
        "A URI of \"-\" is read from standard input, so that it does not stand in the list of processes.\n",
        ts_tool_pair},
    {"unpair", "PEER [options]", "Forget a peer.",
        "  -t, --token LABEL            default: the only token\n"
        "  -y, --yes                    do not ask\n"
        "Not while keys have their other half there.\n",
        ts_tool_unpair},
    {"address", "PEER HOST:PORT [options]", "A peer listens at another address now.",
        "  -t, --token LABEL            default: the only token\n"
        "Several addresses with commas between are tried in their order; -: it dials in. Its pinned key stays.\n",
        ts_tool_address},
    {"refresh", "KEY [options]", "Give a key, by label or id, new halves on both sides; lifts its lock.",
        "  -t, --token LABEL            default: the only token\n"
        "  -S, --so-pin-source SOURCE   PIN of the security officer; default: asked on the terminal\n"
        "      --primes FILE[:N]        take published test-only primes, passing over N of them\n"
        "The public key stays. The peer is asked; a key that is locked there needs a person at it.\n",
        ts_tool_refresh},
    {"list", "[--json]", "Tokens, their peers and their keys.", "  -j, --json                   for programs\n",
        ts_tool_list},
    {"status", "[options]", "Is everything in its place? Exit code 1 when something is not.",
        "  -t, --token LABEL            only this token\n"
        "  -P, --pin-source SOURCE      PIN of the user: then the peers are called, too; \"ask\" asks on the terminal\n"
        "  -j, --json                   for programs\n",
        ts_tool_status},
    {"sessions", TS_SESSIONS_USAGE, "What was asked of the peers and how it went, newest first; or one in full.",
        TS_SESSIONS_HELP, ts_tool_sessions},
    {"doctor", "[options]", "Look for what is wrong and say what to do. Exit code 1 when something is.",
        "  -t, --token LABEL            only this token\n"
        "  -P, --pin-source SOURCE      PIN of the user: then the peers are called, too; \"ask\" asks on the terminal\n"
        "Looks at configuration, store, HSM, tokens, peers, keys and the registration with p11-kit; changes nothing.\n",
        ts_tool_doctor},
};

static const struct ts_program program = {
    "tallystick", "Tokens whose private keys are in two places.", commands, sizeof commands / sizeof *commands};

static void
clear(void *ctx)
{
    struct ts_tool *tool = ctx;

    if (tool->enterprise)
        ts_enterprise_close(tool->enterprise);
    ts_config_free(tool->config);
}

int
main(int argc, char **argv)
{
    struct ts_tool tool = {0};

    return ts_command_main(&program, &tool.env, &tool.config_path, &tool, clear, argc, argv);
}
