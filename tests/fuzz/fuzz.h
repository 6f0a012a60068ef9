#ifndef TS_TESTS_FUZZ_H
#define TS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** What each file fuzz_<target>.c defines, for libFuzzer (make fuzz) and for replay.c (make check).
 *  In:   data  one input; what its first byte means is said in the file
 *  Returns: 0. Whatever must not happen ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Ends the process when something is not as it must be. */
static inline void
fuzz_need(int holds)
{
    if (!holds)
        abort();
}

#endif
