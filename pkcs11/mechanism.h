#ifndef TS_PKCS11_MECHANISM_H
#define TS_PKCS11_MECHANISM_H

#include "pkcs11/cryptoki.h"

#include <stddef.h>

/** One mechanism of the token. */
struct ts_mechanism {
    CK_MECHANISM_TYPE type;
    CK_FLAGS flags;     /**< CKF_SIGN, CKF_DIGEST, ... as C_GetMechanismInfo tells */
    const char *name;   /**< as the peer knows it; NULL when the peer has no part in it */
    const char *digest; /**< OpenSSL's name of the hash; NULL when it hashes nothing */
};

/** The whole table. */
const struct ts_mechanism *ts_mechanisms(size_t *count);

/** A caller's mechanism, which must have the wanted flag and no parameter.
 *  Returns: CKR_OK; CKR_ARGUMENTS_BAD (NULL); CKR_MECHANISM_INVALID; CKR_MECHANISM_PARAM_INVALID. */
CK_RV ts_mechanism_find(const struct ts_mechanism **out, const CK_MECHANISM *mechanism, CK_FLAGS flag);

#endif
