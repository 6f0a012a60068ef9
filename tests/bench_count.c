#include "tests/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/bn.h>

/* The linker sends the library's calls of these functions of OpenSSL through here (--wrap), so that what is counted is
   what runs, and the library has no counter. */

static struct {
    uint32_t bits;
    struct bench_count count;
} counter;

void
bench_count_reset(uint32_t bits)
{
    counter.bits = bits;
    counter.count = (struct bench_count){0};
}

struct bench_count
bench_count_get(void)
{
    return counter.count;
}

/* A window of 5 or 6 bits adds a fifth of the squarings in multiplications, and 4096-bit numbers take four times as
   long as 2048-bit ones. */
#define PER_BIT 1.2

static void
count_multiplications(double multiplications, const BIGNUM *m)
{
    double size = (double)BN_num_bits(m) / (2.0 * counter.bits);

    if (counter.bits)
        counter.count.work += multiplications * size * size / (PER_BIT * counter.bits);
}

static void
count_power(const BIGNUM *exponent, const BIGNUM *m)
{
    uint32_t exponent_bits = (uint32_t)BN_num_bits(exponent), m_bits = (uint32_t)BN_num_bits(m);

    counter.count.calls++;
    if (exponent_bits + 64 >= counter.bits && m_bits + 64 >= 2 * counter.bits)
        counter.count.full++;
    count_multiplications(PER_BIT * exponent_bits, m);
}

/* The names are the linker's. */
int __real_BN_mod_exp_mont_consttime(
    BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont);
int __wrap_BN_mod_exp_mont_consttime(
    BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont);
int __real_BN_mod_exp_mont(
    BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont);
int __wrap_BN_mod_exp_mont(
    BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont);
int __real_BN_mod_exp2_mont(BIGNUM *r, const BIGNUM *a1, const BIGNUM *p1, const BIGNUM *a2, const BIGNUM *p2,
    const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont);
int __wrap_BN_mod_exp2_mont(BIGNUM *r, const BIGNUM *a1, const BIGNUM *p1, const BIGNUM *a2, const BIGNUM *p2,
    const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont);
int __real_BN_mod_mul_montgomery(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, BN_MONT_CTX *mont, BN_CTX *ctx);
int __wrap_BN_mod_mul_montgomery(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, BN_MONT_CTX *mont, BN_CTX *ctx);

int __real_BN_mod_exp_mont_consttime_x2(BIGNUM *r1, const BIGNUM *a1, const BIGNUM *p1, const BIGNUM *m1,
    BN_MONT_CTX *mont1, BIGNUM *r2, const BIGNUM *a2, const BIGNUM *p2, const BIGNUM *m2, BN_MONT_CTX *mont2,
    BN_CTX *ctx);
int __wrap_BN_mod_exp_mont_consttime_x2(BIGNUM *r1, const BIGNUM *a1, const BIGNUM *p1, const BIGNUM *m1,
    BN_MONT_CTX *mont1, BIGNUM *r2, const BIGNUM *a2, const BIGNUM *p2, const BIGNUM *m2, BN_MONT_CTX *mont2,
    BN_CTX *ctx);

int
__wrap_BN_mod_exp_mont_consttime_x2(BIGNUM *r1, const BIGNUM *a1, const BIGNUM *p1, const BIGNUM *m1,
    BN_MONT_CTX *mont1, BIGNUM *r2, const BIGNUM *a2, const BIGNUM *p2, const BIGNUM *m2, BN_MONT_CTX *mont2,
    BN_CTX *ctx)
{
    count_power(p1, m1);
    count_power(p2, m2);
    return __real_BN_mod_exp_mont_consttime_x2(r1, a1, p1, m1, mont1, r2, a2, p2, m2, mont2, ctx);
}

int
__wrap_BN_mod_exp_mont_consttime(
    BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont)
{
    count_power(p, m);
    return __real_BN_mod_exp_mont_consttime(r, a, p, m, ctx, mont);
}

int
__wrap_BN_mod_exp_mont(BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont)
{
    count_power(p, m);
    return __real_BN_mod_exp_mont(r, a, p, m, ctx, mont);
}

int
__wrap_BN_mod_exp2_mont(BIGNUM *r, const BIGNUM *a1, const BIGNUM *p1, const BIGNUM *a2, const BIGNUM *p2,
    const BIGNUM *m, BN_CTX *ctx, BN_MONT_CTX *mont)
{
    count_power(BN_num_bits(p1) > BN_num_bits(p2) ? p1 : p2, m);
    return __real_BN_mod_exp2_mont(r, a1, p1, a2, p2, m, ctx, mont);
}

int
__wrap_BN_mod_mul_montgomery(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, BN_MONT_CTX *mont, BN_CTX *ctx)
{
    count_multiplications(1, a);
    return __real_BN_mod_mul_montgomery(r, a, b, mont, ctx);
}

void
bench_require(bool works)
{
    if (works)
        return;
    fputs("bench: a step failed\n", stderr);
    exit(EXIT_FAILURE);
}

double
bench_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct bench_power {
    BN_CTX *ctx;
    BN_MONT_CTX *mont;
    BIGNUM *base, *exponent, *m, *result;
};

struct bench_power *
bench_power_new(uint32_t bits)
{
    struct bench_power *power = calloc(1, sizeof *power);

    bench_require(power != NULL);
    power->ctx = BN_CTX_new();
    power->mont = BN_MONT_CTX_new();
    power->base = BN_new();
    power->exponent = BN_new();
    power->m = BN_new();
    power->result = BN_new();
    bench_require(power->ctx && power->mont && power->base && power->exponent && power->m && power->result);
    bench_require(BN_rand(power->m, (int)(2 * bits), BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1);
    bench_require(BN_rand(power->exponent, (int)bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
    bench_require(BN_rand_range(power->base, power->m) == 1);
    bench_require(BN_MONT_CTX_set(power->mont, power->m, power->ctx) == 1);
    return power;
}

void
bench_power_free(struct bench_power *power)
{
    BN_CTX_free(power->ctx);
    BN_MONT_CTX_free(power->mont);
    BN_free(power->base);
    BN_free(power->exponent);
    BN_free(power->m);
    BN_free(power->result);
    free(power);
}

double
bench_power_ms(struct bench_power *power)
{
    double start = bench_now_ms();

    bench_require(__real_BN_mod_exp_mont_consttime(
                      power->result, power->base, power->exponent, power->m, power->ctx, power->mont) == 1);
    return bench_now_ms() - start;
}
