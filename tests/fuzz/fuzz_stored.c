#include "mpc/half.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* Halves and pairings as they are stored. First byte: 0 a pairing, else a half. What is accepted is the one encoding of
 * its value. */

#define STORED_MAX ((size_t)1 << 16)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ts_env env;
    static struct ts_mpc *mpc;
    struct ts_pairing *pairing = NULL;
    struct ts_half *half = NULL;
    struct ts_buf again;

    if (!mpc)
        fuzz_need(ts_env_init(&env) == TS_OK && ts_mpc_new(&mpc, &env) == TS_OK);
    if (size < 1)
        return 0;
    ts_buf_init_secret(&again, STORED_MAX);
    if (data[0] == 0 && ts_pairing_decode(&pairing, mpc, data + 1, size - 1) == TS_OK)
        fuzz_need(ts_pairing_encode(&again, pairing) == TS_OK);
    if (data[0] != 0 && ts_half_decode(&half, mpc, data + 1, size - 1) == TS_OK)
        fuzz_need(ts_half_encode(&again, mpc, half) == TS_OK);
    if (pairing || half)
        fuzz_need(again.len == size - 1 && memcmp(again.data, data + 1, size - 1) == 0);
    ts_buf_clear(&again);
    ts_pairing_free(pairing);
    ts_half_free(half);
    return 0;
}
