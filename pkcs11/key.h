#ifndef TS_PKCS11_KEY_H
#define TS_PKCS11_KEY_H

#include "pkcs11/call.h"

/** Look up a key for an operation: its class, type, use attribute and CKA_ALLOWED_MECHANISMS must fit.
 *  In:   usage  CKA_SIGN, CKA_VERIFY
 *  Returns: CKR_OK; CKR_KEY_HANDLE_INVALID; CKR_USER_NOT_LOGGED_IN; CKR_KEY_TYPE_INCONSISTENT;
 *  CKR_KEY_FUNCTION_NOT_PERMITTED; CKR_MECHANISM_INVALID; CKR_DEVICE_ERROR. */
CK_RV ts_key_get(struct ts_object **out, struct ts_call *call, CK_OBJECT_HANDLE handle, unsigned class_bit,
    CK_ATTRIBUTE_TYPE usage, const struct ts_mechanism *mechanism);

#endif
