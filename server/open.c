#include "server/program.h"

#include "server/audit.h"
#include "server/http.h"
#include "session/store_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK_THREADS 2
#define QUICK_ROOM 1024

int64_t
ts_server_time_ms(const struct ts_server *server)
{
    return (int64_t)(server->env.clock.realtime_ns(server->env.clock.ctx) / 1000000);
}

void
ts_server_adjust(struct ts_server *server, const struct ts_config *config)
{
    atomic_store(&server->keep_s, config->server.keep);
    atomic_store(&server->audit_keep_s, config->server.audit_keep);
}

static int
failed(const char *what, enum ts_error error)
{
    return ts_complain("%s: %s (see the log)", what, ts_error_text(error));
}

int
ts_server_configure(struct ts_server *server)
{
    struct ts_config *config = NULL;
    char message[512];
    enum ts_error error = ts_config_load(&config, server->config_path, message, sizeof message);

    if (error != TS_OK) {
        (void)ts_complain("%s", *message ? message : ts_error_text(error));
        return error == TS_USAGE ? TS_EXIT_USAGE : TS_EXIT_FAILURE;
    }
    server->policy = ts_policy_new(config, ts_now_ms(&server->env));
    if (!server->policy)
        return failed("configuration", TS_INTERNAL);
    server->first = ts_policy_hold(server->policy);
    server->config = config;
    ts_server_adjust(server, config);
    if (config->role && strcmp(config->role, "enterprise") != 0)
        return ts_complain_usage("tallystick-server", NULL,
            "role: %s: this is the configuration of the other side; the server is the enterprise", config->role);
    return TS_EXIT_OK;
}

/* The token's own store, for partners and the keys they share; and what the server keeps itself. */
static enum ts_error
open_stores(struct ts_server *server)
{
    const struct ts_config *config = server->config;

    if (access(config->store, F_OK) != 0) {
        ts_log(&server->env, TS_LOG_ERROR, "%s is not there; run `tallystick init` first", config->store);
        return TS_NOT_FOUND;
    }
    enum ts_error error = ts_store_open(&server->store, &server->env, config->store);
    if (error == TS_OK)
        error = ts_store_place(config->server.store);
    if (error == TS_OK)
        error = ts_ledger_open(&server->ledger, &server->env, config->server.store);
    if (error == TS_OK)
        error = ts_journal_open(&server->journal, &server->env, config->store, config->sessions.keep, NULL);
    return error;
}

static enum ts_error
open_module(struct ts_server *server)
{
    const struct ts_config *config = server->config;
    const struct ts_module_options options = {
        .env = &server->env,
        .path = config->server.module ? config->server.module : TS_MODULE_PATH,
        .token = config->server.token,
        .pin = config->server.pin,
        .sessions = config->server.workers,
    };

    /* The module reads the configuration itself: the same file. No other thread runs yet. */
    if (config->path && setenv("TALLYSTICK_CONF", config->path, 1) != 0)
        return TS_INTERNAL;
    return ts_module_open(&server->module, &options);
}

static enum ts_error
start_pools(struct ts_server *server)
{
    server->quick = ts_pool_new(QUICK_THREADS, QUICK_ROOM);
    server->slow = ts_pool_new(server->config->server.workers, server->config->server.queue);
    server->auditor = ts_auditor_new(server);
    return server->quick && server->slow && server->auditor ? TS_OK : TS_INTERNAL;
}

int
ts_server_open(struct ts_server *server)
{
    ts_operations_init(&server->operations);
    enum ts_error error = open_stores(server);
    if (error != TS_OK)
        return failed("the server's databases", error);
    if ((error = open_module(server)) != TS_OK)
        return failed("the PKCS#11 module", error);
    if ((error = start_pools(server)) != TS_OK)
        return failed("threads", error);
    if ((error = ts_http_new(&server->http, server)) != TS_OK)
        return failed("listening", error);
    return TS_EXIT_OK;
}

/* The slow workers end first: what they finish is still written; C_Finalize ends what would not. */
void
ts_server_close(struct ts_server *server)
{
    ts_pool_free(server->slow);
    ts_pool_free(server->quick);
    ts_http_free(server->http);
    ts_auditor_free(server->auditor);
    ts_module_close(server->module);
    ts_journal_close(server->journal);
    ts_ledger_close(server->ledger);
    ts_store_close(server->store);
    ts_policy_release(server->policy);
    ts_policy_release(server->first);
}
