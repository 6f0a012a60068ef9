#include "pkcs11/session.h"

#include "pkcs11/call.h"

#include <stdlib.h>
#include <string.h>

static size_t
position(const struct ts_instance *instance, CK_SESSION_HANDLE handle)
{
    size_t low = 0, high = instance->session_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (instance->sessions[middle]->handle < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct ts_ck_session *
ts_ck_session_find(const struct ts_instance *instance, CK_SESSION_HANDLE handle)
{
    size_t at = position(instance, handle);

    if (at == instance->session_count || instance->sessions[at]->handle != handle)
        return NULL;
    return instance->sessions[at];
}

size_t
ts_ck_session_count(const struct ts_instance *instance, const struct ts_slot *slot)
{
    size_t count = 0;

    for (size_t i = 0; i < instance->session_count; i++)
        count += instance->sessions[i]->slot == slot;
    return count;
}

size_t
ts_ck_session_count_writable(const struct ts_instance *instance, const struct ts_slot *slot)
{
    size_t count = 0;

    for (size_t i = 0; i < instance->session_count; i++)
        count += instance->sessions[i]->slot == slot && instance->sessions[i]->writable;
    return count;
}

CK_STATE
ts_ck_session_state(const struct ts_ck_session *session)
{
    if (ts_slot_has_so(session->slot))
        return CKS_RW_SO_FUNCTIONS;
    if (ts_slot_has_user(session->slot))
        return session->writable ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    return session->writable ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

CK_RV
ts_ck_session_check_write(const struct ts_ck_session *session, bool token, bool is_private)
{
    if (is_private && !ts_slot_has_user(session->slot))
        return CKR_USER_NOT_LOGGED_IN;
    if (token && !session->writable)
        return CKR_SESSION_READ_ONLY;
    return CKR_OK;
}

void
ts_ck_session_run(struct ts_ck_session *session, struct ts_cancel *cancel)
{
    if (!session->cancel)
        session->cancel = cancel;
}

void
ts_ck_session_ran(struct ts_ck_session *session, const struct ts_cancel *cancel)
{
    if (session->cancel == cancel)
        session->cancel = NULL;
}

CK_RV
ts_check_unmixed(bool other_way)
{
    return other_way ? CKR_OPERATION_ACTIVE : CKR_OK;
}

CK_RV
ts_cancel_by_null(bool active)
{
    return active ? CKR_OK : CKR_ARGUMENTS_BAD;
}

static void
session_free(struct ts_ck_session *session)
{
    ts_find_end(&session->find);
    ts_digest_end(&session->digest);
    ts_sign_end(&session->sign);
    ts_verify_end(&session->verify);
    free(session);
}

/* The last session of a token that closes logs out. */
static void
close_at(struct ts_instance *instance, size_t at)
{
    struct ts_ck_session *session = instance->sessions[at];
    struct ts_slot *slot = session->slot;

    memmove(&instance->sessions[at], &instance->sessions[at + 1],
        (instance->session_count - at - 1) * sizeof(struct ts_ck_session *));
    instance->session_count--;
    ts_objects_remove_session(instance, slot, session->handle);
    session_free(session);
    if (ts_ck_session_count(instance, slot) == 0)
        ts_slot_logout(instance, slot);
}

void
ts_ck_sessions_free(struct ts_instance *instance)
{
    while (instance->session_count > 0)
        close_at(instance, instance->session_count - 1);
    free(instance->sessions);
    instance->sessions = NULL;
}

static CK_RV
check_open(const struct ts_call *call, CK_FLAGS flags)
{
    struct ts_token_row row;

    if (!(flags & CKF_SERIAL_SESSION))
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if (!(flags & CKF_RW_SESSION) && ts_slot_has_so(call->slot))
        return CKR_SESSION_READ_WRITE_SO_EXISTS;
    return ts_slot_token(&row, call->instance, call->slot);
}

static CK_RV
session_new(CK_SESSION_HANDLE *out, struct ts_call *call, bool writable)
{
    struct ts_instance *instance = call->instance;
    struct ts_ck_session **grown =
        realloc(instance->sessions, (instance->session_count + 1) * sizeof(struct ts_ck_session *));

    if (!grown)
        return CKR_HOST_MEMORY;
    instance->sessions = grown;
    struct ts_ck_session *session = calloc(1, sizeof(*session));
    if (!session)
        return CKR_HOST_MEMORY;
    session->handle = ++instance->last_session;
    session->slot = call->slot;
    session->writable = writable;
    grown[instance->session_count++] = session;
    *out = session->handle;
    return CKR_OK;
}

CK_RV
C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_slot(&call, slot);

    (void)application; /* nothing here surrenders or notifies */
    (void)notify;
    if (rv == CKR_OK && !session)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = check_open(&call, flags);
    if (rv == CKR_OK)
        rv = session_new(session, &call, (flags & CKF_RW_SESSION) != 0);
    return ts_call_end(&call, rv);
}

CK_RV
C_CloseSession(CK_SESSION_HANDLE session)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK)
        close_at(call.instance, position(call.instance, session));
    return ts_call_end(&call, rv);
}

CK_RV
C_CloseAllSessions(CK_SLOT_ID slot)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_slot(&call, slot);

    for (size_t i = rv == CKR_OK ? call.instance->session_count : 0; i-- > 0;) {
        if (call.instance->sessions[i]->slot == call.slot)
            close_at(call.instance, i);
    }
    return ts_call_end(&call, rv);
}

CK_RV
C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !info)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        *info = (CK_SESSION_INFO){
            .slotID = call.slot->id,
            .state = ts_ck_session_state(call.session),
            .flags = CKF_SERIAL_SESSION | (call.session->writable ? CKF_RW_SESSION : 0),
        };
    }
    return ts_call_end(&call, rv);
}

CK_RV
C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv != CKR_OK)
        return ts_call_end(&call, rv);
    if ((flags & (CKF_SIGN | CKF_GENERATE_KEY_PAIR)) && call.session->cancel)
        ts_cancel_ask(call.session->cancel); /* its thread returns CKR_FUNCTION_CANCELED */
    if (flags & CKF_FIND_OBJECTS)
        ts_find_end(&call.session->find);
    if (flags & CKF_DIGEST)
        ts_digest_end(&call.session->digest);
    if ((flags & CKF_SIGN) && !call.session->sign.busy)
        ts_sign_end(&call.session->sign);
    if (flags & CKF_VERIFY)
        ts_verify_end(&call.session->verify);
    return ts_call_end(&call, CKR_OK);
}

CK_RV
C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    return ts_call_end(&call, rv == CKR_OK ? CKR_FUNCTION_NOT_PARALLEL : rv);
}

CK_RV
C_CancelFunction(CK_SESSION_HANDLE session)
{
    return C_GetFunctionStatus(session);
}
