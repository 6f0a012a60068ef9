#ifndef TS_SESSION_DAEMON_H
#define TS_SESSION_DAEMON_H

#include "session/config.h"

#include <getopt.h>

/** The options that `run` of both daemons takes: --listen, --log, --ready-fd. */
struct ts_daemon_options {
    const char *listen; /**< host:port; NULL: as configured */
    const char *log;    /**< NULL: as configured */
    int ready_fd;       /**< -1: none; closed once the address was written */
};

/** Rows for getopt_long. */
#define TS_DAEMON_LONG_OPTIONS                                                                                         \
    {"listen", required_argument, NULL, 'l'}, {"log", required_argument, NULL, 'L'},                                   \
    {                                                                                                                  \
        "ready-fd", required_argument, NULL, 'R'                                                                       \
    }

/** Take one of them, optarg being its value. Returns: exit code; TS_EXIT_USAGE also for another option. */
int ts_daemon_option(struct ts_daemon_options *out, const char *program, int option);
/** After the options: there is nothing more. Returns: exit code. */
int ts_daemon_no_more(const char *program, int argc, char **argv);

/** What the command line says of the log goes before the file. Returns: exit code. The configuration must outlive the
 *  log. */
int ts_daemon_set_log(
    struct ts_log *log, struct ts_config *config, const char *program, const struct ts_daemon_options *options);

/** Tell who waits for it where the daemon listens. Returns: exit code. */
int ts_daemon_announce(const struct ts_daemon_options *options, const char *address);

#endif
