#include "tests/fuzz/fuzz.h"
#include "transport/envelope.h"
#include "transport/message.h"

#include <string.h>

/* The messages of the transport and its envelope. First byte: which. What is accepted is the one encoding of its value.
 */

#define AGAIN(kind, clear)                                                                                             \
    do {                                                                                                               \
        struct ts_##kind value = {0};                                                                                  \
        if (ts_##kind##_decode(&value, in, len) == TS_OK)                                                              \
            fuzz_need(ts_##kind##_encode(out, &value) == TS_OK && out->len == len &&                                   \
                      (len == 0 || memcmp(out->data, in, len) == 0));                                                  \
        clear;                                                                                                         \
    } while (0)

static void
read_message(unsigned which, struct ts_buf *out, const uint8_t *in, size_t len)
{
    if (which == 0)
        AGAIN(failure, (void)0);
    if (which == 1)
        AGAIN(session_hello, (void)0);
    if (which == 2)
        AGAIN(pair_prove, (void)0);
    if (which == 3)
        AGAIN(keygen_init, ts_keygen_init_clear(&value));
    if (which == 4)
        AGAIN(commit, (void)0);
    if (which == 5)
        AGAIN(sign_round1, ts_sign_round1_clear(&value));
    if (which == 6)
        AGAIN(sign_round2, ts_sign_round2_clear(&value));
    if (which == 7)
        AGAIN(sign_round2_reply, ts_sign_round2_reply_clear(&value));
    if (which == 8)
        AGAIN(sign_request, ts_sign_request_clear(&value));
    if (which == 9)
        AGAIN(lock, (void)0);
    if (which == 10)
        AGAIN(refresh_init, ts_refresh_init_clear(&value));
    if (which == 11)
        AGAIN(envelope, ts_envelope_clear(&value));
    if (which == 12)
        AGAIN(refresh_ask, (void)0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ts_buf out;

    if (size < 1)
        return 0;
    ts_buf_init(&out, TS_ENVELOPE_MAX_BYTES);
    read_message(data[0] % 13, &out, data + 1, size - 1);
    ts_buf_clear(&out);
    return 0;
}
