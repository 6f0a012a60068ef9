#ifndef TS_BASE_OPENSSL_H
#define TS_BASE_OPENSSL_H

#include <stdbool.h>

/** Is the process at its end, and OpenSSL taking itself down (OPENSSL_cleanup)? Then nothing of OpenSSL
 *  should be begun any more; what goes on in the library context of our own may end. A host that loads us through an OpenSSL provider calls us at this time. */
bool ts_openssl_is_down(void);

#endif
