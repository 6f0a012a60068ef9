#ifndef TS_SERVER_KEY_FORM_H
#define TS_SERVER_KEY_FORM_H

#include "server/module.h"

#include <jansson.h>

struct ts_server;

/** A key as the API shows it. full: with its public key as PEM, JWK and hex. Returns: NULL without memory. */
json_t *ts_key_json(struct ts_server *server, const struct ts_key *key, bool full);

/** {"raw": ..., "der": ...}, both base64: r || s, and ECDSA-Sig-Value (RFC 3279). Returns: NULL without memory. */
json_t *ts_signature_json(const uint8_t *signature, size_t len);

/** The name of the partner that has the other half. Returns: false when the store does not know the key. */
bool ts_key_partner(char out[TS_NAME_MAX], struct ts_server *server, const uint8_t id[TS_ID_BYTES]);

/** Base64 of RFC 4648 with padding. out: room bytes. Returns: false when it is not, or does not fit. */
bool ts_base64_read(uint8_t *out, size_t *len, size_t room, const char *text);

#endif
