#ifndef TS_TRANSPORT_IDENTITY_INTERNAL_H
#define TS_TRANSPORT_IDENTITY_INTERNAL_H

#include "transport/identity.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct ts_identity {
    const struct ts_env *env;
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t key_hash[TS_KEY_HASH_BYTES];
};

/** Check that a certificate is one that this project makes: a P-256 key, signed by itself.
 *  Its dates and names are not looked at: trust comes from the pinned key and ends with the pairing, and a phone's
 *  clock may be wrong.
 *  Returns: TS_OK with the SHA-256 of its SubjectPublicKeyInfo; TS_FORMAT; TS_INTERNAL. */
enum ts_error ts_certificate_check(uint8_t key_hash[TS_KEY_HASH_BYTES], const struct ts_env *env, X509 *certificate);

#endif
