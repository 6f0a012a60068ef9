#include "pkcs11/slot.h"

#include "pkcs11/call.h"
#include "pkcs11/pad.h"
#include "pkcs11/rv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the list --- */

struct ts_slot *
ts_slot_find(const struct ts_instance *instance, CK_SLOT_ID id)
{
    for (size_t i = 0; i < instance->slot_count; i++) {
        if (instance->slots[i]->id == id)
            return instance->slots[i];
    }
    return NULL;
}

static CK_RV
add_slot(struct ts_instance *instance, CK_SLOT_ID id)
{
    if (ts_slot_find(instance, id))
        return CKR_OK;
    struct ts_slot **grown = realloc(instance->slots, (instance->slot_count + 1) * sizeof(struct ts_slot *));
    if (!grown)
        return CKR_HOST_MEMORY;
    instance->slots = grown;
    struct ts_slot *slot = calloc(1, sizeof(*slot));
    if (!slot)
        return CKR_HOST_MEMORY;
    slot->id = id;
    grown[instance->slot_count++] = slot;
    return CKR_OK;
}

CK_RV
ts_slots_refresh(struct ts_instance *instance)
{
    struct ts_token_row *rows = NULL;
    size_t count = 0;
    CK_SLOT_ID highest = 0;

    enum ts_error err = ts_token_list(&rows, &count, ts_enterprise_store(instance->enterprise));
    if (err != TS_OK) {
        (void)ts_rv_log(&instance->env, err, "listing the tokens in %s", instance->config->store);
        return CKR_GENERAL_ERROR; /* neither C_Initialize nor C_GetSlotList has CKR_DEVICE_ERROR */
    }
    CK_RV rv = CKR_OK;
    for (size_t i = 0; i < count && rv == CKR_OK; i++) {
        rv = add_slot(instance, (CK_SLOT_ID)rows[i].id);
        if (rows[i].id > highest)
            highest = (CK_SLOT_ID)rows[i].id;
    }
    free(rows);
    return rv == CKR_OK ? add_slot(instance, highest + 1) : rv;
}

void
ts_slots_free(struct ts_instance *instance)
{
    for (size_t i = 0; i < instance->slot_count; i++) {
        ts_slot_logout(instance, instance->slots[i]);
        ts_object_list_clear(&instance->slots[i]->token_objects);
        ts_object_list_clear(&instance->slots[i]->session_objects);
        free(instance->slots[i]);
    }
    free(instance->slots);
    instance->slots = NULL;
    instance->slot_count = 0;
}

CK_RV
ts_slot_token(struct ts_token_row *out, const struct ts_instance *instance, const struct ts_slot *slot)
{
    enum ts_error err = ts_token_get(out, ts_enterprise_store(instance->enterprise), slot->id);

    if (err == TS_NOT_FOUND)
        return CKR_TOKEN_NOT_RECOGNIZED;
    return ts_rv_log(&instance->env, err, "reading the token in slot %lu", slot->id);
}

/* --- C_ functions --- */

CK_RV
C_GetSlotList(CK_BBOOL token_present, CK_SLOT_ID *list, CK_ULONG *count)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin(&call);

    (void)token_present; /* there is a token in each */
    if (rv == CKR_OK && !count)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK && !list)
        rv = ts_slots_refresh(call.instance); /* only here may the list change: PKCS#11 3.0, 5.5 C_GetSlotList */
    if (rv == CKR_OK) {
        size_t have = call.instance->slot_count;
        if (list && *count < have)
            rv = CKR_BUFFER_TOO_SMALL;
        for (size_t i = 0; list && rv == CKR_OK && i < have; i++)
            list[i] = call.instance->slots[i]->id;
        *count = have;
    }
    return ts_call_end(&call, rv);
}

CK_RV
C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    struct ts_call call;
    char description[65];
    CK_RV rv = ts_call_begin_slot(&call, slot);

    if (rv == CKR_OK && !info)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        *info = (CK_SLOT_INFO){.flags = CKF_TOKEN_PRESENT, .firmwareVersion = TS_LIBRARY_VERSION};
        (void)snprintf(description, sizeof(description), "tallystick slot %lu", slot);
        ts_pad(info->slotDescription, sizeof(info->slotDescription), description);
        ts_pad(info->manufacturerID, sizeof(info->manufacturerID), TS_MANUFACTURER);
    }
    return ts_call_end(&call, rv);
}

static CK_FLAGS
pin_flags(const struct ts_token_row *row)
{
    CK_FLAGS flags = CKF_TOKEN_INITIALIZED;

    if (row->user_pin_set) {
        flags |= CKF_USER_PIN_INITIALIZED;
        flags |= row->user_tries_left < row->tries ? CKF_USER_PIN_COUNT_LOW : 0;
        flags |= row->user_tries_left == 1 ? CKF_USER_PIN_FINAL_TRY : 0;
        flags |= row->user_tries_left == 0 ? CKF_USER_PIN_LOCKED : 0;
    }
    flags |= row->so_tries_left < row->tries ? CKF_SO_PIN_COUNT_LOW : 0;
    flags |= row->so_tries_left == 1 ? CKF_SO_PIN_FINAL_TRY : 0;
    flags |= row->so_tries_left == 0 ? CKF_SO_PIN_LOCKED : 0;
    return flags;
}

static CK_RV
fill_token_info(CK_TOKEN_INFO *info, const struct ts_call *call)
{
    struct ts_token_row row = {0};
    CK_RV rv = ts_slot_token(&row, call->instance, call->slot);

    if (rv != CKR_OK && rv != CKR_TOKEN_NOT_RECOGNIZED)
        return rv;
    *info = (CK_TOKEN_INFO){
        .flags = CKF_RNG | CKF_LOGIN_REQUIRED | (rv == CKR_OK ? pin_flags(&row) : 0),
        .ulMaxSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulSessionCount = ts_ck_session_count(call->instance, call->slot),
        .ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulRwSessionCount = ts_ck_session_count_writable(call->instance, call->slot),
        .ulMaxPinLen = TS_PIN_MAX,
        .ulMinPinLen = TS_PIN_MIN,
        .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .firmwareVersion = TS_LIBRARY_VERSION,
    };
    ts_pad(info->label, sizeof(info->label), row.label);
    ts_pad(info->manufacturerID, sizeof(info->manufacturerID), TS_MANUFACTURER);
    ts_pad(info->model, sizeof(info->model), "two-party ECDSA");
    ts_pad(info->serialNumber, sizeof(info->serialNumber), row.serial);
    ts_pad(info->utcTime, sizeof(info->utcTime), "");
    return CKR_OK;
}

CK_RV
C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_slot(&call, slot);

    if (rv == CKR_OK && !info)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = fill_token_info(info, &call);
    return ts_call_end(&call, rv);
}

CK_RV
C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin(&call);

    if (rv == CKR_OK && (!slot || reserved))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) /* tokens are not plugged in and out */
        rv = flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED;
    return ts_call_end(&call, rv);
}

CK_RV
C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
    struct ts_call call;
    size_t have = 0;
    const struct ts_mechanism *mechanisms = ts_mechanisms(&have);
    CK_RV rv = ts_call_begin_slot(&call, slot);

    if (rv == CKR_OK && !count)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        if (list && *count < have)
            rv = CKR_BUFFER_TOO_SMALL;
        for (size_t i = 0; list && rv == CKR_OK && i < have; i++)
            list[i] = mechanisms[i].type;
        *count = have;
    }
    return ts_call_end(&call, rv);
}

CK_RV
C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    struct ts_call call;
    size_t count = 0;
    const struct ts_mechanism *mechanisms = ts_mechanisms(&count);
    CK_RV rv = ts_call_begin_slot(&call, slot);

    if (rv == CKR_OK && !info)
        rv = CKR_ARGUMENTS_BAD;
    if (rv != CKR_OK)
        return ts_call_end(&call, rv);
    rv = CKR_MECHANISM_INVALID;
    for (size_t i = 0; i < count; i++) {
        if (mechanisms[i].type != type)
            continue;
        bool keyed = (mechanisms[i].flags & CKF_EC_F_P) != 0;
        *info = (CK_MECHANISM_INFO){keyed ? 256 : 0, keyed ? 521 : 0, mechanisms[i].flags};
        rv = CKR_OK;
    }
    return ts_call_end(&call, rv);
}
