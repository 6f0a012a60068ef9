#ifndef TS_TRANSPORT_WEBSOCKET_H
#define TS_TRANSPORT_WEBSOCKET_H

#include "base/buffer.h"
#include "base/env.h"

#include <stdbool.h>

/** WebSocket frames as a transformation of bytes, by wslay.
 *  Source: RFC 6455 5 to 7. Binary messages only; no extensions; a message has at most TS_ENVELOPE_MAX_BYTES bytes in
 *  at most 64 fragments. Pings are answered. Not thread-safe. */
struct ts_websocket;

#define TS_CLOSE_NORMAL 1000
#define TS_CLOSE_PROTOCOL_ERROR 1002
#define TS_CLOSE_UNSUPPORTED 1003
#define TS_CLOSE_POLICY 1008

/** Takes a whole message. Returns: TS_OK; anything else ends the connection as a violation. */
typedef enum ts_error (*ts_websocket_sink)(void *ctx, const uint8_t *message, size_t len);

/** server: the side that does not mask. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_websocket_new(
    struct ts_websocket **out, const struct ts_env *env, bool server, ts_websocket_sink sink, void *ctx);
void ts_websocket_free(struct ts_websocket *socket);

/** Take bytes from the other side, and hand every message that is complete to the sink.
 *  Returns: TS_OK; TS_IO when the other side closed; TS_FORMAT on a violation (a close frame is ready to be taken);
 *  TS_INTERNAL; each with words. */
enum ts_error ts_websocket_feed(struct ts_websocket *socket, const uint8_t *bytes, size_t len);

/** Make a frame of a message. Returns: TS_OK; TS_IO after a close; TS_INTERNAL. */
enum ts_error ts_websocket_send(struct ts_websocket *socket, const uint8_t *message, size_t len);

/** Ask whether the other side lives: whatever comes back shows it. Returns: as ts_websocket_send. */
enum ts_error ts_websocket_ping(struct ts_websocket *socket);

/** Make a close frame; nothing can be sent after it. */
void ts_websocket_close(struct ts_websocket *socket, uint16_t code);

/** Frames that must go to the other side; the caller clears what it has sent. */
struct ts_buf *ts_websocket_out(struct ts_websocket *socket);

/** Why it ended. */
const char *ts_websocket_words(const struct ts_websocket *socket);

#endif
