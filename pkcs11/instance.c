#include "pkcs11/instance.h"
#include "pkcs11/errors.h"
#include "pkcs11/session.h"
#include "pkcs11/slot.h"

#include "base/openssl.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

/* C_Finalize gives up on calls that do not return; their instance is then left to them. */
#define DRAIN_SECONDS 30

/* The one mutable global: Cryptoki's C API has no handle for a library. The lock word holds the process that is inside,
   so that a child forked while another thread was inside can take it. Only a few instructions run under it. */
static struct {
    atomic_int holder;
    struct ts_instance *instance;
} gate;

static void
gate_lock(void)
{
    int me = (int)getpid();

    for (;;) {
        int seen = 0;
        if (atomic_compare_exchange_strong(&gate.holder, &seen, me))
            return;
        if (seen != me && atomic_compare_exchange_strong(&gate.holder, &seen, me))
            return; /* its holder is a thread of the parent process, which is not here */
        (void)sched_yield();
    }
}

static void
gate_unlock(void)
{
    atomic_store(&gate.holder, 0);
}

static bool
is_ours(const struct ts_instance *instance)
{
    return instance && instance->pid == getpid();
}

struct ts_instance *
ts_instance_enter(void)
{
    gate_lock();
    struct ts_instance *instance = is_ours(gate.instance) ? gate.instance : NULL;
    if (instance)
        instance->running++;
    gate_unlock();
    return instance;
}

bool
ts_instance_leave(struct ts_instance *instance)
{
    gate_lock();
    bool closing = instance->closing;
    bool last = --instance->running == 0;
    gate_unlock();
    if (closing && last)
        (void)sem_post(&instance->drained);
    return !closing;
}

static enum ts_error
load_config(struct ts_instance *instance)
{
    char error[512] = "";

    enum ts_error err = ts_config_load(&instance->config, NULL, error, sizeof(error));
    if (err != TS_OK) {
        /* Without a configuration nobody has said where the log goes. */
        ts_log_to_syslog(&instance->env.log, TS_LOG_ERROR);
        ts_log(&instance->env, TS_LOG_ERROR, "tallystick-pkcs11 cannot start: %s", error);
        return err;
    }
    ts_config_log(&instance->env.log, instance->config);
    return TS_OK;
}

/* While our threads may run, their code must not go: a host may unload the module without C_Finalize. In a fork's child
   the copy stays. Without it there is no thread. */
static void *
stay_loaded(void)
{
    Dl_info self;

    return dladdr(&gate, &self) ? dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
}

static void
instance_free(struct ts_instance *instance)
{
    void *self = instance->self;

    ts_ck_sessions_free(instance);
    ts_slots_free(instance);
    ts_slack_clear(&instance->slack);
    if (instance->enterprise)
        ts_enterprise_close(instance->enterprise);
    ts_config_free(instance->config);
    if (instance->env.libctx)
        ts_env_clear(&instance->env);
    ts_mutex_clear(&instance->lock);
    (void)sem_destroy(&instance->drained);
    free(instance);
    if (self)
        (void)dlclose(self); /* the host has it loaded, too: it has called us */
}

static CK_RV
instance_open(struct ts_instance *instance)
{
    if (ts_env_init(&instance->env) != TS_OK)
        return CKR_HOST_MEMORY;
    if (load_config(instance) != TS_OK)
        return CKR_GENERAL_ERROR;
    enum ts_error err = ts_enterprise_open(&instance->enterprise, &instance->env, instance->config);
    if (err != TS_OK) {
        ts_log(&instance->env, TS_LOG_ERROR, "tallystick-pkcs11 cannot start: the store %s cannot be opened (%s)",
            instance->config->store ? instance->config->store : "", ts_error_text(err));
        return CKR_GENERAL_ERROR;
    }
    return ts_slots_refresh(instance);
}

static CK_RV
instance_new(struct ts_instance **out, const CK_C_INITIALIZE_ARGS *args)
{
    struct ts_instance *instance = calloc(1, sizeof(*instance));
    if (!instance)
        return CKR_HOST_MEMORY;
    CK_RV rv = ts_mutex_init(&instance->lock, args);
    if (rv != CKR_OK) {
        free(instance);
        return rv;
    }
    instance->pid = getpid();
    (void)sem_init(&instance->drained, 0, 0);
    rv = instance_open(instance);
    if (rv != CKR_OK) {
        instance_free(instance);
        return rv;
    }
    if (!args || !(args->flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS))
        instance->self = stay_loaded();
    if (instance->self)
        ts_enterprise_allow_threads(instance->enterprise);
    *out = instance;
    return CKR_OK;
}

/* A child's copy of its parent's instance. Another thread of the parent may have been in the middle of a change, or
   inside OpenSSL with a lock held, when the process was copied: its lists are not walked and its library context is not
   released. Keys are not in this copy: secret memory is zero in a child. */
static void
instance_abandon(struct ts_instance *instance)
{
    ts_enterprise_abandon(instance->enterprise);
    ts_config_free(instance->config);
}

/* Take a foreign process's instance out of the gate, and tell whether the place is free. */
static bool
claim_place(void)
{
    gate_lock();
    struct ts_instance *old = gate.instance;
    bool taken = is_ours(old);
    if (!taken)
        gate.instance = NULL;
    gate_unlock();
    if (old && !taken)
        instance_abandon(old);
    return !taken;
}

CK_RV
ts_instance_start(const CK_C_INITIALIZE_ARGS *args)
{
    struct ts_instance *instance = NULL;

    if (!claim_place())
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    CK_RV rv = instance_new(&instance, args);
    if (rv != CKR_OK)
        return rv;
    gate_lock();
    bool lost = gate.instance != NULL; /* two threads initialise at once: the first wins */
    if (!lost)
        gate.instance = instance;
    gate_unlock();
    if (lost) {
        instance_free(instance);
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    }
    return CKR_OK;
}

/* Through the gate, by which every call has left: what they did before is seen after this. */
static bool
is_drained(const struct ts_instance *instance)
{
    gate_lock();
    bool drained = instance->running == 0;
    gate_unlock();
    return drained;
}

static bool
wait_drained(struct ts_instance *instance)
{
    struct timespec until = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DRAIN_SECONDS;
    for (;;) {
        if (sem_clockwait(&instance->drained, CLOCK_MONOTONIC, &until) == 0)
            return is_drained(instance);
        if (errno != EINTR)
            return false;
    }
}

/* While the network may still be used: the peer hears which keys end with their sessions. When other calls are inside,
   they must first be made to fail, and the peer hears it the next time. */
static void
end_sessions(struct ts_instance *instance)
{
    ts_ck_sessions_free(instance);
    for (size_t i = 0; i < instance->slot_count; i++) {
        if (instance->slots[i]->farewell)
            ts_enterprise_farewell(instance->enterprise, instance->slots[i]->id);
        instance->slots[i]->farewell = false;
    }
}

/* At the end of the process (an OpenSSL provider calls C_Finalize when it is taken down): no farewell, and what would need OpenSSL
   to be freed is left. The peer hears of ended keys from the next process. */
static void
give_up(struct ts_instance *instance)
{
    for (size_t i = 0; i < instance->slot_count; i++)
        ts_login_release(instance->slots[i]->login); /* wipes the keyring */
    ts_enterprise_give_up(instance->enterprise);
}

static void
end_instance(struct ts_instance *instance, size_t running)
{
    bool down = ts_openssl_is_down();

    if (running == 0 && !down)
        end_sessions(instance);
    ts_enterprise_shutdown(instance->enterprise);
    if (running == 0 || wait_drained(instance))
        down ? give_up(instance) : instance_free(instance);
    else
        ts_log(&instance->env, TS_LOG_ERROR, "C_Finalize: %zu calls did not return within %d s; their memory is kept",
            running, DRAIN_SECONDS);
}

CK_RV
ts_instance_stop(void)
{
    gate_lock();
    struct ts_instance *instance = is_ours(gate.instance) ? gate.instance : NULL;
    size_t running = 0;
    if (instance) {
        gate.instance = NULL;
        instance->closing = true;
        running = instance->running;
    }
    gate_unlock();
    if (!instance)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    struct ts_host_errors errors = {0};
    ts_host_errors_put_aside(&errors);
    end_instance(instance, running);
    ts_host_errors_put_back(&errors);
    (void)ERR_clear_last_mark();
    return CKR_OK;
}
