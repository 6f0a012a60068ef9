#include "transport/message.h"

#include "transport/message_context.h"
#include "transport/tallystick.pb-c.h"
#include "transport/wire.h"

#include <string.h>

static bool
round_payload_fits(size_t len)
{
    return len > 0 && len <= TS_ROUND_PAYLOAD_MAX_BYTES;
}

enum ts_error
ts_sign_round1_encode(struct ts_buf *out, const struct ts_sign_round1 *round)
{
    Tallystick__SignRound1 wire = TALLYSTICK__SIGN_ROUND1__INIT;

    if (!round_payload_fits(round->payload_len))
        return TS_USAGE;
    wire.key = ts_wire_bytes(round->key, sizeof round->key);
    wire.generation = round->generation;
    wire.batch = round->batch;
    wire.payload = ts_wire_bytes(round->payload, round->payload_len);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_sign_round1_decode(struct ts_sign_round1 *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__sign_round1__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__SignRound1 *wire = (const Tallystick__SignRound1 *)message;
    out->owned = message;
    if (!ts_wire_fixed(out->key, sizeof out->key, &wire->key) || !round_payload_fits(wire->payload.len)) {
        ts_sign_round1_clear(out);
        return TS_FORMAT;
    }
    out->generation = wire->generation;
    out->batch = wire->batch;
    out->payload = wire->payload.data;
    out->payload_len = wire->payload.len;
    return TS_OK;
}

void
ts_sign_round1_clear(struct ts_sign_round1 *round)
{
    ts_wire_free(round->owned);
    memset(round, 0, sizeof *round);
}

enum ts_error
ts_sign_round2_encode(struct ts_buf *out, const struct ts_sign_round2 *round)
{
    Tallystick__SignRound2 wire = TALLYSTICK__SIGN_ROUND2__INIT;

    if (!round_payload_fits(round->payload_len) || round->request_len > TS_SIGN_REQUEST_MAX_BYTES)
        return TS_USAGE;
    wire.payload = ts_wire_bytes(round->payload, round->payload_len);
    wire.request = ts_wire_bytes(round->request, round->request_len);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_sign_round2_decode(struct ts_sign_round2 *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__sign_round2__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__SignRound2 *wire = (const Tallystick__SignRound2 *)message;
    out->owned = message;
    if (!round_payload_fits(wire->payload.len) || wire->request.len > TS_SIGN_REQUEST_MAX_BYTES) {
        ts_sign_round2_clear(out);
        return TS_FORMAT;
    }
    out->payload = wire->payload.data;
    out->payload_len = wire->payload.len;
    out->request = wire->request.data;
    out->request_len = wire->request.len;
    return TS_OK;
}

void
ts_sign_round2_clear(struct ts_sign_round2 *round)
{
    ts_wire_free(round->owned);
    memset(round, 0, sizeof *round);
}

enum ts_error
ts_sign_round2_reply_encode(struct ts_buf *out, const struct ts_sign_round2_reply *reply)
{
    Tallystick__SignRound2Reply wire = TALLYSTICK__SIGN_ROUND2_REPLY__INIT;

    if (!round_payload_fits(reply->payload_len) || reply->answer_len > TS_SMALL_PAYLOAD_MAX_BYTES)
        return TS_USAGE;
    wire.payload = ts_wire_bytes(reply->payload, reply->payload_len);
    wire.answer = ts_wire_bytes(reply->answer, reply->answer_len);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_sign_round2_reply_decode(struct ts_sign_round2_reply *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__sign_round2_reply__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__SignRound2Reply *wire = (const Tallystick__SignRound2Reply *)message;
    out->owned = message;
    if (!round_payload_fits(wire->payload.len) || wire->answer.len > TS_SMALL_PAYLOAD_MAX_BYTES) {
        ts_sign_round2_reply_clear(out);
        return TS_FORMAT;
    }
    out->payload = wire->payload.data;
    out->payload_len = wire->payload.len;
    out->answer = wire->answer.data;
    out->answer_len = wire->answer.len;
    return TS_OK;
}

void
ts_sign_round2_reply_clear(struct ts_sign_round2_reply *reply)
{
    ts_wire_free(reply->owned);
    memset(reply, 0, sizeof *reply);
}
