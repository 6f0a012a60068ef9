#ifndef TS_PKCS11_MUTEX_H
#define TS_PKCS11_MUTEX_H

#include "pkcs11/cryptoki.h"

#include <pthread.h>
#include <stdbool.h>

/** The one lock of an instance: the system's, or the application's own when it gave C_Initialize its callbacks and did
 *  not allow the system's. Source: PKCS#11 3.0, 5.4 C_Initialize, the four cases. */
struct ts_mutex {
    bool theirs;
    CK_C_INITIALIZE_ARGS args;
    void *mutex;
    pthread_mutex_t os;
};

/** Make a lock in place.
 *  In:   args  of C_Initialize, or NULL
 *  Returns: CKR_OK; CKR_ARGUMENTS_BAD when only some callbacks are given or pReserved is set; what the application's
 *  CreateMutex answers; CKR_CANT_LOCK. */
CK_RV ts_mutex_init(struct ts_mutex *lock, const CK_C_INITIALIZE_ARGS *args);
void ts_mutex_clear(struct ts_mutex *lock);

/** Returns: CKR_OK; what the application's callback answers. */
CK_RV ts_mutex_take(struct ts_mutex *lock);
void ts_mutex_give(struct ts_mutex *lock);

#endif
