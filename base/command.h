#ifndef TS_BASE_COMMAND_H
#define TS_BASE_COMMAND_H

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
    const char *options; /**< help of the options before the command */
    const struct ts_command *commands;
    size_t count;
};

/** Find argv[0] in the table and run it; "--help" (also after the command) prints the help.
 *  Returns: exit code. */
int ts_command_run(const struct ts_program *program, void *ctx, int argc, char **argv);

/** Print the program's help. */
void ts_command_help(const struct ts_program *program);

/** One line on standard error: what, why, and what to do. Control characters are not passed on.
 *  Returns: TS_EXIT_FAILURE. */
int ts_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The same for wrong use of a command: adds where help is. Returns: TS_EXIT_USAGE. */
int ts_complain_usage(const char *program, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
