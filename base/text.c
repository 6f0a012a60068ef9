#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void
ts_text_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = 0;
}

/* One character of well-formed UTF-8 (Unicode, table 3-7). Returns: its bytes; 0 when malformed. */
static size_t
decode(uint32_t *out, const char *text, size_t left)
{
    static const struct {
        unsigned char mask, lead, length;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
    unsigned char first = (unsigned char)text[0];

    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((first & forms[i].mask) != forms[i].lead)
            continue;
        if (left < forms[i].length)
            return 0;
        uint32_t value = first & (unsigned char)~forms[i].mask;
        for (unsigned k = 1; k < forms[i].length; k++) {
            unsigned char byte = (unsigned char)text[k];
            if ((byte & 0xc0) != 0x80)
                return 0;
            value = value << 6 | (byte & 0x3f);
        }
        if (value < forms[i].least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
            return 0;
        *out = value;
        return forms[i].length;
    }
    return 0;
}

/* Controls, and characters that hide or reorder others (Unicode TR 36). */
static bool
is_shown(uint32_t character)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x180b, 0x180f},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
        {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0xe0000, 0xe0fff}};

    for (unsigned i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (character >= hidden[i].from && character <= hidden[i].to)
            return false;
    return true;
}

bool
ts_text_is_plain(const char *text, size_t len, bool lines)
{
    uint32_t character;

    for (size_t at = 0, step; at < len; at += step) {
        step = decode(&character, text + at, len - at);
        if (step == 0)
            return false;
        if (!is_shown(character) && !(lines && (character == '\n' || character == '\t')))
            return false;
    }
    return true;
}

void
ts_text_copy(char *out, size_t size, const char *text)
{
    size_t used = 0, len = text ? strlen(text) : 0;
    uint32_t character;

    for (size_t at = 0, step; at < len; at += step) {
        step = decode(&character, text + at, len - at);
        bool shown = step && is_shown(character);
        step = step ? step : 1;
        size_t more = shown ? step : 1;
        if (used + more >= size)
            break;
        if (shown)
            memcpy(out + used, text + at, step);
        else
            out[used] = '?';
        used += more;
    }
    out[used] = 0;
}

char *
ts_text_safe(char *out, size_t size, const char *text, size_t len)
{
    char piece[8];
    uint32_t character;
    size_t used = 0;

    for (size_t at = 0; at < len;) {
        size_t step = decode(&character, text + at, len - at);
        if (step && is_shown(character) && character != '\\') {
            memcpy(piece, text + at, step);
            piece[step] = 0;
            at += step;
        } else if (text[at] == '\\') {
            memcpy(piece, "\\\\", 3);
            at++;
        } else {
            (void)snprintf(piece, sizeof piece, "\\x%02x", (unsigned)(unsigned char)text[at]);
            at++;
        }
        size_t more = strlen(piece);
        if (used + more + 1 > size)
            break;
        memcpy(out + used, piece, more);
        used += more;
    }
    if (size)
        out[used] = 0;
    return out;
}

void
ts_text_date(char out[TS_TEXT_DATE_BYTES], int64_t seconds)
{
    struct tm broken;
    time_t when = (time_t)seconds;

    out[0] = 0;
    if (gmtime_r(&when, &broken))
        (void)strftime(out, TS_TEXT_DATE_BYTES, "%Y-%m-%dT%H:%M:%SZ", &broken);
}
