#include "base/buffer.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM ((size_t)256)

void
ts_buf_init(struct ts_buf *buf, size_t max)
{
    *buf = (struct ts_buf){.max = max};
}

void
ts_buf_init_secret(struct ts_buf *buf, size_t max)
{
    *buf = (struct ts_buf){.max = max, .secret = true};
}

static void
release(const struct ts_buf *buf)
{
    if (buf->secret)
        ts_secret_free(buf->data);
    else
        free(buf->data);
}

void
ts_buf_clear(struct ts_buf *buf)
{
    release(buf);
    *buf = (struct ts_buf){.max = buf->max, .secret = buf->secret};
}

enum ts_error
ts_buf_error(const struct ts_buf *buf)
{
    return buf->error;
}

/* Make room for `len` more bytes, doubling, never beyond max. */
static enum ts_error
grow(struct ts_buf *buf, size_t len)
{
    if (len > buf->max - buf->len)
        return TS_FORMAT;
    size_t need = buf->len + len;
    if (need <= buf->room && buf->data)
        return TS_OK;
    size_t room = buf->room ? buf->room : FIRST_ROOM;
    while (room < need)
        room = room > buf->max / 2 ? buf->max : room * 2;
    uint8_t *data = buf->secret ? ts_secret_new(room) : malloc(room);
    if (!data)
        return TS_INTERNAL;
    if (buf->len)
        memcpy(data, buf->data, buf->len);
    release(buf);
    buf->data = data;
    buf->room = room;
    return TS_OK;
}

uint8_t *
ts_buf_extend(struct ts_buf *buf, size_t len)
{
    if (buf->error == TS_OK)
        buf->error = grow(buf, len);
    if (buf->error != TS_OK)
        return NULL;
    uint8_t *place = buf->data + buf->len;
    memset(place, 0, len);
    buf->len += len;
    return place;
}

enum ts_error
ts_buf_put(struct ts_buf *buf, const void *bytes, size_t len)
{
    uint8_t *place = ts_buf_extend(buf, len);
    if (place && len)
        memcpy(place, bytes, len);
    return buf->error;
}

static enum ts_error
put_big_endian(struct ts_buf *buf, uint64_t value, size_t size)
{
    uint8_t *place = ts_buf_extend(buf, size);
    for (size_t i = size; place && i-- > 0; value >>= 8)
        place[i] = (uint8_t)value;
    return buf->error;
}

enum ts_error
ts_buf_put_u8(struct ts_buf *buf, uint8_t value)
{
    return put_big_endian(buf, value, 1);
}

enum ts_error
ts_buf_put_u32(struct ts_buf *buf, uint32_t value)
{
    return put_big_endian(buf, value, 4);
}

enum ts_error
ts_buf_put_u64(struct ts_buf *buf, uint64_t value)
{
    return put_big_endian(buf, value, 8);
}

void
ts_reader_init(struct ts_reader *reader, const uint8_t *data, size_t len)
{
    *reader = (struct ts_reader){.data = data, .left = len};
}

const uint8_t *
ts_reader_take(struct ts_reader *reader, size_t len)
{
    static const uint8_t nothing[1];

    if (reader->error != TS_OK || len > reader->left) {
        reader->error = TS_FORMAT;
        return NULL;
    }
    if (len == 0)
        return reader->data ? reader->data : nothing;
    const uint8_t *place = reader->data;
    reader->data += len;
    reader->left -= len;
    return place;
}

static uint64_t
read_big_endian(struct ts_reader *reader, size_t size)
{
    const uint8_t *place = ts_reader_take(reader, size);
    uint64_t value = 0;

    for (size_t i = 0; place && i < size; i++)
        value = value << 8 | place[i];
    return value;
}

uint8_t
ts_reader_u8(struct ts_reader *reader)
{
    return (uint8_t)read_big_endian(reader, 1);
}

uint32_t
ts_reader_u32(struct ts_reader *reader)
{
    return (uint32_t)read_big_endian(reader, 4);
}

uint64_t
ts_reader_u64(struct ts_reader *reader)
{
    return read_big_endian(reader, 8);
}

enum ts_error
ts_reader_end(const struct ts_reader *reader)
{
    return reader->error == TS_OK && reader->left == 0 ? TS_OK : TS_FORMAT;
}
