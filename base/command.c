#include "base/command.h"

#include "base/text.h"
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 1024

__attribute__((format(printf, 1, 0))) static void
print_line(const char *format, va_list arguments, const char *end)
{
    char line[LINE_BYTES], shown[2 * LINE_BYTES];

    (void)vsnprintf(line, sizeof line, format, arguments);
    (void)fprintf(stderr, "%s: %s%s\n", program_invocation_short_name,
        ts_text_is_plain(line, strlen(line), false) ? line : ts_text_safe(shown, sizeof shown, line, strlen(line)),
        end);
}

int
ts_complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments, "");
    va_end(arguments);
    return TS_EXIT_FAILURE;
}

int
ts_complain_usage(const char *program, const char *command, const char *format, ...)
{
    char end[160];
    va_list arguments;

    (void)snprintf(end, sizeof end, "\nSee `%s%s%s --help`.", program, command ? " " : "", command ? command : "");
    va_start(arguments, format);
    print_line(format, arguments, end);
    va_end(arguments);
    return TS_EXIT_USAGE;
}

static void
help_program(const struct ts_program *program)
{
    (void)printf("Usage: %s [options] COMMAND ...\n%s\n\nCommands:\n", program->name, program->summary);
    for (size_t i = 0; i < program->count; i++)
        (void)printf("  %-8s %s\n", program->commands[i].name, program->commands[i].summary);
    (void)printf("\nOptions:\n"
                 "  -c, --config FILE   instead of $TALLYSTICK_CONF and the default places\n"
                 "  -v, --verbose       also show what is done; twice: every step\n"
                 "  -h, --help\n"
                 "  -V, --version\n"
                 "\n`%s COMMAND --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong use.\n",
        program->name);
}

static void
help_command(const struct ts_program *program, const struct ts_command *command)
{
    (void)printf("Usage: %s %s %s\n%s\n", program->name, command->name, command->usage, command->summary);
    if (*command->help)
        (void)printf("\n%s", command->help);
}

int
ts_command_run(const struct ts_program *program, void *ctx, int argc, char **argv)
{
    for (size_t i = 0; i < program->count; i++) {
        const struct ts_command *command = &program->commands[i];
        if (strcmp(argv[0], command->name) != 0)
            continue;
        for (int k = 1; k < argc && strcmp(argv[k], "--") != 0; k++)
            if (strcmp(argv[k], "--help") == 0 || strcmp(argv[k], "-h") == 0) {
                help_command(program, command);
                return TS_EXIT_OK;
            }
        return command->run(ctx, argc, argv);
    }
    return ts_complain_usage(program->name, NULL, "there is no command \"%s\"", argv[0]);
}

static void
write_log(void *ctx, enum ts_log_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const struct ts_program *program = ctx;

    (void)fprintf(stderr, "%s: %s: %s\n", program->name, names[level], line);
}

/* Options before the command. Returns: true to go on; else *code is the exit code. */
static bool
read_options(
    int *code, const struct ts_program *program, struct ts_env *env, const char **config, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
        {"verbose", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    int option;

    *code = TS_EXIT_OK;
    while ((option = getopt_long(argc, argv, "+c:vhV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            *config = optarg;
            break;
        case 'v':
            env->log.level = env->log.level < TS_LOG_INFO ? TS_LOG_INFO : TS_LOG_DEBUG;
            break;
        case 'h':
            help_program(program);
            return false;
        case 'V':
            (void)printf("%s %s\n", program->name, PACKAGE_VERSION);
            return false;
        default:
            *code = TS_EXIT_USAGE;
            return false;
        }
    }
    if (optind < argc)
        return true;
    *code = ts_complain_usage(program->name, NULL, "a command is missing");
    return false;
}

int
ts_command_main(const struct ts_program *program, struct ts_env *env, const char **config, void *ctx,
    void (*clear)(void *ctx), int argc, char **argv)
{
    union {
        const struct ts_program *in;
        void *out;
    } for_log = {program};
    int code = TS_EXIT_FAILURE;

    if (ts_env_init(env) != TS_OK)
        return ts_complain("OpenSSL's library cannot be used");
    env->log = (struct ts_log){for_log.out, TS_LOG_WARNING, write_log};
    *config = NULL;
    if (read_options(&code, program, env, config, argc, argv)) {
        int first = optind;
        optind = 0; /* the subcommand reads its own options */
        code = ts_command_run(program, ctx, argc - first, argv + first);
    }
    clear(ctx);
    ts_env_clear(env);
    if (fflush(stdout) != 0 && code == TS_EXIT_OK)
        code = ts_complain("standard output cannot be written");
    return code;
}
