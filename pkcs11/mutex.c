#include "pkcs11/mutex.h"

static bool
has_callbacks(const CK_C_INITIALIZE_ARGS *args)
{
    return args->CreateMutex && args->DestroyMutex && args->LockMutex && args->UnlockMutex;
}

static bool
has_any_callback(const CK_C_INITIALIZE_ARGS *args)
{
    return args->CreateMutex || args->DestroyMutex || args->LockMutex || args->UnlockMutex;
}

CK_RV
ts_mutex_init(struct ts_mutex *lock, const CK_C_INITIALIZE_ARGS *args)
{
    *lock = (struct ts_mutex){0};
    if (args) {
        if (args->pReserved || has_any_callback(args) != has_callbacks(args))
            return CKR_ARGUMENTS_BAD;
        lock->args = *args;
        lock->theirs = has_callbacks(args) && !(args->flags & CKF_OS_LOCKING_OK);
    }
    if (lock->theirs)
        return lock->args.CreateMutex(&lock->mutex);
    return pthread_mutex_init(&lock->os, NULL) == 0 ? CKR_OK : CKR_CANT_LOCK;
}

void
ts_mutex_clear(struct ts_mutex *lock)
{
    if (lock->theirs)
        (void)lock->args.DestroyMutex(lock->mutex);
    else
        (void)pthread_mutex_destroy(&lock->os);
}

CK_RV
ts_mutex_take(struct ts_mutex *lock)
{
    if (lock->theirs)
        return lock->args.LockMutex(lock->mutex) == CKR_OK ? CKR_OK : CKR_GENERAL_ERROR;
    return pthread_mutex_lock(&lock->os) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

void
ts_mutex_give(struct ts_mutex *lock)
{
    if (lock->theirs)
        (void)lock->args.UnlockMutex(lock->mutex);
    else
        (void)pthread_mutex_unlock(&lock->os);
}
