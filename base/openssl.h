#ifndef TS_BASE_OPENSSL_H
#define TS_BASE_OPENSSL_H

#include <stdbool.h>

/** Is the process at its end, and OpenSSL taking itself down (OPENSSL_cleanup)? Then ts_random fails, and nothing else of OpenSSL
 *  should be begun any more. A host that loads us through an OpenSSL provider calls us at this time. */
bool ts_openssl_is_down(void);

#endif
