#include "transport/pair_code.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#define COMMIT_LABEL "tallystick/1 pair code commitment"
#define CODE_LABEL "tallystick/1 pair code"
#define CODES 1000000u

/* SHA-256 over a label and fields of fixed length. */
static enum ts_error
hash(uint8_t out32[32], const struct ts_env *env, const char *label, const uint8_t exporter32[32], const uint8_t *first,
    const uint8_t *second)
{
    struct ts_buf text;
    size_t len = 0;
    enum ts_error error = TS_INTERNAL;

    ts_buf_init(&text, 256);
    (void)ts_buf_put(&text, label, strlen(label) + 1);
    (void)ts_buf_put(&text, exporter32, 32);
    (void)ts_buf_put(&text, first, TS_PAIR_NONCE_BYTES);
    if (second)
        (void)ts_buf_put(&text, second, TS_PAIR_NONCE_BYTES);
    ERR_set_mark();
    if (ts_buf_error(&text) == TS_OK &&
        EVP_Q_digest(env->libctx, "SHA2-256", NULL, text.data, text.len, out32, &len) == 1)
        error = TS_OK;
    ERR_pop_to_mark();
    ts_buf_clear(&text);
    return error;
}

enum ts_error
ts_pair_code_commit(
    uint8_t out32[32], const struct ts_env *env, const uint8_t exporter32[32], const uint8_t nonce[TS_PAIR_NONCE_BYTES])
{
    return hash(out32, env, COMMIT_LABEL, exporter32, nonce, NULL);
}

enum ts_error
ts_pair_code(char out[TS_PAIR_CODE_BYTES], const struct ts_env *env, const uint8_t exporter32[32],
    const uint8_t dialler[TS_PAIR_NONCE_BYTES], const uint8_t listener[TS_PAIR_NONCE_BYTES])
{
    uint8_t digest[32];
    uint64_t number = 0;
    enum ts_error error = hash(digest, env, CODE_LABEL, exporter32, dialler, listener);

    out[0] = 0;
    if (error != TS_OK)
        return error;
    for (size_t i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    (void)snprintf(out, TS_PAIR_CODE_BYTES, "%06" PRIu64, number % CODES);
    return TS_OK;
}
