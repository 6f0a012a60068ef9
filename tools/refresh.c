#include "tools/tool.h"
#include "base/secret.h"
#include "base/terminal.h"
#include "base/text.h"
#include "session/prime_fill.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *key, *token, *source, *primes;
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"token", required_argument, NULL, 't'},
        {"so-pin-source", required_argument, NULL, 'S'}, {"primes", required_argument, NULL, 'F'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "t:S:", options, NULL)) != -1) {
        switch (option) {
        case 't':
            out->token = optarg;
            break;
        case 'S':
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
        return ts_complain_usage("tallystick", "refresh", "exactly one key is needed, by its label or its id");
    out->key = argv[optind];
    return TS_EXIT_OK;
}

static bool
is_called(const struct ts_half_row *row, const char *name)
{
    char id[2 * TS_ID_BYTES + 1];

    ts_text_hex(id, row->key, TS_ID_BYTES);
    return strcmp(row->label, name) == 0 || strcmp(id, name) == 0;
}

/* Several generations of one key are one key; several keys of one label are none. Complains itself. */
static enum ts_error
find_key(struct ts_half_row *out, const struct ts_tool *tool, uint64_t token, const char *name)
{
    struct ts_half_row *list = NULL;
    size_t count = 0;
    bool found = false, several = false;
    enum ts_error error = ts_half_list(&list, &count, ts_enterprise_store(tool->enterprise), token);

    for (size_t i = 0; error == TS_OK && i < count; i++) {
        if (!is_called(&list[i], name))
            continue;
        several |= found && memcmp(out->key, list[i].key, TS_ID_BYTES) != 0;
        *out = list[i];
        found = true;
    }
    free(list);
    if (error != TS_OK)
        return (void)ts_tool_failed("the keys cannot be read", error, ""), error;
    if (found && !several)
        return TS_OK;
    (void)ts_complain(found ? "several keys are called \"%s\"; say its id, see `tallystick list`"
                            : "there is no key \"%s\"; see `tallystick list`",
        name);
    return TS_NOT_FOUND;
}

/* What each failure of a refresh means to the person at the keyboard. */
static int
explain(enum ts_error error)
{
    switch (error) {
    case TS_REFUSED:
        return ts_complain("the peer refused: its person or policy said no; a key that is locked there needs a person "
                           "(`tallystick-peer run --approval ask`)");
    case TS_EXISTS:
        return ts_complain("a refresh of this key is running already");
    case TS_TIMEOUT:
        return ts_complain("nobody decided at the peer in time; look at the device and try again");
    case TS_IO:
        return ts_complain("the peer cannot be reached; is `tallystick-peer run` running there?");
    case TS_NOT_FOUND:
        return ts_complain(
            "the peer has no such half, or another generation of it: was one side restored from a backup?");
    case TS_CHEATED:
        return ts_complain("the peer cheated or is faulty: the key is locked; see the log");
    default:
        return ts_tool_failed("the refresh failed", error, "the key stays as it was; try again");
    }
}

static int
refresh(const struct ts_tool *tool, const struct ts_half_row *row, const struct ts_keyring *keyring)
{
    struct ts_asker_text text;
    struct ts_refresh_job job = {0};
    struct ts_progress progress;
    struct ts_search search = {&progress, ts_prime_fill_progress, tool->config->threads};
    char label[4 * TS_NAME_MAX];
    uint32_t generation = 0;

    memcpy(job.key, row->key, sizeof job.key);
    job.search = &search;
    ts_asker_from_process(&job.asker, &text);
    ts_progress_start(
        &progress, &tool->env, "refreshing (primes are searched when none wait; the peer may ask its person)");
    enum ts_error error = ts_refresh_enterprise(&generation, tool->enterprise, row->token, keyring, &job);
    ts_progress_end(&progress, error == TS_OK);
    if (error != TS_OK)
        return explain(error);
    (void)printf("key \"%s\" is refreshed: generation %u%s\n",
        ts_text_safe(label, sizeof label, row->label, strlen(row->label)), (unsigned)generation,
        row->locked ? "; its lock is lifted" : "");
    return TS_EXIT_OK;
}

static int
run(const struct ts_tool *tool, const struct arguments *arguments)
{
    struct ts_token_row token;
    struct ts_half_row row;
    struct ts_peer_row peer;
    struct ts_keyring *keyring = NULL;
    int code = TS_EXIT_FAILURE;
    enum ts_error error = ts_tool_token(&token, tool, arguments->token);

    if (error == TS_NOT_FOUND && arguments->token)
        return ts_complain("there is no token \"%s\"; see `tallystick list`", arguments->token);
    if (error != TS_OK || find_key(&row, tool, token.id, arguments->key) != TS_OK)
        return TS_EXIT_FAILURE;
    error = ts_peer_get(&peer, ts_enterprise_store(tool->enterprise), row.pairing);
    if (error != TS_OK)
        return ts_tool_failed("the key's peer cannot be read", error, "");
    if (ts_tool_unlock(&keyring, tool, &token, TS_USER_SO, arguments->source) != TS_OK)
        return TS_EXIT_FAILURE;
    if (!arguments->primes || ts_prime_fill(&tool->env, ts_enterprise_store(tool->enterprise), keyring, token.id,
                                  peer.bits, arguments->primes, 1) == TS_OK)
        code = refresh(tool, &row, keyring);
    ts_keyring_free(keyring);
    return code;
}

int
ts_tool_refresh(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    struct arguments arguments = {0};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_tool_open(tool);
    return code == TS_EXIT_OK ? run(tool, &arguments) : code;
}
