#include "tests/fuzz/fuzz.h"
#include "transport/envelope.h"
#include "transport/websocket.h"

/* Frames from the other side. First byte: even for the listener; then each chunk as long as the second byte says. */

static enum ts_error
take(void *ctx, const uint8_t *message, size_t len)
{
    struct ts_envelope envelope = {0};
    enum ts_error error = ts_envelope_decode(&envelope, message, len);

    (void)ctx;
    fuzz_need(len <= TS_ENVELOPE_MAX_BYTES);
    ts_envelope_clear(&envelope);
    return error;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ts_env env;
    struct ts_websocket *socket = NULL;
    enum ts_error error = TS_OK;

    if (!env.libctx)
        fuzz_need(ts_env_init(&env) == TS_OK);
    if (size < 2)
        return 0;
    size_t chunk = 1 + data[1];
    fuzz_need(ts_websocket_new(&socket, &env, data[0] % 2 == 0, take, NULL) == TS_OK);
    for (size_t at = 2; at < size && error == TS_OK; at += chunk) {
        error = ts_websocket_feed(socket, data + at, size - at < chunk ? size - at : chunk);
        ts_buf_clear(ts_websocket_out(socket));
    }
    ts_websocket_free(socket);
    return 0;
}
