#ifndef TS_SERVER_HTTP_INTERNAL_H
#define TS_SERVER_HTTP_INTERNAL_H

/* Inside server/http*.c only. Everything but the lists under `lock` belongs to the thread of the loop. */

#include "server/http.h"
#include "server/listen.h"
#include "server/server.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>

struct ts_stream;

struct ts_http {
    struct ts_server *server;
    struct lws_context *context;
    struct lws_vhost *vhost;
    SSL_CTX *tls; /**< of the vhost */
    int sockets[TS_LISTEN_MAX];
    unsigned socket_count;
    struct lws *listeners[TS_LISTEN_MAX];
    char address[80];
    struct ts_bucket strangers; /**< calls of nobody that is known */
    unsigned calls;             /**< that are not answered */
    struct ts_stream *streams;
    lws_sorted_usec_list_t tick;
    uint64_t stop_by_ms, give_up_ms; /**< 0: does not stop */
    atomic_bool stop, reload;

    pthread_mutex_t lock;
    struct ts_exchange *done;
    struct ts_stream *streams_done;
};

/** What libwebsockets keeps for each connection. */
struct ts_connection {
    struct ts_exchange *exchange;
    struct ts_stream *stream;
    size_t discard;  /**< bytes of a body that nobody wants */
    bool dispatched; /**< the exchange is worked on */
    bool ready;      /**< no other thread is at the exchange: the answer can be written */
    bool head_sent;
    bool closes; /**< after the answer */
};

/* http_call.c: one call over its connection */
int ts_call_begin(struct ts_http *http, struct lws *wsi, struct ts_connection *connection, const char *path);
int ts_call_body(struct ts_connection *connection, const void *bytes, size_t len);
int ts_call_complete(struct ts_http *http, struct lws *wsi, struct ts_connection *connection);
int ts_call_tick(struct ts_http *http, struct lws *wsi, struct ts_connection *connection);
int ts_call_write(struct ts_http *http, struct lws *wsi, struct ts_connection *connection);
void ts_call_end(struct ts_http *http, struct ts_connection *connection);

/* http_screen.c: who calls, and may the call be looked at at all? Fills an exchange from the headers and answers it when
   not. body: what Content-Length says. */
bool ts_screen(struct ts_http *http, struct lws *wsi, struct ts_exchange *exchange, size_t *body);

/* http_tls.c */
bool ts_tls_prepare(struct ts_http *http, struct lws_context_creation_info *info);
/** Called by libwebsockets when it has made the context: its lowest version. */
void ts_tls_keep(struct ts_http *http, SSL_CTX *tls);
/** New connections get what the files say now; the old stays when they cannot be used. */
bool ts_tls_reload(struct ts_http *http, const struct ts_config *config);
/** SHA-256 of the client's certificate. Returns: false when there is none that the client CA has signed. */
bool ts_tls_client(uint8_t out[32], struct ts_http *http, struct lws *wsi);

/* http_stream.c: streams of events */
int ts_stream_begin(struct ts_http *http, struct lws *wsi, struct ts_connection *connection);
/** A WebSocket's handshake. Returns: nonzero when it is refused. */
int ts_stream_filter(struct ts_http *http, struct lws *wsi, struct ts_connection *connection);
int ts_stream_write(struct ts_http *http, struct lws *wsi, struct ts_connection *connection);
void ts_stream_end(struct ts_http *http, struct ts_connection *connection);
void ts_streams_tick(struct ts_http *http);
void ts_streams_done(struct ts_http *http);

#endif
