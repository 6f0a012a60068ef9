#include "tests/cheat.h"

#include <string.h>

#define NUMBER_MAX 2048

uint8_t *
cheat_find(size_t *value_len, size_t *head, const struct ts_buf *payload, const char *label, unsigned nth)
{
    struct ts_reader reader;
    unsigned seen = 0;

    ts_reader_init(&reader, payload->data, payload->len);
    while (reader.left) {
        size_t start = payload->len - reader.left;
        uint8_t label_len = ts_reader_u8(&reader);
        const uint8_t *name = ts_reader_take(&reader, label_len);
        uint64_t len = ts_reader_u64(&reader);
        size_t value = payload->len - reader.left;
        if (!name || len > reader.left || !ts_reader_take(&reader, (size_t)len))
            return NULL;
        if (label_len != strlen(label) || memcmp(name, label, label_len) != 0 || seen++ != nth)
            continue;
        if (value_len)
            *value_len = (size_t)len;
        if (head)
            *head = value - start;
        return payload->data + value;
    }
    return NULL;
}

/* I(z) with one less in the magnitude. Gives the new length; 0 when it is no number. */
static size_t
decrement(uint8_t *number, size_t len)
{
    if (len == 0 || number[0] > 1)
        return 0;
    if (len == 1) {
        number[1] = 1;
        return 2;
    }
    for (size_t i = len; i-- > 1;) {
        if (number[i]-- != 0)
            break;
    }
    if (number[1] == 0) {
        memmove(number + 1, number + 2, len - 2);
        len--;
    }
    if (len == 1)
        number[0] = 0;
    return len;
}

static bool
is_bytes(const char *label)
{
    static const char *const labels[] = {"u", "c", "cn", "nonce", "n1", "n2", "key", "pairing", "aux", "hk", "x"};

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        if (strcmp(label, labels[i]) == 0)
            return true;
    }
    return false;
}

/* Write a payload again with another number in one place. */
static enum ts_error
replace_number(struct ts_buf *payload, const uint8_t *value, size_t len)
{
    uint8_t number[NUMBER_MAX];
    struct ts_buf changed;

    if (len + 1 > sizeof number)
        return TS_FORMAT;
    memcpy(number, value, len);
    size_t new_len = decrement(number, len);
    if (new_len == 0)
        return TS_FORMAT;
    size_t before = (size_t)(value - payload->data) - 8;
    const uint8_t *after = value + len;
    ts_buf_init(&changed, payload->max);
    ts_buf_put(&changed, payload->data, before);
    ts_buf_put_u64(&changed, new_len);
    ts_buf_put(&changed, number, new_len);
    ts_buf_put(&changed, after, payload->len - (size_t)(after - payload->data));
    enum ts_error error = ts_buf_error(&changed);
    ts_buf_clear(payload);
    if (error == TS_OK)
        error = ts_buf_put(payload, changed.data, changed.len);
    ts_buf_clear(&changed);
    return error;
}

enum ts_error
cheat_item(struct ts_buf *payload, const char *label, unsigned nth)
{
    size_t len = 0;
    uint8_t *value = cheat_find(&len, NULL, payload, label, nth);

    if (!value || len == 0)
        return TS_NOT_FOUND;
    /* The blum proof has numbers x, a half has a share x of fixed length. */
    bool number = !is_bytes(label) || (strcmp(label, "x") == 0 && len > TS_SCALAR_MAX_BYTES);
    if (number)
        return replace_number(payload, value, len);
    value[len - 1] ^= 1;
    return TS_OK;
}

static size_t
scalar_bytes(enum ts_curve curve)
{
    return curve == TS_CURVE_P521 ? 66 : curve == TS_CURVE_P384 ? 48 : 32;
}

enum ts_error
cheat_payload(struct ts_buf *payload, enum ts_curve curve, uint32_t bits, const char *what)
{
    size_t scalar = scalar_bytes(curve), ciphertext = bits / 4;
    const struct {
        const char *what, *label;
        size_t max; /* of the magnitude */
    } ways[] = {{"keygen-proof", "z", scalar}, {"presign-dlog", "z", scalar}, {"presign-d", "D", ciphertext},
        {"presign-proof", "z1", scalar + 33}, {"nonce", "nonce", 32}, {"sigma", "sigma", scalar}};

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        size_t len = 0;
        if (strcmp(what, ways[i].what) != 0)
            continue;
        if (!cheat_find(&len, NULL, payload, ways[i].label, 0))
            return TS_NOT_FOUND;
        return len <= ways[i].max + 1 ? cheat_item(payload, ways[i].label, 0) : TS_FORMAT;
    }
    return TS_USAGE;
}
