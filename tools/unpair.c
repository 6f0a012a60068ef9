#include "tools/tool.h"
#include "base/terminal.h"

#include <getopt.h>
#include <stdio.h>

struct arguments {
    const char *token, *name;
    bool yes;
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {
        {"token", required_argument, NULL, 't'}, {"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "t:y", options, NULL)) != -1) {
        if (option == 't')
            out->token = optarg;
        else if (option == 'y')
            out->yes = true;
        else
            return TS_EXIT_USAGE;
    }
    if (argc - optind != 1)
        return ts_complain_usage("tallystick", "unpair", "exactly one peer's name is needed");
    out->name = argv[optind];
    return TS_EXIT_OK;
}

static int
unpair(const struct ts_tool *tool, const struct arguments *arguments)
{
    struct ts_token_row token;
    char question[160];
    enum ts_error error = ts_tool_token(&token, tool, arguments->token);

    if (error == TS_NOT_FOUND && arguments->token)
        return ts_complain("there is no token \"%s\"; see `tallystick list`", arguments->token);
    if (error != TS_OK)
        return TS_EXIT_FAILURE;
    (void)snprintf(
        question, sizeof question, "Forget peer \"%.64s\"? It must be paired anew to be used again.", arguments->name);
    if (!arguments->yes && !ts_terminal_confirm(question))
        return ts_complain("nothing was removed");
    error = ts_peer_unpair(tool->enterprise, token.id, arguments->name);
    if (error == TS_NOT_FOUND)
        return ts_complain("the token has no peer \"%s\"; see `tallystick list`", arguments->name);
    if (error == TS_USAGE)
        return ts_complain(
            "keys have their other half on \"%s\" and would be lost; destroy them first", arguments->name);
    if (error != TS_OK)
        return ts_tool_failed("the peer cannot be removed", error, "");
    (void)printf("\"%s\" is forgotten; remove this partner there, too: `tallystick-peer unpair`\n", arguments->name);
    return TS_EXIT_OK;
}

int
ts_tool_unpair(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    struct arguments arguments = {0};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_tool_open(tool);
    return code == TS_EXIT_OK ? unpair(tool, &arguments) : code;
}
