#include "session/enterprise_internal.h"
#include "session/meet_enterprise.h"
#include "session/store_place.h"
#include "store/holder.h"
#include "transport/lookup.h"
#include "transport/tcp.h"

#include <stdlib.h>

static int
init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return failed;
}

static enum ts_error
init_locks(struct ts_enterprise *enterprise)
{
    if (pthread_mutex_init(&enterprise->lock, NULL) != 0)
        return TS_INTERNAL;
    int failed = init_monotonic(&enterprise->dialled);
    if (!failed && ts_parameters_init(&enterprise->parameters) == TS_OK) {
        if (init_monotonic(&enterprise->pool_wake) == 0)
            return TS_OK;
        ts_parameters_clear(&enterprise->parameters);
    }
    if (!failed)
        pthread_cond_destroy(&enterprise->dialled);
    pthread_mutex_destroy(&enterprise->lock);
    return TS_INTERNAL;
}

static enum ts_error
open_parts(struct ts_enterprise *enterprise)
{
    enum ts_error error = ts_mpc_new(&enterprise->mpc, enterprise->env);
    if (error == TS_OK && enterprise->config->hsm)
        error = ts_hsm_new(&enterprise->hsm, &(struct ts_hsm_options){enterprise->env, enterprise->config->hsm});
    if (error == TS_OK)
        error = ts_store_open_at(&enterprise->store, enterprise->env, enterprise->config->store);
    if (error == TS_OK)
        error = ts_holder_open(&enterprise->holder, enterprise->env, enterprise->config->store);
    if (error == TS_OK)
        error = ts_journal_open(&enterprise->journal, enterprise->env, enterprise->config->store,
            enterprise->config->sessions.keep, enterprise->holder);
    return error;
}

enum ts_error
ts_enterprise_open(struct ts_enterprise **out, const struct ts_env *env, const struct ts_config *config)
{
    *out = NULL;
    struct ts_enterprise *enterprise = calloc(1, sizeof *enterprise);
    if (!enterprise)
        return TS_INTERNAL;
    enterprise->env = env;
    enterprise->config = config;
    enum ts_error error = init_locks(enterprise);
    if (error != TS_OK) {
        free(enterprise);
        return error;
    }
    error = open_parts(enterprise);
    if (error != TS_OK) {
        ts_enterprise_close(enterprise);
        return error;
    }
    *out = enterprise;
    return TS_OK;
}

void
ts_enterprise_allow_threads(struct ts_enterprise *enterprise)
{
    if (!enterprise->lookups)
        (void)ts_lookups_new(&enterprise->lookups, enterprise->env); /* without them, names cost what they cost */
    atomic_store(&enterprise->threads_allowed, true);
}

bool
ts_enterprise_stopping(struct ts_enterprise *enterprise)
{
    pthread_mutex_lock(&enterprise->lock);
    bool stopping = enterprise->stopping;
    pthread_mutex_unlock(&enterprise->lock);
    return stopping;
}

void
ts_enterprise_shutdown(struct ts_enterprise *enterprise)
{
    pthread_mutex_lock(&enterprise->lock);
    enterprise->stopping = true;
    if (enterprise->listener)
        ts_tcp_listener_stop(enterprise->listener);
    for (struct ts_partner *partner = enterprise->partners; partner; partner = partner->next)
        if (partner->current)
            ts_link_shutdown(partner->current->link);
    pthread_cond_broadcast(&enterprise->dialled);
    ts_pool_stop(enterprise);
    pthread_mutex_unlock(&enterprise->lock);
}

void
ts_enterprise_close(struct ts_enterprise *enterprise)
{
    if (!enterprise)
        return;
    ts_meeting_stop(enterprise, 0);
    ts_pool_join(enterprise);
    ts_partners_drop(enterprise, 0, NULL);
    ts_lookups_free(enterprise->lookups);
    ts_parameters_clear(&enterprise->parameters);
    ts_journal_close(enterprise->journal);
    ts_holder_close(enterprise->holder);
    ts_store_close(enterprise->store);
    if (enterprise->hsm)
        ts_hsm_free(enterprise->hsm);
    if (enterprise->mpc)
        ts_mpc_free(enterprise->mpc);
    pthread_cond_destroy(&enterprise->pool_wake);
    pthread_cond_destroy(&enterprise->dialled);
    pthread_mutex_destroy(&enterprise->lock);
    free(enterprise);
}

void
ts_enterprise_abandon(struct ts_enterprise *enterprise)
{
    /* Locks may be held by threads that do not exist here, secrets are zero already: only the descriptors are given
     * back. */
    for (struct ts_partner *partner = enterprise->partners; partner; partner = partner->next)
        if (partner->current)
            ts_link_abandon(partner->current->link);
    ts_tcp_listener_close(enterprise->listener);
    ts_journal_abandon(enterprise->journal);
    ts_holder_close(enterprise->holder);
    ts_store_close(enterprise->store);
    if (enterprise->hsm)
        ts_hsm_abandon(enterprise->hsm);
}

void
ts_enterprise_give_up(struct ts_enterprise *enterprise)
{
    ts_meeting_stop(enterprise, 0);
    ts_pool_join(enterprise);
    ts_lookups_free(enterprise->lookups);
    ts_enterprise_abandon(enterprise);
}

enum ts_error
ts_enterprise_pairing(const struct ts_pairing **out, struct ts_enterprise *enterprise, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES])
{
    const struct ts_parameters_source source = {enterprise->mpc, enterprise->store, keyring};

    return ts_parameters_use(out, &enterprise->parameters, &source, pairing, aux);
}

struct ts_store *
ts_enterprise_store(struct ts_enterprise *enterprise)
{
    return enterprise->store;
}

struct ts_hsm *
ts_enterprise_hsm(struct ts_enterprise *enterprise)
{
    return enterprise->hsm;
}

struct ts_journal *
ts_enterprise_journal(struct ts_enterprise *enterprise)
{
    return enterprise->journal;
}

const struct ts_env *
ts_enterprise_env(const struct ts_enterprise *enterprise)
{
    return enterprise->env;
}

void
ts_enterprise_logout(struct ts_enterprise *enterprise, uint64_t token)
{
    ts_meeting_stop(enterprise, token);
    ts_partners_drop(enterprise, token, NULL);
}

enum ts_error
ts_key_usable(struct ts_enterprise *enterprise, const uint8_t key[TS_ID_BYTES])
{
    struct ts_half_row row;
    enum ts_error error = ts_half_get(&row, enterprise->store, key, false);

    return error == TS_OK && row.locked ? TS_LOCKED : error;
}
