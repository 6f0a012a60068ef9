#ifndef TS_PKCS11_CERTIFICATE_H
#define TS_PKCS11_CERTIFICATE_H

#include "pkcs11/attrs.h"

/** Check and finish the attributes of a new certificate object: type, value or URL with hashes, CKA_CHECK_VALUE and
 *  CKA_PUBLIC_KEY_INFO computed when not given. Source: PKCS#11 3.0, 4.6.3.
 *  Returns: CKR_OK; CKR_ATTRIBUTE_VALUE_INVALID; CKR_TEMPLATE_INCOMPLETE; CKR_HOST_MEMORY. */
CK_RV ts_certificate_finish(struct ts_attrs *attrs, const struct ts_env *env);

#endif
