#include "pkcs11/call.h"
#include "pkcs11/certificate.h"
#include "pkcs11/template.h"

#include <string.h>

/* A private object of nobody's login does not exist for the caller. */
static CK_RV
get_visible(struct ts_object **out, struct ts_call *call, CK_OBJECT_HANDLE handle)
{
    CK_RV rv = ts_object_get(out, call, handle);

    return rv == CKR_USER_NOT_LOGGED_IN ? CKR_OBJECT_HANDLE_INVALID : rv;
}

/* --- C_CreateObject --- */

static CK_RV
finish_public_key(struct ts_attrs *attrs, const struct ts_env *env)
{
    const struct ts_curve_info *curve = NULL;
    struct ts_attrs derived = {0};

    if (ts_attrs_ulong(attrs, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION) != CKK_EC)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    const struct ts_attribute *params = ts_attrs_find(attrs, CKA_EC_PARAMS);
    CK_RV rv = ts_curve_from_params(&curve, params->value, params->len);
    if (rv != CKR_OK)
        return rv;
    const struct ts_attribute *value = ts_attrs_find(attrs, CKA_EC_POINT);
    const uint8_t *point = ts_point_from_value(curve, value->value, value->len);
    if (!point)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    rv = ts_point_set_attrs(&derived, env, curve, point);
    const struct ts_attribute *given = ts_attrs_find(attrs, CKA_PUBLIC_KEY_INFO);
    if (rv == CKR_OK && given && given->len > 0 &&
        !ts_attrs_equal(&derived, CKA_PUBLIC_KEY_INFO, given->value, given->len))
        rv = CKR_TEMPLATE_INCONSISTENT;
    if (rv == CKR_OK)
        rv = ts_attrs_merge(attrs, &derived);
    ts_attrs_clear(&derived);
    return rv;
}

static CK_RV
finish_new(struct ts_attrs *attrs, const struct ts_env *env, unsigned class_bit)
{
    switch (class_bit) {
    case TS_CLASS_DATA:
        return CKR_OK;
    case TS_CLASS_CERTIFICATE:
        return ts_certificate_finish(attrs, env);
    case TS_CLASS_PUBLIC:
        return finish_public_key(attrs, env);
    default:
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
}

static CK_RV
check_write_attrs(const struct ts_call *call, const struct ts_attrs *attrs)
{
    return ts_ck_session_check_write(
        call->session, ts_attrs_bool(attrs, CKA_TOKEN, false), ts_attrs_bool(attrs, CKA_PRIVATE, true));
}

static CK_RV
create_object(struct ts_call *call, const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    const struct ts_env *env = &call->instance->env;
    struct ts_attrs attrs = {0};
    CK_OBJECT_CLASS object_class = 0;

    CK_RV rv = ts_template_class(&object_class, template, count);
    if (rv != CKR_OK)
        return rv;
    struct ts_purpose purpose = {ts_class_bit(object_class), TS_WHEN_CREATE, ts_slot_has_so(call->slot), NULL};
    if (purpose.class_bit == TS_CLASS_PRIVATE)
        ts_log(env, TS_LOG_WARNING,
            "a private key was refused: keys of this token are made by C_GenerateKeyPair, with the peer");
    if (!(purpose.class_bit & (TS_CLASS_DATA | TS_CLASS_CERTIFICATE | TS_CLASS_PUBLIC)))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    rv = ts_template_read(&attrs, &purpose, template, count);
    if (rv == CKR_OK)
        rv = ts_template_complete(&attrs, env, &purpose);
    if (rv == CKR_OK)
        rv = finish_new(&attrs, env, purpose.class_bit);
    if (rv == CKR_OK)
        rv = check_write_attrs(call, &attrs);
    if (rv == CKR_OK)
        rv = ts_object_add(object, call, purpose.class_bit, &attrs);
    ts_attrs_clear(&attrs);
    return rv;
}

CK_RV
C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && (!object || !template))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = create_object(&call, template, count, object);
    return ts_call_end(&call, rv);
}

/* --- C_CopyObject --- */

static CK_RV
read_copy(struct ts_attrs *out, const struct ts_call *call, const struct ts_object *source,
    const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_purpose purpose = {source->class_bit, TS_WHEN_COPY, ts_slot_has_so(call->slot), &source->attrs};
    struct ts_attrs changes = {0};

    CK_RV rv = ts_template_read(&changes, &purpose, template, count);
    if (rv == CKR_OK && source->is_private && !ts_attrs_bool(&changes, CKA_PRIVATE, true))
        rv = CKR_TEMPLATE_INCONSISTENT;
    if (rv == CKR_OK)
        rv = ts_attrs_merge(out, &source->attrs);
    if (rv == CKR_OK)
        rv = ts_attrs_merge(out, &changes);
    if (rv == CKR_OK)
        rv = ts_template_set_unique_id(out, &call->instance->env);
    ts_attrs_clear(&changes);
    return rv;
}

/* The copy of a private key refers to the same half, which lives as long as any of its objects. */
static CK_RV
copy_object(
    struct ts_call *call, CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *copy)
{
    struct ts_object *source = NULL;
    struct ts_attrs attrs = {0};

    CK_RV rv = get_visible(&source, call, handle);
    if (rv == CKR_OK && !ts_attrs_bool(&source->attrs, CKA_COPYABLE, true))
        rv = CKR_ACTION_PROHIBITED;
    if (rv == CKR_OK)
        rv = read_copy(&attrs, call, source, template, count);
    if (rv == CKR_OK)
        rv = check_write_attrs(call, &attrs);
    if (rv == CKR_OK)
        rv = ts_object_add(copy, call, source->class_bit, &attrs);
    ts_attrs_clear(&attrs);
    return rv;
}

CK_RV
C_CopyObject(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *copy)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !copy)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = copy_object(&call, object, template, count, copy);
    return ts_call_end(&call, rv);
}

/* --- C_DestroyObject --- */

static CK_RV
destroy_object(struct ts_call *call, CK_OBJECT_HANDLE handle)
{
    struct ts_object *object = NULL;

    CK_RV rv = get_visible(&object, call, handle);
    if (rv != CKR_OK)
        return rv;
    if (ts_object_of_token(object) && !call->session->writable)
        return CKR_SESSION_READ_ONLY;
    if (!ts_attrs_bool(&object->attrs, CKA_DESTROYABLE, true))
        return CKR_ACTION_PROHIBITED;
    return ts_object_remove(call->instance, call->slot, object);
}

CK_RV
C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK)
        rv = destroy_object(&call, object);
    return ts_call_end(&call, rv);
}

/* --- attributes --- */

CK_RV
C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ULONG *size)
{
    struct ts_call call;
    struct ts_object *object = NULL;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !size)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = get_visible(&object, &call, handle);
    if (rv == CKR_OK) {
        *size = 0;
        for (size_t i = 0; i < object->attrs.count; i++)
            *size += sizeof(CK_ATTRIBUTE_TYPE) + object->attrs.items[i].len;
    }
    return ts_call_end(&call, rv);
}

/* One entry of a caller's template; the length is -1 wherever the value is not handed out. */
static CK_RV
get_entry(const struct ts_object *object, CK_ATTRIBUTE *entry)
{
    const struct ts_rule *rule = ts_rule_find(entry->type, object->class_bit);
    const struct ts_attribute *item = rule ? ts_attrs_find(&object->attrs, entry->type) : NULL;
    CK_ULONG room = entry->ulValueLen;

    entry->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    if (rule && (rule->flags & TS_RULE_SENSITIVE))
        return CKR_ATTRIBUTE_SENSITIVE;
    if (!item)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (entry->pValue && room < item->len)
        return CKR_BUFFER_TOO_SMALL;
    if (entry->pValue && item->len > 0)
        memcpy(entry->pValue, item->value, item->len);
    entry->ulValueLen = item->len;
    return CKR_OK;
}

CK_RV
C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_call call;
    struct ts_object *object = NULL;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !template)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = ts_template_check_shape(template, count);
    if (rv == CKR_OK)
        rv = get_visible(&object, &call, handle);
    for (CK_ULONG i = 0; object && i < count; i++) {
        CK_RV entry = get_entry(object, &template[i]);
        if (entry == CKR_OK && template[i].type == CKA_EC_POINT && template[i].pValue)
            ts_slack_take(&call.instance->slack);
        if (rv == CKR_OK)
            rv = entry;
    }
    return ts_call_end(&call, rv);
}

static CK_RV
set_attributes(struct ts_call *call, CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_object *object = NULL;
    struct ts_attrs changes = {0};

    CK_RV rv = get_visible(&object, call, handle);
    if (rv != CKR_OK)
        return rv;
    if (ts_object_of_token(object) && !call->session->writable)
        return CKR_SESSION_READ_ONLY;
    if (!ts_attrs_bool(&object->attrs, CKA_MODIFIABLE, true))
        return CKR_ACTION_PROHIBITED;
    struct ts_purpose purpose = {object->class_bit, TS_WHEN_SET, ts_slot_has_so(call->slot), &object->attrs};
    rv = ts_template_read(&changes, &purpose, template, count);
    if (rv == CKR_OK && changes.count > 0)
        rv = ts_object_change(call, object, &changes);
    ts_attrs_clear(&changes);
    return rv;
}

CK_RV
C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !template)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = set_attributes(&call, object, template, count);
    return ts_call_end(&call, rv);
}
