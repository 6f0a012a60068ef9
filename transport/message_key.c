#include "transport/message.h"

#include "transport/message_context.h"
#include "transport/tallystick.pb-c.h"
#include "transport/wire.h"

#include <string.h>

#define INIT_PAYLOAD_MAX_BYTES (TS_SMALL_PAYLOAD_MAX_BYTES / 2)

static bool
init_payload_fits(size_t len)
{
    return len > 0 && len <= INIT_PAYLOAD_MAX_BYTES;
}

static const uint8_t first_parameters[TS_PARAMETERS_BYTES];

/* Empty on the wire is the one encoding of the first parameters. */
static bool
parameters_from_wire(uint8_t out[TS_PARAMETERS_BYTES], const ProtobufCBinaryData *wire)
{
    if (wire->len == 0)
        return true;
    return ts_wire_fixed(out, TS_PARAMETERS_BYTES, wire) && memcmp(out, first_parameters, TS_PARAMETERS_BYTES) != 0;
}

enum ts_error
ts_keygen_init_encode(struct ts_buf *out, const struct ts_keygen_init *init)
{
    Tallystick__KeygenInit wire = TALLYSTICK__KEYGEN_INIT__INIT;
    Tallystick__Context context;

    if (!init_payload_fits(init->payload_len) || !ts_context_fits(&init->context))
        return TS_USAGE;
    ts_context_to_wire(&context, &init->context);
    wire.payload = ts_wire_bytes(init->payload, init->payload_len);
    wire.context = &context;
    wire.temporary = init->temporary;
    if (memcmp(init->parameters, first_parameters, sizeof first_parameters) != 0)
        wire.parameters = ts_wire_bytes(init->parameters, sizeof init->parameters);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_keygen_init_decode(struct ts_keygen_init *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__keygen_init__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__KeygenInit *wire = (const Tallystick__KeygenInit *)message;
    out->owned = message;
    if (!init_payload_fits(wire->payload.len) || !ts_context_from_wire(&out->context, wire->context) ||
        !parameters_from_wire(out->parameters, &wire->parameters)) {
        ts_keygen_init_clear(out);
        return TS_FORMAT;
    }
    out->temporary = wire->temporary != 0;
    out->payload = wire->payload.data;
    out->payload_len = wire->payload.len;
    return TS_OK;
}

void
ts_keygen_init_clear(struct ts_keygen_init *init)
{
    ts_wire_free(init->owned);
    memset(init, 0, sizeof *init);
}

enum ts_error
ts_commit_encode(struct ts_buf *out, const struct ts_commit *commit)
{
    Tallystick__Commit wire = TALLYSTICK__COMMIT__INIT;

    wire.key = ts_wire_bytes(commit->key, sizeof commit->key);
    wire.generation = commit->generation;
    wire.confirmation = ts_wire_bytes(commit->confirmation, sizeof commit->confirmation);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_commit_decode(struct ts_commit *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__commit__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__Commit *wire = (const Tallystick__Commit *)message;
    error = TS_FORMAT;
    if (ts_wire_fixed(out->key, sizeof out->key, &wire->key) &&
        ts_wire_fixed(out->confirmation, sizeof out->confirmation, &wire->confirmation))
        error = TS_OK;
    out->generation = wire->generation;
    ts_wire_free(message);
    return error;
}

enum ts_error
ts_lock_encode(struct ts_buf *out, const struct ts_lock *lock)
{
    Tallystick__Lock wire = TALLYSTICK__LOCK__INIT;

    if (!ts_wire_text_fits(lock->reason, sizeof lock->reason))
        return TS_USAGE;
    wire.key = ts_wire_bytes(lock->key, sizeof lock->key);
    wire.reason = ts_wire_string(lock->reason);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_lock_decode(struct ts_lock *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__lock__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__Lock *wire = (const Tallystick__Lock *)message;
    error = TS_FORMAT;
    if (ts_wire_fixed(out->key, sizeof out->key, &wire->key) &&
        ts_wire_text(out->reason, sizeof out->reason, wire->reason))
        error = TS_OK;
    ts_wire_free(message);
    return error;
}

enum ts_error
ts_refresh_init_encode(struct ts_buf *out, const struct ts_refresh_init *init)
{
    Tallystick__RefreshInit wire = TALLYSTICK__REFRESH_INIT__INIT;

    if (!init_payload_fits(init->payload_len))
        return TS_USAGE;
    wire.key = ts_wire_bytes(init->key, sizeof init->key);
    wire.generation = init->generation;
    wire.payload = ts_wire_bytes(init->payload, init->payload_len);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_refresh_init_decode(struct ts_refresh_init *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__refresh_init__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__RefreshInit *wire = (const Tallystick__RefreshInit *)message;
    out->owned = message;
    if (!ts_wire_fixed(out->key, sizeof out->key, &wire->key) || !init_payload_fits(wire->payload.len)) {
        ts_refresh_init_clear(out);
        return TS_FORMAT;
    }
    out->generation = wire->generation;
    out->payload = wire->payload.data;
    out->payload_len = wire->payload.len;
    return TS_OK;
}

void
ts_refresh_init_clear(struct ts_refresh_init *init)
{
    ts_wire_free(init->owned);
    memset(init, 0, sizeof *init);
}

enum ts_error
ts_refresh_ask_encode(struct ts_buf *out, const struct ts_refresh_ask *ask)
{
    Tallystick__RefreshAsk wire = TALLYSTICK__REFRESH_ASK__INIT;
    Tallystick__Context context;

    if (!ts_context_fits(&ask->context))
        return TS_USAGE;
    ts_context_to_wire(&context, &ask->context);
    wire.key = ts_wire_bytes(ask->key, sizeof ask->key);
    wire.generation = ask->generation;
    wire.context = &context;
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_refresh_ask_decode(struct ts_refresh_ask *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__refresh_ask__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__RefreshAsk *wire = (const Tallystick__RefreshAsk *)message;
    error = TS_FORMAT;
    if (ts_wire_fixed(out->key, sizeof out->key, &wire->key) && ts_context_from_wire(&out->context, wire->context))
        error = TS_OK;
    out->generation = wire->generation;
    ts_wire_free(message);
    return error;
}
