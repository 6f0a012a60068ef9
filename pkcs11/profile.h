#ifndef TS_PKCS11_PROFILE_H
#define TS_PKCS11_PROFILE_H

#include "pkcs11/objects.h"

/** Append the token's CKO_PROFILE objects, whose handles are above those of all others. They are made anew with each
 *  reading of the token and never stored.
 *  Source: PKCS#11 Base 3.0, 4.12 Profile objects; PKCS#11 Profiles 3.0, 3: Baseline, Extended, Authentication Token,
 *  Public Certificates Token.
 *  Returns: CKR_OK; CKR_HOST_MEMORY (then some may have been appended). */
CK_RV ts_profiles_append(struct ts_object_list *list);

#endif
