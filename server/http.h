#ifndef TS_SERVER_HTTP_H
#define TS_SERVER_HTTP_H

#include "server/exchange.h"

/** HTTP over TLS, WebSocket and Server-Sent Events in one event loop (libwebsockets). The loop never waits for anything
 *  but sockets: handlers run on the server's pools. */
struct ts_http;

/** Load the certificates and bind. Each failure has its log line.
 *  Returns: TS_OK; TS_USAGE (certificates, address); TS_IO; TS_INTERNAL. */
enum ts_error ts_http_new(struct ts_http **out, struct ts_server *server);
/** No thread may work on an exchange. NULL is allowed. */
void ts_http_free(struct ts_http *http);

/** Serve until ts_http_stop; then until what runs has ended, at most server: stop:, after which it is cancelled. */
void ts_http_run(struct ts_http *http);

/** From any thread, and from the one that waits for signals: begin to stop; read certificates and callers again. */
void ts_http_stop(struct ts_http *http);
void ts_http_reload(struct ts_http *http);

/** An exchange is answered. From any thread; takes one reference. */
void ts_http_done(struct ts_exchange *exchange);

/** Where it listens: "host:port" of the first socket. */
const char *ts_http_address(const struct ts_http *http);

#endif
