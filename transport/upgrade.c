#include "transport/upgrade.h"

#include "transport/http_head.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#define PATH "/tallystick/1"
#define PROTOCOL "tallystick.1"
#define LINK "Tallystick-Link"
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 1.3 */
#define NONCE_BYTES 16
#define SHA1_BYTES 20
#define ACCEPT_BYTES 29 /* base64 of a SHA-1 hash, with the final NUL */

size_t
ts_upgrade_head(const uint8_t *bytes, size_t len)
{
    const uint8_t *end = len ? memmem(bytes, len, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - bytes) + 4 : 0;
}

enum ts_error
ts_upgrade_key(char out[TS_UPGRADE_KEY_BYTES], const struct ts_env *env)
{
    uint8_t nonce[NONCE_BYTES];

    if (ts_random(env, nonce, sizeof nonce) != TS_OK)
        return TS_INTERNAL;
    return EVP_EncodeBlock((unsigned char *)out, nonce, sizeof nonce) == TS_UPGRADE_KEY_BYTES - 1 ? TS_OK : TS_INTERNAL;
}

/* RFC 6455 4.2.2 5.4. SHA-1 shows here only that the server read the request; TLS authenticates. */
static enum ts_error
accept_of(char out[ACCEPT_BYTES], const struct ts_env *env, const char *key)
{
    char text[TS_UPGRADE_KEY_BYTES + sizeof GUID];
    unsigned char hash[SHA1_BYTES];
    size_t len = 0;

    (void)snprintf(text, sizeof text, "%s%s", key, GUID);
    ERR_set_mark();
    int good = EVP_Q_digest(env->libctx, "SHA1", NULL, text, strlen(text), hash, &len);
    ERR_pop_to_mark();
    if (good != 1 || len != sizeof hash)
        return TS_INTERNAL;
    return EVP_EncodeBlock((unsigned char *)out, hash, sizeof hash) == ACCEPT_BYTES - 1 ? TS_OK : TS_INTERNAL;
}

/* The name of a link as text, with its header and line end; "" without a name. */
static void
print_link(char *out, size_t size, const struct ts_upgrade *request)
{
    size_t len = (size_t)snprintf(out, size, "%s", request->named ? LINK ": " : "");

    for (size_t i = 0; request->named && i < TS_LINK_ID_BYTES; i++)
        len += (size_t)snprintf(out + len, size - len, "%02x", request->link[i]);
    if (request->named)
        (void)snprintf(out + len, size - len, "\r\n");
}

enum ts_error
ts_upgrade_request_encode(struct ts_buf *out, const char *host, const struct ts_upgrade *request)
{
    char text[1024], link[sizeof LINK + 2 * TS_LINK_ID_BYTES + 8];

    print_link(link, sizeof link, request);
    int len = snprintf(text, sizeof text,
        "GET " PATH " HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " PROTOCOL "\r\n%s\r\n",
        host, request->key, link);
    if (len < 0 || (size_t)len >= sizeof text)
        return TS_INTERNAL;
    return ts_buf_put(out, text, (size_t)len);
}

/* Base64 of 16 bytes: 22 characters, the last of which has four spare bits, and "==". */
static bool
key_is_good(const struct ts_http_view *key)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (key->len != TS_UPGRADE_KEY_BYTES - 1 || memcmp(key->text + 22, "==", 2) != 0)
        return false;
    for (size_t i = 0; i < 22; i++)
        if (key->text[i] == 0 || !strchr(alphabet, key->text[i]))
            return false;
    return strchr("AQgw", key->text[21]) != NULL;
}

static int
judge_start(const struct ts_http_view *start)
{
    static const char prefix[] = "GET ";
    static const char suffix[] = " HTTP/1.1";
    size_t around = sizeof prefix - 1 + sizeof suffix - 1;

    if (ts_http_view_is(start, "GET " PATH " HTTP/1.1"))
        return 101;
    if (start->len > around && memcmp(start->text, prefix, sizeof prefix - 1) == 0 &&
        memcmp(start->text + start->len - (sizeof suffix - 1), suffix, sizeof suffix - 1) == 0)
        return 404;
    return 400;
}

static bool
read_link(struct ts_upgrade *request, const struct ts_http_head *head)
{
    static const char digits[] = "0123456789abcdef";
    struct ts_http_view value;

    size_t count = ts_http_head_find(&value, head, LINK);
    request->named = count > 0;
    if (count == 0)
        return true;
    if (count > 1 || value.len != (size_t)2 * TS_LINK_ID_BYTES)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        const char *digit = memchr(digits, value.text[i], sizeof digits - 1);
        if (!digit)
            return false;
        request->link[i / 2] = (uint8_t)(request->link[i / 2] << 4 | (digit - digits));
    }
    return true;
}

static int
judge_request(struct ts_upgrade *request, const struct ts_http_head *head)
{
    struct ts_http_view value;

    int status = judge_start(&head->start);
    if (status != 101)
        return status;
    if (ts_http_head_find(&value, head, "Host") != 1 || value.len == 0)
        return 400;
    if (ts_http_head_find(&value, head, "Content-Length") != 0 ||
        ts_http_head_find(&value, head, "Transfer-Encoding") != 0)
        return 400;
    if (!ts_http_head_has_token(head, "Upgrade", "websocket", true) ||
        !ts_http_head_has_token(head, "Connection", "upgrade", true))
        return 400;
    if (ts_http_head_find(&value, head, "Sec-WebSocket-Version") != 1)
        return 400;
    if (!ts_http_view_is(&value, "13"))
        return 426;
    if (!ts_http_head_has_token(head, "Sec-WebSocket-Protocol", PROTOCOL, false))
        return 400;
    if (ts_http_head_find(&value, head, "Sec-WebSocket-Key") != 1 || !key_is_good(&value))
        return 400;
    memcpy(request->key, value.text, value.len);
    return read_link(request, head) ? 101 : 400;
}

enum ts_error
ts_upgrade_request_decode(struct ts_upgrade *request, int *status, const uint8_t *head, size_t len)
{
    struct ts_http_head parsed;

    *status = 400;
    memset(request, 0, sizeof *request);
    if (len <= TS_UPGRADE_MAX_BYTES && ts_http_head_parse(&parsed, head, len) == TS_OK)
        *status = judge_request(request, &parsed);
    return *status == 101 ? TS_OK : TS_FORMAT;
}

static enum ts_error
put_text(struct ts_buf *out, const char *text)
{
    return ts_buf_put(out, text, strlen(text));
}

enum ts_error
ts_upgrade_response_encode(
    struct ts_buf *out, const struct ts_env *env, int status, const struct ts_upgrade *request, bool resumed)
{
    char accept[ACCEPT_BYTES];

    if (status == 404)
        return put_text(out, "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    if (status == 426)
        return put_text(out, "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Connection: Upgrade, close\r\nContent-Length: 0\r\n\r\n");
    if (status != 101)
        return put_text(out, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    if (accept_of(accept, env, request->key) != TS_OK)
        return TS_INTERNAL;
    (void)put_text(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Protocol: " PROTOCOL "\r\nSec-WebSocket-Accept: ");
    (void)put_text(out, accept);
    if (request->named)
        (void)put_text(out, resumed ? "\r\n" LINK ": resumed" : "\r\n" LINK ": new");
    return put_text(out, "\r\n\r\n");
}

static int
read_status(const struct ts_http_view *start)
{
    static const char version[] = "HTTP/1.1 ";
    size_t skip = sizeof version - 1;
    int status = 0;

    if (start->len < skip + 4 || memcmp(start->text, version, skip) != 0 || start->text[skip + 3] != ' ')
        return 0;
    for (size_t i = skip; i < skip + 3; i++) {
        if (start->text[i] < '0' || start->text[i] > '9')
            return 0;
        status = status * 10 + (start->text[i] - '0');
    }
    return status;
}

static bool
response_is_good(bool *resumed, const struct ts_http_head *head, const char *accept)
{
    struct ts_http_view value;

    size_t count = ts_http_head_find(&value, head, LINK);
    *resumed = count == 1 && ts_http_view_is(&value, "resumed");
    if (count > 1 || (count == 1 && !*resumed && !ts_http_view_is(&value, "new")))
        return false;

    if (!ts_http_head_has_token(head, "Upgrade", "websocket", true) ||
        !ts_http_head_has_token(head, "Connection", "upgrade", true))
        return false;
    if (ts_http_head_find(&value, head, "Sec-WebSocket-Extensions") != 0)
        return false; /* none was offered (RFC 6455 4.1) */
    if (ts_http_head_find(&value, head, "Sec-WebSocket-Protocol") != 1 || !ts_http_view_is(&value, PROTOCOL))
        return false;
    return ts_http_head_find(&value, head, "Sec-WebSocket-Accept") == 1 && ts_http_view_is(&value, accept);
}

enum ts_error
ts_upgrade_response_decode(
    int *status, bool *resumed, const struct ts_env *env, const char *key, const uint8_t *head, size_t len)
{
    struct ts_http_head parsed;
    char accept[ACCEPT_BYTES];

    *status = 0;
    *resumed = false;
    if (accept_of(accept, env, key) != TS_OK)
        return TS_INTERNAL;
    if (len > TS_UPGRADE_MAX_BYTES || ts_http_head_parse(&parsed, head, len) != TS_OK)
        return TS_FORMAT;
    *status = read_status(&parsed.start);
    return *status == 101 && response_is_good(resumed, &parsed, accept) ? TS_OK : TS_FORMAT;
}
