#ifndef TS_TOOLS_PRIMES_H
#define TS_TOOLS_PRIMES_H

#include "tools/tool.h"

/** Search a pair of safe primes with a line of progress, unless one waits already; complains itself.
 *  Returns: as ts_prime_stock_search. */
enum ts_error ts_tool_search_primes(
    const struct ts_tool *tool, uint64_t token, const struct ts_keyring *keyring, uint32_t bits);

/** Take a pair from a file of test-only primes; warns, complains itself. Returns: as ts_prime_stock_import. */
enum ts_error ts_tool_import_primes(
    const struct ts_tool *tool, uint64_t token, const struct ts_keyring *keyring, uint32_t bits, const char *spec);

#endif
