#ifndef TS_TRANSPORT_UPGRADE_H
#define TS_TRANSPORT_UPGRADE_H

#include "base/buffer.h"
#include "base/env.h"

#include <stdbool.h>

/** The HTTP handshake before WebSocket frames, as functions on bytes.
 *  Source: RFC 6455 4.1 and 4.2, RFC 9112 for the syntax. Stricter than both: lines end with CRLF, no folding, no
 *  body, every header that matters once, at most TS_UPGRADE_MAX_BYTES and 32 headers. */

#define TS_LINK_ID_BYTES 16
#define TS_UPGRADE_MAX_BYTES 4096
#define TS_UPGRADE_KEY_BYTES 25 /**< 24 characters of base64 with the final NUL */

/** What a caller asks for. The link is named in a header of our own, "Tallystick-Link: <32 hexadecimal digits>"; a
 *  caller that does not name one gets a link that cannot be resumed. The answer says "new" or "resumed". */
struct ts_upgrade {
    char key[TS_UPGRADE_KEY_BYTES];
    bool named;
    uint8_t link[TS_LINK_ID_BYTES];
};

/** Where the head in `bytes` ends, behind its empty line.
 *  Returns: the length of the head; 0 when it is not complete. */
size_t ts_upgrade_head(const uint8_t *bytes, size_t len);

/** A fresh Sec-WebSocket-Key. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_upgrade_key(char out[TS_UPGRADE_KEY_BYTES], const struct ts_env *env);

/** Append the request. Returns: as ts_buf_error. */
enum ts_error ts_upgrade_request_encode(struct ts_buf *out, const char *host, const struct ts_upgrade *request);

/** Judge a whole head.
 *  Out:  request  meaningful with 101
 *        status   what to answer: 101, 400, 404, 426
 *  Returns: TS_OK with 101; TS_FORMAT otherwise. */
enum ts_error ts_upgrade_request_decode(struct ts_upgrade *request, int *status, const uint8_t *head, size_t len);

/** Append the answer. request and resumed are used with 101. Returns: as ts_buf_error; TS_INTERNAL. */
enum ts_error ts_upgrade_response_encode(
    struct ts_buf *out, const struct ts_env *env, int status, const struct ts_upgrade *request, bool resumed);

/** Judge the answer to a request with this key.
 *  Out:  status   as received, 0 when there is none
 *        resumed  the other side has the link that was named
 *  Returns: TS_OK; TS_FORMAT; TS_INTERNAL. */
enum ts_error ts_upgrade_response_decode(
    int *status, bool *resumed, const struct ts_env *env, const char *key, const uint8_t *head, size_t len);

#endif
