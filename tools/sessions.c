#include "tools/tool.h"
#include "session/sessions_show.h"

int
ts_tool_sessions(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    int code = ts_tool_configure(tool);

    if (code != TS_EXIT_OK)
        return code;
    return ts_sessions_show("tallystick", &tool->env, tool->config->store, tool->config->sessions.keep, argc, argv);
}
