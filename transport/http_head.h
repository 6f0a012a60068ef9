#ifndef TS_TRANSPORT_HTTP_HEAD_H
#define TS_TRANSPORT_HTTP_HEAD_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The head of an HTTP/1.1 message, parsed strictly into views. Source: RFC 9112 2.1, 5. */

#define TS_HTTP_HEADERS_MAX 32

struct ts_http_view {
    const char *text; /**< not terminated */
    size_t len;
};

struct ts_http_head {
    struct ts_http_view start; /**< first line without CRLF */
    size_t count;
    struct ts_http_view names[TS_HTTP_HEADERS_MAX];
    struct ts_http_view values[TS_HTTP_HEADERS_MAX]; /**< without white space around */
};

/** Parse a head that ends with its empty line. The views point into `bytes`.
 *  Returns: TS_OK; TS_FORMAT. */
enum ts_error ts_http_head_parse(struct ts_http_head *out, const uint8_t *bytes, size_t len);

/** Number of headers of this name, without regard to case; the last one's value in `value` when there is one. */
size_t ts_http_head_find(struct ts_http_view *value, const struct ts_http_head *head, const char *name);

/** Exactly this text? */
bool ts_http_view_is(const struct ts_http_view *view, const char *text);

/** Does any header of this name hold this token in its comma-separated list? `fold`: without regard to case. */
bool ts_http_head_has_token(const struct ts_http_head *head, const char *name, const char *token, bool fold);

#endif
