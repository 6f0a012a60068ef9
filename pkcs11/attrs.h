#ifndef TS_PKCS11_ATTRS_H
#define TS_PKCS11_ATTRS_H

#include "pkcs11/cryptoki.h"
#include "store/store.h"

/** The attributes of one object: the store's own form, each type at most once. Empty when zeroed. */
struct ts_attrs {
    struct ts_attribute *items;
    size_t count, room;
};

/** Erases and frees. */
void ts_attrs_clear(struct ts_attrs *attrs);

/** NULL when the object has no such attribute. */
const struct ts_attribute *ts_attrs_find(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type);

/** Set or replace. Returns: CKR_OK; CKR_HOST_MEMORY. */
CK_RV ts_attrs_set(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, const void *value, size_t len);
CK_RV ts_attrs_set_bool(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, bool value);
CK_RV ts_attrs_set_ulong(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, CK_ULONG value);
/** Take an attribute away, when it is there; its value is erased. */
void ts_attrs_remove(struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type);
/** Set all of `from`. Returns: CKR_OK; CKR_HOST_MEMORY (then some may be set). */
CK_RV ts_attrs_merge(struct ts_attrs *attrs, const struct ts_attrs *from);

/** Value, or `absent` when there is none. */
bool ts_attrs_bool(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, bool absent);
CK_ULONG ts_attrs_ulong(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, CK_ULONG absent);
/** Is there one with exactly this value? */
bool ts_attrs_equal(const struct ts_attrs *attrs, CK_ATTRIBUTE_TYPE type, const void *value, size_t len);

#endif
