#include "store/hsm_session.h"

/* PKCS#11 2.40, 2.7: attributes of the HSM's key. */

static CK_BBOOL
read_flag(const struct ts_hsm *hsm, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL otherwise)
{
    CK_BBOOL value = otherwise;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};

    CK_RV rv = hsm->module->C_GetAttributeValue(hsm->session, key, &attribute, 1);
    return rv == CKR_OK && attribute.ulValueLen == sizeof value ? value : otherwise;
}

static CK_ULONG
read_number(const struct ts_hsm *hsm, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG value = CK_UNAVAILABLE_INFORMATION;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};

    CK_RV rv = hsm->module->C_GetAttributeValue(hsm->session, key, &attribute, 1);
    return rv == CKR_OK && attribute.ulValueLen == sizeof value ? value : CK_UNAVAILABLE_INFORMATION;
}

/* What is wrong with the key, in words; NULL when nothing is. A flag that the HSM does not tell counts as bad where it
   guards the key, and as absent where it would allow a use. */
static const char *
fault_of(const struct ts_hsm *hsm, CK_OBJECT_HANDLE key)
{
    static const CK_ATTRIBUTE_TYPE other_uses[] = {CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE};

    if (read_number(hsm, key, CKA_KEY_TYPE) != CKK_AES || read_number(hsm, key, CKA_VALUE_LEN) != 32)
        return "is not an AES-256 key";
    if (!read_flag(hsm, key, CKA_SENSITIVE, CK_FALSE))
        return "is not sensitive";
    if (read_flag(hsm, key, CKA_EXTRACTABLE, CK_TRUE))
        return "can be extracted";
    if (!read_flag(hsm, key, CKA_ENCRYPT, CK_FALSE) || !read_flag(hsm, key, CKA_DECRYPT, CK_FALSE))
        return "cannot both encrypt and decrypt";
    for (size_t i = 0; i < sizeof other_uses / sizeof other_uses[0]; i++)
        if (read_flag(hsm, key, other_uses[i], CK_FALSE))
            return "is for more than encryption and decryption";
    return NULL;
}

static enum ts_error
search(CK_OBJECT_HANDLE found[2], CK_ULONG *count, struct ts_hsm *hsm)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[4] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, sizeof yes}};
    CK_ULONG parts = 2;
    static const CK_ATTRIBUTE_TYPE names[] = {CKA_LABEL, CKA_ID};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const CK_ATTRIBUTE *part = p11_kit_uri_get_attribute(hsm->uri, names[i]);
        if (part)
            template[parts++] = *part;
    }
    CK_RV rv = hsm->module->C_FindObjectsInit(hsm->session, template, parts);
    if (rv != CKR_OK)
        return ts_hsm_failed(hsm, "C_FindObjectsInit", rv);
    rv = hsm->module->C_FindObjects(hsm->session, found, 2, count);
    (void)hsm->module->C_FindObjectsFinal(hsm->session);
    return rv == CKR_OK ? TS_OK : ts_hsm_failed(hsm, "C_FindObjects", rv);
}

enum ts_error
ts_hsm_find_key(struct ts_hsm *hsm)
{
    CK_OBJECT_HANDLE found[2] = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};
    CK_ULONG count = 0;

    if (hsm->key != CK_INVALID_HANDLE)
        return TS_OK;
    enum ts_error result = search(found, &count, hsm);
    if (result != TS_OK)
        return result;
    if (count == 0) {
        ts_log(hsm->env, TS_LOG_ERROR, "HSM: the key of its URI is not there; restore the HSM's key, or check the URI");
        return TS_NOT_FOUND;
    }
    const char *fault = count == 1 ? fault_of(hsm, found[0]) : "is not the only one with that name";
    if (fault) {
        ts_log(hsm->env, TS_LOG_ERROR, "HSM: the key of its URI %s: refused", fault);
        return TS_STORAGE;
    }
    hsm->key = found[0];
    return TS_OK;
}
