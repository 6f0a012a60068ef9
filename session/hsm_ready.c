#include "session/enterprise_internal.h"

#include <stdlib.h>

/* A new HSM key may only be made while nothing is sealed under an old one. */
static enum ts_error
make_first_key(struct ts_enterprise *enterprise)
{
    struct ts_token_row *tokens = NULL;
    size_t count = 0;
    enum ts_error error = ts_token_list(&tokens, &count, enterprise->store);

    free(tokens);
    if (error != TS_OK)
        return error;
    if (count > 0) {
        ts_log(enterprise->env, TS_LOG_ERROR,
            "the HSM key named by `hsm` is gone but %zu tokens are sealed under it: restore the HSM from its backup; "
            "nothing was changed",
            count);
        return TS_NOT_FOUND;
    }
    error = ts_hsm_generate(enterprise->hsm);
    return error == TS_EXISTS ? TS_OK : error; /* another process was faster */
}

enum ts_error
ts_enterprise_prepare_hsm(struct ts_enterprise *enterprise)
{
    if (!enterprise->hsm) {
        ts_log(enterprise->env, TS_LOG_ERROR, "no HSM is configured: set `hsm` to the PKCS#11 URI of its AES key");
        return TS_USAGE;
    }
    enum ts_error error = ts_hsm_check(enterprise->hsm);
    return error == TS_NOT_FOUND ? make_first_key(enterprise) : error;
}
