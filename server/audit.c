#include "server/audit.h"

#include "base/text.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 1024
/* The status that other servers write for it. */
#define CLIENT_GONE 499
#define EXPIRE_EVERY_MS 600000u

struct ts_auditor {
    struct ts_server *server;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool stopped, told;
    size_t count;
    uint64_t expire_ms;                        /**< of its thread: when it looks again */
    struct ts_ledger_audit *filling, *writing; /**< ROOM each */
};

static size_t
take_batch(struct ts_auditor *auditor)
{
    (void)pthread_mutex_lock(&auditor->lock);
    while (auditor->count == 0 && !auditor->stopped)
        (void)pthread_cond_wait(&auditor->wake, &auditor->lock);
    size_t count = auditor->count;
    struct ts_ledger_audit *full = auditor->filling;
    auditor->filling = auditor->writing;
    auditor->writing = full;
    auditor->count = 0;
    (void)pthread_mutex_unlock(&auditor->lock);
    return count;
}

/* What is older than `keep` is forgotten, now and then, by the thread that writes anyway. */
static void
expire(struct ts_auditor *auditor)
{
    struct ts_server *server = auditor->server;
    uint64_t now = ts_now_ms(&server->env);

    if (now < auditor->expire_ms)
        return;
    auditor->expire_ms = now + EXPIRE_EVERY_MS;
    (void)ts_ledger_expire(server->ledger, ts_server_time_ms(server) - (int64_t)server->config->server.keep * 1000);
}

static void *
write_batches(void *argument)
{
    struct ts_auditor *auditor = argument;
    size_t count;

    while ((count = take_batch(auditor)) > 0) {
        expire(auditor);
        if (ts_ledger_audit(auditor->server->ledger, auditor->writing, count) != TS_OK) {
            atomic_fetch_add(&auditor->server->metrics.audit_lost, count);
            ts_log(&auditor->server->env, TS_LOG_ERROR, "%zu audit records could not be written", count);
        }
    }
    return NULL;
}

static bool
start(struct ts_auditor *auditor)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = pthread_create(&auditor->thread, NULL, write_batches, auditor) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

struct ts_auditor *
ts_auditor_new(struct ts_server *server)
{
    struct ts_auditor *auditor = calloc(1, sizeof *auditor);

    if (!auditor)
        return NULL;
    auditor->server = server;
    auditor->filling = calloc(ROOM, sizeof *auditor->filling);
    auditor->writing = calloc(ROOM, sizeof *auditor->writing);
    (void)pthread_mutex_init(&auditor->lock, NULL);
    (void)pthread_cond_init(&auditor->wake, NULL);
    if (auditor->filling && auditor->writing && start(auditor))
        return auditor;
    free(auditor->filling);
    free(auditor->writing);
    free(auditor);
    return NULL;
}

void
ts_auditor_free(struct ts_auditor *auditor)
{
    if (!auditor)
        return;
    (void)pthread_mutex_lock(&auditor->lock);
    auditor->stopped = true;
    (void)pthread_cond_signal(&auditor->wake);
    (void)pthread_mutex_unlock(&auditor->lock);
    (void)pthread_join(auditor->thread, NULL);
    (void)pthread_cond_destroy(&auditor->wake);
    (void)pthread_mutex_destroy(&auditor->lock);
    free(auditor->filling);
    free(auditor->writing);
    free(auditor);
}

static void
fill(struct ts_ledger_audit *record, const struct ts_exchange *exchange, bool answered)
{
    *record = (struct ts_ledger_audit){
        .at_ms = ts_server_time_ms(exchange->server), .status = answered ? exchange->answer.status : CLIENT_GONE};
    ts_text_copy(record->caller, sizeof record->caller, exchange->caller ? exchange->caller->config->name : "");
    ts_text_copy(record->remote, sizeof record->remote, exchange->remote);
    ts_text_copy(record->method, sizeof record->method, exchange->method);
    ts_text_copy(record->path, sizeof record->path, exchange->path);
    if (!answered)
        return;
    ts_text_copy(record->session, sizeof record->session, exchange->session);
    ts_text_copy(record->label, sizeof record->label, exchange->label);
}

void
ts_auditor_add(struct ts_auditor *auditor, const struct ts_exchange *exchange, bool answered)
{
    (void)pthread_mutex_lock(&auditor->lock);
    bool room = auditor->count < ROOM;
    if (room)
        fill(&auditor->filling[auditor->count++], exchange, answered);
    else
        atomic_fetch_add(&auditor->server->metrics.audit_lost, 1);
    bool tell = !room && !auditor->told;
    auditor->told |= tell;
    (void)pthread_cond_signal(&auditor->wake);
    (void)pthread_mutex_unlock(&auditor->lock);
    if (tell)
        ts_log(&auditor->server->env, TS_LOG_ERROR,
            "more calls than their audit records can be written: some have none (tallystick_audit_lost_total)");
}
