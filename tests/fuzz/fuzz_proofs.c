#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/proofs.h"

#include <string.h>

/* The decoders of the six proofs. First byte: which. What is accepted is the one encoding of its value. */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_world world;
    static union fuzz_any proof;
    struct ts_scope *scope = NULL;
    struct ts_buf again;

    if (!world.mpc)
        fuzz_open(&world);
    if (size < 1)
        return 0;
    enum fuzz_proof kind = (enum fuzz_proof)(data[0] % FUZZ_PROOFS);
    fuzz_need(ts_scope_new(&scope) == TS_OK);
    if (fuzz_decode(&proof, &world, kind, scope, data + 1, size - 1) == TS_OK) {
        ts_buf_init(&again, size);
        fuzz_encode(&again, &world, kind, &proof);
        fuzz_need(again.len == size - 1 && memcmp(again.data, data + 1, size - 1) == 0);
        ts_buf_clear(&again);
    }
    ts_scope_free(scope);
    return 0;
}
