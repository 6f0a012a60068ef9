#include "transport/wire.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* A field of two bytes costs protobuf-c some forty in its tables before it is known to be unknown. With a bound on
 * what one message may allocate, a few megabytes of such fields cannot become hundreds. */
struct budget {
    size_t left;
    bool no_memory; /* the system's fault, not the sender's */
};

static void *
budget_alloc(void *ctx, size_t size)
{
    struct budget *budget = ctx;

    if (size > budget->left)
        return NULL;
    void *memory = malloc(size);
    budget->left -= size;
    budget->no_memory = !memory;
    return memory;
}

static void
budget_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

/* Write it again and compare: whatever was not canonical differs. */
static enum ts_error
check_canonical(const ProtobufCMessage *message, const uint8_t *bytes, size_t len)
{
    if (message->n_unknown_fields != 0 || protobuf_c_message_get_packed_size(message) != len)
        return TS_FORMAT;
    uint8_t *again = malloc(len ? len : 1);
    if (!again)
        return TS_INTERNAL;
    (void)protobuf_c_message_pack(message, again);
    enum ts_error error = len == 0 || memcmp(again, bytes, len) == 0 ? TS_OK : TS_FORMAT;
    free(again);
    return error;
}

enum ts_error
ts_wire_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len)
{
    struct budget budget = {.left = 2 * len + 4096};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
    static const uint8_t nothing[1];

    *out = NULL;
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, len, len ? bytes : nothing);
    if (!message)
        return budget.no_memory ? TS_INTERNAL : TS_FORMAT;
    enum ts_error error = check_canonical(message, bytes, len);
    if (error == TS_OK)
        *out = message;
    else
        ts_wire_free(message);
    return error;
}

void
ts_wire_free(ProtobufCMessage *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

enum ts_error
ts_wire_pack(struct ts_buf *out, const ProtobufCMessage *message)
{
    uint8_t *place = ts_buf_extend(out, protobuf_c_message_get_packed_size(message));

    if (place)
        (void)protobuf_c_message_pack(message, place);
    return ts_buf_error(out);
}

bool
ts_wire_fixed(uint8_t *out, size_t len, const ProtobufCBinaryData *field)
{
    if (field->len != len)
        return false;
    memcpy(out, field->data, len);
    return true;
}

bool
ts_wire_text_fits(const char *text, size_t room)
{
    return memchr(text, 0, room) && ts_text_is_plain(text, strlen(text), false);
}

bool
ts_wire_text(char *out, size_t room, const char *field)
{
    size_t len = strlen(field);

    if (len >= room || !ts_text_is_plain(field, strlen(field), false))
        return false;
    memcpy(out, field, len + 1);
    return true;
}

/* protobuf-c's structures serve both ways and so have no const; packing only reads. */
ProtobufCBinaryData
ts_wire_bytes(const uint8_t *bytes, size_t len)
{
    union {
        const uint8_t *in;
        uint8_t *out;
    } place = {bytes};

    return (ProtobufCBinaryData){len, place.out};
}

char *
ts_wire_string(const char *text)
{
    union {
        const char *in;
        char *out;
    } place = {text};

    return place.out;
}
