#include "server/program.h"

#include "server/http.h"
#include "server/notify.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *listen, *log;
    int ready_fd; /* -1: none */
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
        {"log", required_argument, NULL, 'L'}, {"ready-fd", required_argument, NULL, 'R'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            out->listen = optarg;
            break;
        case 'L':
            out->log = optarg;
            break;
        case 'R':
            out->ready_fd = atoi(optarg);
            if (out->ready_fd < 1 || strspn(optarg, "0123456789") != strlen(optarg))
                return ts_complain_usage("tallystick-server", "run", "--ready-fd must be the number of a descriptor");
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return ts_complain_usage("tallystick-server", "run", "\"%s\" is one argument too many", argv[optind]);
    return TS_EXIT_OK;
}

static bool
replace(char **place, const char *value)
{
    char *copy = value ? strdup(value) : NULL;

    if (value && !copy)
        return false;
    if (copy) {
        free(*place);
        *place = copy;
    }
    return true;
}

/* What the command line says goes before the file. */
static int
apply(struct ts_server *server, const struct arguments *arguments)
{
    struct ts_config *config = server->first->config;
    const char *to = arguments->log;

    if (to && strcmp(to, "syslog") != 0 && strcmp(to, "stderr") != 0 && *to != '/')
        return ts_complain_usage("tallystick-server", "run", "--log must be syslog, stderr or an absolute path");
    if (!replace(&config->server.listen, arguments->listen) || !replace(&config->log.to, to))
        return ts_complain("no memory");
    ts_config_log(&server->env.log, config);
    return TS_EXIT_OK;
}

static void
block_signals(sigset_t *ours)
{
    (void)sigemptyset(ours);
    (void)sigaddset(ours, SIGTERM);
    (void)sigaddset(ours, SIGINT);
    (void)sigaddset(ours, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, ours, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

struct watch {
    struct ts_http *http;
    sigset_t signals;
    atomic_bool over;
    pthread_t thread;
};

static void *
wait_for_signals(void *argument)
{
    struct watch *watch = argument;
    int signal = 0;

    for (;;) {
        if (sigwait(&watch->signals, &signal) != 0)
            continue;
        if (atomic_load(&watch->over))
            return NULL;
        if (signal == SIGHUP)
            ts_http_reload(watch->http);
        else
            ts_http_stop(watch->http);
    }
}

static int
announce(const struct ts_server *server, int ready_fd)
{
    const char *address = ts_http_address(server->http);

    ts_log(&server->env, TS_LOG_INFO, "listening on %s", address);
    ts_notify("READY=1");
    if (ready_fd < 0)
        return TS_EXIT_OK;
    int written = dprintf(ready_fd, "%s\n", address);
    (void)close(ready_fd);
    return written < 0 ? ts_complain("--ready-fd %d cannot be written", ready_fd) : TS_EXIT_OK;
}

static int
serve(struct ts_server *server, struct watch *watch, int ready_fd)
{
    watch->http = server->http;
    if (pthread_create(&watch->thread, NULL, wait_for_signals, watch) != 0)
        return ts_complain("no thread for signals");
    int code = announce(server, ready_fd);
    if (code == TS_EXIT_OK)
        ts_http_run(server->http);
    atomic_store(&watch->over, true);
    (void)pthread_kill(watch->thread, SIGTERM);
    (void)pthread_join(watch->thread, NULL);
    return code;
}

int
ts_server_run(void *ctx, int argc, char **argv)
{
    struct ts_server *server = ctx;
    struct arguments arguments = {.ready_fd = -1};
    struct watch watch = {0};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_server_configure(server);
    if (code == TS_EXIT_OK)
        code = apply(server, &arguments);
    if (code != TS_EXIT_OK)
        return code;
    block_signals(&watch.signals);
    code = ts_server_open(server);
    if (code == TS_EXIT_OK)
        code = serve(server, &watch, arguments.ready_fd);
    ts_log(&server->env, TS_LOG_INFO, "stopped");
    return code;
}
