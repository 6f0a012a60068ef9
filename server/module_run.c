#include "server/module_internal.h"

#include <string.h>

/* What takes a worker to the peer: signatures and new keys. */

CK_RV
ts_module_sign(uint8_t signature[TS_SIGNATURE_MAX], size_t *len, struct ts_module *module, unsigned worker,
    const struct ts_module_sign *job)
{
    CK_SESSION_HANDLE session = module->sessions[worker];
    CK_TALLYSTICK_ECDSA_PARAMS params = {.mechanism = job->mechanism, .wait_ms = job->wait_ms};
    CK_MECHANISM mechanism = {CKM_TALLYSTICK_ECDSA, &params, sizeof params};
    CK_OBJECT_HANDLE key;
    CK_ULONG room = TS_SIGNATURE_MAX;

    memcpy(params.session_id, job->session, sizeof params.session_id);
    CK_RV rv = ts_module_find(&key, module, session, CKA_TALLYSTICK_KEY, job->key);
    if (rv == CKR_OK)
        rv = module->p11->C_SignInit(session, &mechanism, key);
    if (rv == CKR_OK)
        rv = module->p11->C_Sign(session, (CK_BYTE *)(uintptr_t)job->data, job->len, signature, &room);
    *len = rv == CKR_OK ? room : 0;
    return rv;
}

CK_RV
ts_module_keygen(struct ts_key *out, struct ts_module *module, unsigned worker, const struct ts_module_keygen *job)
{
    CK_SESSION_HANDLE session = module->sessions[worker];
    CK_MECHANISM mechanism = {.mechanism = CKM_EC_KEY_PAIR_GEN};
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG wait_ms = job->wait_ms;
    CK_OBJECT_HANDLE public_key, private_key;
    size_t params_len = 0;
    const uint8_t *params = ts_module_curve(&params_len, job->curve);

    if (!params)
        return CKR_CURVE_NOT_SUPPORTED;
    void *label = (void *)(uintptr_t)job->label;
    CK_ATTRIBUTE public_template[] = {
        {CKA_EC_PARAMS, (void *)(uintptr_t)params, params_len},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_LABEL, label, strlen(job->label)},
    };
    CK_ATTRIBUTE private_template[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_LABEL, label, strlen(job->label)},
        {CKA_TALLYSTICK_SESSION_ID, (void *)(uintptr_t)job->session, TS_ID_BYTES},
        {CKA_TALLYSTICK_WAIT, &wait_ms, sizeof wait_ms},
        {CKA_TALLYSTICK_PARTNER, (void *)(uintptr_t)job->partner, job->partner ? strlen(job->partner) : 0},
    };
    CK_ULONG private_count = sizeof private_template / sizeof *private_template - (job->partner ? 0 : 1);
    CK_RV rv = module->p11->C_GenerateKeyPair(session, &mechanism, public_template,
        sizeof public_template / sizeof *public_template, private_template, private_count, &public_key, &private_key);
    return rv == CKR_OK ? ts_module_read(out, module, session, private_key) : rv;
}
