#include "pkcs11/call.h"
#include "pkcs11/pad.h"

#include <string.h>

void
ts_pad(unsigned char *field, size_t size, const char *text)
{
    size_t len = strlen(text);

    memset(field, ' ', size);
    memcpy(field, text, len < size ? len : size);
}

CK_RV
C_Initialize(void *args)
{
    return ts_instance_start(args);
}

CK_RV
C_Finalize(void *reserved)
{
    if (reserved)
        return CKR_ARGUMENTS_BAD;
    return ts_instance_stop();
}

CK_RV
C_GetInfo(CK_INFO *info)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin(&call);

    if (rv == CKR_OK && !info)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        *info = (CK_INFO){.cryptokiVersion = {3, 0}, .libraryVersion = TS_LIBRARY_VERSION};
        ts_pad(info->manufacturerID, sizeof(info->manufacturerID), TS_MANUFACTURER);
        ts_pad(info->libraryDescription, sizeof(info->libraryDescription), "tallystick two-party ECDSA");
    }
    return ts_call_end(&call, rv);
}
