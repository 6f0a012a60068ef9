#ifndef TS_PKCS11_CALL_H
#define TS_PKCS11_CALL_H

#include "pkcs11/instance.h"
#include "pkcs11/session.h"
#include "pkcs11/slot.h"

/** One call of a C_ function: the instance entered and locked, with what the caller's handle names.
 *  Pattern: rv = ts_call_begin...(&call, ...); check, look up, call while rv is CKR_OK; return ts_call_end(&call, rv).
 *  Errors that OpenSSL leaves in the thread's queue meanwhile are taken out again: the host uses OpenSSL, too. */
struct ts_call {
    struct ts_instance *instance;
    struct ts_slot *slot;          /**< valid while locked */
    struct ts_ck_session *session; /**< valid while locked */
    CK_SESSION_HANDLE handle;
    bool locked;
};

/** Returns: CKR_OK; CKR_CRYPTOKI_NOT_INITIALIZED; CKR_GENERAL_ERROR when the application's lock fails. */
CK_RV ts_call_begin(struct ts_call *call);
/** Returns: as ts_call_begin; CKR_SESSION_HANDLE_INVALID. */
CK_RV ts_call_begin_session(struct ts_call *call, CK_SESSION_HANDLE session);
/** Returns: as ts_call_begin; CKR_SLOT_ID_INVALID. */
CK_RV ts_call_begin_slot(struct ts_call *call, CK_SLOT_ID slot);

/** Around something slow: the lock is given back and taken again. After the second the session is looked up anew.
 *  Returns: CKR_OK; CKR_SESSION_CLOSED when another thread has closed it meanwhile; CKR_GENERAL_ERROR. */
void ts_call_unlock(struct ts_call *call);
CK_RV ts_call_relock(struct ts_call *call);

/** Leave, whatever begin answered.
 *  Returns: rv; CKR_FUNCTION_CANCELED instead of a failure that C_Finalize has caused. */
CK_RV ts_call_end(struct ts_call *call, CK_RV rv);

#endif
