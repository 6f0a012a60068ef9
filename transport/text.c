#include "transport/text.h"

#include <stdint.h>
#include <string.h>

/* What may stand: everything but controls, separators of lines, and what reorders the text around it. */
static bool
code_point_allowed(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return false;
    if (code >= 0xd800 && code <= 0xdfff)
        return false;
    if (code == 0x061c || code == 0x200e || code == 0x200f)
        return false;
    if ((code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
        return false;
    return code <= 0x10ffff;
}

/* Bytes of a character from its first byte; 0 when none begins so. */
static size_t
character_size(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Size of the allowed character at `text`, which ends with a NUL; 0 when it is not allowed. */
static size_t
allowed_size(const char *text)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = character_size((uint8_t)text[0]);
    uint32_t code = (uint8_t)text[0] & masks[size];

    for (size_t i = 1; i < size; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((uint8_t)text[i] & 0x3f);
    }
    return size && code >= least[size] && code_point_allowed(code) ? size : 0;
}

bool
ts_text_valid(const char *text)
{
    while (*text) {
        size_t size = allowed_size(text);
        if (size == 0)
            return false;
        text += size;
    }
    return true;
}

void
ts_text_copy(char *out, size_t room, const char *text)
{
    size_t used = 0;

    while (text && *text) {
        size_t size = allowed_size(text);
        size_t taken = size ? size : 1;
        if (taken >= room - used)
            break;
        if (size)
            memcpy(out + used, text, size);
        else
            out[used] = '?';
        used += taken;
        text += taken;
    }
    out[used] = 0;
}
