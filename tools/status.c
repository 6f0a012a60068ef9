#include "tools/tool.h"
#include "tools/report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *token, *source;
    bool json;
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"token", required_argument, NULL, 't'},
        {"pin-source", required_argument, NULL, 'P'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "t:P:j", options, NULL)) != -1) {
        switch (option) {
        case 't':
            out->token = optarg;
            break;
        case 'P':
            out->source = optarg;
            break;
        case 'j':
            out->json = true;
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return ts_complain_usage("tallystick", "status", "\"%s\" is one argument too many", argv[optind]);
    return TS_EXIT_OK;
}

/* Words about the HSM; *good is cleared when something is wrong. */
static const char *
check_hsm(const struct ts_tool *tool, bool *good)
{
    struct ts_hsm *hsm = ts_enterprise_hsm(tool->enterprise);
    enum ts_error error = hsm ? ts_hsm_check(hsm) : TS_USAGE;

    *good = *good && error == TS_OK;
    switch (error) {
    case TS_OK:
        return "ok";
    case TS_USAGE:
        return "not configured; set hsm: to its PKCS#11 URI";
    case TS_NOT_FOUND:
        return "reached, but its key is not there; `tallystick init` makes it when no token needs it";
    case TS_STORAGE:
        return "the key is not a sensitive, non-extractable AES-256 key";
    default:
        return "cannot be reached; check module, token and PIN of hsm:";
    }
}

static const char *
describe_ping(enum ts_error error)
{
    switch (error) {
    case TS_OK:
        return "reachable";
    case TS_IO:
        return "NOT reachable: it does not listen, or another device answers there";
    case TS_TIMEOUT:
        return "NOT reachable: no answer in time";
    default:
        return ts_error_text(error);
    }
}

/* Call every peer of the token and add the outcome to its objects. Both lists have the store's order. */
static bool
ping_peers(const struct ts_tool *tool, json_t *peers, uint64_t token, const struct ts_keyring *keyring)
{
    struct ts_peer_row *list = NULL;
    size_t count = 0;
    bool good = ts_peer_list(&list, &count, ts_enterprise_store(tool->enterprise), token) == TS_OK;

    for (size_t i = 0; i < count && i < json_array_size(peers); i++) {
        enum ts_error error = ts_peer_ping(tool->enterprise, token, keyring, list[i].pairing);
        good = good && error == TS_OK;
        (void)json_object_set_new(json_array_get(peers, i), "reachable", json_string(describe_ping(error)));
    }
    free(list);
    return good;
}

static bool
call_peers(const struct ts_tool *tool, const struct arguments *arguments, json_t *tokens)
{
    struct ts_token_row row;
    struct ts_keyring *keyring = NULL;
    const char *source = strcmp(arguments->source, "ask") == 0 ? NULL : arguments->source;
    bool good = false;

    if (ts_tool_token(&row, tool, arguments->token) != TS_OK ||
        ts_tool_unlock(&keyring, tool, &row, TS_USER, source) != TS_OK)
        return false;
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        json_t *token = json_array_get(tokens, i);
        if (strcmp(json_string_value(json_object_get(token, "serial")), row.serial) == 0)
            good = ping_peers(tool, json_object_get(token, "peers"), row.id, keyring);
    }
    ts_keyring_free(keyring);
    return good;
}

static bool
has_locked_key(const json_t *tokens)
{
    const json_t *token, *key;
    size_t i, k;

    json_array_foreach(tokens, i, token) json_array_foreach(
        json_object_get(token, "keys"), k, key) if (json_is_true(json_object_get(key, "locked"))) return true;
    return false;
}

static int
report(const struct ts_tool *tool, const struct arguments *arguments)
{
    json_t *tokens = ts_report_tokens(tool, arguments->token), *tree;
    const char *path = tool->config->path ? tool->config->path : "none (defaults)";
    bool good = true;

    if (!tokens)
        return TS_EXIT_FAILURE;
    const char *hsm = check_hsm(tool, &good);
    if (arguments->source)
        good = call_peers(tool, arguments, tokens) && good;
    good = good && !has_locked_key(tokens);
    tree = json_pack("{s:s, s:s, s:s, s:b, s:O}", "configuration", path, "store", tool->config->store, "hsm", hsm,
        "good", (int)good, "tokens", tokens);
    if (arguments->json) {
        (void)ts_report_print_json(tree);
    } else {
        (void)printf("configuration  %s\nstore          %s\nHSM            %s\n", path, tool->config->store, hsm);
        ts_report_print(tokens);
    }
    json_decref(tree);
    json_decref(tokens);
    return good ? TS_EXIT_OK : TS_EXIT_FAILURE;
}

int
ts_tool_status(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    struct arguments arguments = {0};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_tool_open(tool);
    return code == TS_EXIT_OK ? report(tool, &arguments) : code;
}
