#include "tools/tool.h"
#include "base/secret.h"
#include "base/terminal.h"
#include "base/text.h"
#include "session/prime_fill.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define URI_BYTES 512

struct arguments {
    const char *uri, *token, *name, *source, *primes;
    char from_stdin[URI_BYTES];
};

static int
read_uri(struct arguments *out)
{
    if (!fgets(out->from_stdin, sizeof out->from_stdin, stdin))
        return ts_complain("standard input holds no URI");
    out->from_stdin[strcspn(out->from_stdin, "\r\n")] = 0;
    out->uri = out->from_stdin;
    return TS_EXIT_OK;
}

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"token", required_argument, NULL, 't'},
        {"name", required_argument, NULL, 'n'}, {"pin-source", required_argument, NULL, 'P'},
        {"primes", required_argument, NULL, 'F'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "t:n:P:", options, NULL)) != -1) {
        switch (option) {
        case 't':
            out->token = optarg;
            break;
        case 'n':
            out->name = optarg;
            break;
        case 'P':
            out->source = optarg;
            break;
        case 'F':
            out->primes = optarg;
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (argc - optind != 1)
        return ts_complain_usage("tallystick", "pair", "exactly one URI is needed");
    if (out->name && (!*out->name || strlen(out->name) >= TS_NAME_MAX))
        return ts_complain_usage("tallystick", "pair", "--name must have 1 to 64 bytes");
    out->uri = argv[optind];
    return strcmp(out->uri, "-") == 0 ? read_uri(out) : TS_EXIT_OK;
}

/* What each failure of a pairing means to the person at the keyboard. */
static int
explain(enum ts_error error)
{
    switch (error) {
    case TS_USAGE:
        return ts_complain("this is not a pairing URI; copy the whole line that `tallystick-peer uri` shows");
    case TS_REFUSED:
        return ts_complain("the peer refused: the URI has expired, was used, or the person said no; make a new one "
                           "with `tallystick-peer uri`");
    case TS_EXISTS:
        return ts_complain("there is a peer of that name, or it is paired already; choose another --name");
    case TS_TIMEOUT:
        return ts_complain("nobody decided at the peer in time; make a new URI and try again");
    case TS_IO:
        return ts_complain(
            "the peer cannot be reached, or its invitation has expired or was used; is `tallystick-peer run` "
            "running there? Then make a new URI");
    default:
        return ts_tool_failed("pairing failed", error, "nothing was stored; make a new URI and try again");
    }
}

static int
run(const struct ts_tool *tool, const struct arguments *arguments, uint64_t token, const struct ts_keyring *keyring)
{
    struct ts_peer_row peer;
    struct ts_progress progress;
    struct ts_search search = {&progress, ts_prime_fill_progress, tool->config->threads};
    char hash[65], name[4 * TS_NAME_MAX];
    enum ts_error error;

    ts_progress_start(
        &progress, &tool->env, "pairing (primes are searched when none wait; the peer may ask its person)");
    error = ts_pair_enterprise(&peer, tool->enterprise, token, keyring, arguments->uri, arguments->name, &search);
    ts_progress_end(&progress, error == TS_OK);
    if (error != TS_OK)
        return explain(error);
    ts_text_hex(hash, peer.key_hash, sizeof peer.key_hash);
    (void)printf("paired with \"%s\" at %s, %u bits\nits key: %s\n",
        ts_text_safe(name, sizeof name, peer.name, strlen(peer.name)), peer.address, (unsigned)peer.bits, hash);
    return TS_EXIT_OK;
}

static int
pair(const struct ts_tool *tool, const struct arguments *arguments)
{
    struct ts_token_row token;
    struct ts_keyring *keyring = NULL;
    int code = TS_EXIT_FAILURE;
    enum ts_error error = ts_tool_token(&token, tool, arguments->token);

    if (error == TS_NOT_FOUND && arguments->token)
        return ts_complain("there is no token \"%s\"; see `tallystick list`", arguments->token);
    if (error != TS_OK || ts_tool_unlock(&keyring, tool, &token, TS_USER, arguments->source) != TS_OK)
        return TS_EXIT_FAILURE;
    error = ts_enterprise_prepare_token(tool->enterprise, token.id, keyring, token.label);
    if (error != TS_OK)
        (void)ts_tool_failed("the token's identity cannot be made", error, "");
    else if (!arguments->primes || ts_prime_fill(&tool->env, ts_enterprise_store(tool->enterprise), keyring, token.id,
                                       tool->config->modulus_bits, arguments->primes, 1) == TS_OK)
        code = run(tool, arguments, token.id, keyring);
    ts_keyring_free(keyring);
    return code;
}

int
ts_tool_pair(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    struct arguments arguments = {0};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_tool_open(tool);
    if (code == TS_EXIT_OK)
        code = pair(tool, &arguments);
    ts_wipe(&arguments, sizeof arguments);
    return code;
}
