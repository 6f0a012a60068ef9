#ifndef TS_TRANSPORT_TEXT_H
#define TS_TRANSPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Is this text fit to be shown to a person and to stand in a log line?
 *  Valid UTF-8 (RFC 3629: no overlong forms, no surrogates), no control characters (C0, DEL, C1), no line or paragraph
 *  separator, and no bidirectional formatting, which can make an approver read something else than is signed
 *  (CVE-2021-42574).
 *  Returns: true when it is. */
bool ts_text_valid(const char *text);

/** Copy what is fit of a text: every byte that is not becomes '?', and it ends at a whole character within `room`.
 *  In:   room  bytes at `out` with the final NUL, at least 1
 *        text  may be NULL, which is empty */
void ts_text_copy(char *out, size_t room, const char *text);

#endif
