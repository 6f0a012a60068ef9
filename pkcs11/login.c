#include "pkcs11/call.h"
#include "pkcs11/rv.h"

#include <stdlib.h>

bool
ts_slot_has_user(const struct ts_slot *slot)
{
    return slot->login && slot->login->user == CKU_USER;
}

bool
ts_slot_has_so(const struct ts_slot *slot)
{
    return slot->login && slot->login->user == CKU_SO;
}

struct ts_login *
ts_login_hold(struct ts_slot *slot)
{
    if (slot->login)
        slot->login->uses++;
    return slot->login;
}

void
ts_login_release(struct ts_login *login)
{
    if (!login || --login->uses > 0)
        return;
    ts_keyring_free(login->keyring);
    free(login);
}

void
ts_slot_logout(struct ts_instance *instance, struct ts_slot *slot)
{
    struct ts_login *login = slot->login;

    if (!login)
        return;
    ts_objects_remove_private(instance, slot);
    slot->login = NULL;
    /* What the cache holds of private objects is erased now, not at the next use. */
    ts_object_list_clear(&slot->token_objects);
    slot->loaded = false;
    slot->dropped = true;
    ts_login_release(login);
}

static CK_RV
check_login(const struct ts_call *call, CK_USER_TYPE user)
{
    struct ts_token_row row;

    if (call->slot->login)
        return call->slot->login->user == user ? CKR_USER_ALREADY_LOGGED_IN : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    if (user == CKU_SO &&
        ts_ck_session_count(call->instance, call->slot) > ts_ck_session_count_writable(call->instance, call->slot))
        return CKR_SESSION_READ_ONLY_EXISTS;
    CK_RV rv = ts_slot_token(&row, call->instance, call->slot);
    if (rv == CKR_OK && user == CKU_USER && !row.user_pin_set)
        rv = CKR_USER_PIN_NOT_INITIALIZED;
    return rv;
}

static CK_RV
install_login(struct ts_slot *slot, CK_USER_TYPE user, struct ts_keyring *keyring)
{
    struct ts_login *login = malloc(sizeof(*login));

    if (!login)
        return CKR_HOST_MEMORY;
    *login = (struct ts_login){.uses = 1, .user = user, .keyring = keyring};
    slot->login = login;
    slot->loaded = false;
    return CKR_OK;
}

/* Keys of sessions whose process has died are found by whoever comes next. That they cannot be erased now is no reason
   to keep the user out. */
static void
bury_keys(const struct ts_call *call)
{
    enum ts_error err = ts_keys_bury(call->instance->enterprise, call->slot->id);

    (void)ts_rv_log(
        &call->instance->env, err, "erasing the session keys of ended processes in slot %lu", call->slot->id);
}

/* scrypt and the HSM take their time: the instance is not locked meanwhile, and everything is checked again after. */
static CK_RV
unlock_token(struct ts_keyring **out, struct ts_call *call, CK_USER_TYPE user, const CK_UTF8CHAR *pin, CK_ULONG len)
{
    struct ts_enterprise *enterprise = call->instance->enterprise;
    CK_SLOT_ID slot = call->slot->id;

    if (len < TS_PIN_MIN || len > TS_PIN_MAX)
        return CKR_PIN_INCORRECT; /* no PIN has this length: nothing to count */
    ts_call_unlock(call);
    enum ts_error err = ts_token_unlock(out, ts_enterprise_store(enterprise), ts_enterprise_hsm(enterprise), slot,
        user == CKU_SO ? TS_USER_SO : TS_USER, pin, len);
    CK_RV rv = ts_rv_log(&call->instance->env, err, "%s login to the token in slot %lu",
        user == CKU_SO ? "security officer" : "user", slot);
    CK_RV relock = ts_call_relock(call);
    return rv == CKR_OK ? relock : rv;
}

static CK_RV
login(struct ts_call *call, CK_USER_TYPE user, const CK_UTF8CHAR *pin, CK_ULONG len)
{
    struct ts_keyring *keyring = NULL;

    if (user != CKU_SO && user != CKU_USER && user != CKU_CONTEXT_SPECIFIC)
        return CKR_USER_TYPE_INVALID;
    if (user == CKU_CONTEXT_SPECIFIC) /* no key here has CKA_ALWAYS_AUTHENTICATE */
        return CKR_OPERATION_NOT_INITIALIZED;
    if (!pin)
        return CKR_ARGUMENTS_BAD; /* there is no keypad */
    CK_RV rv = check_login(call, user);
    if (rv == CKR_OK)
        rv = unlock_token(&keyring, call, user, pin, len);
    if (rv == CKR_OK)
        rv = check_login(call, user);
    if (rv == CKR_OK)
        rv = install_login(call->slot, user, keyring);
    if (rv != CKR_OK)
        ts_keyring_free(keyring);
    else
        bury_keys(call);
    return rv;
}

CK_RV
C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK)
        rv = login(&call, user, pin, pin_len);
    return ts_call_end(&call, rv);
}

CK_RV
C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *name,
    CK_ULONG name_len)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !name && name_len > 0)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK && name_len > 0) {
        ts_log(&call.instance->env, TS_LOG_WARNING,
            "C_LoginUser with a user name: tokens have one user without a name; log in with an empty name");
        rv = CKR_USER_TYPE_INVALID;
    }
    if (rv == CKR_OK)
        rv = login(&call, user, pin, pin_len);
    return ts_call_end(&call, rv);
}

CK_RV
C_Logout(CK_SESSION_HANDLE session)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !call.slot->login)
        rv = CKR_USER_NOT_LOGGED_IN;
    if (rv == CKR_OK)
        ts_slot_logout(call.instance, call.slot);
    return ts_call_end(&call, rv);
}
