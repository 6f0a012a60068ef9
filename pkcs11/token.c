#include "pkcs11/call.h"
#include "pkcs11/rv.h"

#include <string.h>

/* --- C_InitToken --- */

static void
unpad_label(char out[TS_LABEL_BYTES + 1], const CK_UTF8CHAR label[TS_LABEL_BYTES])
{
    size_t len = TS_LABEL_BYTES;

    while (len > 0 && (label[len - 1] == ' ' || label[len - 1] == 0))
        len--;
    memcpy(out, label, len);
    out[len] = 0;
}

static CK_RV
make_token(struct ts_call *call, CK_SLOT_ID slot, const char *label, const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct ts_enterprise *enterprise = call->instance->enterprise;
    const struct ts_env *env = &call->instance->env;
    uint64_t id = 0;

    enum ts_error err = ts_enterprise_prepare_hsm(enterprise);
    if (err == TS_USAGE) {
        ts_log(env, TS_LOG_ERROR, "C_InitToken: the configuration names no HSM key; set hsm to its PKCS#11 URI");
        return CKR_DEVICE_ERROR;
    }
    if (err != TS_OK)
        return ts_rv_log(env, err, "preparing the HSM's key for a new token");
    err = ts_token_create(&id, ts_enterprise_store(enterprise), ts_enterprise_hsm(enterprise), label, pin, pin_len);
    if (err != TS_OK)
        return ts_rv_log(env, err, "making token '%s'", label);
    if (id == slot)
        return CKR_OK;
    ts_log(env, TS_LOG_ERROR,
        "C_InitToken: another process has filled slot %lu meanwhile; token '%s' is in slot %llu: list the slots again",
        slot, label, (unsigned long long)id);
    return CKR_FUNCTION_FAILED;
}

static CK_RV
remake_token(struct ts_call *call, CK_SLOT_ID slot, const char *label, const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct ts_enterprise *enterprise = call->instance->enterprise;
    enum ts_error err =
        ts_token_reset(ts_enterprise_store(enterprise), ts_enterprise_hsm(enterprise), slot, label, pin, pin_len);

    return ts_rv_log(&call->instance->env, err, "initialising the token in slot %lu anew", slot);
}

static CK_RV
init_token(struct ts_call *call, const char *label, const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct ts_token_row row;
    CK_SLOT_ID slot = call->slot->id;

    if (ts_ck_session_count(call->instance, call->slot) > 0)
        return CKR_SESSION_EXISTS;
    CK_RV rv = ts_slot_token(&row, call->instance, call->slot);
    if (rv != CKR_OK && rv != CKR_TOKEN_NOT_RECOGNIZED)
        return rv;
    ts_object_list_clear(&call->slot->token_objects);
    call->slot->loaded = false;
    ts_call_unlock(call); /* the HSM is next */
    return rv == CKR_OK ? remake_token(call, slot, label, pin, pin_len) : make_token(call, slot, label, pin, pin_len);
}

CK_RV
C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label)
{
    struct ts_call call;
    char text[TS_LABEL_BYTES + 1];
    CK_RV rv = ts_call_begin_slot(&call, slot);

    if (rv == CKR_OK && (!pin || !label))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        unpad_label(text, label);
        if (text[0] == 0)
            rv = CKR_ARGUMENTS_BAD;
        else if (pin_len < TS_PIN_MIN || pin_len > TS_PIN_MAX)
            rv = CKR_PIN_INCORRECT; /* C_InitToken has no CKR_PIN_LEN_RANGE */
    }
    if (rv == CKR_OK)
        rv = init_token(&call, text, pin, pin_len);
    return ts_call_end(&call, rv);
}

/* --- PINs --- */

static CK_RV
check_new_pin(const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    if (!pin)
        return CKR_ARGUMENTS_BAD;
    return pin_len < TS_PIN_MIN || pin_len > TS_PIN_MAX ? CKR_PIN_LEN_RANGE : CKR_OK;
}

static CK_RV
store_pin(struct ts_call *call, CK_SLOT_ID slot, const struct ts_keyring *keyring, enum ts_user user,
    const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct ts_enterprise *enterprise = call->instance->enterprise;
    enum ts_error err = ts_token_set_pin(
        ts_enterprise_store(enterprise), ts_enterprise_hsm(enterprise), slot, keyring, user, pin, pin_len);

    return ts_rv_log(&call->instance->env, err, "setting a PIN of the token in slot %lu", slot);
}

CK_RV
C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !ts_slot_has_so(call.slot))
        rv = CKR_USER_NOT_LOGGED_IN;
    if (rv == CKR_OK)
        rv = check_new_pin(pin, pin_len);
    if (rv != CKR_OK)
        return ts_call_end(&call, rv);
    struct ts_login *login = ts_login_hold(call.slot);
    CK_SLOT_ID slot = call.slot->id;
    ts_call_unlock(&call);
    rv = store_pin(&call, slot, login->keyring, TS_USER, pin, pin_len);
    CK_RV relock = ts_call_relock(&call);
    ts_login_release(login);
    return ts_call_end(&call, rv == CKR_OK ? relock : rv);
}

static CK_RV
change_pin(
    struct ts_call *call, const CK_UTF8CHAR *old_pin, CK_ULONG old_len, const CK_UTF8CHAR *new_pin, CK_ULONG new_len)
{
    struct ts_enterprise *enterprise = call->instance->enterprise;
    struct ts_keyring *keyring = NULL;
    CK_SLOT_ID slot = call->slot->id;
    enum ts_user user = ts_slot_has_so(call->slot) ? TS_USER_SO : TS_USER;
    struct ts_token_row row;

    CK_RV rv = ts_slot_token(&row, call->instance, call->slot);
    if (rv != CKR_OK)
        return rv;
    if (user == TS_USER && !row.user_pin_set)
        return CKR_PIN_INCORRECT;
    ts_call_unlock(call);
    enum ts_error err = ts_token_unlock(
        &keyring, ts_enterprise_store(enterprise), ts_enterprise_hsm(enterprise), slot, user, old_pin, old_len);
    rv = ts_rv_log(&call->instance->env, err, "checking the old PIN of the token in slot %lu", slot);
    if (rv == CKR_OK)
        rv = store_pin(call, slot, keyring, user, new_pin, new_len);
    ts_keyring_free(keyring);
    return rv;
}

CK_RV
C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *old_pin, CK_ULONG old_len, CK_UTF8CHAR *new_pin, CK_ULONG new_len)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !call.session->writable)
        rv = CKR_SESSION_READ_ONLY;
    if (rv == CKR_OK && !old_pin)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = check_new_pin(new_pin, new_len);
    if (rv == CKR_OK && (old_len < TS_PIN_MIN || old_len > TS_PIN_MAX))
        rv = CKR_PIN_INCORRECT;
    if (rv == CKR_OK)
        rv = change_pin(&call, old_pin, old_len, new_pin, new_len);
    return ts_call_end(&call, rv);
}
