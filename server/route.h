#ifndef TS_SERVER_ROUTE_H
#define TS_SERVER_ROUTE_H

#include "server/exchange.h"

/** One call of the API. */
struct ts_route {
    const char *method, *path;                    /**< "{id}" stands for one part */
    bool open;                                    /**< without authentication */
    void (*handle)(struct ts_exchange *exchange); /**< on a quick worker; answers, or leaves it to an operation */
};

/** Find the route of exchange->method and ->path and set ->route and ->id. Answers with "no-such-path" or "method" when
 *  there is none. Returns: NULL then. */
const struct ts_route *ts_route_find(struct ts_exchange *exchange);

/** The path of the stream of events, which is not answered by a handler. */
#define TS_EVENTS_PATH "/api/v1/events"

/* Handlers, in the files of their names. */
void ts_api_sign(struct ts_exchange *exchange);
void ts_api_keygen(struct ts_exchange *exchange);
void ts_api_sessions(struct ts_exchange *exchange);
void ts_api_session(struct ts_exchange *exchange);
void ts_api_cancel(struct ts_exchange *exchange);
void ts_api_keys(struct ts_exchange *exchange);
void ts_api_key(struct ts_exchange *exchange);
void ts_api_partners(struct ts_exchange *exchange);
void ts_api_health(struct ts_exchange *exchange);
void ts_api_ready(struct ts_exchange *exchange);
void ts_api_metrics(struct ts_exchange *exchange);

#endif
