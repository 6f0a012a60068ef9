#include "base/command.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
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

void
ts_command_help(const struct ts_program *program)
{
    (void)printf("Usage: %s [options] COMMAND ...\n%s\n\nCommands:\n", program->name, program->summary);
    for (size_t i = 0; i < program->count; i++)
        (void)printf("  %-8s %s\n", program->commands[i].name, program->commands[i].summary);
    (void)printf("\nOptions:\n%s\n`%s COMMAND --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong use.\n",
        program->options, program->name);
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
