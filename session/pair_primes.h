#ifndef TS_SESSION_PAIR_PRIMES_H
#define TS_SESSION_PAIR_PRIMES_H

#include "mpc/prime.h"
#include "store/store.h"

/** Label of the TLS exporter that the proofs of the one-time secret are bound to. */
#define TS_PAIR_EXPORTER "EXPORTER-tallystick-pair"

/** How long one side waits for the other's parameters: a search of safe primes may be part of it. */
#define TS_PAIR_PARAMETERS_MS 900000u

/** Safe primes for one pairing: a pair that waits in the store, else a search now.
 *  In:   threads  for the search when `search` is NULL
 *  Returns: TS_OK; TS_REFUSED when the search was stopped; TS_STORAGE; TS_INTERNAL. Secret: out is a secret buffer. */
enum ts_error ts_pair_primes(struct ts_buf *out, const struct ts_env *env, struct ts_store *store, uint64_t token,
    const struct ts_keyring *keyring, uint32_t bits, unsigned threads, const struct ts_search *search);

#endif
