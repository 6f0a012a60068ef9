#ifndef TS_PKCS11_TEMPLATE_H
#define TS_PKCS11_TEMPLATE_H

#include "pkcs11/attribute.h"
#include "pkcs11/attrs.h"

/** What a template is for. */
struct ts_purpose {
    unsigned class_bit;             /**< of the object */
    unsigned when;                  /**< one TS_WHEN_ */
    bool so;                        /**< is the security officer logged in? */
    const struct ts_attrs *current; /**< TS_WHEN_SET, TS_WHEN_COPY: the object as it is; else NULL */
};

/** Shape alone: no NULL where there is a length, no absurd count.
 *  Returns: CKR_OK; CKR_ARGUMENTS_BAD. */
CK_RV ts_template_check_shape(const CK_ATTRIBUTE *template, CK_ULONG count);

/** Class that a template for C_CreateObject names.
 *  Returns: CKR_OK; CKR_TEMPLATE_INCOMPLETE (none); CKR_ATTRIBUTE_VALUE_INVALID. */
CK_RV ts_template_class(CK_OBJECT_CLASS *out, const CK_ATTRIBUTE *template, CK_ULONG count);

/** Copy a caller's template, each entry checked by the rules; all or nothing. `out` is empty before.
 *  Returns: CKR_OK; CKR_ARGUMENTS_BAD; CKR_TEMPLATE_INCONSISTENT (an attribute twice, or of another class,
 *  or dates in the wrong order);
 *  CKR_ATTRIBUTE_TYPE_INVALID (no such attribute); CKR_ATTRIBUTE_VALUE_INVALID; CKR_ATTRIBUTE_READ_ONLY;
 *  CKR_HOST_MEMORY. On failure `out` is empty. */
CK_RV ts_template_read(
    struct ts_attrs *out, const struct ts_purpose *purpose, const CK_ATTRIBUTE *template, CK_ULONG count);

/** Add defaults and a fresh CKA_UNIQUE_ID to what a template gave.
 *  Returns: CKR_OK; CKR_TEMPLATE_INCOMPLETE when C_CreateObject needs more; CKR_HOST_MEMORY; CKR_GENERAL_ERROR. */
CK_RV ts_template_complete(struct ts_attrs *attrs, const struct ts_env *env, const struct ts_purpose *purpose);

/** A fresh CKA_UNIQUE_ID: 32 hexadecimal digits. Returns: CKR_OK; CKR_HOST_MEMORY; CKR_GENERAL_ERROR. */
CK_RV ts_template_set_unique_id(struct ts_attrs *attrs, const struct ts_env *env);

#endif
