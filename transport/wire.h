#ifndef TS_TRANSPORT_WIRE_H
#define TS_TRANSPORT_WIRE_H

#include "base/buffer.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Protobuf, strictly: one value has one encoding, and decoding takes memory in proportion to the bytes received.
 *  Source: the protobuf encoding guide; canonical means fields in ascending order, no default written, shortest
 *  varints, which is what every generator writes. */

/** Decode. Unknown fields inside a nested message are left for the caller, who sees them in its `base`.
 *  Returns: TS_OK and a message for ts_wire_free; TS_FORMAT; TS_INTERNAL without memory. */
enum ts_error ts_wire_unpack(
    ProtobufCMessage **out, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len);

/** Free what ts_wire_unpack gave. NULL is allowed. */
void ts_wire_free(ProtobufCMessage *message);

/** Append the encoding. Returns: as ts_buf_error. */
enum ts_error ts_wire_pack(struct ts_buf *out, const ProtobufCMessage *message);

/** Take a field of exactly `len` bytes. Returns: false when it has another length. */
bool ts_wire_fixed(uint8_t *out, size_t len, const ProtobufCBinaryData *field);

/** Take a text that is valid (ts_text_valid) and fits `room` with its NUL. Returns: false when it does not. */
bool ts_wire_text(char *out, size_t room, const char *field);

/** Is this array a valid text with a NUL inside `room`? For checking before encoding. */
bool ts_wire_text_fits(const char *text, size_t room);

/** A field that points to the caller's bytes, which protobuf-c does not change. */
ProtobufCBinaryData ts_wire_bytes(const uint8_t *bytes, size_t len);

/** The same for a text. */
char *ts_wire_string(const char *text);

#endif
