#include "pkcs11/objects.h"

#include "pkcs11/attribute.h"
#include "pkcs11/call.h"
#include "pkcs11/profile.h"
#include "pkcs11/rv.h"

#include <stdlib.h>
#include <string.h>

CK_OBJECT_HANDLE
ts_handle_from_row(uint64_t row)
{
    return (CK_OBJECT_HANDLE)row << 1;
}

static CK_OBJECT_HANDLE
handle_from_number(CK_ULONG number)
{
    return number << 1 | 1;
}

void
ts_object_list_clear(struct ts_object_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        ts_attrs_clear(&list->items[i].attrs);
    free(list->items);
    ts_index_clear(&list->index);
    *list = (struct ts_object_list){0};
}

static struct ts_object *
list_find(const struct ts_object_list *list, CK_OBJECT_HANDLE handle)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].handle == handle)
            return &list->items[middle];
        if (list->items[middle].handle < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

CK_RV
ts_object_list_append(struct ts_object_list *list, const struct ts_object *object)
{
    struct ts_object *grown = realloc(list->items, (list->count + 1) * sizeof(*grown));

    if (!grown)
        return CKR_HOST_MEMORY;
    ts_index_clear(&list->index);
    list->items = grown;
    list->items[list->count++] = *object;
    return CKR_OK;
}

static void
list_delete(struct ts_object_list *list, struct ts_object *object)
{
    size_t at = (size_t)(object - list->items);

    ts_index_clear(&list->index);
    ts_attrs_clear(&object->attrs);
    memmove(object, object + 1, (list->count - at - 1) * sizeof(*object));
    list->count--;
}

/* --- the cache of token objects --- */

static int
compare_handles(const void *left, const void *right)
{
    const struct ts_object *a = left, *b = right;

    return a->handle < b->handle ? -1 : a->handle > b->handle;
}

static CK_RV
object_from_row(struct ts_object *out, const struct ts_object_row *row)
{
    struct ts_attrs attrs = {row->attributes, row->count, row->count};

    *out = (struct ts_object){.handle = ts_handle_from_row(row->id), .row = row->id};
    out->class_bit = ts_class_bit(ts_attrs_ulong(&attrs, CKA_CLASS, CK_UNAVAILABLE_INFORMATION));
    out->is_private = ts_attrs_bool(&attrs, CKA_PRIVATE, true);
    CK_RV rv = ts_attrs_merge(&out->attrs, &attrs);
    if (rv != CKR_OK)
        ts_attrs_clear(&out->attrs);
    return rv;
}

static CK_RV
list_from_rows(struct ts_object_list *out, const struct ts_object_row *rows, size_t count)
{
    *out = (struct ts_object_list){.items = calloc(count ? count : 1, sizeof(struct ts_object))};
    if (!out->items)
        return CKR_HOST_MEMORY;
    for (size_t i = 0; i < count; i++) {
        CK_RV rv = object_from_row(&out->items[out->count], &rows[i]);
        if (rv != CKR_OK) {
            ts_object_list_clear(out);
            return rv;
        }
        if (out->items[out->count].class_bit & ~(unsigned)TS_CLASS_PROFILE)
            out->count++;
        else
            ts_attrs_clear(&out->items[out->count].attrs); /* a later version's class */
    }
    qsort(out->items, out->count, sizeof(*out->items), compare_handles);
    CK_RV rv = ts_profiles_append(out);
    if (rv != CKR_OK)
        ts_object_list_clear(out);
    return rv;
}

CK_RV
ts_objects_refresh(struct ts_instance *instance, struct ts_slot *slot)
{
    struct ts_store *store = ts_enterprise_store(instance->enterprise);
    struct ts_object_row *rows = NULL;
    struct ts_object_list fresh = {0};
    size_t count = 0;
    uint64_t version = 0;

    /* Before the rows: a change in between is then read once too often rather than never. */
    enum ts_error err = ts_store_version(&version, store);
    if (err == TS_OK && slot->loaded && slot->version == version)
        return CKR_OK;
    if (err == TS_OK)
        err = ts_object_list(&rows, &count, store, ts_slot_has_user(slot) ? slot->login->keyring : NULL, slot->id);
    if (err != TS_OK)
        return ts_rv_log(&instance->env, err, "reading the objects of the token in slot %lu", slot->id);
    CK_RV rv = list_from_rows(&fresh, rows, count);
    ts_object_list_free(rows, count);
    if (rv != CKR_OK)
        return rv;
    ts_object_list_clear(&slot->token_objects);
    slot->token_objects = fresh;
    slot->version = version;
    slot->loaded = true;
    return CKR_OK;
}

bool
ts_object_of_token(const struct ts_object *object)
{
    return object->owner == CK_INVALID_HANDLE;
}

bool
ts_object_visible(const struct ts_slot *slot, const struct ts_object *object)
{
    return !object->is_private || ts_slot_has_user(slot);
}

CK_RV
ts_object_get(struct ts_object **out, struct ts_call *call, CK_OBJECT_HANDLE handle)
{
    struct ts_object *object = NULL;

    if (handle & 1) {
        object = list_find(&call->slot->session_objects, handle);
    } else {
        CK_RV rv = ts_objects_refresh(call->instance, call->slot);
        if (rv != CKR_OK)
            return rv;
        object = list_find(&call->slot->token_objects, handle);
    }
    if (!object)
        return CKR_OBJECT_HANDLE_INVALID;
    if (!ts_object_visible(call->slot, object))
        return CKR_USER_NOT_LOGGED_IN;
    *out = object;
    return CKR_OK;
}

/* --- changes --- */

/* The contents of private objects are for the user alone; a private key's attributes hold nothing secret (its half is
   sealed elsewhere) and the administrator's commands show them. */
static void
mark_sealed(struct ts_attrs *attrs, unsigned class_bit, bool is_private)
{
    for (size_t i = 0; i < attrs->count; i++) {
        const struct ts_rule *rule = ts_rule_find(attrs->items[i].type, class_bit);
        attrs->items[i].sealed = is_private && class_bit != TS_CLASS_PRIVATE && rule && rule->kind == TS_KIND_BYTES &&
                                 rule->type != CKA_UNIQUE_ID;
    }
}

enum ts_error
ts_object_store(uint64_t *row, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token,
    unsigned class_bit, struct ts_attrs *attrs)
{
    mark_sealed(attrs, class_bit, ts_attrs_bool(attrs, CKA_PRIVATE, true));
    return ts_object_put(row, store, keyring, token, attrs->items, attrs->count);
}

static const struct ts_keyring *
keyring_of(const struct ts_slot *slot)
{
    return slot->login ? slot->login->keyring : NULL;
}

/* A session's key that is copied to the token stays: not a moment in which it could end with the session. */
static enum ts_error
store_and_keep(uint64_t *row, struct ts_call *call, unsigned class_bit, struct ts_attrs *attrs)
{
    struct ts_enterprise *enterprise = call->instance->enterprise;
    struct ts_store *store = ts_enterprise_store(enterprise);
    const struct ts_attribute *key = ts_attrs_find(attrs, CKA_TALLYSTICK_KEY);

    enum ts_error err = ts_store_begin(store);
    if (err != TS_OK)
        return err;
    err = ts_object_store(row, store, keyring_of(call->slot), call->slot->id, class_bit, attrs);
    if (err == TS_OK && key && key->len == TS_ID_BYTES)
        err = ts_key_keep(enterprise, key->value);
    if (err == TS_OK)
        return ts_store_commit(store);
    ts_store_rollback(store);
    return err;
}

static CK_RV
add_token_object(CK_OBJECT_HANDLE *handle, struct ts_call *call, unsigned class_bit, struct ts_attrs *attrs)
{
    uint64_t row = 0;

    call->slot->loaded = false;
    enum ts_error err = store_and_keep(&row, call, class_bit, attrs);
    ts_attrs_clear(attrs);
    if (err != TS_OK)
        return ts_rv_log(&call->instance->env, err, "storing an object in the token of slot %lu", call->slot->id);
    *handle = ts_handle_from_row(row);
    return CKR_OK;
}

CK_RV
ts_object_add(CK_OBJECT_HANDLE *handle, struct ts_call *call, unsigned class_bit, struct ts_attrs *attrs)
{
    if (ts_attrs_bool(attrs, CKA_TOKEN, false))
        return add_token_object(handle, call, class_bit, attrs);
    struct ts_object object = {
        .handle = handle_from_number(++call->instance->last_object),
        .owner = call->handle,
        .class_bit = class_bit,
        .is_private = ts_attrs_bool(attrs, CKA_PRIVATE, true),
        .attrs = *attrs,
    };
    CK_RV rv = ts_object_list_append(&call->slot->session_objects, &object);
    if (rv != CKR_OK)
        ts_attrs_clear(attrs);
    *attrs = (struct ts_attrs){0};
    *handle = object.handle;
    return rv;
}

static CK_RV
change_token_object(struct ts_call *call, const struct ts_object *object, struct ts_attrs *changes)
{
    call->slot->loaded = false;
    mark_sealed(changes, object->class_bit, object->is_private);
    enum ts_error err = ts_object_set(ts_enterprise_store(call->instance->enterprise), keyring_of(call->slot),
        object->row, changes->items, changes->count);
    return ts_rv_log(&call->instance->env, err, "changing object %lu in slot %lu", object->handle, call->slot->id);
}

CK_RV
ts_object_change(struct ts_call *call, struct ts_object *object, struct ts_attrs *changes)
{
    struct ts_attrs whole = {0};

    if (object->row)
        return change_token_object(call, object, changes);
    CK_RV rv = ts_attrs_merge(&whole, &object->attrs);
    if (rv == CKR_OK)
        rv = ts_attrs_merge(&whole, changes);
    if (rv != CKR_OK) {
        ts_attrs_clear(&whole);
        return rv;
    }
    ts_index_clear(&call->slot->session_objects.index);
    ts_attrs_clear(&object->attrs);
    object->attrs = whole;
    return CKR_OK;
}

static bool
list_refers(const struct ts_object_list *list, const uint8_t key[TS_ID_BYTES])
{
    for (size_t i = 0; i < list->count; i++) {
        if (ts_attrs_equal(&list->items[i].attrs, CKA_TALLYSTICK_KEY, key, TS_ID_BYTES))
            return true;
    }
    return false;
}

/* The half is erased when no object refers to it any more; with only session objects left it ends with them. */
static CK_RV
release_key(struct ts_instance *instance, struct ts_slot *slot, const uint8_t key[TS_ID_BYTES])
{
    CK_RV rv = ts_objects_refresh(instance, slot);

    if (rv != CKR_OK || list_refers(&slot->token_objects, key))
        return rv;
    bool lent = list_refers(&slot->session_objects, key);
    enum ts_error err = lent ? ts_key_lend(instance->enterprise, key) : ts_key_destroy(instance->enterprise, key);
    slot->farewell |= !lent;
    return ts_rv_log(&instance->env, err, "erasing the half of a destroyed key in slot %lu", slot->id);
}

CK_RV
ts_object_remove(struct ts_instance *instance, struct ts_slot *slot, struct ts_object *object)
{
    uint8_t key[TS_ID_BYTES];
    const struct ts_attribute *id = ts_attrs_find(&object->attrs, CKA_TALLYSTICK_KEY);
    bool has_key = id && id->len == sizeof(key);

    if (has_key)
        memcpy(key, id->value, sizeof(key));
    if (object->row) {
        slot->loaded = false;
        enum ts_error err = ts_object_delete(ts_enterprise_store(instance->enterprise), object->row);
        if (err != TS_OK)
            return ts_rv_log(&instance->env, err, "deleting object %lu in slot %lu", object->handle, slot->id);
    } else {
        list_delete(&slot->session_objects, object);
    }
    return has_key ? release_key(instance, slot, key) : CKR_OK;
}

void
ts_objects_remove_session(struct ts_instance *instance, struct ts_slot *slot, CK_SESSION_HANDLE owner)
{
    for (size_t i = slot->session_objects.count; i-- > 0;) {
        if (slot->session_objects.items[i].owner == owner)
            (void)ts_object_remove(instance, slot, &slot->session_objects.items[i]);
    }
}

void
ts_objects_remove_private(struct ts_instance *instance, struct ts_slot *slot)
{
    for (size_t i = slot->session_objects.count; i-- > 0;) {
        if (slot->session_objects.items[i].is_private)
            (void)ts_object_remove(instance, slot, &slot->session_objects.items[i]);
    }
}
