#ifndef TS_PKCS11_INSTANCE_H
#define TS_PKCS11_INSTANCE_H

#include "pkcs11/mutex.h"
#include "pkcs11/slack.h"
#include "session/config.h"
#include "session/enterprise.h"

#include <semaphore.h>
#include <sys/types.h>

struct ts_slot;
struct ts_ck_session;

/** Everything between C_Initialize and C_Finalize. */
struct ts_instance {
    pid_t pid; /**< of the process that made it; a forked child must not use it */
    struct ts_env env;
    struct ts_config *config;
    struct ts_enterprise *enterprise;
    void *self; /**< the module's own hold on itself, while it may have threads; NULL: none */

    struct ts_mutex lock; /**< guards all below; never held across network I/O or an HSM call */
    struct ts_slot **slots;
    size_t slot_count;
    struct ts_ck_session **sessions; /**< by rising handle */
    size_t session_count;
    CK_SESSION_HANDLE last_session; /**< handles are never used again */
    CK_ULONG last_object;           /**< number of the session object made last */
    struct ts_slack slack;

    /* Guarded by the gate. */
    size_t running; /**< calls inside */
    bool closing;
    sem_t drained; /**< posted once, by the last call that leaves a closing instance */
};

/** C_Initialize: make the process's instance. In a forked child the parent's is abandoned first.
 *  Returns: CKR_OK; CKR_CRYPTOKI_ALREADY_INITIALIZED; CKR_ARGUMENTS_BAD; CKR_CANT_LOCK; CKR_HOST_MEMORY;
 *  CKR_GENERAL_ERROR when configuration or store cannot be read (a log line says why). */
CK_RV ts_instance_start(const CK_C_INITIALIZE_ARGS *args);

/** C_Finalize: running calls are made to fail and waited for, then all is released.
 *  Returns: CKR_OK; CKR_CRYPTOKI_NOT_INITIALIZED. */
CK_RV ts_instance_stop(void);

/** The instance of this process, held until ts_instance_leave. NULL when there is none. */
struct ts_instance *ts_instance_enter(void);
/** Returns: true while the instance is usable; false when C_Finalize is waiting for this call. */
bool ts_instance_leave(struct ts_instance *instance);

#endif
