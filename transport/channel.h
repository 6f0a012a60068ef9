#ifndef TS_TRANSPORT_CHANNEL_H
#define TS_TRANSPORT_CHANNEL_H

#include "transport/link.h"
#include "transport/tls.h"
#include "transport/websocket.h"

#include <poll.h>

/** A socket with TLS and WebSocket on it: messages in, messages out. Making one waits (with a deadline); after that
 *  nothing here waits, and whoever owns the channel polls. Not thread-safe: the link's mutex guards it. */
struct ts_channel;

/** Take the client's or the server's part on a connected, non-blocking socket, which is owned from here on, also on
 *  failure.
 *  In:   trust     how the other side's key is judged
 *        host      for the Host header of the client's request; NULL takes the server's part
 *        sink      gets every message, from within ts_channel_pump, and at the end of this call, when `out` is set
 *        name      the other side in log lines; kept, must outlive the channel
 *  Returns: TS_OK; TS_IO; TS_FORMAT on a bad WebSocket handshake; TS_REFUSED when `admit` said no; TS_INTERNAL;
 *  logged. */
enum ts_error ts_channel_open(struct ts_channel **out, const struct ts_link_options *options, int socket,
    const struct ts_tls_trust *trust, const char *host, const char *name, uint64_t deadline_ms, ts_websocket_sink sink,
    void *ctx);

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
