#ifndef TS_PKCS11_HASH_H
#define TS_PKCS11_HASH_H

#include "base/env.h"
#include "pkcs11/mechanism.h"

#include <openssl/types.h>
#include <stdint.h>

/** Start a mechanism's hash in our own library context. Returns: CKR_OK; CKR_HOST_MEMORY. Free with EVP_MD_CTX_free. */
CK_RV ts_hash_start(EVP_MD_CTX **out, const struct ts_env *env, const struct ts_mechanism *mechanism);

/** Length of its result in bytes, at most 64. */
size_t ts_hash_len(const EVP_MD_CTX *hash);

/** All at once. out: 64 bytes. Returns: CKR_OK; CKR_HOST_MEMORY. */
CK_RV ts_hash_whole(uint8_t *out, size_t *out_len, const struct ts_env *env, const struct ts_mechanism *mechanism,
    const uint8_t *data, size_t len);

#endif
