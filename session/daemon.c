#include "session/daemon.h"

#include "base/command.h"
#include "session/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
read_descriptor(int *out, const char *program, const char *text)
{
    *out = atoi(text);
    if (*out >= 1 && strspn(text, "0123456789") == strlen(text))
        return TS_EXIT_OK;
    return ts_complain_usage(program, "run", "--ready-fd must be the number of a descriptor");
}

int
ts_daemon_option(struct ts_daemon_options *out, const char *program, int option)
{
    switch (option) {
    case 'l':
        out->listen = optarg;
        return TS_EXIT_OK;
    case 'L':
        out->log = optarg;
        return TS_EXIT_OK;
    case 'R':
        return read_descriptor(&out->ready_fd, program, optarg);
    default:
        return TS_EXIT_USAGE;
    }
}

int
ts_daemon_no_more(const char *program, int argc, char **argv)
{
    if (optind < argc)
        return ts_complain_usage(program, "run", "\"%s\" is one argument too many", argv[optind]);
    return TS_EXIT_OK;
}

int
ts_daemon_set_log(
    struct ts_log *log, struct ts_config *config, const char *program, const struct ts_daemon_options *options)
{
    const char *fault = options->log ? ts_value_log_to(&config->log.to, options->log) : NULL;

    if (fault)
        return ts_complain_usage(program, "run", "--log \"%s\" is not %s", options->log, fault);
    ts_config_log(log, config);
    return TS_EXIT_OK;
}

int
ts_daemon_announce(const struct ts_daemon_options *options, const char *address)
{
    if (options->ready_fd < 0)
        return TS_EXIT_OK;
    int written = dprintf(options->ready_fd, "%s\n", address);
    (void)close(options->ready_fd);
    return written < 0 ? ts_complain("--ready-fd %d cannot be written", options->ready_fd) : TS_EXIT_OK;
}
