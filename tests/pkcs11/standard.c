#include "tests/pkcs11/standard.h"

#include <string.h>

/* Every function, and every function with a session (5.1.1, 5.1.2); CKR_OK is 0 and ends the lists. */
static const CK_RV universal[] = {CKR_GENERAL_ERROR, CKR_HOST_MEMORY, CKR_FUNCTION_FAILED, CKR_FUNCTION_NOT_SUPPORTED,
    CKR_CRYPTOKI_NOT_INITIALIZED, CKR_OK};
static const CK_RV of_sessions[] = {
    CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_DEVICE_REMOVED, CKR_OK};

#define ARGUMENTS CKR_ARGUMENTS_BAD
#define SLOT CKR_SLOT_ID_INVALID
#define TOKEN CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED
#define LATE CKR_FUNCTION_CANCELED
#define ATTRIBUTES                                                                                                     \
    CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT
#define INIT                                                                                                           \
    CKR_ARGUMENTS_BAD, CKR_FUNCTION_CANCELED, CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID,                      \
        CKR_OPERATION_ACTIVE, CKR_PIN_EXPIRED, CKR_USER_NOT_LOGGED_IN, CKR_OPERATION_CANCEL_FAILED
#define KEY CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID, CKR_KEY_SIZE_RANGE, CKR_KEY_TYPE_INCONSISTENT
#define RUNNING CKR_ARGUMENTS_BAD, CKR_FUNCTION_CANCELED, CKR_OPERATION_NOT_INITIALIZED
/* Beyond the lists: one operation used in both ways (ts_check_unmixed). */
#define MIXED CKR_OPERATION_ACTIVE
#define LOGIN                                                                                                          \
    ARGUMENTS, LATE, CKR_OPERATION_NOT_INITIALIZED, CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_SESSION_READ_ONLY_EXISTS,   \
        CKR_USER_ALREADY_LOGGED_IN, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_USER_PIN_NOT_INITIALIZED,                  \
        CKR_USER_TOO_MANY_TYPES, CKR_USER_TYPE_INVALID

static const struct {
    const char *name;
    bool session;
    CK_RV allowed[20];
} functions[] = {
    /* 5.4 */
    {"C_Initialize", false, {ARGUMENTS, CKR_CANT_LOCK, CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_NEED_TO_CREATE_THREADS}},
    {"C_Finalize", false, {ARGUMENTS}},
    {"C_GetInfo", false, {ARGUMENTS}},
    {"C_GetFunctionList", false, {ARGUMENTS}},
    {"C_GetInterfaceList", false, {ARGUMENTS, CKR_BUFFER_TOO_SMALL}},
    {"C_GetInterface", false, {ARGUMENTS}},
    /* 5.5 */
    {"C_GetSlotList", false, {ARGUMENTS, CKR_BUFFER_TOO_SMALL}},
    {"C_GetSlotInfo", false, {ARGUMENTS, SLOT, CKR_DEVICE_ERROR}},
    {"C_GetTokenInfo", false, {ARGUMENTS, SLOT, TOKEN, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_DEVICE_REMOVED}},
    {"C_WaitForSlotEvent", false, {ARGUMENTS, CKR_NO_EVENT}},
    {"C_GetMechanismList", false, {ARGUMENTS, SLOT, TOKEN, CKR_BUFFER_TOO_SMALL, CKR_DEVICE_ERROR}},
    {"C_GetMechanismInfo", false, {ARGUMENTS, SLOT, TOKEN, CKR_MECHANISM_INVALID, CKR_DEVICE_ERROR}},
    {"C_InitToken", false,
        {ARGUMENTS, SLOT, TOKEN, LATE, CKR_DEVICE_ERROR, CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_SESSION_EXISTS,
            CKR_TOKEN_WRITE_PROTECTED}},
    {"C_InitPIN", true,
        {ARGUMENTS, LATE, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED,
            CKR_USER_NOT_LOGGED_IN}},
    {"C_SetPIN", true,
        {ARGUMENTS, LATE, CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_LOCKED, CKR_SESSION_READ_ONLY,
            CKR_TOKEN_WRITE_PROTECTED}},
    /* 5.6 */
    {"C_OpenSession", false,
        {ARGUMENTS, SLOT, TOKEN, CKR_DEVICE_ERROR, CKR_SESSION_COUNT, CKR_SESSION_PARALLEL_NOT_SUPPORTED,
            CKR_SESSION_READ_WRITE_SO_EXISTS, CKR_TOKEN_WRITE_PROTECTED}},
    {"C_CloseSession", true, {0}},
    {"C_CloseAllSessions", false, {SLOT, CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_ERROR}},
    {"C_GetSessionInfo", true, {ARGUMENTS}},
    {"C_SessionCancel", true, {CKR_OPERATION_CANCEL_FAILED, CKR_TOKEN_NOT_PRESENT}},
    {"C_GetOperationState", true,
        {ARGUMENTS, CKR_BUFFER_TOO_SMALL, CKR_OPERATION_NOT_INITIALIZED, CKR_STATE_UNSAVEABLE}},
    {"C_SetOperationState", true,
        {ARGUMENTS, CKR_KEY_CHANGED, CKR_KEY_NEEDED, CKR_KEY_NOT_NEEDED, CKR_SAVED_STATE_INVALID}},
    {"C_Login", true, {LOGIN}},
    {"C_LoginUser", true, {LOGIN}},
    {"C_Logout", true, {CKR_USER_NOT_LOGGED_IN}},
    /* 5.7 */
    {"C_CreateObject", true,
        {ARGUMENTS, ATTRIBUTES, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID, CKR_PIN_EXPIRED,
            CKR_SESSION_READ_ONLY, CKR_TEMPLATE_INCOMPLETE, CKR_TOKEN_WRITE_PROTECTED, CKR_USER_NOT_LOGGED_IN}},
    {"C_CopyObject", true,
        {ARGUMENTS, ATTRIBUTES, CKR_ACTION_PROHIBITED, CKR_OBJECT_HANDLE_INVALID, CKR_PIN_EXPIRED,
            CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED, CKR_USER_NOT_LOGGED_IN}},
    {"C_DestroyObject", true,
        {CKR_ACTION_PROHIBITED, CKR_OBJECT_HANDLE_INVALID, CKR_PIN_EXPIRED, CKR_SESSION_READ_ONLY,
            CKR_TOKEN_WRITE_PROTECTED}},
    {"C_GetObjectSize", true, {ARGUMENTS, CKR_INFORMATION_SENSITIVE, CKR_OBJECT_HANDLE_INVALID}},
    {"C_GetAttributeValue", true,
        {ARGUMENTS, CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL,
            CKR_OBJECT_HANDLE_INVALID}},
    {"C_SetAttributeValue", true,
        {ARGUMENTS, ATTRIBUTES, CKR_ACTION_PROHIBITED, CKR_OBJECT_HANDLE_INVALID, CKR_SESSION_READ_ONLY,
            CKR_TOKEN_WRITE_PROTECTED, CKR_USER_NOT_LOGGED_IN}},
    {"C_FindObjectsInit", true,
        {ARGUMENTS, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_OPERATION_ACTIVE, CKR_PIN_EXPIRED}},
    {"C_FindObjects", true, {ARGUMENTS, CKR_OPERATION_NOT_INITIALIZED}},
    {"C_FindObjectsFinal", true, {CKR_OPERATION_NOT_INITIALIZED}},
    /* 5.10 */
    {"C_DigestInit", true, {INIT}},
    {"C_Digest", true, {RUNNING, MIXED, CKR_BUFFER_TOO_SMALL}},
    {"C_DigestUpdate", true, {RUNNING, MIXED}},
    {"C_DigestKey", true, {RUNNING, CKR_KEY_HANDLE_INVALID, CKR_KEY_INDIGESTIBLE, CKR_KEY_SIZE_RANGE}},
    {"C_DigestFinal", true, {RUNNING, MIXED, CKR_BUFFER_TOO_SMALL}},
    /* 5.13 */
    {"C_SignInit", true, {INIT, KEY}},
    {"C_Sign", true,
        {RUNNING, MIXED, CKR_BUFFER_TOO_SMALL, CKR_DATA_INVALID, CKR_DATA_LEN_RANGE, CKR_USER_NOT_LOGGED_IN,
            CKR_FUNCTION_REJECTED}},
    {"C_SignUpdate", true, {RUNNING, CKR_DATA_LEN_RANGE, CKR_USER_NOT_LOGGED_IN}},
    {"C_SignFinal", true,
        {RUNNING, CKR_BUFFER_TOO_SMALL, CKR_DATA_LEN_RANGE, CKR_USER_NOT_LOGGED_IN, CKR_FUNCTION_REJECTED}},
    /* 5.15 */
    {"C_VerifyInit", true, {INIT, KEY}},
    {"C_Verify", true,
        {RUNNING, MIXED, CKR_DATA_INVALID, CKR_DATA_LEN_RANGE, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE}},
    {"C_VerifyUpdate", true, {RUNNING, CKR_DATA_LEN_RANGE}},
    {"C_VerifyFinal", true, {RUNNING, CKR_DATA_LEN_RANGE, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE}},
    /* 5.18 */
    {"C_GenerateKey", true, {ARGUMENTS, ATTRIBUTES, CKR_MECHANISM_INVALID, CKR_TEMPLATE_INCOMPLETE}},
    {"C_GenerateKeyPair", true,
        {ARGUMENTS, ATTRIBUTES, LATE, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID, CKR_MECHANISM_INVALID,
            CKR_MECHANISM_PARAM_INVALID, CKR_OPERATION_ACTIVE, CKR_PIN_EXPIRED, CKR_SESSION_READ_ONLY,
            CKR_TEMPLATE_INCOMPLETE, CKR_TOKEN_WRITE_PROTECTED, CKR_USER_NOT_LOGGED_IN}},
    /* 5.19 */
    {"C_SeedRandom", true,
        {ARGUMENTS, LATE, CKR_OPERATION_ACTIVE, CKR_RANDOM_SEED_NOT_SUPPORTED, CKR_RANDOM_NO_RNG,
            CKR_USER_NOT_LOGGED_IN}},
    {"C_GenerateRandom", true, {ARGUMENTS, LATE, CKR_OPERATION_ACTIVE, CKR_RANDOM_NO_RNG, CKR_USER_NOT_LOGGED_IN}},
    /* 5.20 */
    {"C_GetFunctionStatus", true, {CKR_FUNCTION_NOT_PARALLEL}},
    {"C_CancelFunction", true, {CKR_FUNCTION_NOT_PARALLEL}},
};

static bool
is_in(const CK_RV *list, CK_RV rv)
{
    while (*list != CKR_OK && *list != rv)
        list++;
    return *list == rv;
}

bool
standard_allows(const char *call, CK_RV rv)
{
    const char *name = strstr(call, "->C_");
    size_t len = name ? strcspn(name + 2, "(") : 0;

    if (!name || rv == CKR_OK || is_in(universal, rv))
        return true;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (strlen(functions[i].name) != len || strncmp(functions[i].name, name + 2, len) != 0)
            continue;
        return is_in(functions[i].allowed, rv) || (functions[i].session && is_in(of_sessions, rv));
    }
    return is_in(of_sessions, rv); /* what this token has not: it refuses, after it has looked at the session */
}
