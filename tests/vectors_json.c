#include "tests/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- entries --- */

bool
entry_open(struct entry *e, const struct vectors *file)
{
    *e = (struct entry){.file = file};
    return ts_scope_new(&e->scope) == TS_OK;
}

int
entry_verdict(const struct entry *e, bool accepted)
{
    enum ts_error error = ts_scope_error(e->scope);

    if (e->strange || error == TS_INTERNAL || error == TS_USAGE)
        return -1;
    return accepted && !e->refused && error == TS_OK;
}

void
entry_close(struct entry *e)
{
    ts_scope_free(e->scope);
}

/* --- reading --- */

static const json_t *
get(struct entry *e, const json_t *object, const char *label)
{
    const json_t *value = json_object_get(object, label);

    if (!value)
        e->strange = true;
    return value;
}

bool
is_null(const json_t *object, const char *label)
{
    return json_is_null(json_object_get(object, label));
}

static const char *
read_text(struct entry *e, const json_t *value)
{
    const char *text = json_string_value(value);

    /* jansson allows no zero byte inside, unless asked to */
    if (!text)
        e->strange = true;
    return text;
}

const char *
get_text(struct entry *e, const json_t *object, const char *label)
{
    return read_text(e, get(e, object, label));
}

uint64_t
get_count(struct entry *e, const json_t *object, const char *label, uint64_t max)
{
    const json_t *value = get(e, object, label);

    if (json_is_integer(value) && json_integer_value(value) >= 0 && (uint64_t)json_integer_value(value) <= max)
        return (uint64_t)json_integer_value(value);
    e->strange = true;
    return 0;
}

/* A lower-case hexadecimal digit's value, or -1. */
static int
digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
all_digits(const char *text)
{
    for (; *text; text++) {
        if (digit(*text) < 0)
            return false;
    }
    return true;
}

/* Bytes from an even number of digits, in the scope's memory; len 0 gives a place too. */
static uint8_t *
unhex(struct ts_scope *scope, const char *text, size_t digits)
{
    uint8_t *bytes = ts_scope_memory(scope, digits / 2 + 1);

    for (size_t i = 0; bytes && i < digits / 2; i++)
        bytes[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return bytes;
}

const struct ts_num *
read_num(struct entry *e, const json_t *value)
{
    const char *text = read_text(e, value);
    char *even = NULL;
    const struct ts_num *result = NULL;

    if (!text)
        return NULL;
    bool negative = text[0] == '-';
    text += negative;
    bool canonical = strncmp(text, "0x", 2) == 0 && text[2] && all_digits(text + 2) &&
                     (text[2] != '0' || (text[3] == '\0' && !negative));
    size_t digits = canonical ? strlen(text + 2) : 0;
    if (!canonical || !(even = malloc(digits + 2))) {
        e->strange = true;
        return NULL;
    }
    snprintf(even, digits + 2, "%s%s", digits % 2 ? "0" : "", text + 2);
    digits += digits % 2;
    const uint8_t *bytes = unhex(e->scope, even, digits);
    if (bytes)
        result = ts_num_from_bytes(e->scope, bytes, digits / 2);
    free(even);
    return negative ? ts_num_neg(e->scope, result) : result;
}

const struct ts_num *
get_num(struct entry *e, const json_t *object, const char *label)
{
    return read_num(e, get(e, object, label));
}

uint64_t
get_u64(struct entry *e, const json_t *object, const char *label, uint64_t max)
{
    const char *text = get_text(e, object, label);
    uint64_t value = 0;

    get_num(e, object, label);
    if (e->strange || text[0] == '-' || strlen(text) > 2 + 16) {
        e->strange = true;
        return 0;
    }
    for (text += 2; *text; text++)
        value = value << 4 | (uint64_t)digit(*text);
    e->strange = e->strange || value > max;
    return value;
}

const uint8_t *
get_bytes(struct entry *e, size_t *len, const json_t *object, const char *label)
{
    const char *text = get_text(e, object, label);

    *len = 0;
    if (!text || strlen(text) % 2 || !all_digits(text)) {
        e->strange = true;
        return NULL;
    }
    *len = strlen(text) / 2;
    return unhex(e->scope, text, strlen(text));
}

const uint8_t *
get_exact(struct entry *e, const json_t *object, const char *label, size_t len)
{
    size_t found;
    const uint8_t *bytes = get_bytes(e, &found, object, label);

    if (found != len)
        e->strange = true;
    return found == len ? bytes : NULL;
}

const struct ts_point *
get_point(struct entry *e, const json_t *object, const char *label, const struct ts_group *group)
{
    size_t len;
    const uint8_t *bytes = get_bytes(e, &len, object, label);

    if (!group)
        e->strange = true;
    return bytes && group ? ts_point_decode(e->scope, group, bytes, len) : NULL;
}

enum ts_curve
get_curve(struct entry *e, const json_t *object)
{
    const char *name = get_text(e, object, "curve");
    enum ts_curve curve = name ? ts_curve_by_name(name, strlen(name)) : TS_CURVE_NONE;

    if (name && *name && curve == TS_CURVE_NONE)
        e->strange = true;
    return curve;
}

static uint8_t
get_role(struct entry *e, const json_t *object)
{
    static const char *const names[] = {"", "P1", "P2"};
    const char *name = get_text(e, object, "role");

    for (uint8_t role = TS_ROLE_NONE; name && role <= TS_ROLE_P2; role++) {
        if (strcmp(name, names[role]) == 0)
            return role;
    }
    e->strange = true;
    return TS_ROLE_NONE;
}

struct ts_place
get_place(struct entry *e, const json_t *object)
{
    struct ts_place place = {.mpc = e->file->mpc, .curve = get_curve(e, object), .role = get_role(e, object)};
    const uint8_t *sid = get_bytes(e, &place.sid_len, object, "sid");

    place.index = (uint32_t)get_count(e, object, "index", UINT32_MAX);
    if (!sid || place.sid_len > sizeof place.sid) {
        e->strange = true;
        place.sid_len = 0;
    } else {
        memcpy(place.sid, sid, place.sid_len);
    }
    return place;
}

/* --- writing --- */

json_t *
show_bytes(const uint8_t *bytes, size_t len)
{
    char *text = malloc(2 * len + 1);
    json_t *value = NULL;

    if (!text)
        return NULL;
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    text[2 * len] = '\0';
    value = json_string(text);
    free(text);
    return value;
}

json_t *
show_num(const struct ts_num *a)
{
    if (!a)
        return NULL;
    size_t len = (ts_num_bits_vartime(a) + 7) / 8;
    uint8_t *bytes = calloc(1, len + 1);
    char *text = malloc(2 * len + 8);
    json_t *value = NULL;

    if (bytes && text && (len == 0 || ts_num_to_bytes(bytes, len, a) == TS_OK)) {
        int used = sprintf(text, "%s0x%x", ts_num_is_negative_vartime(a) ? "-" : "", bytes[0]);
        for (size_t i = 1; i < len; i++)
            used += sprintf(text + used, "%02x", bytes[i]);
        value = json_string(text);
    }
    free(bytes);
    free(text);
    return value;
}

json_t *
show_point(const struct ts_group *group, const struct ts_point *p)
{
    uint8_t encoded[TS_POINT_MAX_BYTES];

    if (!p || ts_point_is_infinity(group, p) || ts_point_encode(encoded, group, p) != TS_OK)
        return NULL;
    return show_bytes(encoded, ts_group_point_bytes(group));
}
