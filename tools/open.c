#include "tools/tool.h"
#include "session/secret_ask.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_BYTES 512

int
ts_tool_failed(const char *what, enum ts_error error, const char *remedy)
{
    return ts_complain("%s: %s%s%s", what, ts_error_text(error), *remedy ? "; " : "", remedy);
}

int
ts_tool_configure(struct ts_tool *tool)
{
    char message[MESSAGE_BYTES];
    enum ts_error error = ts_config_load(&tool->config, tool->config_path, message, sizeof message);

    if (error == TS_OK)
        return TS_EXIT_OK;
    (void)ts_complain("%s", *message ? message : ts_error_text(error));
    return error == TS_USAGE ? TS_EXIT_USAGE : TS_EXIT_FAILURE;
}

int
ts_tool_open(struct ts_tool *tool)
{
    int code = ts_tool_configure(tool);
    enum ts_error error;

    if (code != TS_EXIT_OK)
        return code;
    error = ts_enterprise_open(&tool->enterprise, &tool->env, tool->config);
    if (error == TS_USAGE)
        return ts_complain("the hsm: line in %s is not complete", tool->config->path ? tool->config->path : "-");
    if (error != TS_OK)
        return ts_complain("%s cannot be opened: %s", tool->config->store, ts_error_text(error));
    return TS_EXIT_OK;
}

static enum ts_error
choose(struct ts_token_row *out, const struct ts_token_row *list, size_t count, const char *label)
{
    for (size_t i = 0; label && i < count; i++)
        if (strcmp(list[i].label, label) == 0) {
            *out = list[i];
            return TS_OK;
        }
    if (label)
        return TS_NOT_FOUND;
    if (count == 0) {
        (void)ts_complain("there is no token; make one with `tallystick init --label NAME`");
        return TS_NOT_FOUND;
    }
    if (count > 1) {
        (void)ts_complain("there are %zu tokens; say which with --token", count);
        return TS_USAGE;
    }
    *out = list[0];
    return TS_OK;
}

enum ts_error
ts_tool_token(struct ts_token_row *out, const struct ts_tool *tool, const char *label)
{
    struct ts_token_row *list = NULL;
    size_t count = 0;
    enum ts_error error = ts_token_list(&list, &count, ts_enterprise_store(tool->enterprise));

    if (error == TS_OK)
        error = choose(out, list, count, label);
    else
        (void)ts_tool_failed(tool->config->store, error, "");
    free(list);
    return error;
}

static void
explain_unlock(const struct ts_tool *tool, const struct ts_token_row *before, enum ts_user user, enum ts_error error)
{
    const char *who = user == TS_USER ? "user" : "SO";
    struct ts_token_row now;

    if (error == TS_PIN_INCORRECT && ts_token_get(&now, ts_enterprise_store(tool->enterprise), before->id) == TS_OK)
        (void)ts_complain("the %s PIN of token \"%s\" is wrong; %u tries left", who, before->label,
            (unsigned)(user == TS_USER ? now.user_tries_left : now.so_tries_left));
    else if (error == TS_PIN_LOCKED && user == TS_USER)
        (void)ts_complain(
            "the user PIN of token \"%s\" is locked; the SO may set a new one (C_InitPIN)", before->label);
    else if (error == TS_USAGE)
        (void)ts_complain(
            "token \"%s\" has no %s PIN yet; run `tallystick init --label '%s'`", before->label, who, before->label);
    else
        (void)ts_complain("token \"%s\" cannot be unlocked: %s", before->label, ts_error_text(error));
}

enum ts_error
ts_tool_unlock(struct ts_keyring **out, const struct ts_tool *tool, const struct ts_token_row *token, enum ts_user user,
    const char *source)
{
    struct ts_buf pin;
    enum ts_error error;

    *out = NULL;
    ts_buf_init_secret(&pin, TS_PIN_MAX);
    error = ts_secret_ask(&pin, &tool->env, source, user == TS_USER ? "user PIN" : "SO PIN", false);
    if (error == TS_OK) {
        error = ts_token_unlock(out, ts_enterprise_store(tool->enterprise), ts_enterprise_hsm(tool->enterprise),
            token->id, user, pin.data, pin.len);
        if (error != TS_OK)
            explain_unlock(tool, token, user, error);
    }
    ts_buf_clear(&pin);
    return error;
}
