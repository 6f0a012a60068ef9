#ifndef TS_MPC_PRIME_H
#define TS_MPC_PRIME_H

#include "base/buffer.h"
#include "base/env.h"
#include "mpc/num.h"

/** Watches and stops a search. */
struct ts_search {
    void *ctx;
    /** Called at every eighth candidate, from any searching thread and from several at once, no lock held.
     *  candidates: tested so far over all threads. Returns: false to stop. May be NULL. */
    bool (*progress)(void *ctx, uint64_t candidates);
    unsigned threads; /**< 1 to 64; 1 starts no thread (the caller's does the work). New threads block all signals. */
};

/** Find a pair of different safe primes p, q' of bits/2 bits each, both 3 mod 4, top two bits set so that N has exactly
 * `bits` bits. Sieve over p and (p-1)/2 together, base-2 Fermat test, then full tests of both (64 Miller-Rabin rounds).
 *  Source: protocol.md 1 and 4.
 *  In:   bits   2048, 3072, 4096
 *        out    secret buffer; receives p then q', each bits/16 bytes big-endian
 *  Returns: TS_OK; TS_USAGE (bits, threads, a buffer that is not secret); TS_REFUSED when stopped; TS_INTERNAL.
 *  Secrets: the primes. Powers modulo candidates are in constant time; the sieve's memory accesses depend on the start
 * of the interval, the number of tests on the place of the prime in it. */
enum ts_error ts_primes_search(
    struct ts_buf *out, const struct ts_env *env, uint32_t bits, const struct ts_search *search);

/** Check stored or imported primes: sizes, both safe primes, different. Returns: TS_OK; TS_FORMAT. */
enum ts_error ts_primes_check(const struct ts_env *env, uint32_t bits, const uint8_t *primes, size_t len);

#endif
