#include "server/server.h"

#include "base/secret.h"
#include "base/text.h"
#include "server/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ts_mechanism_name mechanisms[] = {
    {"ECDSA", CKM_ECDSA, false},
    {"ECDSA-SHA1", CKM_ECDSA_SHA1, true},
    {"ECDSA-SHA224", CKM_ECDSA_SHA224, true},
    {"ECDSA-SHA256", CKM_ECDSA_SHA256, true},
    {"ECDSA-SHA384", CKM_ECDSA_SHA384, true},
    {"ECDSA-SHA512", CKM_ECDSA_SHA512, true},
    {"ECDSA-SHA3-224", CKM_ECDSA_SHA3_224, true},
    {"ECDSA-SHA3-256", CKM_ECDSA_SHA3_256, true},
    {"ECDSA-SHA3-384", CKM_ECDSA_SHA3_384, true},
    {"ECDSA-SHA3-512", CKM_ECDSA_SHA3_512, true},
};

const struct ts_mechanism_name *
ts_mechanism_named(const char *name)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
        if (strcmp(mechanisms[i].name, name) == 0)
            return &mechanisms[i];
    return NULL;
}

void
ts_operations_init(struct ts_operations *operations)
{
    (void)pthread_mutex_init(&operations->lock, NULL);
    (void)pthread_mutex_init(&operations->beginning, NULL);
}

void
ts_operations_clear(struct ts_operations *operations)
{
    (void)pthread_mutex_destroy(&operations->lock);
    (void)pthread_mutex_destroy(&operations->beginning);
}

void
ts_operation_free(struct ts_operation *operation)
{
    if (!operation)
        return;
    if (operation->data)
        ts_wipe(operation->data, operation->len);
    free(operation->data);
    free(operation);
}

/* --- the list; all of it under its lock --- */

static struct ts_operation *
find(struct ts_operations *operations, const uint8_t session[TS_ID_BYTES])
{
    struct ts_operation *at = operations->list;

    while (at && memcmp(at->session, session, TS_ID_BYTES) != 0)
        at = at->next;
    return at;
}

static void
unlink_one(struct ts_operations *operations, struct ts_operation *operation)
{
    struct ts_operation **place = &operations->list;

    while (*place && *place != operation)
        place = &(*place)->next;
    if (!*place)
        return;
    *place = operation->next;
    operations->count--;
}

static void
join(struct ts_operation *operation, struct ts_exchange *exchange, uint32_t wait_ms)
{
    exchange->handed_over = true;
    exchange->operation = operation;
    exchange->next_waiter = operation->waiters;
    operation->waiters = ts_exchange_hold(exchange);
    atomic_store(&exchange->wait_until, ts_now_ms(&exchange->server->env) + wait_ms);
}

bool
ts_operation_leave(struct ts_exchange *exchange)
{
    struct ts_operations *operations = &exchange->server->operations;

    (void)pthread_mutex_lock(&operations->lock);
    struct ts_operation *operation = exchange->operation;
    if (operation) {
        struct ts_exchange **place = &operation->waiters;
        while (*place != exchange)
            place = &(*place)->next_waiter;
        *place = exchange->next_waiter;
        exchange->operation = NULL;
        atomic_store(&exchange->wait_until, 0);
    }
    (void)pthread_mutex_unlock(&operations->lock);
    ts_exchange_release(operation ? exchange : NULL);
    return operation != NULL;
}

/* --- the end --- */

static struct ts_exchange *
take_out(struct ts_operation *operation)
{
    struct ts_operations *operations = &operation->server->operations;

    (void)pthread_mutex_lock(&operations->lock);
    unlink_one(operations, operation);
    struct ts_exchange *waiters = operation->waiters;
    operation->waiters = NULL;
    for (struct ts_exchange *at = waiters; at; at = at->next_waiter) {
        at->operation = NULL;
        atomic_store(&at->wait_until, 0);
    }
    (void)pthread_mutex_unlock(&operations->lock);
    return waiters;
}

static void
count(struct ts_operation *operation, int status)
{
    struct ts_metrics *metrics = &operation->server->metrics;
    unsigned kind = operation->kind == TS_JOURNAL_SIGN;
    int64_t took = ts_server_time_ms(operation->server) - operation->started_ms;

    atomic_fetch_add(status < 300 ? &metrics->completed[kind] : &metrics->failed[kind], 1);
    atomic_fetch_add(&metrics->milliseconds[kind], took > 0 ? (unsigned long long)took : 0);
}

/* The ledger first: whoever asks again finds either the operation or how it ended. */
static void
finish(struct ts_operation *operation, struct ts_exchange *result)
{
    struct ts_server *server = operation->server;
    const struct ts_answer *answer = &result->answer;

    if (ts_ledger_end(server->ledger, operation->session, ts_server_time_ms(server), answer->status, answer->body,
            answer->len) != TS_OK)
        ts_log(&server->env, TS_LOG_ERROR,
            "the end of a session could not be kept: who asks later is told that it was "
            "interrupted");
    count(operation, answer->status);
    struct ts_exchange *waiters = take_out(operation);
    while (waiters) {
        struct ts_exchange *next = waiters->next_waiter;
        ts_answer_again(waiters, answer->status, answer->body, answer->len);
        ts_http_done(waiters);
        waiters = next;
    }
    ts_operation_free(operation);
}

static bool
mark_running(struct ts_operation *operation, unsigned worker)
{
    struct ts_operations *operations = &operation->server->operations;

    (void)pthread_mutex_lock(&operations->lock);
    bool goes = !operation->cancelled;
    operation->running = goes;
    operation->worker = worker;
    (void)pthread_mutex_unlock(&operations->lock);
    return goes;
}

/* Where the answer of an operation is put together. Returns: NULL without memory: the waiters have been told, and the
   ledger keeps the call open, as an interrupted one. */
static struct ts_exchange *
result_of(struct ts_operation *operation)
{
    struct ts_exchange *result = ts_exchange_new(operation->server, operation->server->first);

    if (result) {
        ts_text_hex(result->session, operation->session, TS_ID_BYTES);
        return result;
    }
    struct ts_exchange *waiters = take_out(operation);
    for (struct ts_exchange *next; waiters; waiters = next) {
        next = waiters->next_waiter;
        ts_answer_problem(waiters, TS_PROBLEM_INTERNAL, NULL);
        ts_http_done(waiters);
    }
    ts_operation_free(operation);
    return NULL;
}

static void
work(struct ts_work *piece, unsigned worker)
{
    struct ts_operation *operation = (struct ts_operation *)piece;
    struct ts_server *server = operation->server;
    struct ts_exchange *result = result_of(operation);

    if (!result)
        return;
    atomic_fetch_add(&server->metrics.running, 1);
    if (mark_running(operation, worker))
        ts_operation_run(operation, worker, result);
    else
        ts_answer_problem(result, TS_PROBLEM_CANCELLED, "it had not begun");
    atomic_fetch_sub(&server->metrics.running, 1);
    finish(operation, result);
    ts_exchange_release(result);
}

/* --- the end of what never began --- */

bool
ts_operation_cancelled(const struct ts_operation *operation)
{
    struct ts_operations *operations = &operation->server->operations;

    (void)pthread_mutex_lock(&operations->lock);
    bool cancelled = operation->cancelled;
    (void)pthread_mutex_unlock(&operations->lock);
    return cancelled;
}

static bool
is_over(const struct ts_operation *operation)
{
    return operation->cancelled || ts_now_ms(&operation->server->env) >= operation->deadline_ms;
}

/* Not on a slow worker: those may all wait for a partner. */
static void
end_unbegun(struct ts_work *piece, unsigned worker)
{
    struct ts_operation *operation = (struct ts_operation *)piece;
    struct ts_exchange *result = result_of(operation);

    (void)worker;
    if (!result)
        return;
    if (ts_operation_cancelled(operation))
        ts_answer_problem(result, TS_PROBLEM_CANCELLED, "it had not begun");
    else
        ts_answer_problem(result, TS_PROBLEM_TIMED_OUT, "its deadline passed while it waited for a worker");
    finish(operation, result);
    ts_exchange_release(result);
}

/* What waits in the queue and is over goes from the slow workers to the quick ones; with no room there, the next time. */
static void
sweep_one(struct ts_server *server, struct ts_operation *operation)
{
    if (operation->running || operation->work.run == end_unbegun || !is_over(operation))
        return;
    if (!ts_pool_take(server->slow, &operation->work))
        return; /* a worker has just taken it, and will see the same */
    operation->work.run = end_unbegun;
    if (ts_pool_add(server->quick, &operation->work))
        return;
    operation->work.run = work;
    (void)ts_pool_add(server->slow, &operation->work); /* has the room that it left: nobody adds without the lock */
}

void
ts_operations_sweep(struct ts_server *server)
{
    (void)pthread_mutex_lock(&server->operations.lock);
    for (struct ts_operation *at = server->operations.list; at; at = at->next)
        sweep_one(server, at);
    (void)pthread_mutex_unlock(&server->operations.lock);
}

/* --- the beginning --- */

void
ts_operation_answer_later(struct ts_exchange *exchange, const uint8_t session[TS_ID_BYTES])
{
    char id[2 * TS_ID_BYTES + 1];

    ts_text_hex(id, session, TS_ID_BYTES);
    (void)snprintf(exchange->answer.location, sizeof exchange->answer.location, "/api/v1/sessions/%s", id);
    ts_answer_json(exchange, 202, json_pack("{s:s, s:s}", "session_id", id, "status", "RUNNING"));
}

/* What a call under a used idempotency key gets. */
static void
answer_as_before(struct ts_exchange *exchange, const struct ts_ledger_call *before, uint32_t wait_ms)
{
    struct ts_server *server = exchange->server;
    struct ts_ledger_call now;
    struct ts_buf body;

    ts_text_hex(exchange->session, before->session, TS_ID_BYTES);
    (void)pthread_mutex_lock(&server->operations.lock);
    struct ts_operation *operation = find(&server->operations, before->session);
    if (operation && wait_ms)
        join(operation, exchange, wait_ms);
    (void)pthread_mutex_unlock(&server->operations.lock);
    if (operation && wait_ms)
        return;
    if (operation) {
        ts_operation_answer_later(exchange, before->session);
        return;
    }
    ts_buf_init(&body, TS_LEDGER_BODY_MAX);
    enum ts_error error = ts_ledger_get(&now, &body, server->ledger, before->session);
    if (error != TS_OK)
        ts_answer_problem(exchange, TS_PROBLEM_INTERNAL, NULL);
    else if (now.state == TS_LEDGER_DONE)
        ts_answer_again(exchange, now.status, (const char *)body.data, body.len);
    else
        ts_answer_problem(exchange, TS_PROBLEM_INTERRUPTED,
            "the partner may have signed; look at the session before you ask again under another key");
    ts_buf_clear(&body);
}

static enum ts_error
enter_ledger(struct ts_ledger_call *before, struct ts_exchange *exchange, const struct ts_operation *operation,
    const uint8_t request[32])
{
    struct ts_ledger_call call = {.kind = (int)operation->kind, .started_ms = operation->started_ms};

    memcpy(call.session, operation->session, sizeof call.session);
    memcpy(call.request, request, sizeof call.request);
    (void)snprintf(call.caller, sizeof call.caller, "%s", operation->caller);
    (void)snprintf(call.key, sizeof call.key, "%s", exchange->idempotency);
    (void)snprintf(call.label, sizeof call.label, "%s", operation->label);
    (void)snprintf(call.partner, sizeof call.partner, "%s", operation->partner);
    return ts_ledger_begin(before, exchange->server->ledger, &call);
}

/* A call that found no room was never begun: its key stays fresh. */
static bool
hand_over(struct ts_exchange *exchange, struct ts_operation *operation, uint32_t wait_ms)
{
    struct ts_operations *operations = &exchange->server->operations;
    bool stopping = atomic_load(&exchange->server->stopping);

    (void)pthread_mutex_lock(&operations->lock);
    bool taken = !stopping && ts_pool_add(exchange->server->slow, &operation->work);
    if (taken) { /* the worker cannot finish it before the lock is free */
        operation->next = operations->list;
        operations->list = operation;
        operations->count++;
        if (wait_ms)
            join(operation, exchange, wait_ms);
    }
    (void)pthread_mutex_unlock(&operations->lock);
    return taken;
}

void
ts_operation_begin(
    struct ts_exchange *exchange, struct ts_operation *operation, const uint8_t request[32], uint32_t wait_ms)
{
    struct ts_server *server = exchange->server;
    struct ts_ledger_call before;
    uint8_t session[TS_ID_BYTES];

    operation->work.run = work;
    memcpy(session, operation->session, sizeof session);
    ts_text_hex(exchange->session, session, TS_ID_BYTES); /* before anybody else has the exchange */
    (void)pthread_mutex_lock(&server->operations.beginning);
    enum ts_error error = enter_ledger(&before, exchange, operation, request);
    bool taken = error == TS_OK && hand_over(exchange, operation, wait_ms);
    if (error == TS_OK && !taken)
        (void)ts_ledger_forget(server->ledger, session);
    (void)pthread_mutex_unlock(&server->operations.beginning);
    if (taken) {
        if (!wait_ms)
            ts_operation_answer_later(exchange, session);
        return;
    }
    exchange->session[0] = 0;
    ts_operation_free(operation);
    if (error == TS_EXISTS && !ts_equal(before.request, request, 32))
        ts_answer_problem(exchange, TS_PROBLEM_KEY_REUSED, NULL);
    else if (error == TS_EXISTS)
        answer_as_before(exchange, &before, wait_ms);
    else if (error == TS_OK)
        ts_answer_problem(exchange, atomic_load(&server->stopping) ? TS_PROBLEM_STOPPING : TS_PROBLEM_BUSY,
            "ask again a little later");
    else
        ts_answer_problem(exchange, TS_PROBLEM_INTERNAL, "the ledger cannot be written; nothing was begun");
}

/* --- while it goes on --- */

bool
ts_operation_view(struct ts_operation_view *out, struct ts_operations *operations, const uint8_t session[TS_ID_BYTES])
{
    (void)pthread_mutex_lock(&operations->lock);
    const struct ts_operation *operation = find(operations, session);
    if (operation) {
        *out = (struct ts_operation_view){
            .kind = operation->kind, .started_ms = operation->started_ms, .running = operation->running};
        memcpy(out->label, operation->label, sizeof out->label);
        memcpy(out->partner, operation->partner, sizeof out->partner);
    }
    (void)pthread_mutex_unlock(&operations->lock);
    return operation != NULL;
}

/* The module's lock is a leaf: it is asked under ours, so that the worker is not at the next operation meanwhile. */
static void
cancel_one(struct ts_server *server, struct ts_operation *operation)
{
    operation->cancelled = true;
    if (operation->running)
        (void)ts_module_cancel(server->module, operation->worker);
}

bool
ts_operation_cancel(struct ts_server *server, const uint8_t session[TS_ID_BYTES])
{
    (void)pthread_mutex_lock(&server->operations.lock);
    struct ts_operation *operation = find(&server->operations, session);
    if (operation)
        cancel_one(server, operation);
    (void)pthread_mutex_unlock(&server->operations.lock);
    return operation != NULL;
}

void
ts_operations_cancel(struct ts_server *server)
{
    (void)pthread_mutex_lock(&server->operations.lock);
    for (struct ts_operation *at = server->operations.list; at; at = at->next)
        cancel_one(server, at);
    (void)pthread_mutex_unlock(&server->operations.lock);
}
