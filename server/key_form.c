#include "server/key_form.h"

#include "base/text.h"
#include "server/server.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *
base64(const uint8_t *bytes, size_t len)
{
    char text[512];

    if (4 * ((len + 2) / 3) >= sizeof text)
        return NULL;
    (void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    return json_string(text);
}

/* RFC 7515: the other alphabet, without padding. */
static json_t *
base64url(const uint8_t *bytes, size_t len)
{
    char text[128];

    if (4 * ((len + 2) / 3) >= sizeof text)
        return NULL;
    (void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    text[strcspn(text, "=")] = 0;
    for (char *at = text; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    return json_string(text);
}

static int
value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = digit ? strchr(digits, digit) : NULL;

    return at ? (int)(at - digits) : -1;
}

bool
ts_base64_read(uint8_t *out, size_t *len, size_t room, const char *text)
{
    size_t digits = strcspn(text, "="), pads = strlen(text + digits);
    unsigned bits = 0, held = 0;

    *len = 0;
    if ((digits + pads) % 4 != 0 || pads > 2 || strspn(text + digits, "=") != pads)
        return false;
    for (size_t i = 0; i < digits; i++) {
        int next = value(text[i]);
        if (next < 0)
            return false;
        held = held << 6 | (unsigned)next;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (*len == room)
            return false;
        out[(*len)++] = (uint8_t)(held >> bits);
        held &= (1U << bits) - 1;
    }
    return held == 0; /* one text for each value */
}

/* --- signatures --- */

static int
to_der(uint8_t *out, size_t room, const uint8_t *signature, size_t len)
{
    int half = (int)(len / 2), written = -1;
    uint8_t *at = out;
    ECDSA_SIG *both = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, half, NULL), *s = BN_bin2bn(signature + half, half, NULL);

    if (both && r && s && ECDSA_SIG_set0(both, r, s) == 1) {
        r = s = NULL;
        int needed = i2d_ECDSA_SIG(both, NULL);
        if (needed > 0 && (size_t)needed <= room)
            written = i2d_ECDSA_SIG(both, &at);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(both);
    return written;
}

json_t *
ts_signature_json(const uint8_t *signature, size_t len)
{
    uint8_t der[160];
    int der_len = to_der(der, sizeof der, signature, len);

    return der_len < 0 ? NULL
                       : json_pack("{s:o, s:o}", "raw", base64(signature, len), "der", base64(der, (size_t)der_len));
}

/* --- keys --- */

static json_t *
pem(const struct ts_key *key)
{
    char text[600];
    size_t len = (size_t)snprintf(text, sizeof text, "-----BEGIN PUBLIC KEY-----\n");

    for (size_t at = 0; at < key->info_len; at += 48) {
        size_t part = key->info_len - at < 48 ? key->info_len - at : 48;
        if (len + 70 > sizeof text)
            return NULL;
        len += (size_t)EVP_EncodeBlock((unsigned char *)text + len, key->info + at, (int)part);
        text[len++] = '\n';
    }
    (void)snprintf(text + len, sizeof text - len, "-----END PUBLIC KEY-----\n");
    return json_string(text);
}

static json_t *
jwk(const struct ts_key *key, const char *id)
{
    size_t half = key->point_len ? (key->point_len - 1) / 2 : 0;

    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s}", "kty", "EC", "crv", key->curve, "x",
        base64url(key->point + 1, half), "y", base64url(key->point + 1 + half, half), "kid", id, "use", "sig");
}

bool
ts_key_partner(char out[TS_NAME_MAX], struct ts_server *server, const uint8_t id[TS_ID_BYTES])
{
    struct ts_half_row half;
    struct ts_peer_row peer;

    *out = 0;
    if (ts_half_get(&half, server->store, id, true) != TS_OK ||
        ts_peer_get(&peer, server->store, half.pairing) != TS_OK)
        return false;
    (void)snprintf(out, TS_NAME_MAX, "%s", peer.name);
    return true;
}

static bool
has_session(const struct ts_key *key)
{
    static const uint8_t none[TS_ID_BYTES];

    return memcmp(key->session, none, sizeof none) != 0;
}

json_t *
ts_key_json(struct ts_server *server, const struct ts_key *key, bool full)
{
    char id[2 * TS_ID_BYTES + 1], session[2 * TS_ID_BYTES + 1], hex[2 * sizeof key->point + 1];
    char partner[TS_NAME_MAX];
    struct ts_half_row half = {0};

    ts_text_hex(id, key->id, TS_ID_BYTES);
    ts_text_hex(session, key->session, TS_ID_BYTES);
    ts_text_hex(hex, key->point, key->point_len);
    (void)ts_key_partner(partner, server, key->id);
    bool locked = ts_half_get(&half, server->store, key->id, true) == TS_OK && half.locked;
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s*}", "id", id, "label", key->label, "curve", key->curve,
        "partner", partner, "locked", locked, "session_id", has_session(key) ? session : NULL);
    if (object && full &&
        json_object_set_new(object, "public_key",
            json_pack("{s:o, s:o, s:s}", "pem", pem(key), "jwk", jwk(key, id), "hex", hex)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
