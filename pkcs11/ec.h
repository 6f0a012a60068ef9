#ifndef TS_PKCS11_EC_H
#define TS_PKCS11_EC_H

#include "pkcs11/attrs.h"
#include "session/enterprise.h"

#include <openssl/types.h>

/** Elliptic curves in Cryptoki's forms. */
struct ts_curve_info {
    enum ts_curve curve;
    const char *group;     /**< OpenSSL's name */
    const char *printable; /**< as CKA_EC_PARAMS may name it (PrintableString) */
    size_t field_bytes;    /**< of a coordinate and of r and s */
    const uint8_t *oid;    /**< DER, tag included: the canonical CKA_EC_PARAMS */
    size_t oid_len;
};

const struct ts_curve_info *ts_curve_info(enum ts_curve curve);

/** Curve named by CKA_EC_PARAMS: an OID or a PrintableString.
 *  Returns: CKR_OK; CKR_CURVE_NOT_SUPPORTED for other names and for explicit parameters; CKR_DOMAIN_PARAMS_INVALID when
 *  it is no DER of that kind. */
CK_RV ts_curve_from_params(const struct ts_curve_info **out, const uint8_t *params, size_t len);

/** The plain point (04 || X || Y) in a CKA_EC_POINT, which may be a DER OCTET STRING or the point itself.
 *  Returns: NULL when it is neither for this curve. Does not say whether the point is on the curve. */
const uint8_t *ts_point_from_value(const struct ts_curve_info *curve, const uint8_t *value, size_t len);

/** Public key from a plain point, in our own library context.
 *  Returns: CKR_OK; CKR_ATTRIBUTE_VALUE_INVALID when the point is not on the curve; CKR_HOST_MEMORY. */
CK_RV ts_point_to_key(
    EVP_PKEY **out, const struct ts_env *env, const struct ts_curve_info *curve, const uint8_t *point, size_t len);

/** Set CKA_EC_PARAMS (OID), CKA_EC_POINT (DER OCTET STRING) and CKA_PUBLIC_KEY_INFO (DER SubjectPublicKeyInfo) for a
 *  plain point. Returns: as ts_point_to_key. */
CK_RV ts_point_set_attrs(
    struct ts_attrs *attrs, const struct ts_env *env, const struct ts_curve_info *curve, const uint8_t *point);

/** r || s as a DER ECDSA-Sig-Value. out: at least 2 * field_bytes + 16 bytes.
 *  Returns: its length. */
size_t ts_signature_to_der(uint8_t *out, const uint8_t *signature, size_t field_bytes);

#endif
