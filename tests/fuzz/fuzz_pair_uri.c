#include "tests/fuzz/fuzz.h"
#include "transport/pair_uri.h"

#include <string.h>

/* The invitation as it is typed in. What is accepted can be written, and then says the same. */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ts_pair_uri uri, same;
    char again[1024];

    char *text = malloc(size + 1);
    fuzz_need(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    memset(&uri, 0, sizeof uri);
    memset(&same, 0, sizeof same);
    if (ts_pair_uri_decode(&uri, text) == TS_OK) {
        fuzz_need(ts_pair_uri_encode(again, sizeof again, &uri) == TS_OK && ts_pair_uri_decode(&same, again) == TS_OK);
        fuzz_need(strcmp(uri.address, same.address) == 0 &&
                  memcmp(uri.key_hash, same.key_hash, sizeof uri.key_hash) == 0 &&
                  memcmp(uri.secret, same.secret, sizeof uri.secret) == 0);
    }
    free(text);
    return 0;
}
