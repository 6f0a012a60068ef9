#ifndef TS_TESTS_PKCS11_STANDARD_H
#define TS_TESTS_PKCS11_STANDARD_H

#include "pkcs11/cryptoki.h"

#include <stdbool.h>

/** May this function answer so? By the list of return values that PKCS#11 3.0 (5.4 to 5.20) has for each function, and what 5.1
 *  allows to all of them.
 *  In: call  source text of a call, as "p11->C_Sign(...)"; anything else may answer what it likes. */
bool standard_allows(const char *call, CK_RV rv);

#endif
