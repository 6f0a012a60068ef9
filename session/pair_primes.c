#include "session/pair_primes.h"

enum ts_error
ts_pair_primes(struct ts_buf *out, const struct ts_env *env, struct ts_store *store, uint64_t token,
    const struct ts_keyring *keyring, uint32_t bits, unsigned threads, const struct ts_search *search)
{
    const struct ts_search quiet = {.threads = threads};
    enum ts_error error = ts_primes_take(out, store, keyring, token, bits);

    if (error != TS_NOT_FOUND)
        return error;
    ts_log(env, TS_LOG_INFO, "searching two safe primes of %u bits", bits / 2);
    return ts_primes_search(out, env, bits, search ? search : &quiet);
}
