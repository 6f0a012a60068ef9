#include "tools/tool.h"
#include "tools/report.h"

#include <getopt.h>

static int
read_arguments(bool *json, int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
        if (option != 'j')
            return TS_EXIT_USAGE;
        *json = true;
    }
    if (optind < argc)
        return ts_complain_usage("tallystick", "list", "\"%s\" is one argument too many", argv[optind]);
    return TS_EXIT_OK;
}

int
ts_tool_list(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    json_t *tokens = NULL;
    bool json = false;
    int code = read_arguments(&json, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_tool_open(tool);
    if (code == TS_EXIT_OK && !(tokens = ts_report_tokens(tool, NULL)))
        code = TS_EXIT_FAILURE;
    if (code == TS_EXIT_OK && json)
        code = ts_report_print_json(tokens);
    else if (code == TS_EXIT_OK)
        ts_report_print(tokens);
    json_decref(tokens);
    return code;
}
