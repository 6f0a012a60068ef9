#ifndef TS_SERVER_SERVER_H
#define TS_SERVER_SERVER_H

#include "base/env.h"
#include "server/exchange.h"
#include "server/metrics.h"
#include "server/module.h"
#include "server/operation.h"
#include "server/policy.h"
#include "server/work.h"
#include "session/journal.h"
#include "store/ledger.h"

#include <pthread.h>
#include <stdatomic.h>

/** Everything that the daemon's parts share. */
struct ts_server {
    struct ts_env env;
    const char *config_path;
    const struct ts_config *config; /**< of the start: what a reload does not change */
    struct ts_policy *policy;       /**< of the event loop; calls hold their own */
    struct ts_policy *first;        /**< owner of `config` */
    struct ts_store *store;         /**< of the token: partners and their keys; only read */
    struct ts_journal *journal;
    struct ts_ledger *ledger;
    struct ts_module *module;
    struct ts_pool *quick; /**< answers that need no partner */
    struct ts_pool *slow;  /**< one worker for each PKCS#11 session */
    struct ts_operations operations;
    struct ts_metrics metrics;
    struct ts_http *http;
    struct ts_auditor *auditor;
    atomic_bool stopping;
    atomic_uint keep_s, audit_keep_s; /**< what the configuration says now */
};

/** Use what a configuration, read at the start or again, says to the threads that have no policy. */
void ts_server_adjust(struct ts_server *server, const struct ts_config *config);
/** Milliseconds since 1970. */
int64_t ts_server_time_ms(const struct ts_server *server);

#endif
