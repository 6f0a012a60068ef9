#ifndef TS_SESSION_PRIME_FILL_H
#define TS_SESSION_PRIME_FILL_H

#include "session/prime_stock.h"

/** For programs only: see to it that a pair of safe primes waits in the store, and tell the person.
 *  In:   spec     FILE[:N] of test-only primes: one pair is taken from it, with a warning; NULL: a pair is searched,
 * with a line of progress, unless one waits already threads  of the search Returns: as ts_prime_stock_import and
 * ts_prime_stock_search; complains itself. */
enum ts_error ts_prime_fill(const struct ts_env *env, struct ts_store *store, const struct ts_keyring *keyring,
    uint64_t token, uint32_t bits, const char *spec, unsigned threads);

/** A ts_search progress that draws the struct ts_progress in ctx and never stops. */
bool ts_prime_fill_progress(void *ctx, uint64_t candidates);

#endif
