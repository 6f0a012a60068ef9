#include "pkcs11/attribute.h"
#include "pkcs11/call.h"
#include "pkcs11/template.h"

#include <stdlib.h>
#include <string.h>

void
ts_find_end(struct ts_find *find)
{
    free(find->handles);
    *find = (struct ts_find){0};
}

/* Some callers search by the plain point although the attribute is a DER OCTET STRING. */
static bool
is_plain_point(const struct ts_object *object, const CK_ATTRIBUTE *wanted)
{
    const struct ts_attribute *item = ts_attrs_find(&object->attrs, CKA_EC_POINT);

    if (wanted->type != CKA_EC_POINT || !item || wanted->ulValueLen < 65 || item->len < wanted->ulValueLen + 2 ||
        item->len > wanted->ulValueLen + 3)
        return false;
    return memcmp(item->value + item->len - wanted->ulValueLen, wanted->pValue, wanted->ulValueLen) == 0;
}

static bool
matches(const struct ts_object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        const CK_ATTRIBUTE *wanted = &template[i];
        if (!ts_attrs_equal(&object->attrs, wanted->type, wanted->pValue, wanted->ulValueLen) &&
            !is_plain_point(object, wanted))
            return false;
    }
    return true;
}

static void
collect(struct ts_find *find, const struct ts_slot *slot, struct ts_object_list *list, const CK_ATTRIBUTE *template,
    CK_ULONG count)
{
    struct ts_candidates candidates = ts_index_lookup(list, template, count);

    for (size_t i = 0; i < candidates.count; i++) {
        const struct ts_object *object = &list->items[candidates.entries ? candidates.entries[i].position : i];
        if (ts_object_visible(slot, object) && matches(object, template, count))
            find->handles[find->count++] = object->handle;
    }
}

static CK_RV
check_template(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_RV rv = ts_template_check_shape(template, count);

    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        if (!template[i].pValue && template[i].ulValueLen > 0)
            rv = CKR_ATTRIBUTE_VALUE_INVALID;
    }
    return rv;
}

static CK_RV
find_init(struct ts_call *call, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_slot *slot = call->slot;
    struct ts_find find = {.active = true};

    if (call->session->find.active)
        return CKR_OPERATION_ACTIVE;
    CK_RV rv = check_template(template, count);
    if (rv == CKR_OK)
        rv = ts_objects_refresh(call->instance, slot);
    if (rv != CKR_OK)
        return rv;
    find.handles = calloc(slot->token_objects.count + slot->session_objects.count + 1, sizeof(*find.handles));
    if (!find.handles)
        return CKR_HOST_MEMORY;
    collect(&find, slot, &slot->token_objects, template, count);
    collect(&find, slot, &slot->session_objects, template, count);
    call->session->find = find;
    return CKR_OK;
}

CK_RV
C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK)
        rv = find_init(&call, template, count);
    return ts_call_end(&call, rv);
}

CK_RV
C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && (!count || (!objects && max > 0)))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK && !call.session->find.active)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    if (rv == CKR_OK) {
        struct ts_find *find = &call.session->find;
        size_t left = find->count - find->next;
        size_t given = left < max ? left : max;
        if (given > 0)
            memcpy(objects, find->handles + find->next, given * sizeof(*objects));
        find->next += given;
        *count = given;
    }
    return ts_call_end(&call, rv);
}

CK_RV
C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !call.session->find.active)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    if (rv == CKR_OK)
        ts_find_end(&call.session->find);
    return ts_call_end(&call, rv);
}
