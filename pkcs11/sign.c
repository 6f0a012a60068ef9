#include "pkcs11/attribute.h"
#include "pkcs11/errors.h"
#include "pkcs11/hash.h"
#include "pkcs11/key.h"
#include "pkcs11/rv.h"

#include "base/secret.h"

#include <string.h>

#define DIGEST_MAX 64
#define SIGNATURE_MAX (2 * TS_SCALAR_MAX_BYTES)

void
ts_sign_end(struct ts_sign *sign)
{
    ts_buf_clear(&sign->message);
    *sign = (struct ts_sign){.busy = sign->busy}; /* the thread at the peer clears that itself */
}

/* --- C_SignInit --- */

static void
copy_label(struct ts_sign *sign, const struct ts_attrs *attrs)
{
    const struct ts_attribute *label = ts_attrs_find(attrs, CKA_LABEL);
    size_t len = label ? label->len : 0;

    if (len >= sizeof(sign->label))
        len = sizeof(sign->label) - 1;
    if (len > 0)
        memcpy(sign->label, label->value, len);
    sign->label[len] = 0;
}

static CK_RV
read_key(struct ts_sign *sign, const struct ts_object *object)
{
    const struct ts_attribute *id = ts_attrs_find(&object->attrs, CKA_TALLYSTICK_KEY);
    const struct ts_attribute *params = ts_attrs_find(&object->attrs, CKA_EC_PARAMS);

    if (!id || id->len != sizeof(sign->key) || !params ||
        ts_curve_from_params(&sign->curve, params->value, params->len) != CKR_OK)
        return CKR_KEY_TYPE_INCONSISTENT;
    memcpy(sign->key, id->value, sizeof(sign->key));
    copy_label(sign, &object->attrs);
    return CKR_OK;
}

/* CKM_TALLYSTICK_ECDSA: what is inside is looked up as if it were asked for itself. */
static CK_RV
find_mechanism(struct ts_sign *sign, const CK_MECHANISM *mechanism)
{
    CK_TALLYSTICK_ECDSA_PARAMS params;

    if (mechanism->mechanism != CKM_TALLYSTICK_ECDSA)
        return ts_mechanism_find(&sign->mechanism, mechanism, CKF_SIGN);
    if (!mechanism->pParameter || mechanism->ulParameterLen != sizeof(params))
        return CKR_MECHANISM_PARAM_INVALID;
    memcpy(&params, mechanism->pParameter, sizeof(params)); /* the caller's need not be aligned */
    if (params.wait_ms > UINT32_MAX)
        return CKR_MECHANISM_PARAM_INVALID;
    sign->has_session_id = true;
    memcpy(sign->session_id, params.session_id, sizeof(sign->session_id));
    sign->wait_ms = (uint32_t)params.wait_ms;
    CK_MECHANISM inner = {.mechanism = params.mechanism};
    CK_RV rv = ts_mechanism_find(&sign->mechanism, &inner, CKF_SIGN);
    return rv == CKR_MECHANISM_INVALID ? CKR_MECHANISM_PARAM_INVALID : rv;
}

static CK_RV
sign_init(struct ts_call *call, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct ts_object *object = NULL;
    struct ts_sign sign = {.active = true};

    if (call->session->sign.active || call->session->sign.busy)
        return CKR_OPERATION_ACTIVE;
    CK_RV rv = find_mechanism(&sign, mechanism);
    if (rv == CKR_OK)
        rv = ts_key_get(&object, call, key, TS_CLASS_PRIVATE, CKA_SIGN, sign.mechanism);
    if (rv == CKR_OK)
        rv = read_key(&sign, object);
    if (rv != CKR_OK)
        return rv;
    enum ts_error err = ts_key_usable(call->instance->enterprise, sign.key);
    if (err != TS_OK)
        return ts_rv_log(&call->instance->env, err, "C_SignInit with key '%s'", sign.label);
    ts_buf_init(&sign.message, TS_MESSAGE_SIGN_MAX);
    call->session->sign = sign;
    return CKR_OK;
}

CK_RV
C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !mechanism) {
        rv = ts_cancel_by_null(call.session->sign.active);
        ts_sign_end(&call.session->sign);
    } else if (rv == CKR_OK) {
        rv = sign_init(&call, mechanism, key);
    }
    return ts_call_end(&call, rv);
}

/* --- the run with the peer --- */

static CK_RV
fill_job(struct ts_sign_job *job, uint8_t digest[DIGEST_MAX], const struct ts_env *env, const struct ts_sign *sign,
    const CK_BYTE *data, CK_ULONG len)
{
    static const uint8_t nothing[1];

    memcpy(job->key, sign->key, sizeof(job->key));
    job->mechanism = sign->mechanism->name;
    job->asker.label = sign->label;
    job->session_id = sign->has_session_id ? sign->session_id : NULL;
    job->wait_ms = sign->wait_ms;
    if (!sign->mechanism->digest) {
        job->digest = data;
        job->digest_len = len;
        return CKR_OK;
    }
    job->message = data ? data : nothing; /* an empty message is a message */
    job->message_len = len;
    job->digest = digest;
    return ts_hash_whole(digest, &job->digest_len, env, sign->mechanism, job->message, len);
}

static CK_RV
run_unlocked(uint8_t *signature, struct ts_call *call, const struct ts_sign *sign, CK_SLOT_ID slot,
    const struct ts_login *login, struct ts_cancel *cancel, const CK_BYTE *data, CK_ULONG data_len)
{
    const struct ts_env *env = &call->instance->env;
    struct ts_sign_job job = {.cancel = cancel};
    struct ts_asker_text text;
    struct ts_host_errors errors = {0};
    uint8_t digest[DIGEST_MAX];
    size_t len = SIGNATURE_MAX;

    ts_asker_from_process(&job.asker, &text);
    CK_RV rv = fill_job(&job, digest, env, sign, data, data_len);
    if (rv != CKR_OK)
        return rv;
    ts_host_errors_put_aside(&errors);
    enum ts_error err = ts_sign_enterprise(signature, &len, call->instance->enterprise, slot, login->keyring, &job);
    ts_host_errors_put_back(&errors);
    rv = ts_rv(err); /* it has said what happened, and where */
    return rv == CKR_OK && len != 2 * sign->curve->field_bytes ? CKR_GENERAL_ERROR : rv;
}

/* The operation is taken out of the session, so that nothing of it is shared while the lock is not held. */
static CK_RV
run(struct ts_call *call, const CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out, CK_ULONG *out_len)
{
    uint8_t signature[SIGNATURE_MAX];
    struct ts_sign sign = call->session->sign;
    struct ts_login *login = ts_slot_has_user(call->slot) ? ts_login_hold(call->slot) : NULL;
    CK_SLOT_ID slot = call->slot->id;

    call->session->sign = (struct ts_sign){.busy = login != NULL};
    CK_RV rv = CKR_USER_NOT_LOGGED_IN;
    if (login) {
        struct ts_cancel cancel;
        ts_cancel_init(&cancel);
        ts_ck_session_run(call->session, &cancel);
        ts_call_unlock(call);
        rv = run_unlocked(signature, call, &sign, slot, login, &cancel, data, data_len);
        CK_RV relock = ts_call_relock(call);
        ts_login_release(login);
        if (relock == CKR_OK) {
            call->session->sign.busy = false;
            ts_ck_session_ran(call->session, &cancel);
        } else {
            rv = relock;
        }
        ts_cancel_clear(&cancel);
    }
    if (rv == CKR_OK) {
        *out_len = 2 * sign.curve->field_bytes;
        memcpy(out, signature, *out_len);
    }
    ts_buf_clear(&sign.message);
    ts_wipe(signature, sizeof(signature));
    return rv;
}

/* --- C_Sign, C_SignUpdate, C_SignFinal --- */

static CK_RV
begin_active(struct ts_call *call, CK_SESSION_HANDLE session)
{
    CK_RV rv = ts_call_begin_session(call, session);

    if (rv == CKR_OK && !call->session->sign.active)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    return rv;
}

/* Any failure but a short buffer ends the operation. */
static CK_RV
end_active(struct ts_call *call, CK_RV rv)
{
    if (call->locked && call->session && rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
        ts_sign_end(&call->session->sign);
    return ts_call_end(call, rv);
}

/* What is asked for without a run: the length. *asked when that was all. */
static CK_RV
check_room(bool *asked, const struct ts_sign *sign, const CK_BYTE *out, CK_ULONG *out_len)
{
    CK_ULONG room = *out_len;

    *asked = !out;
    *out_len = 2 * sign->curve->field_bytes;
    return out && room < *out_len ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

static CK_RV
check_data(const struct ts_call *call, CK_ULONG len)
{
    const struct ts_sign *sign = &call->session->sign;

    if (!sign->mechanism->digest)
        return len >= 1 && len <= DIGEST_MAX ? CKR_OK : CKR_DATA_LEN_RANGE;
    if (len <= TS_MESSAGE_SIGN_MAX)
        return CKR_OK;
    ts_log(&call->instance->env, TS_LOG_ERROR,
        "%s with key '%s': the message is longer than the %u bytes that the peer can check; hash it and use CKM_ECDSA",
        sign->mechanism->name, sign->label, TS_MESSAGE_SIGN_MAX);
    return CKR_DATA_LEN_RANGE;
}

CK_RV
C_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len)
{
    struct ts_call call;
    bool asked = false;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK)
        rv = ts_check_unmixed(call.session->sign.multipart);
    if (rv == CKR_OK && (!signature_len || (!data && data_len > 0)))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = check_room(&asked, &call.session->sign, signature, signature_len);
    if (rv == CKR_OK && !asked)
        rv = check_data(&call, data_len);
    if (rv == CKR_OK && !asked)
        rv = run(&call, data, data_len, signature, signature_len);
    return end_active(&call, rv);
}

static CK_RV
update(struct ts_call *call, const CK_BYTE *data, CK_ULONG data_len)
{
    struct ts_sign *sign = &call->session->sign;

    if (!sign->mechanism->digest)
        return CKR_FUNCTION_NOT_SUPPORTED; /* CKM_ECDSA is for single parts: Current Mechanisms 3.0, table 33 */
    if (data_len > TS_MESSAGE_SIGN_MAX || data_len > TS_MESSAGE_SIGN_MAX - sign->message.len)
        return check_data(call, (CK_ULONG)TS_MESSAGE_SIGN_MAX + 1);
    sign->multipart = true;
    return ts_buf_put(&sign->message, data, data_len) == TS_OK ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV
C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len)
{
    struct ts_call call;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK && !data && data_len > 0)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = update(&call, data, data_len);
    return end_active(&call, rv);
}

CK_RV
C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG *signature_len)
{
    struct ts_call call;
    bool asked = false;
    CK_RV rv = begin_active(&call, session);

    if (rv == CKR_OK && !call.session->sign.mechanism->digest)
        rv = CKR_FUNCTION_NOT_SUPPORTED;
    if (rv == CKR_OK && !signature_len)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = check_room(&asked, &call.session->sign, signature, signature_len);
    if (rv == CKR_OK && !asked)
        rv = run(&call, call.session->sign.message.data, call.session->sign.message.len, signature, signature_len);
    return end_active(&call, rv);
}
