#include "transport/message.h"

#include "transport/tallystick.pb-c.h"
#include "transport/wire.h"

#include <string.h>

/* The schema's classes. Errors that mean nothing to the other side (a wrong PIN) go as internal. */
static const enum ts_error classes[] = {TS_OK, TS_USAGE, TS_FORMAT, TS_IO, TS_TIMEOUT, TS_REFUSED, TS_CHEATED,
    TS_LOCKED, TS_STORAGE, TS_INTERNAL, TS_NOT_FOUND, TS_INCAPABLE};
#define CLASSES (sizeof classes / sizeof classes[0])
#define CLASS_INTERNAL 9

static uint32_t
class_of(enum ts_error error)
{
    for (uint32_t i = 1; i < CLASSES; i++)
        if (classes[i] == error)
            return i;
    return CLASS_INTERNAL;
}

enum ts_error
ts_failure_encode(struct ts_buf *out, const struct ts_failure *failure)
{
    Tallystick__Failure wire = TALLYSTICK__FAILURE__INIT;

    if (failure->error == TS_OK || !ts_wire_text_fits(failure->reason, sizeof failure->reason))
        return TS_USAGE;
    wire.error = class_of(failure->error);
    wire.reason = ts_wire_string(failure->reason);
    return ts_wire_pack(out, &wire.base);
}

enum ts_error
ts_failure_decode(struct ts_failure *out, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;

    memset(out, 0, sizeof *out);
    enum ts_error error = ts_wire_unpack(&message, &tallystick__failure__descriptor, bytes, len);
    if (error != TS_OK)
        return error;
    const Tallystick__Failure *wire = (const Tallystick__Failure *)message;
    error = TS_FORMAT;
    if (wire->error == 0 || wire->error >= CLASSES)
        goto done;
    if (!ts_wire_text(out->reason, sizeof out->reason, wire->reason))
        goto done;
    out->error = classes[wire->error];
    error = TS_OK;
done:
    ts_wire_free(message);
    return error;
}
