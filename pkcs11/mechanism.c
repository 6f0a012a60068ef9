#include "pkcs11/mechanism.h"

#define EC (CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_CURVENAME | CKF_EC_UNCOMPRESS)
#define SIGNATURE (CKF_SIGN | CKF_VERIFY | EC)

static const struct ts_mechanism mechanisms[] = {
    {CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR | EC, NULL, NULL},
    {CKM_ECDSA, SIGNATURE, "ECDSA", NULL},
    {CKM_ECDSA_SHA1, SIGNATURE, "ECDSA-SHA1", "SHA1"},
    {CKM_ECDSA_SHA224, SIGNATURE, "ECDSA-SHA224", "SHA2-224"},
    {CKM_ECDSA_SHA256, SIGNATURE, "ECDSA-SHA256", "SHA2-256"},
    {CKM_ECDSA_SHA384, SIGNATURE, "ECDSA-SHA384", "SHA2-384"},
    {CKM_ECDSA_SHA512, SIGNATURE, "ECDSA-SHA512", "SHA2-512"},
    {CKM_ECDSA_SHA3_224, SIGNATURE, "ECDSA-SHA3-224", "SHA3-224"},
    {CKM_ECDSA_SHA3_256, SIGNATURE, "ECDSA-SHA3-256", "SHA3-256"},
    {CKM_ECDSA_SHA3_384, SIGNATURE, "ECDSA-SHA3-384", "SHA3-384"},
    {CKM_ECDSA_SHA3_512, SIGNATURE, "ECDSA-SHA3-512", "SHA3-512"},
    {CKM_SHA_1, CKF_DIGEST, NULL, "SHA1"},
    {CKM_SHA224, CKF_DIGEST, NULL, "SHA2-224"},
    {CKM_SHA256, CKF_DIGEST, NULL, "SHA2-256"},
    {CKM_SHA384, CKF_DIGEST, NULL, "SHA2-384"},
    {CKM_SHA512, CKF_DIGEST, NULL, "SHA2-512"},
    {CKM_SHA3_224, CKF_DIGEST, NULL, "SHA3-224"},
    {CKM_SHA3_256, CKF_DIGEST, NULL, "SHA3-256"},
    {CKM_SHA3_384, CKF_DIGEST, NULL, "SHA3-384"},
    {CKM_SHA3_512, CKF_DIGEST, NULL, "SHA3-512"},
};
#define MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

const struct ts_mechanism *
ts_mechanisms(size_t *count)
{
    *count = MECHANISMS;
    return mechanisms;
}

CK_RV
ts_mechanism_find(const struct ts_mechanism **out, const CK_MECHANISM *mechanism, CK_FLAGS flag)
{
    if (!mechanism)
        return CKR_ARGUMENTS_BAD;
    for (size_t i = 0; i < MECHANISMS; i++) {
        if (mechanisms[i].type != mechanism->mechanism || !(mechanisms[i].flags & flag))
            continue;
        /* Some callers pass a pointer with length 0; the length decides. */
        if (mechanism->ulParameterLen != 0)
            return CKR_MECHANISM_PARAM_INVALID;
        *out = &mechanisms[i];
        return CKR_OK;
    }
    return CKR_MECHANISM_INVALID;
}
