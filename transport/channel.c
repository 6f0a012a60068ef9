#include "transport/channel.h"

#include "transport/envelope.h"
#include "transport/upgrade.h"
#include "transport/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES ((size_t)16 << 10)
#define READS_PER_PUMP 16                    /* so that one pump does not hold the link's mutex for long */
#define BACKLOG_MAX_BYTES ((size_t)16 << 20) /* a peer that does not read what it asks for */
#define GOODBYE_MS 300

struct ts_channel {
    const struct ts_env *env;
    const struct ts_stop *stop; /* while shaking hands */
    int socket;
    struct ts_tls *tls;
    struct ts_websocket *frames;
    struct ts_buf out; /* TLS records, from `out_start` not yet sent */
    size_t out_start;
    uint64_t sent; /* bytes of the stream that the socket has taken */
    uint64_t heard_ms;
    struct ts_buf head; /* plaintext of the HTTP handshake, and what came behind it */
    struct ts_upgrade request;
    bool resumed, started, final;
    ts_websocket_sink sink;
    void *ctx;
    char words[TS_TLS_WORDS_BYTES];
};

static enum ts_error
fail(struct ts_channel *channel, enum ts_error error, const char *words)
{
    if (channel->words[0] == 0)
        (void)snprintf(channel->words, sizeof channel->words, "%s", words);
    return error;
}

static enum ts_error
fail_for_good(struct ts_channel *channel, enum ts_error error, const char *words)
{
    channel->final = true;
    return fail(channel, error, words);
}

static enum ts_error
fail_tls(struct ts_channel *channel, enum ts_error error)
{
    return fail(channel, error, ts_tls_words(channel->tls));
}

/* Forget what was sent, or a busy connection would carry it until its bound. */
static void
compact(struct ts_channel *channel)
{
    struct ts_buf *out = &channel->out;

    if (channel->out_start < out->len / 2)
        return;
    memmove(out->data, out->data + channel->out_start, out->len - channel->out_start);
    out->len -= channel->out_start;
    channel->out_start = 0;
}

/* Send what the socket takes. MSG_NOSIGNAL: a SIGPIPE would kill the host process. */
static enum ts_error
flush(struct ts_channel *channel)
{
    if (ts_tls_take(&channel->out, channel->tls) != TS_OK)
        return fail_for_good(channel, TS_IO, "the other side does not read what it is sent");
    while (channel->out_start < channel->out.len) {
        ssize_t taken = send(channel->socket, channel->out.data + channel->out_start,
            channel->out.len - channel->out_start, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            compact(channel);
            return TS_OK;
        }
        if (taken < 0)
            return fail(channel, TS_IO, strerrordesc_np(errno));
        channel->out_start += (size_t)taken;
        channel->sent += (uint64_t)taken;
    }
    ts_buf_clear(&channel->out);
    channel->out_start = 0;
    return TS_OK;
}

/* Feed TLS once with what has arrived. Returns: TS_OK; TS_NOT_FOUND when nothing has; TS_IO. */
static enum ts_error
receive(struct ts_channel *channel)
{
    uint8_t bytes[READ_BYTES];
    ssize_t got = 0;

    do
        got = recv(channel->socket, bytes, sizeof bytes, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return TS_NOT_FOUND;
    if (got < 0)
        return fail(channel, TS_IO, strerrordesc_np(errno));
    if (got == 0)
        return fail(channel, TS_IO, "the connection was closed by the other side without a goodbye");
    channel->heard_ms = ts_now_ms(channel->env);
    if (ts_tls_feed(channel->tls, bytes, (size_t)got) != TS_OK)
        return fail(channel, TS_INTERNAL, "out of memory");
    return TS_OK;
}

struct pollfd
ts_channel_poll(const struct ts_channel *channel)
{
    short events = POLLIN;

    if (ts_channel_backlog(channel) > 0)
        events |= POLLOUT;
    return (struct pollfd){.fd = channel->socket, .events = events};
}

/* Handshakes only: send what is ready, wait for bytes, feed them. */
static enum ts_error
exchange(struct ts_channel *channel, uint64_t deadline_ms)
{
    enum ts_error error = flush(channel);

    while (error == TS_OK) {
        struct pollfd fd = ts_channel_poll(channel);
        error = ts_wait_stoppable(channel->env, &fd, deadline_ms, channel->stop);
        if (error == TS_TIMEOUT)
            return fail(channel, TS_IO, "no answer in time (handshake timeout); check that the peer runs there");
        if (error == TS_OK)
            error = flush(channel);
        if (error != TS_OK)
            break;
        error = receive(channel);
        if (error == TS_OK)
            return TS_OK;
        error = error == TS_NOT_FOUND ? TS_OK : error;
    }
    return fail(channel, error, "the connection failed");
}

static enum ts_error
shake_hands(struct ts_channel *channel, uint64_t deadline_ms)
{
    for (;;) {
        enum ts_error error = ts_tls_handshake(channel->tls);
        if (error == TS_OK)
            return flush(channel);
        if (error != TS_NOT_FOUND) {
            (void)flush(channel); /* the alert */
            return fail_tls(channel, error);
        }
        error = exchange(channel, deadline_ms);
        if (error != TS_OK)
            return error;
    }
}

/* Read plaintext until the head of the HTTP message is whole. */
static enum ts_error
read_head(size_t *len, struct ts_channel *channel, uint64_t deadline_ms)
{
    for (;;) {
        *len = ts_upgrade_head(channel->head.data, channel->head.len);
        if (*len > 0)
            return TS_OK;
        if (channel->head.len > TS_UPGRADE_MAX_BYTES)
            return fail(channel, TS_FORMAT, "the HTTP head is too long");
        enum ts_error error = ts_tls_read(&channel->head, channel->tls, TS_UPGRADE_MAX_BYTES);
        if (error == TS_NOT_FOUND)
            error = exchange(channel, deadline_ms);
        if (error != TS_OK)
            return fail_tls(channel, error);
    }
}

static enum ts_error
write_text(struct ts_channel *channel, const struct ts_buf *text)
{
    if (ts_buf_error(text) != TS_OK)
        return fail(channel, TS_INTERNAL, "out of memory");
    if (ts_tls_write(channel->tls, text->data, text->len) != TS_OK)
        return fail_tls(channel, TS_IO);
    return flush(channel);
}

static enum ts_error
upgrade_client(struct ts_channel *channel, const char *host, uint64_t deadline_ms)
{
    struct ts_buf *head = &channel->head;
    const char *key = channel->request.key;
    struct ts_buf text;
    size_t len = 0;
    int status = 0;

    if (ts_upgrade_key(channel->request.key, channel->env) != TS_OK)
        return fail(channel, TS_INTERNAL, "no random bytes");
    ts_buf_init(&text, TS_UPGRADE_MAX_BYTES);
    (void)ts_upgrade_request_encode(&text, host, &channel->request);
    enum ts_error error = write_text(channel, &text);
    ts_buf_clear(&text);
    if (error == TS_OK)
        error = read_head(&len, channel, deadline_ms);
    if (error != TS_OK)
        return error;
    error = ts_upgrade_response_decode(&status, &channel->resumed, channel->env, key, head->data, len);
    if (error != TS_OK) {
        (void)snprintf(channel->words, sizeof channel->words,
            "the other side did not accept the WebSocket handshake (HTTP status %d)", status);
        return error;
    }
    /* The first frames may have come in the same record; the first pump takes them. */
    memmove(head->data, head->data + len, head->len - len);
    head->len -= len;
    return TS_OK;
}

static enum ts_error
upgrade_server(struct ts_channel *channel, const struct ts_channel_options *options)
{
    struct ts_upgrade *request = &channel->request;
    uint8_t key_hash[TS_KEY_HASH_BYTES];
    struct ts_buf response;
    size_t len = 0;
    int status = 400;

    enum ts_error error = read_head(&len, channel, options->deadline_ms);
    if (error != TS_OK && error != TS_FORMAT)
        return error;
    if (error == TS_OK)
        error = ts_upgrade_request_decode(request, &status, channel->head.data, len);
    /* A caller who does not wait for the answer breaks RFC 6455 4.1. */
    if (error == TS_OK && channel->head.len != len) {
        error = TS_FORMAT;
        status = 400;
    }
    ts_tls_peer(channel->tls, key_hash);
    channel->resumed =
        error == TS_OK && request->named && options->known && options->known(options->ctx, key_hash, request->link);
    ts_buf_clear(&channel->head);
    ts_buf_init(&response, TS_UPGRADE_MAX_BYTES);
    (void)ts_upgrade_response_encode(&response, channel->env, status, request, channel->resumed);
    enum ts_error written = write_text(channel, &response);
    ts_buf_clear(&response);
    if (error == TS_OK)
        return written;
    (void)snprintf(
        channel->words, sizeof channel->words, "a bad WebSocket handshake, answered with HTTP status %d", status);
    return error;
}

/* Let the other side read our last words: a socket that is closed with unread bytes sends a reset, which throws
 * away what was on the way (RFC 2525 2.17). */
static void
linger(struct ts_channel *channel, uint64_t latest_ms)
{
    uint8_t bytes[1024];
    uint64_t goodbye_ms = ts_deadline_after(channel->env, GOODBYE_MS);
    uint64_t deadline_ms = goodbye_ms < latest_ms ? goodbye_ms : latest_ms;
    struct pollfd fd = {.fd = channel->socket, .events = POLLOUT};

    while (flush(channel) == TS_OK && ts_channel_backlog(channel) > 0)
        if (ts_wait(channel->env, &fd, 1, deadline_ms) != TS_OK)
            return;
    fd.events = POLLIN;
    (void)shutdown(channel->socket, SHUT_WR);
    while (ts_wait(channel->env, &fd, 1, deadline_ms) == TS_OK)
        if (recv(channel->socket, bytes, sizeof bytes, MSG_DONTWAIT) <= 0)
            return;
}

void
ts_channel_drop_socket(struct ts_channel *channel)
{
    if (channel->socket >= 0)
        (void)close(channel->socket);
    channel->socket = -1;
}

void
ts_channel_abandon(struct ts_channel *channel)
{
    if (!channel)
        return;
    ts_channel_drop_socket(channel);
    ts_websocket_free(channel->frames);
    ts_tls_free(channel->tls);
    ts_buf_clear(&channel->out);
    ts_buf_clear(&channel->head);
    free(channel);
}

/* Put the frames that are ready into TLS records. */
static enum ts_error
encrypt(struct ts_channel *channel)
{
    struct ts_buf *frames = ts_websocket_out(channel->frames);

    enum ts_error error = ts_tls_write(channel->tls, frames->data, frames->len);
    ts_buf_clear(frames);
    return error == TS_OK ? flush(channel) : fail_tls(channel, error);
}

void
ts_channel_close(struct ts_channel *channel)
{
    if (!channel)
        return;
    ts_websocket_close(channel->frames, TS_CLOSE_NORMAL);
    if (encrypt(channel) == TS_OK) {
        ts_tls_close(channel->tls);
        linger(channel, TS_NO_DEADLINE);
    }
    ts_channel_abandon(channel);
}

static enum ts_error
to_sink(void *ctx, const uint8_t *message, size_t len)
{
    const struct ts_channel *channel = ctx;
    return channel->sink(channel->ctx, message, len);
}

static struct ts_channel *
make(const struct ts_channel_options *options)
{
    struct ts_channel *channel = calloc(1, sizeof *channel);

    if (!channel)
        return NULL;
    *channel = (struct ts_channel){.env = options->env, .stop = options->stop, .socket = options->socket};
    channel->heard_ms = ts_now_ms(options->env);
    channel->request.named = options->link != NULL;
    if (options->link)
        memcpy(channel->request.link, options->link, sizeof channel->request.link);
    ts_buf_init(&channel->out, BACKLOG_MAX_BYTES);
    ts_buf_init(&channel->head, (size_t)2 * TS_UPGRADE_MAX_BYTES);
    return channel;
}

static enum ts_error
feed(struct ts_channel *channel, const struct ts_buf *text)
{
    enum ts_error error = ts_websocket_feed(channel->frames, text->data, text->len);

    return error == TS_OK ? TS_OK : fail_for_good(channel, error, ts_websocket_words(channel->frames));
}

/* Hand on all plaintext that TLS has now, so that nothing ready is left when the owner polls the socket. */
static enum ts_error
decrypt(struct ts_channel *channel)
{
    struct ts_buf text;
    enum ts_error error = TS_OK;

    ts_buf_init(&text, READ_BYTES);
    while (error == TS_OK) {
        text.len = 0;
        error = ts_tls_read(&text, channel->tls, READ_BYTES);
        if (error == TS_OK)
            error = feed(channel, &text);
    }
    ts_buf_clear(&text);
    if (error == TS_NOT_FOUND)
        return TS_OK;
    return fail_tls(channel, error);
}

static enum ts_error
negotiate(struct ts_channel *channel, const struct ts_channel_options *options)
{
    enum ts_error error = shake_hands(channel, options->deadline_ms);

    if (error != TS_OK)
        return error;
    return options->host ? upgrade_client(channel, options->host, options->deadline_ms)
                         : upgrade_server(channel, options);
}

enum ts_error
ts_channel_open(struct ts_channel **out, const struct ts_channel_options *options)
{
    bool server = !options->host;

    *out = NULL;
    struct ts_channel *channel = make(options);
    if (!channel) {
        (void)close(options->socket);
        return TS_INTERNAL;
    }
    enum ts_error error = ts_tls_new(&channel->tls, options->identity, server, options->trust);
    if (error == TS_OK)
        error = ts_websocket_new(&channel->frames, options->env, server, to_sink, channel);
    if (error == TS_OK) {
        error = negotiate(channel, options);
        channel->stop = NULL;
        if (error == TS_OK) {
            *out = channel;
            return TS_OK;
        }
        linger(channel, options->deadline_ms);
    }
    ts_log(options->env, server ? TS_LOG_WARNING : TS_LOG_ERROR, "connection %s %s failed: %s", server ? "from" : "to",
        options->name, channel->words[0] ? channel->words : ts_error_text(error));
    ts_channel_abandon(channel);
    return error;
}

void
ts_channel_start(struct ts_channel *channel, ts_websocket_sink sink, void *ctx)
{
    channel->sink = sink;
    channel->ctx = ctx;
}

bool
ts_channel_resumed(const struct ts_channel *channel)
{
    return channel->resumed;
}

const uint8_t *
ts_channel_link(const struct ts_channel *channel)
{
    return channel->request.named ? channel->request.link : NULL;
}

void
ts_channel_give_up(struct ts_channel *channel, const char *words)
{
    (void)fail(channel, TS_IO, words);
}

bool
ts_channel_final(const struct ts_channel *channel)
{
    return channel->final;
}

enum ts_error
ts_channel_ping(struct ts_channel *channel)
{
    if (ts_websocket_ping(channel->frames) != TS_OK)
        return fail(channel, TS_IO, "the connection was closed");
    return encrypt(channel);
}

/* What came with the end of the handshake. */
static enum ts_error
take_early(struct ts_channel *channel)
{
    enum ts_error error = channel->head.len > 0 ? feed(channel, &channel->head) : TS_OK;

    channel->started = true;
    ts_buf_clear(&channel->head);
    return error == TS_OK ? decrypt(channel) : error;
}

enum ts_error
ts_channel_send(uint64_t *mark, struct ts_channel *channel, const uint8_t *message, size_t len)
{
    enum ts_error error = ts_websocket_send(channel->frames, message, len);

    if (error != TS_OK)
        return fail(channel, error, "the connection was closed");
    error = encrypt(channel);
    *mark = channel->sent + ts_channel_backlog(channel);
    return error;
}

uint64_t
ts_channel_sent(const struct ts_channel *channel)
{
    return channel->sent;
}

size_t
ts_channel_backlog(const struct ts_channel *channel)
{
    return channel->out.len - channel->out_start;
}

enum ts_error
ts_channel_pump(struct ts_channel *channel)
{
    enum ts_error error = channel->started ? TS_OK : take_early(channel);

    for (int i = 0; i < READS_PER_PUMP && error == TS_OK; i++) {
        error = receive(channel);
        if (error == TS_OK)
            error = decrypt(channel);
    }
    /* Answers to pings, and on a violation the close frame that says so. */
    enum ts_error sent = encrypt(channel);
    if (error == TS_OK || error == TS_NOT_FOUND)
        return sent;
    return error;
}

uint64_t
ts_channel_heard_ms(const struct ts_channel *channel)
{
    return channel->heard_ms;
}

const char *
ts_channel_words(const struct ts_channel *channel)
{
    return channel->words;
}

struct ts_tls *
ts_channel_tls(struct ts_channel *channel)
{
    return channel->tls;
}
