#ifndef TS_SERVER_PROBLEM_H
#define TS_SERVER_PROBLEM_H

#include <stddef.h>

/** What can go wrong with a call, each with a type that stays: "urn:tallystick:problem:NAME" (RFC 9457). */
enum ts_problem {
    TS_PROBLEM_MALFORMED, /**< not JSON, or not the fields that the call takes */
    TS_PROBLEM_UNAUTHENTICATED,
    TS_PROBLEM_FORBIDDEN,  /**< the caller has no such grant */
    TS_PROBLEM_CAPABILITY, /**< this server, or the partner, does not do such things */
    TS_PROBLEM_REFUSED,    /**< a person or policy at the partner said no */
    TS_PROBLEM_NO_PATH,
    TS_PROBLEM_UNKNOWN_SESSION,
    TS_PROBLEM_UNKNOWN_KEY,
    TS_PROBLEM_UNKNOWN_PARTNER,
    TS_PROBLEM_METHOD,
    TS_PROBLEM_SLOW,        /**< the request did not arrive in time */
    TS_PROBLEM_INTERRUPTED, /**< the server ended while the call ran: whether it was done is not known */
    TS_PROBLEM_CANCELLED,
    TS_PROBLEM_ENDED,  /**< nothing is left to cancel */
    TS_PROBLEM_LENGTH, /**< no Content-Length */
    TS_PROBLEM_TOO_LARGE,
    TS_PROBLEM_MEDIA,      /**< not application/json */
    TS_PROBLEM_KEY_REUSED, /**< the idempotency key stands for another request */
    TS_PROBLEM_KEY_LOCKED,
    TS_PROBLEM_RATE,
    TS_PROBLEM_INTERNAL,
    TS_PROBLEM_CHECK_FAILED, /**< the partner's proof was wrong: the key is locked */
    TS_PROBLEM_BUSY,
    TS_PROBLEM_STOPPING,
    TS_PROBLEM_UNREACHABLE, /**< the partner is away */
    TS_PROBLEM_TIMED_OUT,   /**< nobody decided in time */
    TS_PROBLEMS
};

/** HTTP status of a problem; its NAME; its title in words. */
int ts_problem_status(enum ts_problem problem);
const char *ts_problem_name(enum ts_problem problem);
const char *ts_problem_title(enum ts_problem problem);

/** The whole body, application/problem+json. detail, session (hex) may be NULL. Free with free(); NULL without memory. */
char *ts_problem_body(enum ts_problem problem, const char *detail, const char *session);

#endif
