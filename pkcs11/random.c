#include "pkcs11/call.h"
#include "pkcs11/rv.h"

#include <openssl/evp.h>

/* Mixed in beside fresh entropy: a bad seed does no harm. */
CK_RV
C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG seed_len)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && (!seed || seed_len == 0))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK) {
        if (EVP_RAND_reseed(call.instance->env.generator, 0, NULL, 0, seed, seed_len) != 1)
            rv = CKR_GENERAL_ERROR;
    }
    return ts_call_end(&call, rv);
}

CK_RV
C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *random, CK_ULONG random_len)
{
    struct ts_call call;
    CK_RV rv = ts_call_begin_session(&call, session);

    if (rv == CKR_OK && !random && random_len > 0)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK && random_len > 0) {
        ts_call_unlock(&call);
        rv = ts_rv(ts_random(&call.instance->env, random, random_len));
    }
    return ts_call_end(&call, rv);
}
