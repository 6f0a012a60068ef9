#include "server/route.h"

#include <stdio.h>
#include <string.h>

/* The one table; docs/api/openapi.yaml describes the same paths. */
static const struct ts_route routes[] = {
    {"POST", "/api/v1/sign/two-party", false, ts_api_sign},
    {"POST", "/api/v1/keygen", false, ts_api_keygen},
    {"GET", "/api/v1/sessions", false, ts_api_sessions},
    {"GET", "/api/v1/sessions/{id}", false, ts_api_session},
    {"POST", "/api/v1/sessions/{id}/cancel", false, ts_api_cancel},
    {"GET", "/api/v1/keys", false, ts_api_keys},
    {"GET", "/api/v1/keys/{id}", false, ts_api_key},
    {"GET", "/api/v1/partners", false, ts_api_partners},
    {"GET", TS_EVENTS_PATH, false, NULL},
    {"GET", "/healthz", true, ts_api_health},
    {"GET", "/readyz", true, ts_api_ready},
    {"GET", "/metrics", false, ts_api_metrics},
};

static bool
matches(struct ts_exchange *exchange, const char *pattern)
{
    const char *at = exchange->path;
    const char *hole = strstr(pattern, "{id}");

    if (!hole)
        return strcmp(at, pattern) == 0;
    size_t before = (size_t)(hole - pattern);
    if (strncmp(at, pattern, before) != 0)
        return false;
    size_t len = strcspn(at + before, "/");
    if (len == 0 || len >= sizeof exchange->id || strcmp(at + before + len, hole + 4) != 0)
        return false;
    memcpy(exchange->id, at + before, len);
    exchange->id[len] = 0;
    return true;
}

const struct ts_route *
ts_route_find(struct ts_exchange *exchange)
{
    const struct ts_route *other = NULL;

    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!matches(exchange, routes[i].path))
            continue;
        if (strcmp(exchange->method, routes[i].method) == 0)
            return exchange->route = &routes[i];
        other = &routes[i];
    }
    if (!other) {
        ts_answer_problem(exchange, TS_PROBLEM_NO_PATH, NULL);
        return NULL;
    }
    (void)snprintf(exchange->answer.allow, sizeof exchange->answer.allow, "%s", other->method);
    ts_answer_problem(exchange, TS_PROBLEM_METHOD, NULL);
    return NULL;
}
