#include "session/prime_fill.h"
#include "base/command.h"
#include "base/terminal.h"

#include <stdio.h>

bool
ts_prime_fill_progress(void *ctx, uint64_t candidates)
{
    ts_progress_show(ctx, candidates);
    return true;
}

static enum ts_error
search_unless_waiting(const struct ts_env *env, struct ts_store *store, const struct ts_keyring *keyring,
    uint64_t token, uint32_t bits, unsigned threads)
{
    struct ts_progress progress;
    struct ts_search search = {&progress, ts_prime_fill_progress, threads};
    char what[96];
    size_t waiting = 0;
    enum ts_error error = ts_primes_count(&waiting, store, token, bits);

    if (error != TS_OK || waiting > 0)
        return error;
    (void)snprintf(what, sizeof what, "searching safe primes for %u bits, threads: %u", (unsigned)bits, threads);
    ts_progress_start(&progress, env, what);
    error = ts_prime_stock_search(env, store, keyring, token, bits, &search);
    ts_progress_end(&progress, error == TS_OK);
    return error;
}

enum ts_error
ts_prime_fill(const struct ts_env *env, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token,
    uint32_t bits, const char *spec, unsigned threads)
{
    enum ts_error error = spec ? ts_prime_stock_import(env, store, keyring, token, bits, spec)
                               : search_unless_waiting(env, store, keyring, token, bits, threads);

    if (error != TS_OK)
        (void)ts_complain("no safe primes: %s", ts_error_text(error));
    else if (spec)
        (void)ts_complain("warning: primes from %s are published: only for tests and demonstrations", spec);
    return error;
}
