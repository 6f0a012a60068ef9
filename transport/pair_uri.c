#include "transport/pair_uri.h"

#include "base/env.h"
#include "base/secret.h"
#include "transport/tcp.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#define SCHEME "tallystick:"
#define KEY_HASH_CHARACTERS 43 /* base64url of 32 bytes, without padding */
#define SECRET_CHARACTERS 22   /* of 16 bytes */
#define PROOF_LABEL "tallystick/1 pair"
#define PROOF_BYTES 32

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; /* RFC 4648 5 */

static void
base64url_encode(char *out, const uint8_t *bytes, size_t len)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6)
            *out++ = alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *out++ = alphabet[bits << (6 - count) & 63];
    *out = 0;
}

/* Exactly `len` bytes from exactly the characters that they need, whose spare bits are zero. */
static bool
base64url_decode(uint8_t *out, size_t len, const char *text, size_t text_len)
{
    uint32_t bits = 0;
    unsigned count = 0;

    if (text_len != (len * 8 + 5) / 6)
        return false;
    for (size_t i = 0; i < text_len; i++) {
        const char *place = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!place)
            return false;
        bits = bits << 6 | (uint32_t)(place - alphabet);
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        *out++ = (uint8_t)(bits >> count);
    }
    return (bits & ((1u << count) - 1)) == 0;
}

static bool
address_fits(const char *address)
{
    char host[TS_TCP_HOST_BYTES];
    uint16_t port = 0;

    return ts_tcp_address_split(host, &port, address) == TS_OK && port != 0;
}

static bool
append(char *out, size_t size, size_t *used, const char *text)
{
    size_t len = strlen(text);

    if (len >= size - *used)
        return false;
    memcpy(out + *used, text, len + 1);
    *used += len;
    return true;
}

enum ts_error
ts_pair_uri_encode(char *out, size_t size, const struct ts_pair_uri *uri)
{
    char hash[KEY_HASH_CHARACTERS + 1], secret[SECRET_CHARACTERS + 1];
    enum ts_error error = TS_USAGE;
    size_t used = 0;

    if (size == 0 || !memchr(uri->address, 0, sizeof uri->address) || !address_fits(uri->address))
        return TS_USAGE;
    base64url_encode(hash, uri->key_hash, sizeof uri->key_hash);
    base64url_encode(secret, uri->secret, sizeof uri->secret);
    if (append(out, size, &used, SCHEME) && append(out, size, &used, uri->address) && append(out, size, &used, "?k=") &&
        append(out, size, &used, hash) && append(out, size, &used, "&s=") && append(out, size, &used, secret))
        error = TS_OK;
    if (error != TS_OK)
        ts_wipe(out, size);
    ts_wipe(secret, sizeof secret);
    return error;
}

static bool
take_address(struct ts_pair_uri *out, const char *start, size_t len)
{
    if (len >= sizeof out->address)
        return false;
    memcpy(out->address, start, len);
    out->address[len] = 0;
    return address_fits(out->address);
}

/* One "name=value" of `len` bytes; `seen` counts each name. */
static bool
take_parameter(struct ts_pair_uri *out, unsigned seen[2], const char *start, size_t len)
{
    if (len < 2 || start[1] != '=')
        return false;
    if (start[0] == 'k' && seen[0]++ == 0)
        return base64url_decode(out->key_hash, sizeof out->key_hash, start + 2, len - 2);
    if (start[0] == 's' && seen[1]++ == 0)
        return base64url_decode(out->secret, sizeof out->secret, start + 2, len - 2);
    return false;
}

static bool
parse(struct ts_pair_uri *out, const char *text)
{
    unsigned seen[2] = {0, 0};

    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return false;
    text += strlen(SCHEME);
    size_t len = strcspn(text, "?");
    if (text[len] != '?' || !take_address(out, text, len))
        return false;
    text += len + 1;
    for (;;) {
        len = strcspn(text, "&");
        if (!take_parameter(out, seen, text, len))
            return false;
        if (text[len] == 0)
            return seen[0] == 1 && seen[1] == 1;
        text += len + 1;
    }
}

enum ts_error
ts_pair_uri_decode(struct ts_pair_uri *out, const char *text)
{
    memset(out, 0, sizeof *out);
    if (text && parse(out, text))
        return TS_OK;
    ts_wipe(out, sizeof *out);
    return TS_USAGE;
}

enum ts_error
ts_pair_proof(uint8_t out32[32], const struct ts_env *env, const uint8_t secret[TS_PAIR_SECRET_BYTES], uint8_t role,
    const uint8_t exporter32[32], const uint8_t dialler[TS_KEY_HASH_BYTES], const uint8_t listener[TS_KEY_HASH_BYTES])
{
    struct ts_buf text;
    size_t len = 0;
    enum ts_error error = TS_INTERNAL;

    ts_buf_init(&text, 256);
    (void)ts_buf_put(&text, PROOF_LABEL, strlen(PROOF_LABEL));
    (void)ts_buf_put_u8(&text, role);
    (void)ts_buf_put(&text, exporter32, 32);
    (void)ts_buf_put(&text, dialler, TS_KEY_HASH_BYTES);
    (void)ts_buf_put(&text, listener, TS_KEY_HASH_BYTES);
    ERR_set_mark();
    if (ts_buf_error(&text) == TS_OK && EVP_Q_mac(env->libctx, "HMAC", NULL, "SHA256", NULL, secret,
                                            TS_PAIR_SECRET_BYTES, text.data, text.len, out32, PROOF_BYTES, &len))
        error = len == PROOF_BYTES ? TS_OK : TS_INTERNAL;
    ERR_pop_to_mark();
    ts_buf_clear(&text);
    return error;
}
