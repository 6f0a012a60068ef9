#ifndef TS_SERVER_EXCHANGE_H
#define TS_SERVER_EXCHANGE_H

#include "base/buffer.h"
#include "server/policy.h"
#include "server/problem.h"
#include "server/work.h"
#include "store/ledger.h"

#include <jansson.h>

struct ts_server;
struct ts_route;
struct ts_operation;

/** What is answered. */
struct ts_answer {
    int status;       /**< 0: nothing yet */
    const char *type; /**< static */
    char *body;       /**< owned; free() */
    size_t len;
    char location[80]; /**< "" for none */
    unsigned retry_s;  /**< Retry-After; 0: none */
    char allow[24];    /**< for 405 */
};

/** One call of the API, from its headers to its answer. The connection and whoever works on it hold it. */
struct ts_exchange {
    struct ts_work work; /**< first */
    struct ts_server *server;
    atomic_uint references;
    void *connection; /**< of the event loop; NULL once it has gone */
    struct ts_policy *policy;
    struct ts_caller *caller; /**< NULL: nobody that we know */
    const struct ts_route *route;
    char method[8], path[256], query[512];
    char id[40]; /**< the {id} of the path */
    char idempotency[TS_LEDGER_KEY_BYTES];
    char remote[64];
    struct ts_buf body;
    struct ts_answer answer;
    char session[33], label[TS_NAME_MAX]; /**< for the audit record */
    uint64_t started_ms;

    bool handed_over;                /**< of the quick worker: an operation answers it */
    struct ts_operation *operation;  /**< it waits for; under the operations' lock */
    struct ts_exchange *next_waiter; /**< under the operations' lock */
    atomic_uint_fast64_t wait_until; /**< monotonic ms; 0: does not wait */
    struct ts_exchange *next_done;   /**< under the loop's lock */
};

/** Returns: NULL without memory; one reference. */
struct ts_exchange *ts_exchange_new(struct ts_server *server, struct ts_policy *policy);
struct ts_exchange *ts_exchange_hold(struct ts_exchange *exchange);
/** NULL is allowed. */
void ts_exchange_release(struct ts_exchange *exchange);

/** Set the answer; a second one is ignored. */
void ts_answer_json(struct ts_exchange *exchange, int status, json_t *object);
/** body: taken over; NULL becomes the problem "internal". */
void ts_answer_text(struct ts_exchange *exchange, int status, const char *type, char *body);
/** detail may be NULL. */
void ts_answer_problem(struct ts_exchange *exchange, enum ts_problem problem, const char *detail);
void ts_answer_problem_f(struct ts_exchange *exchange, enum ts_problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** A copy of what was answered before. */
void ts_answer_again(struct ts_exchange *exchange, int status, const char *body, size_t len);

/** May the caller do it to a key with the label? Answers with "forbidden" when not. The label is kept for the audit. */
bool ts_exchange_may(struct ts_exchange *exchange, const char *operation, const char *label);

/** The value of a query parameter, decoded. Returns: false when it is not there or does not fit. */
bool ts_exchange_query(const struct ts_exchange *exchange, const char *name, char *out, size_t size);

/** 16 bytes from 32 hexadecimal digits (or a UUID with dashes). Returns: false for anything else. */
bool ts_id_read(uint8_t out[TS_ID_BYTES], const char *text);

#endif
