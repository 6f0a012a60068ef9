#include "pkcs11/call.h"
#include "pkcs11/errors.h"

#include "base/openssl.h"

#include <openssl/err.h>

CK_RV
ts_call_begin(struct ts_call *call)
{
    *call = (struct ts_call){.instance = ts_instance_enter()};
    if (!call->instance)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    (void)ERR_set_mark();
    CK_RV rv = ts_mutex_take(&call->instance->lock);
    call->locked = rv == CKR_OK;
    return rv;
}

CK_RV
ts_call_begin_session(struct ts_call *call, CK_SESSION_HANDLE session)
{
    CK_RV rv = ts_call_begin(call);
    if (rv != CKR_OK)
        return rv;
    call->handle = session;
    call->session = ts_ck_session_find(call->instance, session);
    if (!call->session)
        return CKR_SESSION_HANDLE_INVALID;
    call->slot = call->session->slot;
    return CKR_OK;
}

CK_RV
ts_call_begin_slot(struct ts_call *call, CK_SLOT_ID slot)
{
    CK_RV rv = ts_call_begin(call);
    if (rv != CKR_OK)
        return rv;
    call->slot = ts_slot_find(call->instance, slot);
    return call->slot ? CKR_OK : CKR_SLOT_ID_INVALID;
}

void
ts_call_unlock(struct ts_call *call)
{
    if (!call->locked)
        return;
    call->locked = false;
    ts_mutex_give(&call->instance->lock);
}

CK_RV
ts_call_relock(struct ts_call *call)
{
    CK_RV rv = ts_mutex_take(&call->instance->lock);
    if (rv != CKR_OK)
        return rv;
    call->locked = true;
    if (call->handle == CK_INVALID_HANDLE)
        return CKR_OK;
    call->session = ts_ck_session_find(call->instance, call->handle);
    return call->session ? CKR_OK : CKR_SESSION_CLOSED;
}

/* What this call has left to do at the peer, when the lock is given back: to tell it that keys have ended with their
   session, and to close the connections of a token that was logged out. */
static CK_SLOT_ID
take(const struct ts_call *call, bool *flag)
{
    bool set = *flag;

    *flag = false;
    return set ? call->slot->id : 0;
}

static void
part(struct ts_enterprise *enterprise, CK_SLOT_ID farewell, CK_SLOT_ID dropped)
{
    struct ts_host_errors errors = {0};

    ts_host_errors_put_aside(&errors);
    if (farewell)
        ts_enterprise_farewell(enterprise, farewell);
    if (dropped)
        ts_enterprise_logout(enterprise, dropped);
    ts_host_errors_put_back(&errors);
}

CK_RV
ts_call_end(struct ts_call *call, CK_RV rv)
{
    if (!call->instance)
        return rv;
    bool at_slot = call->locked && call->slot;
    CK_SLOT_ID farewell = at_slot ? take(call, &call->slot->farewell) : 0;
    CK_SLOT_ID dropped = at_slot ? take(call, &call->slot->dropped) : 0;
    ts_call_unlock(call);
    if ((farewell || dropped) && !ts_openssl_is_down())
        part(call->instance->enterprise, farewell, dropped);
    (void)ERR_pop_to_mark();
    bool usable = ts_instance_leave(call->instance);
    call->instance = NULL;
    return usable || rv == CKR_OK ? rv : CKR_FUNCTION_CANCELED;
}
