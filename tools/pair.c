#include "tools/tool.h"
#include "base/secret.h"
#include "base/terminal.h"
#include "base/text.h"
#include "session/prime_fill.h"
#include "tools/pair_steps.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define URI_BYTES 512
#define CODE_DIGITS 6

struct arguments {
    const char *uri, *token, *name, *replace, *source, *primes, *code;
    bool yes;
    char from_stdin[URI_BYTES];
};

static int
read_uri(struct arguments *out)
{
    (void)setvbuf(stdin, NULL, _IONBF, 0); /* the code may follow, in its own time */
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
        {"primes", required_argument, NULL, 'F'}, {"replace", required_argument, NULL, 'r'},
        {"code", required_argument, NULL, 'C'}, {"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "t:n:P:y", options, NULL)) != -1) {
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
        case 'r':
            out->replace = optarg;
            break;
        case 'C':
            out->code = optarg;
            break;
        case 'y':
            out->yes = true;
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (argc - optind != 1)
        return ts_complain_usage("tallystick", "pair", "exactly one URI is needed");
    if (out->code && strcmp(out->code, "-") != 0 &&
        (strlen(out->code) != CODE_DIGITS || strspn(out->code, "0123456789") != CODE_DIGITS))
        return ts_complain_usage("tallystick", "pair", "--code must be six digits, or - for standard input");
    if (out->name && (!*out->name || strlen(out->name) >= TS_NAME_MAX))
        return ts_complain_usage("tallystick", "pair", "--name must have 1 to 64 bytes");
    out->uri = argv[optind];
    return strcmp(out->uri, "-") == 0 ? read_uri(out) : TS_EXIT_OK;
}

/* Without anybody to compare the codes the peer's person need not be bothered. */
static int
check_person(const struct arguments *arguments)
{
    int fd = arguments->yes || arguments->code ? -1 : open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 && !arguments->yes && !arguments->code)
        return ts_complain("there is no terminal to compare the codes of both sides on; give --code or --yes");
    if (fd >= 0)
        (void)close(fd);
    return TS_EXIT_OK;
}

struct comparison {
    const struct ts_tool *tool;
    const struct arguments *arguments;
};

static enum ts_error
compare(const struct comparison *comparison, const char *code, uint64_t deadline_ms, bool (*cancelled)(void *),
    void *cancel_ctx)
{
    const struct arguments *arguments = comparison->arguments;
    char typed[CODE_DIGITS + 2] = "";
    enum ts_error error = TS_OK;

    if (strcmp(arguments->code, "-") == 0)
        error = ts_terminal_line(
            typed, sizeof typed, &comparison->tool->env, STDIN_FILENO, deadline_ms, cancelled, cancel_ctx);
    else
        (void)snprintf(typed, sizeof typed, "%s", arguments->code);
    if (error == TS_OK && strcmp(typed, code) == 0)
        return TS_OK;
    (void)ts_complain("the code given is not the one of this channel: somebody may stand in between");
    return error == TS_TIMEOUT ? TS_TIMEOUT : TS_REFUSED;
}

static enum ts_error
confirm(
    void *ctx, const char *code, const char *peer, uint64_t deadline_ms, bool (*cancelled)(void *), void *cancel_ctx)
{
    const struct comparison *comparison = ctx;
    char name[4 * TS_NAME_MAX], question[4 * TS_NAME_MAX + 80];

    (void)fprintf(stderr, "the code is %.3s %.3s; the device must show the same\n", code, code + 3);
    if (comparison->arguments->code)
        return compare(comparison, code, deadline_ms, cancelled, cancel_ctx);
    if (comparison->arguments->yes)
        return TS_OK;
    (void)snprintf(question, sizeof question, "Does \"%s\" show %.3s %.3s?",
        ts_text_safe(name, sizeof name, peer, strlen(peer)), code, code + 3);
    enum ts_error error = ts_terminal_decide(&comparison->tool->env, question, deadline_ms, cancelled, cancel_ctx);
    return error == TS_IO ? TS_REFUSED : error;
}

/* What each failure of a pairing means to the person at the keyboard. */
static int
explain(enum ts_error error, const struct arguments *arguments)
{
    switch (error) {
    case TS_USAGE:
        if (arguments->replace)
            return ts_complain("\"%s\" cannot be replaced: keys have their other half there; destroy them first, or "
                               "pair the new device under another --name",
                arguments->replace);
        return ts_complain("this is not a pairing URI; copy the whole line that `tallystick-peer uri` shows");
    case TS_REFUSED:
        return ts_complain("refused: the URI has expired or was used, or a person said no; make a new one "
                           "with `tallystick-peer uri`");
    case TS_NOT_FOUND:
        return ts_complain("there is no peer \"%s\" to be replaced; see `tallystick list`",
            arguments->replace ? arguments->replace : "");
    case TS_EXISTS:
        return ts_complain(
            "there is a peer of that name, or it is paired already; choose another --name, or say with --replace whose "
            "place it takes");
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
run(struct ts_tool *tool, const struct arguments *arguments, uint64_t token, const struct ts_keyring *keyring)
{
    struct ts_peer_row peer;
    struct ts_pair_steps steps;
    struct comparison comparison = {tool, arguments};
    const struct ts_search search = {&steps, ts_pair_steps_search, tool->config->threads};
    const struct ts_pair_job job = {.uri = arguments->uri,
        .name = arguments->name,
        .replace = arguments->replace,
        .search = &search,
        .confirm = confirm,
        .ctx = &comparison};
    char hash[65], name[4 * TS_NAME_MAX];
    enum ts_error error;

    ts_pair_steps_start(&steps, &tool->env);
    error = ts_pair_enterprise(&peer, tool->enterprise, token, keyring, &job);
    ts_pair_steps_end(&steps, &tool->env);
    if (error != TS_OK)
        return explain(error, arguments);
    ts_text_hex(hash, peer.key_hash, sizeof peer.key_hash);
    (void)printf("paired with \"%s\" at %s, %u bits\nits key: %s\n",
        ts_text_safe(name, sizeof name, peer.name, strlen(peer.name)), peer.address, (unsigned)peer.bits, hash);
    return TS_EXIT_OK;
}

static int
pair(struct ts_tool *tool, const struct arguments *arguments)
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
        code = check_person(&arguments);
    if (code == TS_EXIT_OK)
        code = ts_tool_open(tool);
    if (code == TS_EXIT_OK)
        code = pair(tool, &arguments);
    ts_wipe(&arguments, sizeof arguments);
    return code;
}
