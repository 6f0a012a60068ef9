#include "pkcs11/rv.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    enum ts_error error;
    CK_RV rv;
    const char *advice;
} table[] = {
    {TS_OK, CKR_OK, ""},
    {TS_USAGE, CKR_FUNCTION_FAILED, "check the configuration file"},
    {TS_FORMAT, CKR_DEVICE_ERROR,
        "the other side speaks another version or is not what it claims to be; see the lines above"},
    {TS_IO, CKR_DEVICE_ERROR, "check that the peer is running and reachable, and that the HSM answers"},
    {TS_TIMEOUT, CKR_FUNCTION_CANCELED, "nobody decided at the peer in time; try again and confirm there"},
    {TS_REFUSED, CKR_FUNCTION_REJECTED, "the peer's user or policy said no; ask there"},
    {TS_CHEATED, CKR_DEVICE_ERROR, "a check of the protocol failed; do not use this peer before it has been examined"},
    {TS_LOCKED, CKR_KEY_FUNCTION_NOT_PERMITTED,
        "the key was locked after a failed check; examine the peer, then have the administrator refresh the key"},
    {TS_STORAGE, CKR_DEVICE_ERROR, "check the store's file and its disk, and that the HSM's key is the one it had"},
    {TS_INTERNAL, CKR_GENERAL_ERROR, "out of memory or an internal fault; please report it"},
    {TS_NOT_FOUND, CKR_DEVICE_ERROR,
        "it is missing; check that a peer is paired and that the HSM still has its key (tallystick status)"},
    {TS_EXISTS, CKR_FUNCTION_FAILED, "there is one already"},
    {TS_PIN_INCORRECT, CKR_PIN_INCORRECT, "the failure has been counted"},
    {TS_PIN_LOCKED, CKR_PIN_LOCKED, "the security officer can set a new user PIN"},
    {TS_INCAPABLE, CKR_FUNCTION_REJECTED, "the peer does not do this at all; see capabilities: in its configuration"},
};

static size_t
row_of(enum ts_error error)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].error == error)
            return i;
    }
    return row_of(TS_INTERNAL);
}

CK_RV
ts_rv(enum ts_error error)
{
    return table[row_of(error)].rv;
}

CK_RV
ts_rv_log(const struct ts_env *env, enum ts_error error, const char *format, ...)
{
    char what[256];
    va_list args;

    if (error == TS_OK)
        return CKR_OK;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    ts_log(env, TS_LOG_ERROR, "%s: %s; %s", what, ts_error_text(error), table[row_of(error)].advice);
    return ts_rv(error);
}
