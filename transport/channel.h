#ifndef TS_TRANSPORT_CHANNEL_H
#define TS_TRANSPORT_CHANNEL_H

#include "transport/link.h"
#include "transport/tls.h"
#include "transport/upgrade.h"
#include "transport/wait.h"
#include "transport/websocket.h"

#include <poll.h>

/** A socket with TLS and WebSocket on it: messages in, messages out. Making one waits (with a deadline); after that
 *  nothing here waits, and whoever owns the channel polls. Not thread-safe: the link's mutex guards it. */
struct ts_channel;

/** How a channel is made. */
struct ts_channel_options {
    const struct ts_env *env;
    const struct ts_identity *identity;
    int socket;                       /**< connected, non-blocking */
    const struct ts_tls_trust *trust; /**< how the other side's key is judged */
    const char *name;                 /**< the other side in log lines */
    uint64_t deadline_ms;             /**< of all handshakes */
    const struct ts_stop *stop;       /**< ends the handshakes early; NULL: nothing does */
    const char *host;                 /**< for the Host header of the client's request; NULL takes the server's part */
    const uint8_t *link;              /**< client: TS_LINK_ID_BYTES, the link to go on with or to begin */
    /** Server: does the caller with this key find this link here? NULL: no caller does. */
    bool (*known)(void *ctx, const uint8_t key_hash[TS_KEY_HASH_BYTES], const uint8_t link[TS_LINK_ID_BYTES]);
    void *ctx;
};

/** Take the client's or the server's part on a socket, which is owned from here on, also on failure.
 *  Returns: TS_OK; TS_IO; TS_FORMAT on a bad WebSocket handshake; TS_REFUSED when `admit` said no; TS_INTERNAL;
 *  logged. */
enum ts_error ts_channel_open(struct ts_channel **out, const struct ts_channel_options *options);

/** Say who gets every message, from within ts_channel_pump. Before the first pump. */
void ts_channel_start(struct ts_channel *channel, ts_websocket_sink sink, void *ctx);

/** Does the other side go on with a link that it knows? */
bool ts_channel_resumed(const struct ts_channel *channel);

/** Server: the link that the caller named. Returns: NULL when it named none. */
const uint8_t *ts_channel_link(const struct ts_channel *channel);

/** Ask whether the other side lives. Returns: as ts_channel_send. */
enum ts_error ts_channel_ping(struct ts_channel *channel);

/** Call the connection failed, for a reason that its owner knows. */
void ts_channel_give_up(struct ts_channel *channel, const char *words);

/** After a failure: was it more than a connection that broke? The other side said goodbye, or a violation was seen. */
bool ts_channel_final(const struct ts_channel *channel);

/** Queue a message and send what the socket takes.
 *  Out:  mark  position in the stream of bytes: the message is gone when ts_channel_sent has reached it
 *  Returns: TS_OK; TS_IO; TS_INTERNAL; with words. */
enum ts_error ts_channel_send(uint64_t *mark, struct ts_channel *channel, const uint8_t *message, size_t len);
uint64_t ts_channel_sent(const struct ts_channel *channel);

/** Bytes that wait for room in the socket. */
size_t ts_channel_backlog(const struct ts_channel *channel);

/** Read what has arrived (a bounded amount), hand over messages, send what the socket takes.
 *  Returns: TS_OK; TS_IO; TS_FORMAT on a violation; TS_INTERNAL; with words. */
enum ts_error ts_channel_pump(struct ts_channel *channel);

/** What to poll for. */
struct pollfd ts_channel_poll(const struct ts_channel *channel);

/** Moment of the last byte received. */
uint64_t ts_channel_heard_ms(const struct ts_channel *channel);

/** Why the last call failed, and what to do. */
const char *ts_channel_words(const struct ts_channel *channel);

struct ts_tls *ts_channel_tls(struct ts_channel *channel);

/** Say goodbye, wait a little for the other side to have read it, and free. NULL is allowed. */
void ts_channel_close(struct ts_channel *channel);

/** Close the descriptor without a byte on the wire, and free. */
void ts_channel_abandon(struct ts_channel *channel);

/** Close the descriptor only. */
void ts_channel_drop_socket(struct ts_channel *channel);

#endif
