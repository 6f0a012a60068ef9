#include "server/http_internal.h"

#include "server/route.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 512

/* A header's value. Returns: its length; 0 when it is absent; -1 when it is too long. */
static int
header(char *out, size_t size, struct lws *wsi, enum lws_token_indexes token)
{
    *out = 0;
    if (lws_hdr_total_length(wsi, token) == 0)
        return 0;
    return lws_hdr_copy(wsi, out, (int)size, token);
}

static int
custom_header(char *out, size_t size, struct lws *wsi, const char *name)
{
    int len = lws_hdr_custom_length(wsi, name, (int)strlen(name));

    *out = 0;
    if (len <= 0)
        return 0;
    if ((size_t)len >= size)
        return -1;
    return lws_hdr_custom_copy(wsi, out, (int)size, name, (int)strlen(name));
}

/* --- who --- */

static struct ts_caller *
by_token(struct ts_http *http, struct ts_policy *policy, struct lws *wsi)
{
    static const char scheme[] = "Bearer ";
    char value[TOKEN_MAX];
    uint8_t hash[32];
    size_t len = 0;

    if (header(value, sizeof value, wsi, WSI_TOKEN_HTTP_AUTHORIZATION) <= 0 ||
        strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *token = value + sizeof scheme - 1;
    bool good = EVP_Q_digest(http->server->env.libctx, "SHA256", NULL, token, strlen(token), hash, &len) == 1;
    OPENSSL_cleanse(value, sizeof value);
    return good ? ts_policy_by_token(policy, hash) : NULL;
}

static struct ts_caller *
find_caller(struct ts_http *http, struct ts_policy *policy, struct lws *wsi)
{
    uint8_t hash[32];
    struct ts_caller *caller = by_token(http, policy, wsi);

    if (!caller && policy->config->server.client_ca && ts_tls_client(hash, http, wsi))
        caller = ts_policy_by_certificate(policy, hash);
    return caller;
}

static bool
authenticate(struct ts_http *http, struct lws *wsi, struct ts_exchange *exchange)
{
    exchange->caller = find_caller(http, exchange->policy, wsi);
    struct ts_bucket *bucket = exchange->caller ? &exchange->caller->bucket : &http->strangers;
    bool known = exchange->caller || exchange->route->open;
    /* A stranger's calls are counted together, so that none of the callers is shut out by them. */
    if (!ts_bucket_take(bucket, ts_now_ms(&http->server->env))) {
        ts_answer_problem(exchange, TS_PROBLEM_RATE, NULL);
        return false;
    }
    if (known)
        return true;
    atomic_fetch_add(&http->server->metrics.refused_callers, 1);
    ts_answer_problem(exchange, TS_PROBLEM_UNAUTHENTICATED, NULL);
    return false;
}

/* --- what --- */

static void
read_line(struct lws *wsi, struct ts_exchange *exchange)
{
    static const char *const methods[] = {"GET", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "CONNECT", "HEAD"};
    char *uri = NULL;
    int len = 0, method = lws_http_get_uri_and_method(wsi, &uri, &len);

    (void)snprintf(exchange->method, sizeof exchange->method, "%s",
        method >= 0 && method < (int)(sizeof methods / sizeof *methods) ? methods[method] : "OTHER");
    (void)snprintf(exchange->path, sizeof exchange->path, "%.*s", uri ? len : 0, uri ? uri : "");
    (void)lws_get_peer_simple(wsi, exchange->remote, sizeof exchange->remote);
}

/* libwebsockets cuts the arguments at '&' and keeps the parts. */
static bool
read_query(struct lws *wsi, struct ts_exchange *exchange)
{
    size_t used = 0;

    for (int i = 0;; i++) {
        char part[sizeof exchange->query];
        int len = lws_hdr_copy_fragment(wsi, part, sizeof part, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len < 0)
            return lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) <= 0;
        if (used + (size_t)len + 2 > sizeof exchange->query)
            return false;
        used += (size_t)snprintf(exchange->query + used, sizeof exchange->query - used, "%s%s", i ? "&" : "", part);
    }
}

static bool
check_body(struct lws *wsi, struct ts_exchange *exchange, size_t body)
{
    char type[80];

    if (body > exchange->body.max) {
        ts_answer_problem_f(exchange, TS_PROBLEM_TOO_LARGE, "at most %zu bytes", exchange->body.max);
        return false;
    }
    if (body == 0)
        return true;
    int len = header(type, sizeof type, wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
    if (len > 0 && strncasecmp(type, "application/json", 16) == 0 && (type[16] == 0 || strchr("; ", type[16])))
        return true;
    ts_answer_problem(exchange, TS_PROBLEM_MEDIA, NULL);
    return false;
}

static bool
read_length(size_t *out, struct lws *wsi, struct ts_exchange *exchange)
{
    char text[24], coding[32], *end = NULL;
    int len = header(text, sizeof text, wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);

    *out = 0;
    if (header(coding, sizeof coding, wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) != 0) {
        ts_answer_problem(exchange, TS_PROBLEM_LENGTH, "a body in chunks is not read");
        return false;
    }
    if (len == 0)
        return true;
    *out = len > 0 && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (end && !*end)
        return true;
    ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "Content-Length is not a number");
    return false;
}

static bool
read_key(struct lws *wsi, struct ts_exchange *exchange)
{
    if (custom_header(exchange->idempotency, sizeof exchange->idempotency, wsi, "idempotency-key:") >= 0) {
        bool plain = true;
        for (const char *at = exchange->idempotency; *at; at++)
            plain = plain && *at > 0x20 && *at < 0x7f;
        if (plain)
            return true;
    }
    ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "Idempotency-Key has at most %d visible ASCII characters",
        TS_LEDGER_KEY_BYTES - 1);
    return false;
}

bool
ts_screen(struct ts_http *http, struct lws *wsi, struct ts_exchange *exchange, size_t *body)
{
    read_line(wsi, exchange);
    if (!read_length(body, wsi, exchange))
        return false;
    if (!ts_route_find(exchange) || !authenticate(http, wsi, exchange))
        return false;
    if (!read_query(wsi, exchange)) {
        ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "the query is too long");
        return false;
    }
    return read_key(wsi, exchange) && check_body(wsi, exchange, *body);
}
