#ifndef TS_TESTS_BENCH_H
#define TS_TESTS_BENCH_H

#include "tests/parties.h"

/** The benchmark: both parties in one thread, their messages passed in memory; CPU time of the thread, charged to the
 *  party that is computing. */

enum bench_party { BENCH_P1, BENCH_P2, BENCH_BOTH, BENCH_PARTIES };

/** Exponentiations since bench_count_reset. */
struct bench_count {
    unsigned calls; /**< exponentiations of any size */
    unsigned full;  /**< of those, with at least n bits in the exponent and 2n in the modulus */
    double work;    /**< all modular multiplications, as multiples of those of a full one by size squared */
};
void bench_count_reset(uint32_t bits);
struct bench_count bench_count_get(void);

/** One run of one step. */
struct bench_run {
    double ms[BENCH_PARTIES];
    struct bench_count count[BENCH_PARTIES];
    size_t bytes; /**< payloads, both ways */
};

/** What the steps of one curve and modulus run on. */
struct bench_setting {
    struct parties parties;
    struct ts_pairing *fresh[2]; /**< new parameters of the same pairing, for refresh */
    enum ts_curve curve;
    uint32_t bits;
    uint64_t batch;
};

typedef void bench_step(struct bench_run *run, struct bench_setting *setting);
bench_step bench_pairing, bench_keygen, bench_presign_cold, bench_presign_idle_done, bench_online, bench_sign_cold,
    bench_refresh;

/** New pairings (and parameters for refresh) of that size, then a key. */
void bench_setting_open(struct bench_setting *setting, uint32_t bits);
void bench_setting_close(struct bench_setting *setting);

/** A benchmark of what does not work is worth nothing: ends the program when it is not so. */
void bench_require(bool works);

/** CPU time of this thread. */
double bench_now_ms(void);

/** One constant-time exponentiation with an exponent of n bits modulo 2n bits, with OpenSSL directly. */
struct bench_power;
struct bench_power *bench_power_new(uint32_t bits);
void bench_power_free(struct bench_power *power);
double bench_power_ms(struct bench_power *power);

#endif
