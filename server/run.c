#include "server/program.h"

#include "server/http.h"
#include "server/notify.h"
#include "session/config_value.h"
#include "session/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "tallystick-server";

static int
read_arguments(struct ts_daemon_options *out, int argc, char **argv)
{
    static const struct option options[] = {TS_DAEMON_LONG_OPTIONS, {NULL, 0, NULL, 0}};
    int option, code;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if ((code = ts_daemon_option(out, program, option)) != TS_EXIT_OK)
            return code;
    return ts_daemon_no_more(program, argc, argv);
}

/* What the command line says goes before the file. */
static int
apply(struct ts_server *server, const struct ts_daemon_options *arguments)
{
    struct ts_config *config = server->first->config;
    const char *fault = arguments->listen ? ts_value_address(&config->server.listen, arguments->listen) : NULL;

    if (fault)
        return ts_complain_usage(program, "run", "--listen \"%s\" is not %s", arguments->listen, fault);
    return ts_daemon_set_log(&server->env.log, config, program, arguments);
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
announce(const struct ts_server *server, const struct ts_daemon_options *arguments)
{
    const char *address = ts_http_address(server->http);

    ts_log(&server->env, TS_LOG_INFO, "listening on %s", address);
    ts_notify("READY=1");
    return ts_daemon_announce(arguments, address);
}

static int
serve(struct ts_server *server, struct watch *watch, const struct ts_daemon_options *arguments)
{
    watch->http = server->http;
    if (pthread_create(&watch->thread, NULL, wait_for_signals, watch) != 0)
        return ts_complain("no thread for signals");
    int code = announce(server, arguments);
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
    struct ts_daemon_options arguments = {.ready_fd = -1};
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
        code = serve(server, &watch, &arguments);
    ts_log(&server->env, TS_LOG_INFO, "stopped");
    return code;
}
