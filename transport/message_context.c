#include "transport/message_context.h"

#include "transport/wire.h"

bool
ts_context_fits(const struct ts_context *context)
{
    return ts_wire_text_fits(context->label, sizeof context->label) &&
           ts_wire_text_fits(context->application, sizeof context->application) &&
           ts_wire_text_fits(context->host, sizeof context->host) &&
           ts_wire_text_fits(context->user, sizeof context->user);
}

void
ts_context_to_wire(Tallystick__Context *wire, const struct ts_context *context)
{
    tallystick__context__init(wire);
    wire->label = ts_wire_string(context->label);
    wire->application = ts_wire_string(context->application);
    wire->host = ts_wire_string(context->host);
    wire->user = ts_wire_string(context->user);
}

bool
ts_context_from_wire(struct ts_context *out, const Tallystick__Context *wire)
{
    /* An absent one and an empty one would be two encodings of one value. */
    return wire && wire->base.n_unknown_fields == 0 && ts_wire_text(out->label, sizeof out->label, wire->label) &&
           ts_wire_text(out->application, sizeof out->application, wire->application) &&
           ts_wire_text(out->host, sizeof out->host, wire->host) &&
           ts_wire_text(out->user, sizeof out->user, wire->user);
}
