#include "pkcs11/profile.h"

#include "pkcs11/attribute.h"

#include <limits.h>
#include <string.h>

static const struct {
    CK_PROFILE_ID id;
    const char *label;
} profiles[] = {
    {CKP_BASELINE_PROVIDER, "Baseline Provider"},
    {CKP_EXTENDED_PROVIDER, "Extended Provider"},
    {CKP_AUTHENTICATION_TOKEN, "Authentication Token"},
    {CKP_PUBLIC_CERTIFICATES_TOKEN, "Public Certificates Token"},
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

/* Even, as those of token objects, and beyond every row number of a store. */
static CK_OBJECT_HANDLE
profile_handle(CK_PROFILE_ID id)
{
    return ((CK_OBJECT_HANDLE)1 << (sizeof(CK_OBJECT_HANDLE) * CHAR_BIT - 3)) + 2 * id;
}

static CK_RV
set_bools(struct ts_attrs *attrs)
{
    CK_RV rv = ts_attrs_set_bool(attrs, CKA_TOKEN, true);

    if (rv == CKR_OK)
        rv = ts_attrs_set_bool(attrs, CKA_PRIVATE, false);
    if (rv == CKR_OK)
        rv = ts_attrs_set_bool(attrs, CKA_MODIFIABLE, false);
    if (rv == CKR_OK)
        rv = ts_attrs_set_bool(attrs, CKA_COPYABLE, false);
    if (rv == CKR_OK)
        rv = ts_attrs_set_bool(attrs, CKA_DESTROYABLE, false);
    return rv;
}

static CK_RV
fill(struct ts_attrs *attrs, CK_PROFILE_ID id, const char *label)
{
    char unique[] = "profile-0";

    unique[sizeof(unique) - 2] = (char)('0' + id);
    CK_RV rv = ts_attrs_set_ulong(attrs, CKA_CLASS, CKO_PROFILE);
    if (rv == CKR_OK)
        rv = set_bools(attrs);
    if (rv == CKR_OK)
        rv = ts_attrs_set(attrs, CKA_LABEL, label, strlen(label));
    if (rv == CKR_OK)
        rv = ts_attrs_set(attrs, CKA_UNIQUE_ID, unique, strlen(unique));
    if (rv == CKR_OK)
        rv = ts_attrs_set_ulong(attrs, CKA_PROFILE_ID, id);
    return rv;
}

CK_RV
ts_profiles_append(struct ts_object_list *list)
{
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < PROFILES && rv == CKR_OK; i++) {
        struct ts_object object = {.handle = profile_handle(profiles[i].id), .class_bit = TS_CLASS_PROFILE};
        rv = fill(&object.attrs, profiles[i].id, profiles[i].label);
        if (rv == CKR_OK)
            rv = ts_object_list_append(list, &object);
        if (rv != CKR_OK)
            ts_attrs_clear(&object.attrs);
    }
    return rv;
}
