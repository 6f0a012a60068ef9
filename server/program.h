#ifndef TS_SERVER_PROGRAM_H
#define TS_SERVER_PROGRAM_H

#include "base/command.h"
#include "server/server.h"

/** The whole program. Returns: exit code. */
int ts_server_main(int argc, char **argv);

/** Open everything in its order; complains itself. Returns: TS_EXIT_OK, TS_EXIT_FAILURE, TS_EXIT_USAGE. */
int ts_server_open(struct ts_server *server);
/** Read the configuration only. */
int ts_server_configure(struct ts_server *server);
/** Close what was opened, in the other order. */
void ts_server_close(struct ts_server *server);

/* The subcommands. */
int ts_server_run(void *ctx, int argc, char **argv);
int ts_server_check(void *ctx, int argc, char **argv);
int ts_server_token(void *ctx, int argc, char **argv);

#endif
