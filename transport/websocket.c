#include "transport/websocket.h"

#include "transport/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wslay/wslay.h>

/* wslay keeps a list node for each fragment: a message in bytes one by one would cost many times its size. */
#define FRAGMENTS_MAX 64
#define OUT_MAX_BYTES ((size_t)16 << 20)

struct ts_websocket {
    const struct ts_env *env;
    wslay_event_context_ptr events;
    ts_websocket_sink sink;
    void *ctx;
    const uint8_t *in;
    size_t in_left;
    struct ts_buf out;
    unsigned fragments;
    enum ts_error error;
    char words[128];
};

/* Remember the first reason, say goodbye, and read nothing more. */
static void
violate(struct ts_websocket *socket, uint16_t code, const char *words)
{
    if (socket->error == TS_OK) {
        socket->error = TS_FORMAT;
        (void)snprintf(socket->words, sizeof socket->words, "%s", words);
        (void)wslay_event_queue_close(socket->events, code, (const uint8_t *)words, strlen(words));
    }
    wslay_event_shutdown_read(socket->events);
}

static ssize_t
give_bytes(wslay_event_context_ptr events, uint8_t *buf, size_t len, int flags, void *user)
{
    struct ts_websocket *socket = user;
    size_t taken = len < socket->in_left ? len : socket->in_left;

    (void)flags;
    if (taken == 0) {
        wslay_event_set_error(events, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(buf, socket->in, taken);
    socket->in += taken;
    socket->in_left -= taken;
    return (ssize_t)taken;
}

static ssize_t
take_bytes(wslay_event_context_ptr events, const uint8_t *data, size_t len, int flags, void *user)
{
    struct ts_websocket *socket = user;

    (void)flags;
    if (ts_buf_put(&socket->out, data, len) == TS_OK)
        return (ssize_t)len;
    wslay_event_set_error(events, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static int
make_mask(wslay_event_context_ptr events, uint8_t *buf, size_t len, void *user)
{
    const struct ts_websocket *socket = user;

    if (ts_random(socket->env, buf, len) == TS_OK)
        return 0;
    wslay_event_set_error(events, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void
on_frame(wslay_event_context_ptr events, const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
    struct ts_websocket *socket = user;

    (void)events;
    if (frame->opcode == WSLAY_TEXT_FRAME)
        violate(socket, TS_CLOSE_UNSUPPORTED, "a text message, only binary ones are spoken here");
    if (frame->opcode == WSLAY_BINARY_FRAME)
        socket->fragments = 0;
    if (frame->opcode == WSLAY_CONTINUATION_FRAME && ++socket->fragments >= FRAGMENTS_MAX)
        violate(socket, TS_CLOSE_POLICY, "a message in too many fragments");
}

static void
on_message(wslay_event_context_ptr events, const struct wslay_event_on_msg_recv_arg *message, void *user)
{
    struct ts_websocket *socket = user;

    (void)events;
    if (message->opcode != WSLAY_BINARY_FRAME || socket->error != TS_OK)
        return;
    if (socket->sink(socket->ctx, message->msg, message->msg_length) != TS_OK)
        violate(socket, TS_CLOSE_PROTOCOL_ERROR, "a message against the protocol");
}

enum ts_error
ts_websocket_new(struct ts_websocket **out, const struct ts_env *env, bool server, ts_websocket_sink sink, void *ctx)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = give_bytes,
        .send_callback = take_bytes,
        .genmask_callback = make_mask,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_message};

    *out = NULL;
    struct ts_websocket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return TS_INTERNAL;
    *socket = (struct ts_websocket){.env = env, .sink = sink, .ctx = ctx};
    ts_buf_init(&socket->out, OUT_MAX_BYTES);
    int failed = server ? wslay_event_context_server_init(&socket->events, &callbacks, socket)
                        : wslay_event_context_client_init(&socket->events, &callbacks, socket);
    if (failed) {
        free(socket);
        return TS_INTERNAL;
    }
    wslay_event_config_set_max_recv_msg_length(socket->events, TS_ENVELOPE_MAX_BYTES);
    *out = socket;
    return TS_OK;
}

void
ts_websocket_free(struct ts_websocket *socket)
{
    if (!socket)
        return;
    wslay_event_context_free(socket->events);
    ts_buf_clear(&socket->out);
    free(socket);
}

/* Turn what wslay queued into bytes. */
static enum ts_error
flush(struct ts_websocket *socket)
{
    if (!wslay_event_want_write(socket->events))
        return TS_OK;
    return wslay_event_send(socket->events) == 0 ? TS_OK : TS_INTERNAL;
}

/* wslay ends a connection by itself on a close frame and on errors of framing. */
static void
find_end(struct ts_websocket *socket)
{
    if (socket->error != TS_OK || wslay_event_get_read_enabled(socket->events))
        return;
    if (wslay_event_get_close_received(socket->events)) {
        socket->error = TS_IO;
        (void)snprintf(socket->words, sizeof socket->words, "the other side closed the connection (code %u)",
            (unsigned)wslay_event_get_status_code_received(socket->events));
        return;
    }
    socket->error = TS_FORMAT;
    (void)snprintf(socket->words, sizeof socket->words, "a frame against RFC 6455, or too large (code %u)",
        (unsigned)wslay_event_get_status_code_sent(socket->events));
}

static void
end_internal(struct ts_websocket *socket)
{
    socket->error = TS_INTERNAL;
    (void)snprintf(socket->words, sizeof socket->words, "out of memory, or too much to answer");
}

enum ts_error
ts_websocket_feed(struct ts_websocket *socket, const uint8_t *bytes, size_t len)
{
    if (socket->error != TS_OK)
        return socket->error;
    socket->in = bytes;
    socket->in_left = len;
    int result = wslay_event_recv(socket->events);
    socket->in = NULL;
    /* Our callback does not fail, so that this is how wslay reports a broken frame header. */
    if (result == WSLAY_ERR_CALLBACK_FAILURE)
        violate(socket, TS_CLOSE_PROTOCOL_ERROR, "a frame header against RFC 6455");
    else if (result != 0)
        end_internal(socket);
    if (flush(socket) != TS_OK)
        end_internal(socket);
    find_end(socket);
    return socket->error;
}

static enum ts_error
queue(struct ts_websocket *socket, uint8_t opcode, const uint8_t *message, size_t len)
{
    const struct wslay_event_msg item = {opcode, message, len};

    int result = wslay_event_queue_msg(socket->events, &item);
    if (result == WSLAY_ERR_NO_MORE_MSG)
        return TS_IO;
    return result == 0 ? flush(socket) : TS_INTERNAL;
}

enum ts_error
ts_websocket_send(struct ts_websocket *socket, const uint8_t *message, size_t len)
{
    return queue(socket, WSLAY_BINARY_FRAME, message, len);
}

enum ts_error
ts_websocket_ping(struct ts_websocket *socket)
{
    return queue(socket, WSLAY_PING, NULL, 0);
}

void
ts_websocket_close(struct ts_websocket *socket, uint16_t code)
{
    if (wslay_event_queue_close(socket->events, code, NULL, 0) == 0)
        (void)flush(socket);
}

struct ts_buf *
ts_websocket_out(struct ts_websocket *socket)
{
    return &socket->out;
}

const char *
ts_websocket_words(const struct ts_websocket *socket)
{
    return socket->words;
}
