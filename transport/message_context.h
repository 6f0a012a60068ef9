#ifndef TS_TRANSPORT_MESSAGE_CONTEXT_H
#define TS_TRANSPORT_MESSAGE_CONTEXT_H

#include "transport/message.h"
#include "transport/tallystick.pb-c.h"

/** Between ts_context and the schema's Context; inside transport/ only. */

/** Returns: false when a text does not fit or is not valid. */
bool ts_context_fits(const struct ts_context *context);

/** Fill `wire` with pointers into `context`. */
void ts_context_to_wire(Tallystick__Context *wire, const struct ts_context *context);

/** Returns: false when it is missing, has unknown fields, or a text does not fit or is not valid. */
bool ts_context_from_wire(struct ts_context *out, const Tallystick__Context *wire);

#endif
