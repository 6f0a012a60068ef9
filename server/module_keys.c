#include "server/module_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint8_t len;
    uint8_t oid[12];
} curves[] = {
    {"P-256", 10, {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
    {"P-384", 7, {0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22}},
    {"P-521", 7, {0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x23}},
    {"secp256k1", 7, {0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x0a}},
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

const uint8_t *
ts_module_curve(size_t *len, const char *name)
{
    for (size_t i = 0; i < CURVES; i++)
        if (strcmp(curves[i].name, name) == 0) {
            *len = curves[i].len;
            return curves[i].oid;
        }
    return NULL;
}

static void
name_curve(struct ts_key *key, const uint8_t *params, size_t len)
{
    for (size_t i = 0; i < CURVES; i++)
        if (len == curves[i].len && memcmp(params, curves[i].oid, len) == 0)
            (void)strcpy(key->curve, curves[i].name);
}

/* CKA_EC_POINT is an OCTET STRING around the point. */
static void
unwrap_point(struct ts_key *key, const uint8_t *der, size_t len)
{
    size_t head = len > 2 && der[1] == 0x81 ? 3 : 2;

    if (len <= head || len - head > sizeof key->point)
        return;
    key->point_len = len - head;
    memcpy(key->point, der + head, key->point_len);
}

static size_t
filled(const CK_ATTRIBUTE *attribute)
{
    return attribute->ulValueLen == CK_UNAVAILABLE_INFORMATION ? 0 : attribute->ulValueLen;
}

CK_RV
ts_module_read(struct ts_key *out, struct ts_module *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle)
{
    uint8_t params[32], point[140];
    CK_ATTRIBUTE wanted[] = {
        {CKA_TALLYSTICK_KEY, out->id, sizeof out->id},
        {CKA_LABEL, out->label, sizeof out->label - 1},
        {CKA_EC_PARAMS, params, sizeof params},
        {CKA_EC_POINT, point, sizeof point},
        {CKA_PUBLIC_KEY_INFO, out->info, sizeof out->info},
        {CKA_TALLYSTICK_SESSION_ID, out->session, sizeof out->session},
    };

    *out = (struct ts_key){0};
    CK_RV rv = module->p11->C_GetAttributeValue(session, handle, wanted, sizeof wanted / sizeof *wanted);
    /* A key may lack the last one, or have a label that is longer than ours: the others are there. */
    if (rv != CKR_OK && rv != CKR_ATTRIBUTE_TYPE_INVALID && rv != CKR_BUFFER_TOO_SMALL)
        return rv;
    if (filled(&wanted[0]) != sizeof out->id)
        return CKR_KEY_TYPE_INCONSISTENT;
    name_curve(out, params, filled(&wanted[2]));
    unwrap_point(out, point, filled(&wanted[3]));
    out->info_len = filled(&wanted[4]);
    return CKR_OK;
}

/* One search on a session; `limit` handles at most. */
static CK_RV
search(CK_OBJECT_HANDLE *handles, CK_ULONG *count, struct ts_module *module, CK_SESSION_HANDLE session,
    CK_ATTRIBUTE *template, CK_ULONG template_len)
{
    CK_ULONG limit = *count, got = 0;

    *count = 0;
    CK_RV rv = module->p11->C_FindObjectsInit(session, template, template_len);
    if (rv != CKR_OK)
        return rv;
    do {
        rv = module->p11->C_FindObjects(session, handles + *count, limit - *count, &got);
        *count += rv == CKR_OK ? got : 0;
    } while (rv == CKR_OK && got > 0 && *count < limit);
    CK_RV end = module->p11->C_FindObjectsFinal(session);
    return rv == CKR_OK ? end : rv;
}

CK_RV
ts_module_find(CK_OBJECT_HANDLE *out, struct ts_module *module, CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE type,
    const uint8_t value[TS_ID_BYTES])
{
    uint8_t copy[TS_ID_BYTES];
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &private_key, sizeof private_key}, {type, copy, sizeof copy}};
    CK_ULONG count = 1;

    memcpy(copy, value, sizeof copy);
    CK_RV rv = search(out, &count, module, session, template, 2);
    return rv == CKR_OK && count == 0 ? CKR_KEY_HANDLE_INVALID : rv;
}

CK_RV
ts_module_key(struct ts_key *out, struct ts_module *module, const uint8_t *id, const uint8_t *session)
{
    CK_OBJECT_HANDLE handle;

    (void)pthread_mutex_lock(&module->lock);
    CK_RV rv = ts_module_find(
        &handle, module, module->ask, id ? CKA_TALLYSTICK_KEY : CKA_TALLYSTICK_SESSION_ID, id ? id : session);
    if (rv == CKR_OK)
        rv = ts_module_read(out, module, module->ask, handle);
    (void)pthread_mutex_unlock(&module->lock);
    return rv;
}

#define KEYS_MAX 4096

static CK_RV
read_all(struct ts_key **out, size_t *count, struct ts_module *module, CK_OBJECT_HANDLE *handles)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &private_key, sizeof private_key}};
    CK_ULONG found = KEYS_MAX;

    CK_RV rv = search(handles, &found, module, module->ask, template, 1);
    struct ts_key *keys = rv == CKR_OK ? calloc(found ? found : 1, sizeof *keys) : NULL;
    if (rv == CKR_OK && !keys)
        return CKR_HOST_MEMORY;
    for (CK_ULONG i = 0; rv == CKR_OK && i < found; i++)
        /* one that was destroyed meanwhile is left out */
        *count += ts_module_read(&keys[*count], module, module->ask, handles[i]) == CKR_OK;
    *out = keys;
    return rv;
}

CK_RV
ts_module_keys(struct ts_key **out, size_t *count, struct ts_module *module)
{
    CK_OBJECT_HANDLE *handles = calloc(KEYS_MAX, sizeof *handles);

    *out = NULL;
    *count = 0;
    if (!handles)
        return CKR_HOST_MEMORY;
    (void)pthread_mutex_lock(&module->lock);
    CK_RV rv = read_all(out, count, module, handles);
    (void)pthread_mutex_unlock(&module->lock);
    free(handles);
    return rv;
}
