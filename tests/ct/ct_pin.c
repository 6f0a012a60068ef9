#include "store/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

/* A PIN seals and opens a token key, both marked as undefined, under valgrind: a branch or an address that depends on
 * them is a use of undefined memory. Only the length of a PIN and whether it was right are public. By make check-ct. */

#define PIN_LEN 8

static const struct ts_pin_place place = {.token = 1, .serial = "0123456789abcdef", .user = TS_USER};

static void
need(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "ct_pin: %s failed\n", what);
    exit(2);
}

static void
open_with(const struct ts_env *env, const char *text, const struct ts_buf *sealed, enum ts_error expected)
{
    uint8_t pin[PIN_LEN], key[TS_TOKEN_KEY_BYTES] = {0}, right[TS_TOKEN_KEY_BYTES];

    memcpy(pin, text, PIN_LEN);
    VALGRIND_MAKE_MEM_UNDEFINED(pin, sizeof pin);
    need(ts_pin_open(key, env, NULL, &place, pin, sizeof pin, sealed->data, sealed->len) == expected, "opening");
    VALGRIND_MAKE_MEM_DEFINED(key, sizeof key);
    memset(right, expected == TS_OK ? 0x5a : 0, sizeof right);
    need(memcmp(key, right, sizeof key) == 0, "the key");
}

static void
seal_and_open(const struct ts_env *env)
{
    uint8_t pin[PIN_LEN], key[TS_TOKEN_KEY_BYTES];
    struct ts_buf sealed;

    memcpy(pin, "24681012", PIN_LEN);
    memset(key, 0x5a, sizeof key);
    VALGRIND_MAKE_MEM_UNDEFINED(pin, sizeof pin);
    VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
    need(ts_pin_seal(&sealed, env, NULL, &place, pin, sizeof pin, key) == TS_OK, "sealing");
    VALGRIND_MAKE_MEM_DEFINED(sealed.data, sealed.len); /* what is written to the database */
    open_with(env, "24681012", &sealed, TS_OK);
    open_with(env, "24681013", &sealed, TS_PIN_INCORRECT);
    ts_buf_clear(&sealed);
}

int
main(void)
{
    struct ts_env env;

    need(ts_env_init(&env) == TS_OK, "the environment");
    seal_and_open(&env);
    bool clean = VALGRIND_COUNT_ERRORS == 0;
    printf("%sok 1 - pin depends on no secret\n1..1\n", clean ? "" : "not ");
    ts_env_clear(&env);
    return clean ? 0 : 99;
}
