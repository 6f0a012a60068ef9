#ifndef TS_STORE_LEDGER_H
#define TS_STORE_LEDGER_H

#include "base/env.h"
#include "store/store.h"

/** What the enterprise server must not forget: which calls it began under which idempotency key, how they ended, and who
 *  asked for what. An SQLite file of its own, durable when a call returns. Used by one process at a time. Thread-safe. */
struct ts_ledger;

#define TS_LEDGER_KEY_BYTES 129   /**< an idempotency key with its NUL */
#define TS_LEDGER_BODY_MAX 65536u /**< of an answer that is kept */

/** Numbers are stored. */
enum ts_ledger_state {
    TS_LEDGER_OPEN = 1,
    TS_LEDGER_DONE = 2,
    TS_LEDGER_INTERRUPTED = 3 /**< the server ended before it knew */
};

/** One call that makes a key or a signature. */
struct ts_ledger_call {
    uint8_t session[TS_ID_BYTES]; /**< in the journal */
    int kind;                     /**< of the caller's choice */
    enum ts_ledger_state state;
    char caller[TS_NAME_MAX];
    char key[TS_LEDGER_KEY_BYTES]; /**< idempotency key, "" when there is none; one use for each caller */
    uint8_t request[32];           /**< hash of what was asked */
    char label[TS_NAME_MAX];       /**< of the key */
    char partner[TS_NAME_MAX];
    int64_t started_ms, ended_ms; /**< since 1970; ended 0: not yet */
    int status;                   /**< of the answer; 0 while open */
};

/** Open, made when absent (mode 0600). Calls that a server left open become INTERRUPTED.
 *  Returns: TS_OK; TS_STORAGE (logged), also when another process has it; TS_INTERNAL. env must outlive it. */
enum ts_error ts_ledger_open(struct ts_ledger **out, const struct ts_env *env, const char *path);
/** NULL is allowed. */
void ts_ledger_close(struct ts_ledger *ledger);

/** Begin a call, durably.
 *  Returns: TS_OK; TS_EXISTS when the caller has used the idempotency key: *before is that call; TS_STORAGE. */
enum ts_error ts_ledger_begin(
    struct ts_ledger_call *before, struct ts_ledger *ledger, const struct ts_ledger_call *call);
/** It was never begun after all: its idempotency key is fresh again. Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_ledger_forget(struct ts_ledger *ledger, const uint8_t session[TS_ID_BYTES]);
/** How it ended, durably. body: of the answer, at most TS_LEDGER_BODY_MAX bytes. Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_ledger_end(struct ts_ledger *ledger, const uint8_t session[TS_ID_BYTES], int64_t now_ms, int status,
    const char *body, size_t len);
/** The call of a session; body (may be NULL): the answer is appended. Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_ledger_get(
    struct ts_ledger_call *out, struct ts_buf *body, struct ts_ledger *ledger, const uint8_t session[TS_ID_BYTES]);
/** Forget calls that ended before, and audit records from before. Calls that are open stay. Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_ledger_expire(struct ts_ledger *ledger, int64_t calls_ms, int64_t audit_ms);

/** Who asked for what. Texts are plain. */
struct ts_ledger_audit {
    int64_t at_ms;
    char caller[TS_NAME_MAX]; /**< "" when nobody was recognised */
    char remote[64];
    char method[8], path[256];
    char session[33], label[TS_NAME_MAX]; /**< "" when it was not about one */
    int status;
};
/** Append records, in one unit. Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_ledger_audit(struct ts_ledger *ledger, const struct ts_ledger_audit *records, size_t count);

#endif
