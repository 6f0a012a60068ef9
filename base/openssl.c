#include "base/openssl.h"

#include <openssl/crypto.h>

/* Asked without flags it initialises nothing new. */
bool
ts_openssl_is_down(void)
{
    return OPENSSL_init_crypto(0, NULL) != 1;
}
