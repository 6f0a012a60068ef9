#ifndef TS_SERVER_API_INPUT_H
#define TS_SERVER_API_INPUT_H

#include "server/server.h"

/** The fields that a body may have. */
struct ts_field {
    const char *name;
    json_type type; /**< JSON_STRING, JSON_INTEGER */
    size_t max;     /**< bytes of a string; 0: any */
    void *out;      /**< const char **, or json_int_t * */
};

/** Read a JSON object with these fields and no others. Strings live as long as the object. Answers with "malformed" and
 *  which field it was. Returns: the object to release; NULL when it was answered. */
json_t *ts_api_read(struct ts_exchange *exchange, const struct ts_field *fields, size_t count);

/** SHA-256 over method, path and body: what an idempotency key stands for. Returns: false when hashing fails. */
bool ts_api_fingerprint(uint8_t out[32], const struct ts_exchange *exchange);

/** Does the server have the capability, and serve the partner ("" is not looked at)? Answers when not. */
bool ts_api_allowed(struct ts_exchange *exchange, const char *capability, const char *partner);

/** A new operation of this exchange's caller. seconds: its deadline, -1 for the configured one.
 *  Returns: NULL when it was answered. */
struct ts_operation *ts_api_operation(struct ts_exchange *exchange, enum ts_journal_kind kind, const char *label,
    const char *partner, json_int_t seconds);

/** A call that makes a key or a signature: read its body, prepare the operation, begin it (ts_operation_begin).
 *  wait: the field of that name, read by then. prepare: from what was read, `input`; NULL when it answered. */
void ts_api_begin(struct ts_exchange *exchange, const struct ts_field *fields, size_t count, const json_int_t *wait,
    struct ts_operation *(*prepare)(struct ts_exchange *exchange, const void *input), const void *input);

/** Seconds to wait with the answer, -1 for the default, as milliseconds. Answers when it is out of range. */
bool ts_api_wait(uint32_t *out, struct ts_exchange *exchange, json_int_t seconds);

#endif
