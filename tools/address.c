#include "tools/tool.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int
move(const struct ts_tool *tool, const char *label, const char *name, const char *address)
{
    struct ts_token_row token;
    enum ts_error error = ts_tool_token(&token, tool, label);

    if (error == TS_NOT_FOUND && label)
        return ts_complain("there is no token \"%s\"; see `tallystick list`", label);
    if (error != TS_OK)
        return TS_EXIT_FAILURE;
    error = ts_peer_move(tool->enterprise, token.id, name, address);
    if (error == TS_USAGE)
        return ts_complain_usage(
            "tallystick", "address", "\"%s\" is not host:port or [v6]:port, or several with commas between", address);
    if (error == TS_NOT_FOUND)
        return ts_complain("the token has no peer \"%s\"; see `tallystick list`", name);
    if (error != TS_OK)
        return ts_tool_failed("the address cannot be stored", error, "");
    if (strcmp(address, "-") == 0)
        (void)printf("\"%s\" is no longer dialled; it dials in\n", name);
    else
        (void)printf("\"%s\" is now dialled at %s; its key is the same\n", name, address);
    return TS_EXIT_OK;
}

int
ts_tool_address(void *ctx, int argc, char **argv)
{
    static const struct option options[] = {{"token", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    struct ts_tool *tool = ctx;
    const char *label = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "t:", options, NULL)) != -1) {
        if (option != 't')
            return ts_complain_usage("tallystick", "address", "unknown option");
        label = optarg;
    }
    if (argc - optind != 2)
        return ts_complain_usage("tallystick", "address", "a peer's name and its address are needed");
    int code = ts_tool_open(tool);
    return code == TS_EXIT_OK ? move(tool, label, argv[optind], argv[optind + 1]) : code;
}
