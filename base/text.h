#ifndef TS_BASE_TEXT_H
#define TS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes as lower-case hexadecimal digits. out: room for 2 * len + 1 bytes. */
void ts_text_hex(char *out, const uint8_t *bytes, size_t len);

/** A time as ISO 8601 in UTC, "" for one that the calendar does not have. seconds: since 1970. */
#define TS_TEXT_DATE_BYTES 32
void ts_text_date(char out[TS_TEXT_DATE_BYTES], int64_t seconds);

/** Does every byte belong to well-formed UTF-8 that a terminal only shows: no control characters (C0, DEL, C1), no
 *  characters that change the direction or are invisible? Tab and newline are allowed when `lines`. */
bool ts_text_is_plain(const char *text, size_t len, bool lines);

/** Copy a text and keep it fit for ts_text_is_plain (one line): every byte that is not becomes '?', and it ends at a
 *  whole character within `size`.
 *  In:   size  bytes at `out` with the final NUL, at least 1
 *        text  may be NULL, which is empty */
void ts_text_copy(char *out, size_t size, const char *text);

/** Copy text so that it can be shown to a person: what ts_text_is_plain would refuse becomes \xNN, a backslash \\.
 *  Cut at the room, between characters. Returns: out. */
char *ts_text_safe(char *out, size_t size, const char *text, size_t len);

#endif
