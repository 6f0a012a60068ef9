#include "transport/message.h"

#include "transport/tallystick.pb-c.h"
#include "transport/wire.h"

#include <string.h>

enum ts_error
ts_session_hello_encode(struct ts_buf *out, const struct ts_session_hello *hello)
{
    Tallystick__SessionHello wire = TALLYSTICK__SESSION_HELLO__INIT;

    wire.nonce = ts_wire_bytes(hello->nonce, sizeof hello->nonce);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_session_hello_decode(struct ts_session_hello *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__session_hello__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__SessionHello *wire = (const Tallystick__SessionHello *)message;
    error = ts_wire_fixed(out->nonce, sizeof out->nonce, &wire->nonce) ? TS_OK : TS_FORMAT;
    ts_wire_free(message);
    return error;
}

enum ts_error
ts_pair_prove_encode(struct ts_buf *out, const struct ts_pair_prove *prove)
{
    Tallystick__PairProve wire = TALLYSTICK__PAIR_PROVE__INIT;

    if (prove->name[0] == 0 || !ts_wire_text_fits(prove->name, sizeof prove->name))
        return TS_USAGE;
    wire.proof = ts_wire_bytes(prove->proof, sizeof prove->proof);
    wire.name = ts_wire_string(prove->name);
    wire.code = ts_wire_bytes(prove->code, sizeof prove->code);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_pair_prove_decode(struct ts_pair_prove *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__pair_prove__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__PairProve *wire = (const Tallystick__PairProve *)message;
    error = TS_FORMAT;
    if (ts_wire_fixed(out->proof, sizeof out->proof, &wire->proof) && wire->name[0] != 0 &&
        ts_wire_text(out->name, sizeof out->name, wire->name) &&
        ts_wire_fixed(out->code, sizeof out->code, &wire->code))
        error = TS_OK;
    ts_wire_free(message);
    return error;
}
