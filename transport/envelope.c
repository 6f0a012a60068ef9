#include "transport/envelope.h"

#include "transport/message.h"
#include "transport/tallystick.pb-c.h"
#include "transport/wire.h"

#include <string.h>

static bool
fits_its_type(int type, size_t payload_len)
{
    return ts_message_sender(type) != TS_FROM_NOBODY && payload_len <= ts_message_max(type);
}

/* What the links say to each other has no number. */
static bool
number_fits(int type, uint64_t sequence)
{
    return (sequence == 0) == (ts_message_sender(type) == TS_FROM_LINK);
}

enum ts_error
ts_envelope_encode(struct ts_buf *out, const struct ts_envelope *envelope)
{
    Tallystick__Envelope wire = TALLYSTICK__ENVELOPE__INIT;

    if (!fits_its_type(envelope->type, envelope->payload_len) || !number_fits(envelope->type, envelope->sequence))
        return TS_FORMAT;
    wire.version = TS_ENVELOPE_VERSION;
    wire.session = ts_wire_bytes(envelope->session, TS_SESSION_ID_BYTES);
    wire.sequence = envelope->sequence;
    wire.acknowledge = envelope->acknowledge;
    wire.serial = envelope->serial;
    wire.type = (Tallystick__MessageType)envelope->type;
    wire.payload = ts_wire_bytes(envelope->payload, envelope->payload_len);
    return ts_wire_pack(out, &wire.base);
}

static enum ts_error
take_fields(struct ts_envelope *out, const Tallystick__Envelope *wire)
{
    if (wire->version != TS_ENVELOPE_VERSION)
        return TS_FORMAT;
    if (!ts_wire_fixed(out->session, TS_SESSION_ID_BYTES, &wire->session))
        return TS_FORMAT;
    if (!fits_its_type((int)wire->type, wire->payload.len) || !number_fits((int)wire->type, wire->sequence))
        return TS_FORMAT;
    out->sequence = wire->sequence;
    out->acknowledge = wire->acknowledge;
    out->serial = wire->serial;
    out->type = (int)wire->type;
    out->payload = wire->payload.data;
    out->payload_len = wire->payload.len;
    return TS_OK;
}

enum ts_error
ts_envelope_decode(struct ts_envelope *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *wire = NULL;

    memset(out, 0, sizeof *out);
    if (len > TS_ENVELOPE_MAX_BYTES)
        return TS_FORMAT;
    enum ts_error error = ts_wire_unpack(&wire, &tallystick__envelope__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    out->owned = wire;
    error = take_fields(out, (const Tallystick__Envelope *)wire);
    if (error != TS_OK)
        ts_envelope_clear(out);
    return error;
}

void
ts_envelope_clear(struct ts_envelope *envelope)
{
    ts_wire_free(envelope->owned);
    memset(envelope, 0, sizeof *envelope);
}
