#ifndef TS_TOOLS_TOOL_H
#define TS_TOOLS_TOOL_H

#include "base/command.h"
#include "session/config.h"
#include "session/enterprise.h"

/** What every subcommand works with. */
struct ts_tool {
    struct ts_env env;
    const char *config_path; /**< --config, or NULL */
    struct ts_config *config;
    struct ts_enterprise *enterprise;
};

/** Read the configuration and open the enterprise side; complains itself. Released by main.
 *  Returns: TS_EXIT_OK, TS_EXIT_FAILURE, TS_EXIT_USAGE. */
int ts_tool_open(struct ts_tool *tool);

/** Only read the configuration. Returns: as ts_tool_open. */
int ts_tool_configure(struct ts_tool *tool);

/** Complain about a failed step: what failed, the error's own words, and what to do (may be "").
 *  Returns: TS_EXIT_FAILURE. */
int ts_tool_failed(const char *what, enum ts_error error, const char *remedy);

/** Find a token by its label; label NULL: the only one.
 *  Returns: TS_OK; TS_NOT_FOUND; TS_USAGE when there are several and no label; TS_STORAGE. Complains itself but for
 *  TS_NOT_FOUND with a label. */
enum ts_error ts_tool_token(struct ts_token_row *out, const struct ts_tool *tool, const char *label);

/** Unlock a token with the user's or the SO's PIN from its source or the terminal; complains itself.
 *  Returns: TS_OK and a keyring; anything else. */
enum ts_error ts_tool_unlock(struct ts_keyring **out, const struct ts_tool *tool, const struct ts_token_row *token,
    enum ts_user user, const char *source);

/* The subcommands; each in the file of its name. */
int ts_tool_init(void *ctx, int argc, char **argv);
int ts_tool_pair(void *ctx, int argc, char **argv);
int ts_tool_unpair(void *ctx, int argc, char **argv);
int ts_tool_address(void *ctx, int argc, char **argv);
int ts_tool_list(void *ctx, int argc, char **argv);
int ts_tool_status(void *ctx, int argc, char **argv);
int ts_tool_sessions(void *ctx, int argc, char **argv);
int ts_tool_doctor(void *ctx, int argc, char **argv);

#endif
