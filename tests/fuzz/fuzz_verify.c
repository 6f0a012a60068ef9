#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/proofs.h"

#include <string.h>

/* The verifiers of the six proofs. First byte: which. No proof is accepted but the honest one that the world makes. */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_world world;
    static union fuzz_any proof;
    struct ts_scope *scope = NULL;

    if (!world.mpc) {
        fuzz_open(&world);
        fuzz_prove(&world);
    }
    if (size < 1)
        return 0;
    enum fuzz_proof kind = (enum fuzz_proof)(data[0] % FUZZ_PROOFS);
    const struct ts_buf *good = &world.good[kind];
    bool honest = good->len == size - 1 && memcmp(good->data, data + 1, size - 1) == 0;
    fuzz_need(ts_scope_new(&scope) == TS_OK);
    if (fuzz_decode(&proof, &world, kind, scope, data + 1, size - 1) == TS_OK)
        fuzz_need(fuzz_verify(&world, kind, &proof) == (honest ? TS_OK : TS_CHEATED));
    else
        fuzz_need(!honest);
    ts_scope_free(scope);
    return 0;
}
