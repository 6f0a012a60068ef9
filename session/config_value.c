#include "session/config_value.h"
#include "session/config_place.h"
#include "base/env.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_MAX_MS 3600000u
#define AGE_MAX_S (3650u * 86400u)
#define NAME_MAX_BYTES 64
#define ADDRESS_MAX_BYTES 271

const char TS_VALUE_NO_MEMORY[] = "out of memory";

static const char *
keep(void *out, char *value)
{
    char **place = out;

    if (!value)
        return TS_VALUE_NO_MEMORY;
    free(*place);
    *place = value;
    return NULL;
}

static const char *
keep_copy(void *out, const char *text)
{
    return keep(out, strdup(text));
}

/* Decimal digits only: no sign, space, or hexadecimal as strtoul would take. */
static bool
number(uint32_t *out, const char *text, const char **end)
{
    uint64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9' && at - text < 10; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    if (at == text || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    *end = at;
    return true;
}

const char *
ts_value_path(void *out, const char *text)
{
    if (text[0] == '/' && text[1])
        return keep_copy(out, text);
    if (strncmp(text, "~/", 2) == 0 && text[2])
        return keep(out, ts_place_home(text + 1));
    return "an absolute path (/... or ~/...)";
}

const char *
ts_value_hsm(void *out, const char *text)
{
    if (strncmp(text, "pkcs11:", 7) != 0 || !text[7])
        return "a PKCS#11 URI (pkcs11:token=...;object=...)";
    return keep_copy(out, text);
}

const char *
ts_value_modulus_bits(void *out, const char *text)
{
    const char *end;
    uint32_t value;

    if (!number(&value, text, &end) || *end || (value != 2048 && value != 3072 && value != 4096))
        return "one of 2048, 3072, 4096";
    *(uint32_t *)out = value;
    return NULL;
}

const char *
ts_value_threads(void *out, const char *text)
{
    const char *end;
    uint32_t value;

    if (!number(&value, text, &end) || *end || value < 1 || value > 64)
        return "a number from 1 to 64";
    *(unsigned *)out = value;
    return NULL;
}

const char *
ts_value_presignatures(void *out, const char *text)
{
    const char *end;
    uint32_t value;

    if (!number(&value, text, &end) || *end || value > 64)
        return "a number from 0 to 64";
    *(unsigned *)out = value;
    return NULL;
}

const char *
ts_value_log_to(void *out, const char *text)
{
    if (strcmp(text, "syslog") == 0 || strcmp(text, "stderr") == 0)
        return keep_copy(out, text);
    return ts_value_path(out, text) ? "syslog, stderr, or an absolute path" : NULL;
}

const char *
ts_value_log_level(void *out, const char *text)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *(enum ts_log_level *)out = (enum ts_log_level)i;
            return NULL;
        }
    return "one of error, warning, info, debug";
}

struct unit {
    const char *name;
    uint32_t worth;
};

/* A number and one of `count` units, from 1 to `max` of the smallest. */
static bool
quantity(uint32_t *out, const char *text, const struct unit *units, size_t count, uint32_t max)
{
    const char *end;
    uint32_t value;

    if (!number(&value, text, &end) || value == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(end, units[i].name) == 0) {
            if (value > max / units[i].worth)
                return false;
            *out = value * units[i].worth;
            return true;
        }
    return false;
}

const char *
ts_value_duration(void *out, const char *text)
{
    static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};

    return quantity(out, text, units, sizeof units / sizeof *units, DURATION_MAX_MS)
               ? NULL
               : "a duration such as 500ms, 5s or 2m, at most 60m";
}

const char *
ts_value_age(void *out, const char *text)
{
    static const struct unit units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

    return quantity(out, text, units, sizeof units / sizeof *units, AGE_MAX_S)
               ? NULL
               : "an age such as 90m, 12h or 30d, at most 3650d";
}

static bool
is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *end;
    uint32_t port;

    return colon && colon != text && number(&port, colon + 1, &end) && !*end && port <= 65535 &&
           (!memchr(text, ':', (size_t)(colon - text)) || (text[0] == '[' && colon[-1] == ']'));
}

const char *
ts_value_address(void *out, const char *text)
{
    return is_address(text) ? keep_copy(out, text) : "an address (host:port or [IPv6]:port)";
}

const char *
ts_value_addresses(void *out, const char *text)
{
    char one[ADDRESS_MAX_BYTES];

    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        if (len >= sizeof one)
            return "a list of addresses that are not longer than 270 bytes";
        memcpy(one, at, len);
        one[len] = 0;
        if (!is_address(one))
            return "an address (host:port or [IPv6]:port), or several with commas between";
        at += len;
        if (!*at)
            return keep_copy(out, text);
    }
}

const char *
ts_value_name(void *out, const char *text)
{
    size_t len = strlen(text);

    if (len < 1 || len > NAME_MAX_BYTES)
        return "a name of 1 to 64 bytes";
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return "a name of printable characters";
    return keep_copy(out, text);
}

const char *
ts_value_pin_source(void *out, const char *text)
{
    static const char *const forms[] = {"file:", "env:", "credential:"};

    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t len = strlen(forms[i]);
        if (strncmp(text, forms[i], len) == 0 && text[len])
            return keep_copy(out, text);
    }
    return "a pin source (file:PATH, env:NAME or credential:NAME)";
}

const char *
ts_value_approval(void *out, const char *text)
{
    if (strcmp(text, "ask") != 0 && strcmp(text, "auto") != 0)
        return "ask or auto";
    return keep_copy(out, text);
}

const char *
ts_value_role(void *out, const char *text)
{
    if (strcmp(text, "enterprise") != 0 && strcmp(text, "mobile-app") != 0)
        return "one of enterprise, mobile-app";
    return keep_copy(out, text);
}

const char *
ts_value_count(void *out, const char *text)
{
    const char *end;
    uint32_t value;

    if (!number(&value, text, &end) || *end || value < 1 || value > 100000000)
        return "a number from 1 to 100000000";
    *(unsigned *)out = value;
    return NULL;
}
