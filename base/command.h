#ifndef TS_BASE_COMMAND_H
#define TS_BASE_COMMAND_H

#include "base/env.h"

#include <stddef.h>

/** A program of subcommands: one table, one function for each. Exit codes: 0 done, 1 failed, 2 wrong use. */
enum { TS_EXIT_OK = 0, TS_EXIT_FAILURE = 1, TS_EXIT_USAGE = 2 };

struct ts_command {
    const char *name;
    const char *usage;                            /**< options and arguments, in one line */
    const char *summary;                          /**< what it does, in one line */
    const char *help;                             /**< the options, one a line, each indented by two spaces */
    int (*run)(void *ctx, int argc, char **argv); /**< argv[0] is the command's name */
};

struct ts_program {
    const char *name;
    const char *summary;
    const struct ts_command *commands;
    size_t count;
};

/** The main function of a program. Before the command it takes --config, --verbose (twice: every step), --help and
 *  --version; warnings of the library go to standard error.
 *  Out:  env     set up for the command, cleared at the end
 *        config  the path that was given, or NULL; points into argv
 *  In:   ctx     for the command; clear(ctx) is called at the end, before env is cleared
 *  Returns: exit code. */
int ts_command_main(const struct ts_program *program, struct ts_env *env, const char **config, void *ctx,
    void (*clear)(void *ctx), int argc, char **argv);

/** Find argv[0] in the table and run it; "--help" (also after the command) prints the help.
 *  Returns: exit code. */
int ts_command_run(const struct ts_program *program, void *ctx, int argc, char **argv);

/** One line on standard error: what, why, and what to do. Control characters are not passed on.
 *  Returns: TS_EXIT_FAILURE. */
int ts_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The same for wrong use of a command: adds where help is. Returns: TS_EXIT_USAGE. */
int ts_complain_usage(const char *program, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
