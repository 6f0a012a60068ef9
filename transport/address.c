#include "transport/tcp.h"

#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
/* The zone of a link-local address ("fe80::1%eth0") may hold what an interface's name holds. */
#define V6_CHARACTERS NAME_CHARACTERS ":%"

static bool
parse_port(uint16_t *port, const char *text)
{
    size_t len = strlen(text);
    unsigned value = 0;

    if (len == 0 || len > 5 || strspn(text, "0123456789") != len || (len > 1 && text[0] == '0'))
        return false;
    for (; *text; text++)
        value = value * 10 + (unsigned)(*text - '0');
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

enum ts_error
ts_tcp_address_split(char host[TS_TCP_HOST_BYTES], uint16_t *port, const char *address)
{
    bool v6 = address[0] == '[';
    const char *start = address + (v6 ? 1 : 0);
    size_t len = strspn(start, v6 ? V6_CHARACTERS : NAME_CHARACTERS);
    const char *end = start + len;

    if (len == 0 || len >= TS_TCP_HOST_BYTES)
        return TS_USAGE;
    if (v6 && (*end++ != ']' || !memchr(start, ':', len)))
        return TS_USAGE;
    if (*end != ':' || !parse_port(port, end + 1))
        return TS_USAGE;
    memcpy(host, start, len);
    host[len] = 0;
    return TS_OK;
}
