#include "session/mechanism.h"

#include <string.h>

#include <openssl/evp.h>

static const struct {
    const char *mechanism, *hash;
} table[] = {
    {"ECDSA", ""},
    {"ECDSA-SHA1", "SHA1"},
    {"ECDSA-SHA224", "SHA2-224"},
    {"ECDSA-SHA256", "SHA2-256"},
    {"ECDSA-SHA384", "SHA2-384"},
    {"ECDSA-SHA512", "SHA2-512"},
    {"ECDSA-SHA3-224", "SHA3-224"},
    {"ECDSA-SHA3-256", "SHA3-256"},
    {"ECDSA-SHA3-384", "SHA3-384"},
    {"ECDSA-SHA3-512", "SHA3-512"},
};

const char *
ts_mechanism_hash(const char *mechanism)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].mechanism, mechanism) == 0)
            return table[i].hash;
    return NULL;
}

enum ts_error
ts_mechanism_digest(uint8_t out[TS_DIGEST_ROOM], size_t *len, const struct ts_env *env, const char *mechanism,
    const uint8_t *message, size_t message_len)
{
    const char *hash = ts_mechanism_hash(mechanism);

    if (!hash || !*hash)
        return TS_USAGE;
    return EVP_Q_digest(env->libctx, hash, NULL, message_len ? message : (const uint8_t *)"", message_len, out, len) ==
                   1
               ? TS_OK
               : TS_INTERNAL;
}
