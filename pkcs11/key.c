#include "pkcs11/key.h"

#include "pkcs11/attribute.h"

#include <string.h>

/* An empty list says nothing. */
static bool
is_allowed(const struct ts_attrs *attrs, CK_MECHANISM_TYPE mechanism)
{
    const struct ts_attribute *list = ts_attrs_find(attrs, CKA_ALLOWED_MECHANISMS);
    CK_MECHANISM_TYPE entry = 0;

    if (!list || list->len == 0)
        return true;
    for (size_t at = 0; at + sizeof(entry) <= list->len; at += sizeof(entry)) {
        memcpy(&entry, list->value + at, sizeof(entry));
        if (entry == mechanism)
            return true;
    }
    return false;
}

CK_RV
ts_key_get(struct ts_object **out, struct ts_call *call, CK_OBJECT_HANDLE handle, unsigned class_bit,
    CK_ATTRIBUTE_TYPE usage, const struct ts_mechanism *mechanism)
{
    struct ts_object *object = NULL;

    CK_RV rv = ts_object_get(&object, call, handle);
    if (rv == CKR_OBJECT_HANDLE_INVALID)
        return CKR_KEY_HANDLE_INVALID;
    if (rv != CKR_OK)
        return rv;
    if (!(object->class_bit & TS_CLASS_KEYS))
        return CKR_KEY_HANDLE_INVALID;
    if (object->class_bit != class_bit)
        return CKR_KEY_TYPE_INCONSISTENT;
    if (!ts_attrs_bool(&object->attrs, usage, false))
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    if (!is_allowed(&object->attrs, mechanism->type))
        return CKR_MECHANISM_INVALID;
    *out = object;
    return CKR_OK;
}
