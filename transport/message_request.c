#include "transport/message.h"

#include "transport/message_context.h"
#include "transport/tallystick.pb-c.h"
#include "transport/wire.h"

#include <string.h>

static bool
digest_fits(size_t len)
{
    return len > 0 && len <= TS_DIGEST_MAX_BYTES;
}

/* Without the flag there is no message: an approver must not be shown one that is not signed. */
static bool
message_fits(bool has_message, size_t len)
{
    return has_message ? len <= TS_SIGN_MESSAGE_MAX_BYTES : len == 0;
}

static bool
mechanism_fits(const char *mechanism)
{
    return mechanism[0] != 0 && ts_wire_text_fits(mechanism, TS_MECHANISM_BYTES);
}

enum ts_error
ts_sign_request_encode(struct ts_buf *out, const struct ts_sign_request *request)
{
    Tallystick__SignRequest wire = TALLYSTICK__SIGN_REQUEST__INIT;
    Tallystick__Context context;

    if (!mechanism_fits(request->mechanism) || !ts_context_fits(&request->context))
        return TS_USAGE;
    if (!digest_fits(request->digest_len) || !message_fits(request->has_message, request->message_len))
        return TS_USAGE;
    ts_context_to_wire(&context, &request->context);
    wire.batch = request->batch;
    wire.index = request->index;
    wire.key = ts_wire_bytes(request->key, sizeof request->key);
    wire.generation = request->generation;
    wire.mechanism = ts_wire_string(request->mechanism);
    wire.digest = ts_wire_bytes(request->digest, request->digest_len);
    wire.message = ts_wire_bytes(request->message, request->message_len);
    wire.has_message = request->has_message;
    wire.context = &context;
    return ts_wire_pack(out, &wire.base);
}

static enum ts_error
take_request(struct ts_sign_request *out, const Tallystick__SignRequest *wire)
{
    if (!ts_wire_fixed(out->key, sizeof out->key, &wire->key) || !ts_context_from_wire(&out->context, wire->context))
        return TS_FORMAT;
    if (wire->mechanism[0] == 0 || !ts_wire_text(out->mechanism, sizeof out->mechanism, wire->mechanism))
        return TS_FORMAT;
    if (!digest_fits(wire->digest.len) || !message_fits(wire->has_message, wire->message.len))
        return TS_FORMAT;
    out->batch = wire->batch;
    out->index = wire->index;
    out->generation = wire->generation;
    out->digest = wire->digest.data;
    out->digest_len = wire->digest.len;
    out->message = wire->message.data;
    out->message_len = wire->message.len;
    out->has_message = wire->has_message;
    return TS_OK;
}

enum ts_error
ts_sign_request_decode(struct ts_sign_request *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    if (len > TS_SIGN_REQUEST_MAX_BYTES)
        return TS_FORMAT;
    enum ts_error error = ts_wire_unpack(&message, &tallystick__sign_request__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    out->owned = message;
    error = take_request(out, (const Tallystick__SignRequest *)message);
    if (error != TS_OK)
        ts_sign_request_clear(out);
    return error;
}

void
ts_sign_request_clear(struct ts_sign_request *request)
{
    ts_wire_free(request->owned);
    memset(request, 0, sizeof *request);
}
