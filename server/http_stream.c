#include "server/http_internal.h"

#include "server/route.h"
#include "server/session_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX 64
#define BATCH 64
#define PING_MS 15000u
#define NO_CURSOR UINT64_MAX

/* One reader of events. A quick worker reads the journal for it, the loop writes; never both at once. */
struct ts_stream {
    struct ts_work work; /**< first */
    struct ts_stream *next, *next_done;
    struct ts_http *http;
    struct lws *wsi; /**< NULL once it has gone */
    struct ts_policy *policy;
    struct ts_caller *caller;
    bool websocket;
    bool reading; /**< a worker has it */
    bool opened;  /**< the first message was made */
    uint64_t cursor, written_ms;
    char *texts[BATCH + 1]; /**< to be written, in their order */
    size_t count, at;
};

static void
stream_free(struct ts_stream *stream)
{
    for (size_t i = stream->at; i < stream->count; i++)
        free(stream->texts[i]);
    ts_policy_release(stream->policy);
    free(stream);
}

/* --- on a worker --- */

static void
add_text(struct ts_stream *stream, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    if (text)
        stream->texts[stream->count++] = text;
}

/* The first message tells where the stream begins: from then on nothing is missed. */
static bool
open_stream(struct ts_stream *stream)
{
    struct ts_journal *journal = stream->http->server->journal;

    if (stream->cursor == NO_CURSOR && ts_journal_cursor(&stream->cursor, journal) != TS_OK) {
        stream->cursor = NO_CURSOR;
        return false;
    }
    stream->opened = true;
    add_text(stream, json_pack("{s:s, s:I}", "type", "open", "number", (json_int_t)stream->cursor));
    return true;
}

/* The end of a session is told when its answer is kept, so that who hears of it can ask for that. */
static bool
is_early(struct ts_server *server, const struct ts_journal_event *event)
{
    struct ts_operation_view view;

    return ts_journal_status_ended(event->status) && ts_operation_view(&view, &server->operations, event->id);
}

static void
read_events(struct ts_stream *stream)
{
    struct ts_server *server = stream->http->server;
    struct ts_journal *journal = server->journal;
    struct ts_journal_event *events = NULL;
    struct ts_journal_row row;
    size_t count = 0;

    if (!stream->opened && !open_stream(stream))
        return;
    if (ts_journal_changes(&events, &count, journal, stream->cursor, BATCH) != TS_OK)
        return;
    for (size_t i = 0; i < count && !is_early(server, &events[i]); i++) {
        stream->cursor = events[i].number;
        if (ts_journal_get(&row, journal, events[i].id) == TS_OK && ts_caller_may(stream->caller, "read", row.label))
            add_text(stream, ts_event_json(&events[i], &row));
    }
    free(events);
}

static void
work(struct ts_work *piece, unsigned worker)
{
    struct ts_stream *stream = (struct ts_stream *)piece;
    struct ts_http *http = stream->http;

    (void)worker;
    read_events(stream);
    (void)pthread_mutex_lock(&http->lock);
    stream->next_done = http->streams_done;
    http->streams_done = stream;
    (void)pthread_mutex_unlock(&http->lock);
    lws_cancel_service(http->context);
}

/* --- on the loop --- */

static void
drop(struct ts_http *http, struct ts_stream *stream)
{
    struct ts_stream **place = &http->streams;

    while (*place != stream)
        place = &(*place)->next;
    *place = stream->next;
    atomic_fetch_sub(&http->server->metrics.streams, 1);
    stream_free(stream);
}

void
ts_streams_done(struct ts_http *http)
{
    (void)pthread_mutex_lock(&http->lock);
    struct ts_stream *list = http->streams_done;
    http->streams_done = NULL;
    (void)pthread_mutex_unlock(&http->lock);
    while (list) {
        struct ts_stream *next = list->next_done;
        list->reading = false;
        if (!list->wsi)
            drop(http, list);
        else if (list->count > list->at)
            lws_callback_on_writable(list->wsi);
        list = next;
    }
}

void
ts_streams_tick(struct ts_http *http)
{
    uint64_t now = ts_now_ms(&http->server->env);

    for (struct ts_stream *stream = http->streams; stream; stream = stream->next) {
        if (!stream->wsi || stream->reading || stream->count > stream->at)
            continue; /* what was read is not yet written: a slow reader costs no memory */
        stream->count = stream->at = 0;
        if (now - stream->written_ms > PING_MS)
            lws_callback_on_writable(stream->wsi);
        stream->reading = ts_pool_add(http->server->quick, &stream->work);
    }
}

static bool
read_number(uint64_t *out, const char *text)
{
    char *end = NULL;

    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *out != NO_CURSOR;
}

/* Where it goes on: ?after=, or what a browser's EventSource sends when it connects again. */
static bool
read_cursor(uint64_t *out, struct lws *wsi, const struct ts_exchange *exchange)
{
    static const char name[] = "last-event-id:";
    char text[24] = "";

    *out = NO_CURSOR;
    if (!ts_exchange_query(exchange, "after", text, sizeof text) &&
        lws_hdr_custom_copy(wsi, text, sizeof text, name, sizeof name - 1) <= 0)
        return true;
    return read_number(out, text);
}

static struct ts_stream *
stream_new(struct ts_http *http, struct lws *wsi, struct ts_exchange *exchange, bool websocket)
{
    uint64_t cursor;

    if (!ts_caller_may_some(exchange->caller, "read")) {
        (void)ts_exchange_may(exchange, "read", "");
        return NULL;
    }
    if (!read_cursor(&cursor, wsi, exchange)) {
        ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "after is the number of an event");
        return NULL;
    }
    struct ts_stream *stream =
        atomic_load(&http->server->metrics.streams) < STREAMS_MAX ? calloc(1, sizeof *stream) : NULL;
    if (!stream) {
        ts_answer_problem(exchange, TS_PROBLEM_BUSY, "there are too many streams");
        return NULL;
    }
    *stream = (struct ts_stream){.work = {.run = work},
        .next = http->streams,
        .http = http,
        .wsi = wsi,
        .policy = ts_policy_hold(exchange->policy),
        .caller = exchange->caller,
        .websocket = websocket,
        .cursor = cursor,
        .written_ms = ts_now_ms(&http->server->env)};
    http->streams = stream;
    atomic_fetch_add(&http->server->metrics.streams, 1);
    return stream;
}

/* --- Server-Sent Events --- */

static bool
write_head(struct lws *wsi)
{
    unsigned char head[LWS_PRE + 512], *start = head + LWS_PRE, *at = start, *end = head + sizeof head - 1;

    return lws_add_http_common_headers(wsi, 200, "text/event-stream", LWS_ILLEGAL_HTTP_CONTENT_LEN, &at, end) == 0 &&
           lws_add_http_header_by_name(
               wsi, (const unsigned char *)"cache-control:", (const unsigned char *)"no-store", 8, &at, end) == 0 &&
           lws_add_http_header_by_name(
               wsi, (const unsigned char *)"connection:", (const unsigned char *)"close", 5, &at, end) == 0 &&
           lws_finalize_write_http_header(wsi, start, &at, end) == 0;
}

int
ts_stream_begin(struct ts_http *http, struct lws *wsi, struct ts_connection *connection)
{
    struct ts_exchange *exchange = connection->exchange;

    connection->dispatched = connection->ready = true;
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    connection->stream = stream_new(http, wsi, exchange, false);
    if (!connection->stream) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    exchange->answer.status = 200;
    ts_call_end(http, connection);
    if (!write_head(wsi))
        return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

/* --- WebSocket --- */

/* libwebsockets would answer a handshake with HTTP/1.0 and a page: clients do not read that. */
static void
write_refusal(struct lws *wsi, const struct ts_answer *answer)
{
    unsigned char bytes[LWS_PRE + 1536];
    int len = snprintf((char *)bytes + LWS_PRE, sizeof bytes - LWS_PRE,
        "HTTP/1.1 %d Refused\r\ncontent-type: %s\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n%s", answer->status,
        answer->type, answer->len, answer->body ? answer->body : "");

    if (len > 0 && (size_t)len < sizeof bytes - LWS_PRE)
        (void)lws_write(wsi, bytes + LWS_PRE, (size_t)len, LWS_WRITE_HTTP_HEADERS);
}

int
ts_stream_filter(struct ts_http *http, struct lws *wsi, struct ts_connection *connection)
{
    struct ts_exchange *exchange = ts_exchange_new(http->server, http->server->policy);
    size_t body = 0;

    if (!exchange)
        return -1;
    *connection = (struct ts_connection){.exchange = exchange, .dispatched = true, .ready = true};
    exchange->connection = wsi;
    http->calls++;
    if (ts_screen(http, wsi, exchange, &body) && strcmp(exchange->route->path, TS_EVENTS_PATH) == 0)
        connection->stream = stream_new(http, wsi, exchange, true);
    if (connection->stream) {
        exchange->answer.status = 101;
        ts_call_end(http, connection);
        return 0;
    }
    ts_answer_problem(exchange, TS_PROBLEM_NO_PATH, NULL);
    write_refusal(wsi, &exchange->answer);
    ts_call_end(http, connection);
    return -1;
}

/* --- both --- */

static int
write_text(struct ts_stream *stream, struct lws *wsi, const char *text, enum lws_write_protocol protocol)
{
    size_t len = strlen(text);
    unsigned char *bytes = malloc(LWS_PRE + len + 1);

    if (!bytes)
        return -1;
    memcpy(bytes + LWS_PRE, text, len);
    int written = lws_write(wsi, bytes + LWS_PRE, len, protocol);
    free(bytes);
    stream->written_ms = ts_now_ms(&stream->http->server->env);
    return written < (int)len ? -1 : 0;
}

static int
write_event(struct ts_stream *stream, struct lws *wsi, const char *text)
{
    char *framed = NULL;
    const char *number = strstr(text, "\"number\":");

    if (stream->websocket)
        return write_text(stream, wsi, text, LWS_WRITE_TEXT);
    if (asprintf(&framed, "id: %llu\ndata: %s\n\n", number ? strtoull(number + 9, NULL, 10) : 0, text) < 0)
        return -1;
    int result = write_text(stream, wsi, framed, LWS_WRITE_HTTP);
    free(framed);
    return result;
}

int
ts_stream_write(struct ts_http *http, struct lws *wsi, struct ts_connection *connection)
{
    struct ts_stream *stream = connection->stream;
    int result = 0;

    if (stream->reading)
        return 0;
    if (stream->at < stream->count) {
        char *text = stream->texts[stream->at++];
        result = write_event(stream, wsi, text);
        free(text);
    } else if (ts_now_ms(&http->server->env) - stream->written_ms > PING_MS) {
        result = stream->websocket ? write_text(stream, wsi, "", LWS_WRITE_PING)
                                   : write_text(stream, wsi, ": alive\n\n", LWS_WRITE_HTTP);
    }
    if (stream->at < stream->count)
        lws_callback_on_writable(wsi);
    return result;
}

void
ts_stream_end(struct ts_http *http, struct ts_connection *connection)
{
    struct ts_stream *stream = connection->stream;

    if (!stream)
        return;
    connection->stream = NULL;
    stream->wsi = NULL;
    if (!stream->reading)
        drop(http, stream);
}
