#include "server/problem.h"

#include <jansson.h>

/* The one table: docs/api/openapi.yaml lists the same names. */
static const struct {
    int status;
    const char *name, *title;
} table[TS_PROBLEMS] = {
    [TS_PROBLEM_MALFORMED] = {400, "malformed", "The request cannot be read"},
    [TS_PROBLEM_UNAUTHENTICATED] = {401, "unauthenticated", "A bearer token or client certificate is needed"},
    [TS_PROBLEM_FORBIDDEN] = {403, "forbidden", "The caller may not do this"},
    [TS_PROBLEM_CAPABILITY] = {403, "capability-missing", "This side does not do such things"},
    [TS_PROBLEM_REFUSED] = {403, "refused", "The partner's user or policy said no"},
    [TS_PROBLEM_NO_PATH] = {404, "no-such-path", "There is nothing at this path"},
    [TS_PROBLEM_UNKNOWN_SESSION] = {404, "unknown-session", "There is no such session"},
    [TS_PROBLEM_UNKNOWN_KEY] = {404, "unknown-key", "There is no such key"},
    [TS_PROBLEM_UNKNOWN_PARTNER] = {404, "unknown-partner", "There is no such partner for this"},
    [TS_PROBLEM_METHOD] = {405, "method", "The path does not take this method"},
    [TS_PROBLEM_SLOW] = {408, "too-slow", "The request did not arrive in time"},
    [TS_PROBLEM_INTERRUPTED] = {409, "interrupted", "The server ended while the call ran; it is not done again"},
    [TS_PROBLEM_CANCELLED] = {409, "cancelled", "The session was cancelled"},
    [TS_PROBLEM_ENDED] = {409, "already-ended", "The session does not go on, or not here"},
    [TS_PROBLEM_LENGTH] = {411, "length-required", "A Content-Length is needed"},
    [TS_PROBLEM_TOO_LARGE] = {413, "too-large", "The request is too large"},
    [TS_PROBLEM_MEDIA] = {415, "media-type", "The body must be application/json"},
    [TS_PROBLEM_KEY_REUSED] = {422, "idempotency-key-reused", "The idempotency key stands for another request"},
    [TS_PROBLEM_KEY_LOCKED] = {423, "key-locked", "The key is locked"},
    [TS_PROBLEM_RATE] = {429, "rate", "Too many calls"},
    [TS_PROBLEM_INTERNAL] = {500, "internal", "Something failed here"},
    [TS_PROBLEM_CHECK_FAILED] = {502, "check-failed", "A check of the protocol failed"},
    [TS_PROBLEM_BUSY] = {503, "busy", "Too much is waiting already"},
    [TS_PROBLEM_STOPPING] = {503, "stopping", "The server stops"},
    [TS_PROBLEM_UNREACHABLE] = {504, "partner-unreachable", "The partner cannot be reached"},
    [TS_PROBLEM_TIMED_OUT] = {504, "timed-out", "Nobody decided in time"},
};

int
ts_problem_status(enum ts_problem problem)
{
    return table[problem].status;
}

const char *
ts_problem_name(enum ts_problem problem)
{
    return table[problem].name;
}

const char *
ts_problem_title(enum ts_problem problem)
{
    return table[problem].title;
}

char *
ts_problem_body(enum ts_problem problem, const char *detail, const char *session)
{
    json_t *object =
        json_pack("{s:o, s:s, s:i, s:s*, s:s*}", "type", json_sprintf("urn:tallystick:problem:%s", table[problem].name),
            "title", table[problem].title, "status", table[problem].status, "detail", detail && *detail ? detail : NULL,
            "session_id", session && *session ? session : NULL);
    char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    return body;
}
