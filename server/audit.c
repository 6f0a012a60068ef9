#include "server/audit.h"

#include "base/text.h"
#include "base/thread.h"
#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM 1024
/* The status that other servers write for it. */
#define CLIENT_GONE 499
#define EXPIRE_EVERY_S 600u

struct ts_auditor {
    struct ts_server *server;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool stopped, told;
    size_t count;
    struct timespec expire;                    /**< of its thread, monotonic: when it looks again */
    struct ts_ledger_audit *filling, *writing; /**< ROOM each */
};

/* Returns: true when the auditor has stopped and nothing is left. count 0: it is time to forget. */
static bool
take_batch(size_t *count, struct ts_auditor *auditor)
{
    int waited = 0;

    (void)pthread_mutex_lock(&auditor->lock);
    while (auditor->count == 0 && !auditor->stopped && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&auditor->wake, &auditor->lock, &auditor->expire);
    *count = auditor->count;
    struct ts_ledger_audit *full = auditor->filling;
    auditor->filling = auditor->writing;
    auditor->writing = full;
    auditor->count = 0;
    bool over = auditor->stopped && *count == 0;
    (void)pthread_mutex_unlock(&auditor->lock);
    return over;
}

/* What is too old is forgotten, also while nobody calls, by the thread that writes anyway. */
static void
expire(struct ts_auditor *auditor)
{
    struct ts_server *server = auditor->server;
    uint32_t keep = atomic_load(&server->keep_s), audit_keep = atomic_load(&server->audit_keep_s);
    uint32_t every = keep < audit_keep ? keep : audit_keep;
    int64_t now_ms = ts_server_time_ms(server);
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < auditor->expire.tv_sec)
        return;
    auditor->expire = now;
    auditor->expire.tv_sec += every < EXPIRE_EVERY_S ? every : EXPIRE_EVERY_S;
    if (ts_ledger_expire(server->ledger, now_ms - (int64_t)keep * 1000, now_ms - (int64_t)audit_keep * 1000) != TS_OK)
        ts_log(&server->env, TS_LOG_ERROR, "old results and audit records could not be deleted");
}

static void *
write_batches(void *argument)
{
    struct ts_auditor *auditor = argument;
    size_t count;

    while (!take_batch(&count, auditor)) {
        expire(auditor);
        if (count > 0 && ts_ledger_audit(auditor->server->ledger, auditor->writing, count) != TS_OK) {
            atomic_fetch_add(&auditor->server->metrics.audit_lost, count);
            ts_log(&auditor->server->env, TS_LOG_ERROR, "%zu audit records could not be written", count);
        }
    }
    return NULL;
}

/* Waits by the monotonic clock: a clock that is set must not hold it up. */
static bool
init_wake(struct ts_auditor *auditor)
{
    pthread_condattr_t attributes;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&auditor->wake, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
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
    if (auditor->filling && auditor->writing && init_wake(auditor) &&
        ts_thread_start(&auditor->thread, write_batches, auditor))
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
