#include "server/http_internal.h"

#include "server/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_US (200 * LWS_US_PER_MS)
#define HEADERS_MAX 8192
#define HEADER_POOL 512
/* After running signatures were cancelled, how long their ends may take. */
#define GIVE_UP_MS 10000u

/* --- what others hand to the loop --- */

void
ts_http_done(struct ts_exchange *exchange)
{
    struct ts_http *http = exchange->server->http;

    (void)pthread_mutex_lock(&http->lock);
    exchange->next_done = http->done;
    http->done = exchange;
    (void)pthread_mutex_unlock(&http->lock);
    lws_cancel_service(http->context);
}

static void
take_done(struct ts_http *http)
{
    (void)pthread_mutex_lock(&http->lock);
    struct ts_exchange *list = http->done;
    http->done = NULL;
    (void)pthread_mutex_unlock(&http->lock);
    while (list) {
        struct ts_exchange *next = list->next_done;
        if (list->connection) {
            struct ts_connection *connection = lws_wsi_user(list->connection);
            connection->ready = true;
            lws_callback_on_writable(list->connection);
        }
        ts_exchange_release(list);
        list = next;
    }
}

/* --- the callback of every connection --- */

static struct ts_http *
http_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct ts_connection *connection = user;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return ts_call_begin(http_of(wsi), wsi, connection, in);
    case LWS_CALLBACK_HTTP_BODY:
        return ts_call_body(connection, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return ts_call_complete(http_of(wsi), wsi, connection);
    case LWS_CALLBACK_TIMER:
        return ts_call_tick(http_of(wsi), wsi, connection);
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (connection->stream)
            return ts_stream_write(http_of(wsi), wsi, connection);
        return ts_call_write(http_of(wsi), wsi, connection);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return ts_stream_filter(http_of(wsi), wsi, connection);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        if (connection) {
            ts_call_end(http_of(wsi), connection);
            if (reason != LWS_CALLBACK_HTTP_DROP_PROTOCOL)
                ts_stream_end(http_of(wsi), connection);
        }
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        take_done(http_of(wsi));
        ts_streams_done(http_of(wsi));
        return 0;
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        ts_tls_keep(http_of(wsi), user);
        return 0;
    case LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION:
        return len == 0; /* what OpenSSL found stands: nonzero refuses */
    default:
        return 0;
    }
}

/* A listening socket: accept what is there; libwebsockets does the rest. */
static int
on_listener(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct ts_http *http = http_of(wsi);
    int fd;

    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_RAW_RX_FILE)
        return 0;
    if (http->stop_by_ms)
        return -1;
    while ((fd = accept4(lws_get_socket_fd(wsi), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        (void)lws_adopt_socket_vhost(http->vhost, fd);
    return 0;
}

static const struct lws_protocols protocols[] = {
    {"tallystick", on_event, sizeof(struct ts_connection), 4096, 0, NULL, 0},
    {"tallystick-listen", on_listener, 0, 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

/* --- stopping and reading again --- */

void
ts_http_stop(struct ts_http *http)
{
    atomic_store(&http->stop, true);
    lws_cancel_service(http->context);
}

void
ts_http_reload(struct ts_http *http)
{
    atomic_store(&http->reload, true);
    lws_cancel_service(http->context);
}

static void
reload(struct ts_http *http)
{
    struct ts_server *server = http->server;
    struct ts_config *config = NULL;
    char message[512];

    ts_notify("RELOADING=1");
    enum ts_error error = ts_config_load(&config, server->config_path, message, sizeof message);
    struct ts_policy *policy = NULL;
    if (error == TS_OK && ts_tls_reload(http, config))
        policy = ts_policy_new(config, ts_now_ms(&server->env));
    else
        ts_config_free(config);
    if (policy) {
        ts_policy_release(server->policy);
        server->policy = policy;
        ts_server_adjust(server, policy->config);
        ts_log(&server->env, TS_LOG_INFO, "configuration and certificates were read again");
    } else {
        ts_log(&server->env, TS_LOG_ERROR, "the configuration was not changed: %s",
            error == TS_OK ? "see above" : message);
    }
    ts_notify("READY=1");
}

static void
begin_stop(struct ts_http *http)
{
    uint64_t now = ts_now_ms(&http->server->env);

    ts_notify("STOPPING=1");
    atomic_store(&http->server->stopping, true);
    http->stop_by_ms = now + http->server->policy->config->server.stop;
    http->give_up_ms = http->stop_by_ms + GIVE_UP_MS;
    for (unsigned i = 0; i < http->socket_count; i++)
        lws_set_timeout(http->listeners[i], PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    ts_log(&http->server->env, TS_LOG_INFO, "stopping: what runs may end");
}

static unsigned
operations(struct ts_http *http)
{
    struct ts_operations *all = &http->server->operations;

    (void)pthread_mutex_lock(&all->lock);
    unsigned count = all->count;
    (void)pthread_mutex_unlock(&all->lock);
    return count;
}

/* Returns: true when nothing is left that somebody waits for. */
static bool
has_ended(struct ts_http *http)
{
    uint64_t now = ts_now_ms(&http->server->env);
    unsigned left = operations(http);

    if (left > 0 && now >= http->stop_by_ms) {
        ts_log(&http->server->env, TS_LOG_WARNING, "stopping: %u sessions are cancelled", left);
        ts_operations_cancel(http->server);
        http->stop_by_ms = UINT64_MAX;
    }
    return (left == 0 && http->calls == 0) || now >= http->give_up_ms;
}

static void
tick(lws_sorted_usec_list_t *list)
{
    struct ts_http *http = lws_container_of(list, struct ts_http, tick);

    ts_streams_tick(http);
    ts_operations_sweep(http->server);
    lws_sul_schedule(http->context, 0, &http->tick, tick, TICK_US);
}

void
ts_http_run(struct ts_http *http)
{
    bool ended = false;

    lws_sul_schedule(http->context, 0, &http->tick, tick, TICK_US);
    while (!ended && lws_service(http->context, 0) >= 0) {
        if (atomic_exchange(&http->reload, false))
            reload(http);
        if (atomic_load(&http->stop) && !http->stop_by_ms)
            begin_stop(http);
        ended = http->stop_by_ms && has_ended(http);
    }
    lws_sul_schedule(http->context, 0, &http->tick, NULL, LWS_SET_TIMER_USEC_CANCEL);
}

/* --- making and unmaking --- */

static void
write_log(int level, const char *line)
{
    (void)level; /* its lines are not ours to judge; errors that matter reach us as callbacks */
    (void)line;
}

static bool
adopt_listeners(struct ts_http *http)
{
    for (unsigned i = 0; i < http->socket_count; i++) {
        lws_sock_file_fd_type fd = {.filefd = http->sockets[i]};
        http->listeners[i] =
            lws_adopt_descriptor_vhost(http->vhost, LWS_ADOPT_RAW_FILE_DESC, fd, protocols[1].name, NULL);
        if (!http->listeners[i])
            return false;
    }
    return true;
}

static bool
make_context(struct ts_http *http)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .user = http,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8,
        .max_http_header_data = HEADERS_MAX,
        .max_http_header_pool = HEADER_POOL,
        .timeout_secs = http->server->config->server.read / 1000 + 1,
        .keepalive_timeout = 30,
        .vhost_name = "tallystick",
    };

    if (!ts_tls_prepare(http, &info))
        return false;
    lws_set_log_level(LLL_ERR, write_log);
    http->context = lws_create_context(&info);
    if (http->context)
        http->vhost = lws_create_vhost(http->context, &info);
    return http->vhost && http->tls && adopt_listeners(http);
}

enum ts_error
ts_http_new(struct ts_http **out, struct ts_server *server)
{
    struct ts_http *http = calloc(1, sizeof *http);
    const struct ts_config *config = server->config;

    *out = NULL;
    if (!http)
        return TS_INTERNAL;
    http->server = server;
    http->strangers = (struct ts_bucket){config->server.rate, config->server.rate, ts_now_ms(&server->env)};
    (void)pthread_mutex_init(&http->lock, NULL);
    enum ts_error error = ts_listen(http->sockets, &http->socket_count, &server->env, config->server.listen);
    if (error == TS_OK && !make_context(http)) {
        ts_log(&server->env, TS_LOG_ERROR, "the HTTP server cannot be set up");
        error = TS_USAGE;
    }
    if (error != TS_OK) {
        ts_http_free(http);
        return error;
    }
    (void)ts_listen_name(http->address, sizeof http->address, http->sockets[0]);
    *out = http;
    return TS_OK;
}

void
ts_http_free(struct ts_http *http)
{
    if (!http)
        return;
    take_done(http);
    ts_streams_done(http);
    if (http->context)
        lws_context_destroy(http->context);
    (void)pthread_mutex_destroy(&http->lock);
    free(http);
}

const char *
ts_http_address(const struct ts_http *http)
{
    return http->address;
}
