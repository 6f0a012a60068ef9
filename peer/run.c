#include "peer/peer.h"
#include "peer/approval.h"
#include "peer/tamper.h"
#include "session/crowd.h"
#include "session/daemon.h"
#include "transport/tcp.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    struct ts_daemon_options daemon;
    const char *source, *approval;
};

static const char program[] = "tallystick-peer";

/* What runs; made and unmade in this order. */
struct service {
    struct ts_peer *peer;
    struct ts_approval *approval;
    struct ts_mobile *mobile;
    struct ts_tcp_listener *listener;
    struct ts_crowd *crowd;
    pthread_t signals;
    bool watching; /* the signals' thread runs */
    pthread_t partners;
    bool looking; /* the partners' thread runs */
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"passphrase-source", required_argument, NULL, 'p'},
        {"approval", required_argument, NULL, 'a'}, TS_DAEMON_LONG_OPTIONS, {NULL, 0, NULL, 0}};
    int option, code = TS_EXIT_OK;

    while (code == TS_EXIT_OK && (option = getopt_long(argc, argv, "p:a:l:", options, NULL)) != -1) {
        if (option == 'p')
            out->source = optarg;
        else if (option == 'a')
            out->approval = optarg;
        else
            code = ts_daemon_option(&out->daemon, program, option);
    }
    return code == TS_EXIT_OK ? ts_daemon_no_more(program, argc, argv) : code;
}

/* The main thread accepts; this one waits for the signals that end it (blocked everywhere else). */
static void *
wait_for_signal(void *argument)
{
    struct service *service = argument;
    sigset_t ending;
    int signal = 0;

    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGINT);
    (void)sigaddset(&ending, SIGHUP);
    (void)sigwait(&ending, &signal);
    ts_tcp_listener_stop(service->listener);
    return NULL;
}

static void
block_signals(void)
{
    sigset_t blocked;

    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigaddset(&blocked, SIGINT);
    (void)sigaddset(&blocked, SIGHUP);
    (void)sigaddset(&blocked, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

/* Each session has a thread; glibc would give many of them a heap of its own, which stays as large as it ever was. The
   one that is left gives memory back. */
static void
share_heap(void)
{
#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 1);
#endif
}

/* What a connection needed is given back at its end, also from between what stays. */
static void
serve(void *ctx, int socket)
{
    ts_mobile_serve(ctx, socket);
#ifdef M_TRIM_THRESHOLD
    (void)malloc_trim(0);
#endif
}

static enum ts_error
open_mobile(struct service *service, enum ts_approval_mode mode)
{
    struct ts_peer *peer = service->peer;
    const struct ts_approval_options approval = {&peer->env, mode, STDIN_FILENO, STDOUT_FILENO};
    struct ts_mobile_options options = {.env = &peer->env,
        .config = peer->config,
        .store = peer->store,
        .token = peer->token,
        .keyring = peer->keyring,
        .decide = ts_approval_decide,
        .tamper = ts_peer_tamper};
    enum ts_error error = ts_approval_new(&service->approval, &approval);

    if (error != TS_OK)
        return error;
    options.ctx = service->approval;
    return ts_mobile_open(&service->mobile, &options);
}

static int
open_service(struct service *service, const struct arguments *arguments)
{
    struct ts_peer *peer = service->peer;
    const char *listen = arguments->daemon.listen ? arguments->daemon.listen : peer->config->peer.listen;
    const char *mode_name = arguments->approval ? arguments->approval : peer->config->peer.approval;
    enum ts_approval_mode mode;
    enum ts_error error = ts_approval_mode_parse(&mode, mode_name);

    if (error != TS_OK)
        return ts_complain_usage(program, "run", "--approval must be ask or auto (in tests refuse or never)");
    if ((error = open_mobile(service, mode)) != TS_OK)
        return ts_peer_failed("the mobile side cannot be opened (see the log)", error);
    if ((error = ts_tcp_listen(&service->listener, &peer->env, listen)) != TS_OK)
        return ts_complain("cannot listen on %s: %s (see the log)", listen, ts_error_text(error));
    if ((error = ts_crowd_new(&service->crowd, &peer->env, serve, service->mobile)) != TS_OK)
        return ts_peer_failed("no memory for connections", error);
    service->watching = pthread_create(&service->signals, NULL, wait_for_signal, service) == 0;
    return service->watching ? TS_EXIT_OK : ts_peer_failed("no thread for signals", TS_INTERNAL);
}

/* Where others reach us, for scripts and people. */
static int
announce(const struct service *service, const struct arguments *arguments)
{
    const char *base = arguments->daemon.listen ? arguments->daemon.listen : service->peer->config->peer.advertise;
    char *address = ts_peer_address(base, ts_tcp_listener_port(service->listener));

    if (!address)
        return ts_peer_failed("address", TS_INTERNAL);
    ts_log(&service->peer->env, TS_LOG_INFO, "listening, reached as %s", address);
    int code = ts_daemon_announce(&arguments->daemon, address);
    free(address);
    return code;
}

static void *
watch_partners(void *argument)
{
    struct service *service = argument;

    ts_mobile_watch(service->mobile, service->peer->config->peer.connect);
    return NULL;
}

/* Signals are blocked in every thread by now. */
static int
start_watching(struct service *service)
{
    service->looking = pthread_create(&service->partners, NULL, watch_partners, service) == 0;
    return service->looking ? TS_EXIT_OK : ts_peer_failed("no thread for partners", TS_INTERNAL);
}

static void
accept_until_stopped(struct service *service)
{
    char from[128];
    int socket;

    while (ts_tcp_accept(&socket, from, sizeof from, service->listener, UINT32_MAX) == TS_OK)
        (void)ts_crowd_add(service->crowd, socket, from);
}

static void
close_service(struct service *service)
{
    if (service->watching) {
        (void)pthread_kill(service->signals, SIGTERM); /* when it was not a signal that ended us */
        (void)pthread_join(service->signals, NULL);
    }
    if (service->approval)
        ts_approval_stop(service->approval);
    if (service->mobile)
        ts_mobile_shutdown(service->mobile);
    if (service->looking)
        (void)pthread_join(service->partners, NULL);
    ts_crowd_free(service->crowd);
    ts_tcp_listener_close(service->listener);
    if (service->mobile)
        ts_mobile_close(service->mobile);
    ts_approval_free(service->approval);
}

int
ts_peer_run(void *ctx, int argc, char **argv)
{
    struct ts_peer *peer = ctx;
    struct service service = {.peer = peer};
    struct arguments arguments = {.daemon = {.ready_fd = -1}};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_peer_open(peer, false);
    if (code == TS_EXIT_OK)
        code = ts_peer_unlock(peer, arguments.source);
    if (code == TS_EXIT_OK)
        code = ts_daemon_set_log(&peer->env.log, peer->config, program, &arguments.daemon);
    if (code != TS_EXIT_OK)
        return code;
    block_signals();
    share_heap();
    code = open_service(&service, &arguments);
    if (code == TS_EXIT_OK)
        code = start_watching(&service);
    if (code == TS_EXIT_OK)
        code = announce(&service, &arguments);
    if (code == TS_EXIT_OK)
        accept_until_stopped(&service);
    close_service(&service);
    ts_log(&peer->env, TS_LOG_INFO, "stopped");
    return code;
}
