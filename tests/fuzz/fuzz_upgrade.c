#include "tests/fuzz/fuzz.h"
#include "transport/http_head.h"
#include "transport/upgrade.h"

/* The HTTP handshake. The input is what comes from the other side: to the listener, and to the dialler. */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ts_env env;
    struct ts_upgrade request;
    struct ts_http_head head;
    bool resumed = false;
    int status = -1;

    if (!env.libctx)
        fuzz_need(ts_env_init(&env) == TS_OK);
    size_t len = ts_upgrade_head(data, size);
    fuzz_need(len <= size);
    (void)ts_http_head_parse(&head, data, size);
    enum ts_error error = ts_upgrade_request_decode(&request, &status, data, size);
    fuzz_need((error == TS_OK) == (status == 101));
    (void)ts_upgrade_response_decode(&status, &resumed, &env, "dGhlIHNhbXBsZSBub25jZQ==", data, size);
    return 0;
}
