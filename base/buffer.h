#ifndef TS_BASE_BUFFER_H
#define TS_BASE_BUFFER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A growing byte buffer with an upper bound. The first failure sticks: later puts do nothing and
 *  ts_buf_error tells it, so that a message can be written without a test after each field. */
struct ts_buf {
    uint8_t *data;       /**< NULL while empty */
    size_t len;          /**< bytes in use */
    size_t room;         /**< bytes allocated */
    size_t max;          /**< the bound of len */
    bool secret;         /**< content is in secret memory and erased when given back */
    enum ts_error error; /**< TS_OK, TS_FORMAT (bound exceeded) or TS_INTERNAL (no memory) */
};

/** Make an empty buffer in place that never holds more than `max` bytes. */
void ts_buf_init(struct ts_buf *buf, size_t max);

/** The same in secret memory. */
void ts_buf_init_secret(struct ts_buf *buf, size_t max);

/** Erase and free the content; the buffer is empty, without error, and usable again. */
void ts_buf_clear(struct ts_buf *buf);

/** First error of any put since init or clear.
 *  Returns: TS_OK; TS_FORMAT when `max` was exceeded; TS_INTERNAL without memory. */
enum ts_error ts_buf_error(const struct ts_buf *buf);

/** Append. Big-endian where a number is written. Returns: as ts_buf_error. */
enum ts_error ts_buf_put(struct ts_buf *buf, const void *bytes, size_t len);
enum ts_error ts_buf_put_u8(struct ts_buf *buf, uint8_t value);
enum ts_error ts_buf_put_u32(struct ts_buf *buf, uint32_t value);
enum ts_error ts_buf_put_u64(struct ts_buf *buf, uint64_t value);

/** Append `len` zero bytes and give their place, for a writer that fills it.
 *  Returns: the place, valid until the next put; NULL on failure (the error sticks). */
uint8_t *ts_buf_extend(struct ts_buf *buf, size_t len);

/** Reads from bytes it does not own, in order; the first failure sticks. */
struct ts_reader {
    const uint8_t *data;
    size_t left;         /**< bytes not yet read */
    enum ts_error error; /**< TS_OK or TS_FORMAT */
};

/** Start reading `len` bytes at `data`, which must outlive the reader. */
void ts_reader_init(struct ts_reader *reader, const uint8_t *data, size_t len);

/** Take the next `len` bytes without copying.
 *  Returns: their place; NULL when fewer are left (the error sticks). */
const uint8_t *ts_reader_take(struct ts_reader *reader, size_t len);

/** Read one number, big-endian. Returns: the value; 0 when too few bytes are left (the error sticks). */
uint8_t ts_reader_u8(struct ts_reader *reader);
uint32_t ts_reader_u32(struct ts_reader *reader);
uint64_t ts_reader_u64(struct ts_reader *reader);

/** End of reading.
 *  Returns: TS_OK when nothing failed and no byte is left over; TS_FORMAT otherwise. */
enum ts_error ts_reader_end(const struct ts_reader *reader);

#endif
