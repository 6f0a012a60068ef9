#include "server/http_internal.h"

#include "server/audit.h"
#include "server/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A body that is refused is read and thrown away up to here, so that the client hears why. */
#define DISCARD_MAX ((size_t)4 << 20)
#define TICK_US (100 * LWS_US_PER_MS)
#define HEAD_MAX 2048

static void
work(struct ts_work *piece, unsigned worker)
{
    struct ts_exchange *exchange = (struct ts_exchange *)piece;

    (void)worker;
    exchange->route->handle(exchange);
    if (exchange->handed_over)
        ts_exchange_release(exchange); /* an operation holds it, and may have answered by now */
    else
        ts_http_done(exchange);
}

/* Hand it to a worker, or answer what the screening said. */
static void
dispatch(struct ts_http *http, struct lws *wsi, struct ts_connection *connection)
{
    struct ts_exchange *exchange = connection->exchange;

    connection->dispatched = true;
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    if (!exchange->answer.status) {
        exchange->work.run = work;
        (void)ts_exchange_hold(exchange);
        if (ts_pool_add(http->server->quick, &exchange->work)) {
            lws_set_timer_usecs(wsi, TICK_US);
            return;
        }
        ts_exchange_release(exchange);
        ts_answer_problem(exchange, TS_PROBLEM_BUSY, NULL);
    }
    connection->ready = true;
    lws_callback_on_writable(wsi);
}

int
ts_call_begin(struct ts_http *http, struct lws *wsi, struct ts_connection *connection, const char *path)
{
    struct ts_exchange *exchange = ts_exchange_new(http->server, http->server->policy);
    size_t body = 0;

    (void)path; /* is read with the method */
    if (!exchange)
        return -1;
    *connection = (struct ts_connection){.exchange = exchange};
    exchange->connection = wsi;
    http->calls++;
    bool good = ts_screen(http, wsi, exchange, &body);
    /* libwebsockets takes a POST without a length for one of unknown length: the connection cannot be used again */
    connection->closes = strcmp(exchange->method, "GET") != 0 && (body == 0 || body > DISCARD_MAX);
    if (good && exchange->route->handle == NULL)
        return ts_stream_begin(http, wsi, connection);
    connection->discard = good || body > DISCARD_MAX ? 0 : body;
    if (body == 0 || body > DISCARD_MAX)
        dispatch(http, wsi, connection);
    else
        lws_set_timer_usecs(wsi, (lws_usec_t)exchange->policy->config->server.read * LWS_US_PER_MS);
    return 0;
}

int
ts_call_body(struct ts_connection *connection, const void *bytes, size_t len)
{
    if (!connection->exchange || connection->dispatched)
        return connection->exchange ? 0 : -1;
    if (connection->discard)
        return 0;
    return ts_buf_put(&connection->exchange->body, bytes, len) == TS_OK ? 0 : -1;
}

int
ts_call_complete(struct ts_http *http, struct lws *wsi, struct ts_connection *connection)
{
    if (connection->exchange && !connection->dispatched)
        dispatch(http, wsi, connection);
    return 0;
}

/* Until it is dispatched the timer is the deadline of the request; then it looks at the deadline of the wait. */
int
ts_call_tick(struct ts_http *http, struct lws *wsi, struct ts_connection *connection)
{
    struct ts_exchange *exchange = connection->exchange;
    uint8_t session[TS_ID_BYTES];

    if (!exchange)
        return 0;
    if (!connection->dispatched) {
        connection->closes = true;
        if (!exchange->answer.status)
            ts_answer_problem(exchange, TS_PROBLEM_SLOW, NULL);
        dispatch(http, wsi, connection);
        return 0;
    }
    uint64_t until = atomic_load(&exchange->wait_until);
    if (until && until <= ts_now_ms(&http->server->env) && ts_operation_leave(exchange)) {
        if (ts_id_read(session, exchange->session))
            ts_operation_answer_later(exchange, session);
        connection->ready = true;
        lws_callback_on_writable(wsi);
    }
    lws_set_timer_usecs(wsi, TICK_US);
    return 0;
}

static bool
add_header(struct lws *wsi, const char *name, const char *value, unsigned char **at, unsigned char *end)
{
    return lws_add_http_header_by_name(
               wsi, (const unsigned char *)name, (const unsigned char *)value, (int)strlen(value), at, end) == 0;
}

static bool
write_head(struct lws *wsi, const struct ts_answer *answer, bool closes)
{
    unsigned char head[LWS_PRE + HEAD_MAX], *start = head + LWS_PRE, *at = start, *end = head + sizeof head - 1;
    char retry[16];

    (void)snprintf(retry, sizeof retry, "%u", answer->retry_s);
    bool good = lws_add_http_common_headers(wsi, (unsigned)answer->status, answer->type, answer->len, &at, end) == 0 &&
                add_header(wsi, "cache-control:", "no-store", &at, end) &&
                add_header(wsi, "x-content-type-options:", "nosniff", &at, end) &&
                (!closes || add_header(wsi, "connection:", "close", &at, end)) &&
                (!answer->retry_s || add_header(wsi, "retry-after:", retry, &at, end)) &&
                (!*answer->location || add_header(wsi, "location:", answer->location, &at, end)) &&
                (!*answer->allow || add_header(wsi, "allow:", answer->allow, &at, end)) &&
                (answer->status != 401 || add_header(wsi, "www-authenticate:", "Bearer", &at, end));
    return good && lws_finalize_write_http_header(wsi, start, &at, end) == 0;
}

static int
write_body(struct lws *wsi, const struct ts_answer *answer)
{
    unsigned char *bytes = malloc(LWS_PRE + answer->len + 1);

    if (!bytes)
        return -1;
    memcpy(bytes + LWS_PRE, answer->body ? answer->body : "", answer->len);
    int written = lws_write(wsi, bytes + LWS_PRE, answer->len, LWS_WRITE_HTTP_FINAL);
    free(bytes);
    return written < (int)answer->len ? -1 : 0;
}

int
ts_call_write(struct ts_http *http, struct lws *wsi, struct ts_connection *connection)
{
    struct ts_exchange *exchange = connection->exchange;

    if (!exchange || !connection->ready)
        return 0;
    if (!connection->head_sent) {
        connection->head_sent = true;
        if (!write_head(wsi, &exchange->answer, connection->closes))
            return -1;
        lws_callback_on_writable(wsi);
        return 0;
    }
    int result = write_body(wsi, &exchange->answer);
    bool closes = connection->closes;
    lws_set_timer_usecs(wsi, LWS_SET_TIMER_USEC_CANCEL);
    ts_call_end(http, connection);
    if (result != 0 || closes)
        return -1;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

void
ts_call_end(struct ts_http *http, struct ts_connection *connection)
{
    struct ts_exchange *exchange = connection->exchange;

    if (!exchange)
        return;
    (void)ts_operation_leave(exchange);
    exchange->connection = NULL;
    connection->exchange = NULL;
    http->calls--;
    if (connection->ready) {
        unsigned digit = (unsigned)exchange->answer.status / 100;
        atomic_fetch_add(&http->server->metrics.answers[digit < 6 ? digit : 0], 1);
    }
    ts_auditor_add(http->server->auditor, exchange, connection->ready);
    ts_exchange_release(exchange);
}
