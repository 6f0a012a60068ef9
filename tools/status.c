#include "tools/tool.h"
#include "tools/calls.h"
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
    const char *hsm = ts_calls_hsm(&good, tool);
    if (arguments->source)
        good = ts_calls_peers(tool, tokens, arguments->token, arguments->source) && good;
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
