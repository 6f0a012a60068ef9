#include "tools/primes.h"
#include "base/terminal.h"
#include "session/prime_stock.h"

#include <stdio.h>

static bool
show(void *ctx, uint64_t candidates)
{
    ts_progress_show(ctx, candidates);
    return true;
}

enum ts_error
ts_tool_search_primes(const struct ts_tool *tool, uint64_t token, const struct ts_keyring *keyring, uint32_t bits)
{
    struct ts_store *store = ts_enterprise_store(tool->enterprise);
    struct ts_progress progress;
    struct ts_search search = {&progress, show, tool->config->threads};
    char what[96];
    size_t waiting = 0;
    enum ts_error error = ts_primes_count(&waiting, store, token, bits);

    if (error == TS_OK && waiting == 0) {
        (void)snprintf(
            what, sizeof what, "searching safe primes for %u bits with %u threads", (unsigned)bits, search.threads);
        ts_progress_start(&progress, &tool->env, what);
        error = ts_prime_stock_search(&tool->env, store, keyring, token, bits, &search);
        ts_progress_end(&progress, error == TS_OK);
    }
    if (error != TS_OK)
        (void)ts_tool_failed("no safe primes", error, "");
    return error;
}

enum ts_error
ts_tool_import_primes(
    const struct ts_tool *tool, uint64_t token, const struct ts_keyring *keyring, uint32_t bits, const char *spec)
{
    enum ts_error error =
        ts_prime_stock_import(&tool->env, ts_enterprise_store(tool->enterprise), keyring, token, bits, spec);

    if (error != TS_OK)
        (void)ts_tool_failed("no primes from the file", error, "see the line above");
    else
        (void)fprintf(
            stderr, "tallystick: warning: these primes come from a file: only for tests and demonstrations\n");
    return error;
}
