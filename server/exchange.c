#include "server/server.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"
#define RETRY_S 1

struct ts_exchange *
ts_exchange_new(struct ts_server *server, struct ts_policy *policy)
{
    struct ts_exchange *exchange = calloc(1, sizeof *exchange);

    if (!exchange)
        return NULL;
    exchange->server = server;
    exchange->policy = ts_policy_hold(policy);
    exchange->started_ms = ts_now_ms(&server->env);
    atomic_init(&exchange->references, 1);
    ts_buf_init(&exchange->body, policy->config->server.body);
    return exchange;
}

struct ts_exchange *
ts_exchange_hold(struct ts_exchange *exchange)
{
    atomic_fetch_add(&exchange->references, 1);
    return exchange;
}

void
ts_exchange_release(struct ts_exchange *exchange)
{
    if (!exchange || atomic_fetch_sub(&exchange->references, 1) != 1)
        return;
    ts_policy_release(exchange->policy);
    ts_buf_clear(&exchange->body);
    free(exchange->answer.body);
    free(exchange);
}

void
ts_answer_text(struct ts_exchange *exchange, int status, const char *type, char *body)
{
    static const char nothing[] =
        "{\"type\":\"urn:tallystick:problem:internal\",\"title\":\"No memory\",\"status\":500}";

    if (exchange->answer.status) {
        free(body);
        return;
    }
    if (!body) {
        status = 500;
        type = PROBLEM_TYPE;
        body = strdup(nothing);
    }
    exchange->answer.type = type;
    exchange->answer.body = body;
    exchange->answer.len = body ? strlen(body) : 0;
    exchange->answer.status = status;
}

void
ts_answer_json(struct ts_exchange *exchange, int status, json_t *object)
{
    char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    ts_answer_text(exchange, status, JSON_TYPE, body);
}

void
ts_answer_problem(struct ts_exchange *exchange, enum ts_problem problem, const char *detail)
{
    bool later = problem == TS_PROBLEM_RATE || problem == TS_PROBLEM_BUSY || problem == TS_PROBLEM_STOPPING;

    if (exchange->answer.status)
        return;
    exchange->answer.retry_s = later ? RETRY_S : 0;
    ts_answer_text(
        exchange, ts_problem_status(problem), PROBLEM_TYPE, ts_problem_body(problem, detail, exchange->session));
}

void
ts_answer_problem_f(struct ts_exchange *exchange, enum ts_problem problem, const char *format, ...)
{
    char detail[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    ts_answer_problem(exchange, problem, detail);
}

void
ts_answer_again(struct ts_exchange *exchange, int status, const char *body, size_t len)
{
    ts_answer_text(exchange, status, status < 300 ? JSON_TYPE : PROBLEM_TYPE, strndup(body, len));
}

bool
ts_exchange_may(struct ts_exchange *exchange, const char *operation, const char *label)
{
    (void)snprintf(exchange->label, sizeof exchange->label, "%s", label);
    if (exchange->caller && ts_caller_may(exchange->caller, operation, label))
        return true;
    ts_answer_problem_f(exchange, TS_PROBLEM_FORBIDDEN, "%s has no grant \"%s\" for the key \"%s\"",
        exchange->caller ? exchange->caller->config->name : "nobody", operation, label);
    return false;
}

static int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)tolower((unsigned char)digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool
decode(char *out, size_t size, const char *text, size_t len)
{
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        char byte = text[i] == '+' ? ' ' : text[i];
        if (byte == '%') {
            int high = len - i > 2 ? hex_digit(text[i + 1]) : -1, low = len - i > 2 ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        if (used + 1 >= size || byte == 0)
            return false;
        out[used++] = byte;
    }
    out[used] = 0;
    return true;
}

bool
ts_exchange_query(const struct ts_exchange *exchange, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);

    for (const char *at = exchange->query; *at;) {
        size_t len = strcspn(at, "&");
        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=')
            return decode(out, size, at + name_len + 1, len - name_len - 1);
        at += len + (at[len] == '&');
    }
    return false;
}

bool
ts_id_read(uint8_t out[TS_ID_BYTES], const char *text)
{
    size_t digits = 0;

    memset(out, 0, TS_ID_BYTES);
    for (; *text; text++) {
        if (*text == '-' && digits > 0)
            continue;
        int value = hex_digit(*text);
        if (value < 0 || digits == 2 * TS_ID_BYTES)
            return false;
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | value);
        digits++;
    }
    return digits == 2 * TS_ID_BYTES;
}
