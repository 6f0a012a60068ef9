#include "tools/tool.h"
#include "config.h"
#include "session/sessions_show.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

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

static const struct ts_program program = {"tallystick", "Tokens whose private keys are in two places.",
    "  -c, --config FILE   instead of $TALLYSTICK_CONF and the default places\n"
    "  -v, --verbose       also show what is done; twice: every step\n"
    "  -h, --help\n"
    "  -V, --version\n",
    commands, sizeof commands / sizeof *commands};

static void
write_log(void *ctx, enum ts_log_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    (void)ctx;
    (void)fprintf(stderr, "tallystick: %s: %s\n", names[level], line);
}

/* Options before the command. Returns: true to go on; else *code is the exit code. */
static bool
read_options(struct ts_tool *tool, int argc, char **argv, int *code)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
        {"verbose", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "+c:vhV", options, NULL)) != -1) {
        if (option == 'c') {
            tool->config_path = optarg;
        } else if (option == 'v') {
            tool->env.log.level = tool->env.log.level < TS_LOG_INFO ? TS_LOG_INFO : TS_LOG_DEBUG;
        } else if (option == 'h') {
            ts_command_help(&program);
            *code = TS_EXIT_OK;
            return false;
        } else if (option == 'V') {
            (void)printf("tallystick %s\n", PACKAGE_VERSION);
            *code = TS_EXIT_OK;
            return false;
        } else {
            *code = TS_EXIT_USAGE;
            return false;
        }
    }
    if (optind < argc)
        return true;
    *code = ts_complain_usage(program.name, NULL, "a command is missing");
    return false;
}

int
main(int argc, char **argv)
{
    struct ts_tool tool = {0};
    int code = TS_EXIT_FAILURE;

    if (ts_env_init(&tool.env) != TS_OK)
        return ts_complain("OpenSSL's library cannot be used");
    tool.env.log = (struct ts_log){NULL, TS_LOG_WARNING, write_log};
    if (read_options(&tool, argc, argv, &code)) {
        int first = optind;
        optind = 0; /* the subcommand reads its own options */
        code = ts_command_run(&program, &tool, argc - first, argv + first);
    }
    if (tool.enterprise)
        ts_enterprise_close(tool.enterprise);
    ts_config_free(tool.config);
    ts_env_clear(&tool.env);
    if (fflush(stdout) != 0 && code == TS_EXIT_OK)
        code = ts_complain("standard output cannot be written");
    return code;
}
