#ifndef TS_SERVER_OPERATION_H
#define TS_SERVER_OPERATION_H

#include "server/exchange.h"
#include "server/module.h"
#include "session/journal.h"

/** A key or a signature on its way through a worker. Calls wait for it; it does not wait for them. */
struct ts_operation {
    struct ts_work work; /**< first */
    struct ts_operation *next;
    struct ts_server *server;
    enum ts_journal_kind kind; /**< TS_JOURNAL_KEYGEN, TS_JOURNAL_SIGN */
    uint8_t session[TS_ID_BYTES];
    char label[TS_NAME_MAX], partner[TS_NAME_MAX]; /**< partner "": whoever the token has */
    char caller[TS_NAME_MAX];
    char curve[16];                            /**< keygen */
    uint8_t key[TS_ID_BYTES];                  /**< sign */
    const struct ts_mechanism_name *mechanism; /**< sign */
    uint8_t *data;                             /**< sign: message or digest; owned */
    size_t len;
    int64_t started_ms;   /**< since 1970 */
    uint64_t deadline_ms; /**< monotonic: until when it may wait for the partner */
    struct ts_exchange *waiters;
    bool running, cancelled; /**< under the lock */
    unsigned worker;         /**< while running */
};

/** The ones that are not done. */
struct ts_operations {
    pthread_mutex_t lock;
    pthread_mutex_t beginning; /**< one begins at a time: so that a key that was used finds its operation */
    struct ts_operation *list;
    unsigned count;
};

/** Mechanisms by the names of the API, which are the protocol's. */
struct ts_mechanism_name {
    const char *name; /**< "ECDSA-SHA256" */
    CK_MECHANISM_TYPE type;
    bool hashes;
};
/** Returns: NULL when there is none. */
const struct ts_mechanism_name *ts_mechanism_named(const char *name);

void ts_operations_init(struct ts_operations *operations);
void ts_operations_clear(struct ts_operations *operations);

/** Begin: the ledger has it before a worker does. Takes the operation over. The exchange is answered: at once with 202
 *  when wait_ms is 0, else when it ends or the wait does; under a used idempotency key it gets what that call got.
 *  request: hash of what was asked. */
void ts_operation_begin(
    struct ts_exchange *exchange, struct ts_operation *operation, const uint8_t request[32], uint32_t wait_ms);
void ts_operation_free(struct ts_operation *operation);
/** Has somebody asked that it stops? */
bool ts_operation_cancelled(const struct ts_operation *operation);

/** The wait of an exchange is over, or its connection has gone. Returns: true when it still waited: it has to be
 *  answered by the caller. */
bool ts_operation_leave(struct ts_exchange *exchange);
/** 202 with the session. */
void ts_operation_answer_later(struct ts_exchange *exchange, const uint8_t session[TS_ID_BYTES]);

/** What is known of a session that is not done: label, partner, caller, whether it runs. Returns: false when there is
 *  none. */
struct ts_operation_view {
    enum ts_journal_kind kind;
    char label[TS_NAME_MAX], partner[TS_NAME_MAX];
    int64_t started_ms;
    bool running;
};
bool ts_operation_view(
    struct ts_operation_view *out, struct ts_operations *operations, const uint8_t session[TS_ID_BYTES]);
/** Stop it: it will not start, or the module is asked to end it. Returns: false when there is none. */
bool ts_operation_cancel(struct ts_server *server, const uint8_t session[TS_ID_BYTES]);
/** What no worker has begun ends at its deadline, or when it is cancelled. Called again and again by the event loop. */
void ts_operations_sweep(struct ts_server *server);
/** All of them, for the end of the server. */
void ts_operations_cancel(struct ts_server *server);

/** Run on a worker (server/operation_run.c): fills the status and the body that is answered and kept. */
void ts_operation_run(struct ts_operation *operation, unsigned worker, struct ts_exchange *result);

#endif
