#ifndef TS_SESSION_PRIME_STOCK_H
#define TS_SESSION_PRIME_STOCK_H

#include "mpc/prime.h"
#include "store/store.h"

/** Pairs of safe primes that wait in the store for the next pairings. Each pair is used once. */

/** Search a pair and store it. The search takes from seconds to many minutes.
 *  Returns: as ts_primes_search and ts_primes_put. Secrets: the primes. */
enum ts_error ts_prime_stock_search(const struct ts_env *env, struct ts_store *store, const struct ts_keyring *keyring,
    uint64_t token, uint32_t bits, const struct ts_search *search);

/** Store a pair from a text file with lines `BITS HEX` (bits of the modulus, one safe prime of half as many bits), "#"
 *  starts a comment. For tests and demonstrations only: whoever knows the file knows the keys.
 *  In:   spec  FILE or FILE:N, where N primes of that size are passed over (default 0), so that the two sides of a
 *              pairing take different ones
 *  Returns: TS_OK; TS_USAGE (spec), TS_IO (file), TS_FORMAT (a bad line, fewer than two primes left, not safe primes):
 *  each with its log line; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_prime_stock_import(const struct ts_env *env, struct ts_store *store, const struct ts_keyring *keyring,
    uint64_t token, uint32_t bits, const char *spec);

#endif
