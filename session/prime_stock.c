#include "session/prime_stock.h"
#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 2048
#define PAIR_BYTES(bits) ((bits) / 8)

enum ts_error
ts_prime_stock_search(const struct ts_env *env, struct ts_store *store, const struct ts_keyring *keyring,
    uint64_t token, uint32_t bits, const struct ts_search *search)
{
    struct ts_buf pair;
    enum ts_error error;

    ts_buf_init_secret(&pair, PAIR_BYTES(bits));
    error = ts_primes_search(&pair, env, bits, search);
    if (error == TS_OK)
        error = ts_primes_put(store, keyring, token, bits, pair.data, pair.len);
    ts_buf_clear(&pair);
    return error;
}

/* FILE or FILE:N into the path and N. */
static enum ts_error
split_spec(char *path, size_t size, unsigned long *skip, const char *spec)
{
    const char *colon = strrchr(spec, ':');
    size_t len = strlen(spec);

    *skip = 0;
    if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) && strlen(colon + 1) < 5) {
        *skip = strtoul(colon + 1, NULL, 10);
        len = (size_t)(colon - spec);
    }
    if (len == 0 || len >= size)
        return TS_USAGE;
    memcpy(path, spec, len);
    path[len] = 0;
    return TS_OK;
}

static int
digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Exactly `len` bytes in hexadecimal up to the end of the line. */
static enum ts_error
put_hex(struct ts_buf *out, const char *hex, size_t len)
{
    size_t digits = strcspn(hex, " \t\r\n");

    if (digits != 2 * len || hex[digits + strspn(hex + digits, " \t\r\n")])
        return TS_FORMAT;
    for (size_t i = 0; i < len; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return TS_FORMAT;
        (void)ts_buf_put_u8(out, (uint8_t)(high << 4 | low));
    }
    return ts_buf_error(out);
}

/* One line: nothing, a prime of another size, or one of ours. */
static enum ts_error
read_line(struct ts_buf *pair, unsigned long *skip, const char *line, uint32_t bits)
{
    char *rest;

    line += strspn(line, " \t\r\n");
    if (!*line || *line == '#')
        return TS_OK;
    unsigned long size = strtoul(line, &rest, 10);
    if (rest == line || (*rest != ' ' && *rest != '\t'))
        return TS_FORMAT;
    if (size != bits)
        return TS_OK;
    if (*skip > 0) {
        (*skip)--;
        return TS_OK;
    }
    return put_hex(pair, rest + strspn(rest, " \t"), PAIR_BYTES(bits) / 2);
}

static enum ts_error
read_pair(struct ts_buf *pair, const struct ts_env *env, const char *path, unsigned long skip, uint32_t bits)
{
    char line[LINE_BYTES];
    enum ts_error error = TS_OK;
    unsigned number = 0;
    FILE *file = fopen(path, "re");

    if (!file) {
        ts_log(env, TS_LOG_ERROR, "the file of primes %s cannot be opened: %s", path, strerror(errno));
        return TS_IO;
    }
    while (error == TS_OK && pair->len < PAIR_BYTES(bits) && fgets(line, sizeof line, file)) {
        number++;
        error = read_line(pair, &skip, line, bits);
    }
    if (error == TS_FORMAT)
        ts_log(env, TS_LOG_ERROR, "%s:%u: not \"BITS HEX\" with a prime of half as many bits", path, number);
    else if (error == TS_OK && pair->len < PAIR_BYTES(bits)) {
        ts_log(env, TS_LOG_ERROR, "%s does not hold two more primes for a modulus of %u bits", path, (unsigned)bits);
        error = TS_FORMAT;
    }
    (void)fclose(file);
    ts_wipe(line, sizeof line);
    return error;
}

enum ts_error
ts_prime_stock_import(const struct ts_env *env, struct ts_store *store, const struct ts_keyring *keyring,
    uint64_t token, uint32_t bits, const char *spec)
{
    struct ts_buf pair;
    char path[4096];
    unsigned long skip;
    enum ts_error error = split_spec(path, sizeof path, &skip, spec);

    if (error != TS_OK) {
        ts_log(env, TS_LOG_ERROR, "\"%s\" is not FILE or FILE:N", spec);
        return error;
    }
    ts_buf_init_secret(&pair, PAIR_BYTES(bits));
    error = read_pair(&pair, env, path, skip, bits);
    if (error == TS_OK && (error = ts_primes_check(env, bits, pair.data, pair.len)) != TS_OK)
        ts_log(env, TS_LOG_ERROR, "%s: the two are not different safe primes", path);
    if (error == TS_OK)
        error = ts_primes_put(store, keyring, token, bits, pair.data, pair.len);
    ts_buf_clear(&pair);
    return error;
}
