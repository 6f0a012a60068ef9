#include "pkcs11/attrs.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

void
ts_attrs_clear(struct ts_attrs *attrs)
{
    for (size_t i = 0; i < attrs->count; i++) {
        ts_wipe(attrs->items[i].value, attrs->items[i].len);
        free(attrs->items[i].value);
    }
    free(attrs->items);
    *attrs = (struct ts_attrs){0};
}

static struct ts_attribute *
find(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = 0; i < attrs->count; i++) {
        if (attrs->items[i].type == type)
            return &attrs->items[i];
    }
    return NULL;
}

const struct ts_attribute *
ts_attrs_find(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type)
{
    return find(attrs, type);
}

/* Room for every attribute that a key has, then twice as much: an object seldom allocates a second time. */
static bool
make_room(struct ts_attrs *attrs)
{
    size_t room = attrs->room ? 2 * attrs->room : 32;

    if (attrs->count < attrs->room)
        return true;
    struct ts_attribute *grown = realloc(attrs->items, room * sizeof(*grown));
    if (!grown)
        return false;
    attrs->items = grown;
    attrs->room = room;
    return true;
}

static struct ts_attribute *
append(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type)
{
    if (!make_room(attrs))
        return NULL;
    attrs->items[attrs->count] = (struct ts_attribute){.type = type};
    return &attrs->items[attrs->count++];
}

void
ts_attrs_remove(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type)
{
    struct ts_attribute *item = find(attrs, type);

    if (!item)
        return;
    ts_wipe(item->value, item->len);
    free(item->value);
    *item = attrs->items[--attrs->count];
}

CK_RV
ts_attrs_set(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        return CKR_HOST_MEMORY;
    if (len > 0)
        memcpy(copy, value, len);
    struct ts_attribute *item = find(attrs, type);
    if (!item)
        item = append(attrs, type);
    if (!item) {
        free(copy);
        return CKR_HOST_MEMORY;
    }
    ts_wipe(item->value, item->len);
    free(item->value);
    item->value = copy;
    item->len = len;
    return CKR_OK;
}

CK_RV
ts_attrs_set_bool(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, bool value)
{
    CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;

    return ts_attrs_set(attrs, type, &byte, sizeof(byte));
}

CK_RV
ts_attrs_set_ulong(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
    return ts_attrs_set(attrs, type, &value, sizeof(value));
}

CK_RV
ts_attrs_merge(struct ts_attrs *attrs, const struct ts_attrs *from)
{
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < from->count && rv == CKR_OK; i++)
        rv = ts_attrs_set(attrs, from->items[i].type, from->items[i].value, from->items[i].len);
    return rv;
}

bool
ts_attrs_bool(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, bool absent)
{
    const struct ts_attribute *item = find(attrs, type);

    return item && item->len == 1 ? item->value[0] != CK_FALSE : absent;
}

CK_ULONG
ts_attrs_ulong(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, CK_ULONG absent)
{
    const struct ts_attribute *item = find(attrs, type);
    CK_ULONG value = absent;

    if (item && item->len == sizeof(value))
        memcpy(&value, item->value, sizeof(value));
    return value;
}

bool
ts_attrs_equal(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    const struct ts_attribute *item = find(attrs, type);

    return item && item->len == len && (len == 0 || memcmp(item->value, value, len) == 0);
}
