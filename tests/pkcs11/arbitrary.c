#include "tests/pkcs11/arbitrary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 160
#define GUARD 0xa7

static uint8_t
take(struct arbitrary *state)
{
    if (state->len == 0)
        return 0;
    state->len--;
    return *state->bytes++;
}

static unsigned
below(struct arbitrary *state, unsigned limit)
{
    return take(state) % limit;
}

/* --- arguments: mostly good ones, or every sequence ends at its first call --- */

static CK_SESSION_HANDLE
session_of(struct arbitrary *state)
{
    uint8_t choice = take(state);

    if (choice < 8) /* small numbers would be sessions of other threads */
        return choice & 1 ? ~0UL : choice * 0x10000000UL;
    return state->sessions[choice % LENGTH(state->sessions)];
}

static CK_OBJECT_HANDLE
object_of(struct arbitrary *state)
{
    uint8_t choice = take(state);

    if (choice < 8)
        return choice & 1 ? ~0UL : choice;
    return state->objects[choice % LENGTH(state->objects)];
}

static void
keep_object(struct arbitrary *state, CK_OBJECT_HANDLE object)
{
    state->objects[state->object_next++ % LENGTH(state->objects)] = object;
}

static CK_MECHANISM *
mechanism_of(struct arbitrary *state, CK_MECHANISM *mechanism)
{
    static const CK_MECHANISM_TYPE types[] = {CKM_ECDSA, CKM_ECDSA, CKM_ECDSA_SHA256, CKM_ECDSA_SHA1,
        CKM_ECDSA_SHA3_384, CKM_SHA256, CKM_SHA512, CKM_SHA3_256, CKM_EC_KEY_PAIR_GEN, CKM_RSA_PKCS, CKM_AES_GCM,
        CKM_VENDOR_DEFINED | 7};
    uint8_t choice = take(state);

    *mechanism = (CK_MECHANISM){types[choice % LENGTH(types)], NULL, 0};
    if (choice >= 250)
        *mechanism = (CK_MECHANISM){types[choice % LENGTH(types)], &yes, choice == 255 ? ~0UL : 1};
    return choice == 249 ? NULL : mechanism;
}

/* A template of up to six entries whose values live in `values`. */
struct template
{
    CK_ATTRIBUTE entries[6];
    CK_ULONG count;
    CK_BYTE values[6][72];
};

static void
fill_value(struct arbitrary *state, CK_BYTE value[72], CK_ULONG *len)
{
    static const CK_ULONG numbers[] = {CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_PROFILE, CKK_EC,
        CKC_X_509, CKM_ECDSA, CKO_VENDOR_DEFINED, ~0UL};

    switch (below(state, 5)) {
    case 0:
        value[0] = below(state, 3) == 0 ? CK_FALSE : CK_TRUE;
        *len = 1;
        break;
    case 1:
        memcpy(value, &numbers[below(state, LENGTH(numbers))], sizeof(CK_ULONG));
        *len = sizeof(CK_ULONG);
        break;
    case 2:
        memcpy(value, p256_oid, sizeof(p256_oid));
        *len = sizeof(p256_oid);
        break;
    default:
        *len = below(state, 72);
        for (CK_ULONG i = 0; i < *len && i < 8; i++)
            value[i] = take(state);
        break;
    }
}

static CK_ATTRIBUTE *
template_of(struct arbitrary *state, struct template *template)
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_LABEL, CKA_VALUE, CKA_KEY_TYPE,
        CKA_ID, CKA_EC_PARAMS, CKA_EC_POINT, CKA_SIGN, CKA_VERIFY, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_MODIFIABLE,
        CKA_COPYABLE, CKA_DESTROYABLE, CKA_SUBJECT, CKA_CERTIFICATE_TYPE, CKA_START_DATE, CKA_END_DATE,
        CKA_ALLOWED_MECHANISMS, CKA_UNIQUE_ID, CKA_TRUSTED, CKA_PROFILE_ID, CKA_MODULUS, CKA_DERIVE,
        CKA_PUBLIC_KEY_INFO, CKA_VENDOR_DEFINED | 1};

    memset(template, 0, sizeof(*template));
    template->count = below(state, 7);
    for (CK_ULONG i = 0; i < template->count; i++) {
        CK_ATTRIBUTE *entry = &template->entries[i];
        uint8_t choice = take(state);
        entry->type = types[choice % LENGTH(types)];
        entry->pValue = template->values[i];
        fill_value(state, template->values[i], &entry->ulValueLen);
        if (choice >= 248)
            entry->pValue = NULL;
    }
    return template->entries;
}

/* A whole object, so that there are some. */
static void
make_data(struct arbitrary *state, CK_BBOOL token)
{
    CK_OBJECT_CLASS object_class = CKO_DATA;
    CK_OBJECT_HANDLE object = 0;
    CK_BYTE label[2] = {take(state), 0};
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof(object_class)}, {CKA_TOKEN, &token, 1},
        {CKA_PRIVATE, below(state, 2) ? &yes : &no, 1}, {CKA_LABEL, label, 1}};

    if (p11->C_CreateObject(session_of(state), template, 4, &object) == CKR_OK)
        keep_object(state, object);
}

/* --- outputs, with a guard behind them --- */

struct output {
    CK_BYTE bytes[ROOM + 16];
    CK_ULONG len;
    CK_ULONG given;
};

static CK_BYTE *
output_of(struct arbitrary *state, struct output *out)
{
    uint8_t choice = take(state);

    memset(out->bytes, GUARD, sizeof(out->bytes));
    out->len = out->given = choice < 32 ? choice : ROOM;
    return choice >= 240 ? NULL : out->bytes;
}

static void
check_output(const struct output *out)
{
    for (size_t i = out->given; i < sizeof(out->bytes); i++) {
        if (out->bytes[i] != GUARD) {
            (void)fprintf(stderr, "written beyond an output of %lu bytes\n", out->given);
            abort();
        }
    }
}

/* --- calls --- */

static CK_RV
call_session(struct arbitrary *state)
{
    CK_SESSION_HANDLE session = 0;
    CK_SESSION_INFO info;
    CK_RV rv = CKR_OK;

    switch (below(state, 6)) {
    case 0:
    case 1:
        rv = p11->C_OpenSession(below(state, 8) ? state->slot : take(state), below(state, 8) ? 6 : take(state), NULL,
            NULL, below(state, 16) ? &session : NULL);
        if (rv == CKR_OK) {
            (void)p11->C_CloseSession(state->sessions[state->session_next % LENGTH(state->sessions)]);
            state->sessions[state->session_next++ % LENGTH(state->sessions)] = session;
        }
        return rv;
    case 2:
        return p11->C_CloseSession(session_of(state));
    case 3:
        return p11->C_GetSessionInfo(session_of(state), below(state, 16) ? &info : NULL);
    case 4:
        return p11_3->C_SessionCancel(session_of(state), (CK_FLAGS)take(state) << (take(state) % 24));
    default:
        return p11->C_GetFunctionStatus(session_of(state));
    }
}

static CK_RV
call_object(struct arbitrary *state)
{
    struct template template;
    CK_OBJECT_HANDLE object = 0;
    CK_ULONG size = 0;
    CK_RV rv = CKR_OK;
    CK_ATTRIBUTE *entries = template_of(state, &template);

    switch (below(state, 8)) {
    case 0:
        rv = p11->C_CreateObject(session_of(state), entries, template.count, &object);
        break;
    case 1:
        rv = p11->C_CopyObject(session_of(state), object_of(state), entries, template.count, &object);
        break;
    case 2:
        return p11->C_DestroyObject(session_of(state), object_of(state));
    case 3:
        return p11->C_GetObjectSize(session_of(state), object_of(state), &size);
    case 4:
        return p11->C_GetAttributeValue(session_of(state), object_of(state), entries, template.count);
    case 5:
        return p11->C_SetAttributeValue(session_of(state), object_of(state), entries, template.count);
    default:
        make_data(state, below(state, 32) == 31 ? CK_TRUE : CK_FALSE);
        return CKR_OK;
    }
    if (rv == CKR_OK)
        keep_object(state, object);
    return rv;
}

static CK_RV
call_search(struct arbitrary *state)
{
    struct template template;
    CK_OBJECT_HANDLE found[4];
    CK_ULONG count = 0;
    CK_RV rv = CKR_OK;
    CK_ATTRIBUTE *entries = template_of(state, &template);
    CK_SESSION_HANDLE session = session_of(state);

    switch (below(state, 4)) {
    case 0:
        return p11->C_FindObjectsInit(session, entries, template.count);
    case 1:
        rv = p11->C_FindObjects(session, found, below(state, 5), &count);
        break;
    case 2:
        return p11->C_FindObjectsFinal(session);
    default:
        rv = p11->C_FindObjectsInit(session, entries, template.count > 1 ? 1 : 0);
        if (rv == CKR_OK)
            rv = p11->C_FindObjects(session, found, LENGTH(found), &count);
        (void)p11->C_FindObjectsFinal(session);
        break;
    }
    for (CK_ULONG i = 0; rv == CKR_OK && i < count && i < LENGTH(found); i++)
        keep_object(state, found[i]);
    return rv;
}

static CK_RV
call_digest(struct arbitrary *state)
{
    CK_BYTE data[64] = {0};
    CK_MECHANISM mechanism;
    struct output out;
    CK_SESSION_HANDLE session = session_of(state);
    CK_RV rv = CKR_OK;

    switch (below(state, 5)) {
    case 0:
        return p11->C_DigestInit(session, mechanism_of(state, &mechanism));
    case 1: {
        CK_BYTE *bytes = output_of(state, &out);
        rv = p11->C_Digest(session, below(state, 16) ? data : NULL, below(state, 64), bytes, &out.len);
        break;
    }
    case 2:
        return p11->C_DigestUpdate(session, below(state, 16) ? data : NULL, below(state, 64));
    case 3: {
        CK_BYTE *bytes = output_of(state, &out);
        rv = p11->C_DigestFinal(session, bytes, &out.len);
        break;
    }
    default:
        return p11->C_DigestKey(session, object_of(state));
    }
    check_output(&out);
    return rv;
}

/* Without a peer the calls that would go to it are made in a form that does not: the length alone. */
static CK_RV
call_sign(struct arbitrary *state)
{
    CK_BYTE data[64] = {0};
    CK_MECHANISM mechanism;
    struct output out;
    CK_SESSION_HANDLE session = session_of(state);
    CK_BYTE *bytes = output_of(state, &out);

    if (!state->peer)
        bytes = NULL;
    switch (below(state, 4)) {
    case 0:
        return p11->C_SignInit(session, mechanism_of(state, &mechanism), object_of(state));
    case 1:
        return p11->C_SignUpdate(session, below(state, 16) ? data : NULL, below(state, 64));
    case 2: {
        CK_RV rv = p11->C_Sign(session, below(state, 16) ? data : NULL, below(state, 80) % 64, bytes, &out.len);
        check_output(&out);
        return rv;
    }
    default: {
        CK_RV rv = p11->C_SignFinal(session, bytes, &out.len);
        check_output(&out);
        return rv;
    }
    }
}

static CK_RV
call_verify(struct arbitrary *state)
{
    CK_BYTE data[160] = {0};
    CK_MECHANISM mechanism;
    CK_SESSION_HANDLE session = session_of(state);

    switch (below(state, 4)) {
    case 0:
        return p11->C_VerifyInit(session, mechanism_of(state, &mechanism), object_of(state));
    case 1:
        return p11->C_VerifyUpdate(session, data, below(state, 64));
    case 2:
        return p11->C_Verify(session, data, below(state, 80), below(state, 16) ? data : NULL, below(state, 140));
    default:
        return p11->C_VerifyFinal(session, below(state, 16) ? data : NULL, below(state, 140));
    }
}

static CK_RV
call_rest(struct arbitrary *state)
{
    CK_BYTE bytes[64] = {0};
    CK_ULONG len = below(state, 64);
    CK_SLOT_INFO slot_info;
    CK_TOKEN_INFO token_info;
    CK_MECHANISM_INFO mechanism_info;
    CK_MECHANISM mechanism;
    struct template template;
    CK_OBJECT_HANDLE object = 0;
    CK_SESSION_HANDLE session = session_of(state);
    CK_SLOT_ID slot = below(state, 4) ? state->slot : take(state);

    switch (below(state, 13)) {
    case 0:
        return p11->C_GetSlotInfo(slot, &slot_info);
    case 1:
        return p11->C_GetTokenInfo(slot, below(state, 16) ? &token_info : NULL);
    case 2:
        return p11->C_GetMechanismInfo(slot, take(state), &mechanism_info);
    case 3:
        return p11->C_GenerateRandom(session, below(state, 16) ? bytes : NULL, len);
    case 4:
        return p11->C_SeedRandom(session, bytes, len);
    case 5:
        return p11->C_GetOperationState(session, bytes, &len);
    case 6:
        return p11->C_EncryptInit(session, mechanism_of(state, &mechanism), object_of(state));
    case 7:
        return p11->C_DeriveKey(session, mechanism_of(state, &mechanism), object_of(state), NULL, 0, &object);
    case 8:
        return p11->C_WrapKey(
            session, mechanism_of(state, &mechanism), object_of(state), object_of(state), bytes, &len);
    case 9: {
        /* A curve that is never supported: refused before the peer hears of it, whatever else the template says. */
        CK_ATTRIBUTE explicit = {CKA_EC_PARAMS, BYTES("\x30\x00"), 2};
        CK_ATTRIBUTE *entries = template_of(state, &template);
        return p11->C_GenerateKeyPair(
            session, mechanism_of(state, &mechanism), &explicit, 1, entries, template.count, &object, &object);
    }
    case 10:
        return p11->C_Login(session, below(state, 3) + 2, bytes, len); /* CKU_CONTEXT_SPECIFIC and beyond */
    case 11:
        return p11->C_SetPIN(session, bytes, len % 4, bytes, len % 4); /* too short to be tried */
    default:
        return p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
    }
}

/* Every code that functions of this token may answer. */
static bool
is_allowed(CK_RV rv)
{
    static const CK_RV codes[] = {CKR_OK, CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_SENSITIVE,
        CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_ACTION_PROHIBITED, CKR_BUFFER_TOO_SMALL,
        CKR_CRYPTOKI_NOT_INITIALIZED, CKR_CURVE_NOT_SUPPORTED, CKR_DATA_LEN_RANGE, CKR_DEVICE_ERROR,
        CKR_DOMAIN_PARAMS_INVALID, CKR_FUNCTION_CANCELED, CKR_FUNCTION_NOT_PARALLEL, CKR_FUNCTION_NOT_SUPPORTED,
        CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID, CKR_KEY_INDIGESTIBLE, CKR_KEY_TYPE_INCONSISTENT,
        CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_NO_EVENT, CKR_OBJECT_HANDLE_INVALID,
        CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_OPERATION_CANCEL_FAILED, CKR_PIN_INCORRECT,
        CKR_PIN_LEN_RANGE, CKR_SESSION_CLOSED, CKR_SESSION_HANDLE_INVALID, CKR_SESSION_PARALLEL_NOT_SUPPORTED,
        CKR_SESSION_READ_ONLY, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE, CKR_SLOT_ID_INVALID,
        CKR_STATE_UNSAVEABLE, CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT, CKR_TOKEN_NOT_RECOGNIZED,
        CKR_USER_NOT_LOGGED_IN, CKR_USER_TYPE_INVALID};

    for (size_t i = 0; i < LENGTH(codes); i++) {
        if (codes[i] == rv)
            return true;
    }
    return false;
}

void
arbitrary_call(struct arbitrary *state)
{
    static CK_RV (*const calls[])(struct arbitrary *) = {
        call_session, call_object, call_search, call_digest, call_sign, call_verify, call_rest};
    unsigned which = below(state, LENGTH(calls));

    CK_RV rv = calls[which](state);
    if (!is_allowed(rv)) {
        (void)fprintf(stderr, "a call of group %u answered %#lx\n", which, rv);
        abort();
    }
}

CK_RV
arbitrary_keys(CK_SESSION_HANDLE session, CK_BBOOL token, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    CK_MECHANISM generator = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)}, {CKA_TOKEN, &token, 1},
        {CKA_MODIFIABLE, &no, 1}, {CKA_DESTROYABLE, &no, 1}};
    CK_ATTRIBUTE of_private[] = {{CKA_TOKEN, &token, 1}, {CKA_MODIFIABLE, &no, 1}, {CKA_DESTROYABLE, &no, 1}};

    return p11->C_GenerateKeyPair(
        session, &generator, of_public, LENGTH(of_public), of_private, LENGTH(of_private), public_key, private_key);
}
