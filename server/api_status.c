#include "server/route.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

/* GET /healthz, /readyz, /metrics */

#define METRICS_MAX 16384

void
ts_api_health(struct ts_exchange *exchange)
{
    ts_answer_json(exchange, 200, json_pack("{s:s}", "status", "alive"));
}

static bool
is_ready(struct ts_server *server)
{
    return !atomic_load(&server->stopping) && ts_module_ready(server->module);
}

void
ts_api_ready(struct ts_exchange *exchange)
{
    if (is_ready(exchange->server))
        ts_answer_json(exchange, 200, json_pack("{s:s}", "status", "ready"));
    else
        ts_answer_problem(exchange, TS_PROBLEM_STOPPING, "the server stops, or its token does not answer");
}

void
ts_api_metrics(struct ts_exchange *exchange)
{
    struct ts_server *server = exchange->server;
    const struct ts_metrics_now now = {ts_pool_waiting(server->slow), is_ready(server)};
    struct ts_buf text;

    if (!ts_caller_may_some(exchange->caller, "read")) {
        (void)ts_exchange_may(exchange, "read", "");
        return;
    }
    ts_buf_init(&text, METRICS_MAX);
    bool good = ts_metrics_write(&text, &server->metrics, &now) == TS_OK;
    ts_answer_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
        good ? strndup((const char *)text.data, text.len) : NULL);
    ts_buf_clear(&text);
}
