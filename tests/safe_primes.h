#ifndef TS_TESTS_SAFE_PRIMES_H
#define TS_TESTS_SAFE_PRIMES_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/** Read a pair of test-only safe primes from tests/data/safe_primes.txt: lines 2 * pair and 2 * pair + 1 of that size.
 *  In:   bits  of the modulus: 2048, 3072, 4096
 *        out   bits/8 bytes: p then q', big-endian, as ts_primes_search writes them
 *  Returns: false when the file has no such pair. */
static inline bool
load_safe_primes(uint8_t *out, uint32_t bits, unsigned pair)
{
    char line[1100];
    unsigned seen = 0, taken = 0;
    size_t len = bits / 16;
    FILE *file = fopen(TS_TESTDIR "/data/safe_primes.txt", "r");

    while (file && taken < 2 && fgets(line, sizeof line, file)) {
        char digits[1030];
        uint32_t size;
        if (sscanf(line, "%" SCNu32 " %1029[0-9a-f]", &size, digits) != 2 || size != bits || seen++ < 2 * pair)
            continue;
        if (strlen(digits) != 2 * len)
            break;
        for (size_t i = 0; i < len; i++) {
            unsigned byte;
            if (sscanf(digits + 2 * i, "%2x", &byte) != 1)
                break;
            out[taken * len + i] = (uint8_t)byte;
        }
        taken++;
    }
    if (file)
        fclose(file);
    return taken == 2;
}

#endif
