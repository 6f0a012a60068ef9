#include "mpc/prime.h"

#include "base/secret.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A safe prime above 7 is 11 modulo 12; candidates are start + 12 i for i below INTERVAL. */
#define STEP 12u
#define INTERVAL ((size_t)1 << 18)
#define SIEVE_LIMIT ((size_t)1 << 20)
#define SIEVE_PRIMES 82023 /* primes from 5 to SIEVE_LIMIT */
#define TESTS_PER_REPORT 8
#define MAX_THREADS 64u

/* What the threads of one search share. */
struct hunt {
    const struct ts_env *env;
    const struct ts_search *search;
    size_t half; /* bits of a prime */
    uint32_t *small;
    atomic_bool over;
    atomic_uint_fast64_t candidates;
    pthread_mutex_t lock; /* of what follows */
    enum ts_error error;
    size_t found;    /* primes in `primes` */
    uint8_t *primes; /* secret, two primes */
};

static bool
bits_allowed(uint32_t bits)
{
    return bits == 2048 || bits == 3072 || bits == 4096;
}

/* Primes from 5 to SIEVE_LIMIT. */
static uint32_t *
small_primes(void)
{
    uint32_t *primes = malloc(SIEVE_PRIMES * sizeof *primes);
    uint8_t *composite = calloc(SIEVE_LIMIT, 1);
    size_t count = 0;

    if (!primes || !composite) {
        free(primes);
        free(composite);
        return NULL;
    }
    for (size_t i = 2; i < SIEVE_LIMIT; i++) {
        if (composite[i])
            continue;
        if (i >= 5 && count < SIEVE_PRIMES)
            primes[count++] = (uint32_t)i;
        for (size_t j = i * i; j < SIEVE_LIMIT; j += i)
            composite[j] = 1;
    }
    free(composite);
    return primes;
}

static void
strike(uint8_t *struck, size_t first, size_t r)
{
    for (size_t i = first; i < INTERVAL; i += r)
        struck[i / 8] |= (uint8_t)(1u << (i % 8));
}

/* Strike every i for which p = start + 12 i or (p-1)/2 has a small factor. */
static void
sieve(uint8_t *struck, const struct hunt *hunt, const struct ts_num *start)
{
    for (size_t k = 0; k < SIEVE_PRIMES; k++) {
        uint64_t r = hunt->small[k];
        uint64_t inverse = (r * (STEP - r % STEP) + 1) / STEP; /* 12^-1 mod r, for r^2 = 1 mod 12 */
        uint64_t residue = ts_num_mod_u64_vartime(start, r);
        strike(struck, (r - residue) % r * inverse % r, r);
        strike(struck, (r + 1 - residue) % r * inverse % r, r);
    }
}

/* Random with the top two bits set, 11 modulo 12. */
static const struct ts_num *
draw_start(struct ts_scope *scope, const struct hunt *hunt)
{
    size_t len = hunt->half / 8;
    uint8_t *bytes = ts_scope_memory(scope, len);

    if (!bytes || ts_random(hunt->env, bytes, len) != TS_OK) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    bytes[0] |= 0xc0;
    bytes[len - 1] = 0; /* room for the correction, so that nothing overflows */
    const struct ts_num *base = ts_num_from_bytes(scope, bytes, len);
    uint64_t correction = STEP - 1 - ts_num_mod_u64_vartime(base, STEP);
    uint64_t multiple = 0;
    if (ts_random(hunt->env, (uint8_t *)&multiple, 1) != TS_OK)
        ts_scope_fail(scope, TS_INTERNAL);
    return ts_num_add(scope, base, ts_num_from_u64(scope, correction + STEP * (multiple % 20)));
}

/* 2^(n-1) = 1 mod n. In constant time, for n may be kept. */
static bool
passes_fermat(struct ts_scope *scope, const struct ts_num *n)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1), *two = ts_num_from_u64(scope, 2);
    const struct ts_num *exponent = ts_num_resize(scope, ts_num_sub(scope, n, one), ts_num_width(n));
    const struct ts_num *power = ts_mod_power_secret_base(scope, two, exponent, ts_modulus_new(scope, n));
    const struct ts_num *difference = ts_num_sub(scope, power, one);

    return ts_num_is_zero_vartime(ts_num_publish(difference, "a composite is thrown away"));
}

static const struct ts_num *
half_of(struct ts_scope *scope, const struct ts_num *p)
{
    const struct ts_num *half = ts_num_div(scope, p, ts_num_from_u64(scope, 2));

    return ts_num_resize(scope, half, p ? ts_num_width(p) - 1 : 0);
}

static bool
is_safe_prime(struct ts_scope *scope, const struct ts_env *env, const struct ts_num *p)
{
    const struct ts_num *half = half_of(scope, p);

    return half && passes_fermat(scope, half) && passes_fermat(scope, p) && ts_num_is_prime_vartime(half, env) &&
           ts_num_is_prime_vartime(p, env);
}

static void
stop(struct hunt *hunt, enum ts_error error)
{
    pthread_mutex_lock(&hunt->lock);
    if (!atomic_load(&hunt->over))
        hunt->error = error;
    atomic_store(&hunt->over, true);
    pthread_mutex_unlock(&hunt->lock);
}

static void
count_candidate(struct hunt *hunt)
{
    uint64_t count = atomic_fetch_add(&hunt->candidates, 1) + 1;

    if (count % TESTS_PER_REPORT == 0 && hunt->search->progress && !hunt->search->progress(hunt->search->ctx, count))
        stop(hunt, TS_REFUSED);
}

/* Keep a prime that is not there yet; the second one ends the hunt. */
static void
keep(struct hunt *hunt, const struct ts_num *p)
{
    size_t len = hunt->half / 8;

    pthread_mutex_lock(&hunt->lock);
    if (!atomic_load(&hunt->over)) {
        uint8_t *place = hunt->primes + hunt->found * len;
        bool done = ts_num_to_bytes(place, len, p) == TS_OK;
        if (done && (hunt->found == 0 || !ts_equal(place, hunt->primes, len)))
            hunt->found++;
        if (!done || hunt->found == 2) {
            hunt->error = done ? TS_OK : TS_INTERNAL;
            atomic_store(&hunt->over, true);
        }
    }
    pthread_mutex_unlock(&hunt->lock);
}

/* Test start + 12 i. Returns: true when the interval is done, by a prime kept or by an end or failure of the hunt. */
static bool
try_candidate(struct hunt *hunt, struct ts_scope *scope, const struct ts_num *start, size_t i)
{
    bool kept = false;

    const struct ts_num *p = ts_num_add(scope, start, ts_num_from_u64(scope, (uint64_t)STEP * i));
    if (ts_num_bits_vartime(p) == hunt->half) {
        p = ts_num_resize(scope, p, hunt->half);
        kept = is_safe_prime(scope, hunt->env, p);
    }
    if (kept)
        keep(hunt, p);
    if (ts_scope_error(scope) != TS_OK)
        stop(hunt, TS_INTERNAL);
    count_candidate(hunt);
    return kept || atomic_load(&hunt->over);
}

/* Each prime comes from an interval of its own, so that two primes are never neighbours. */
static void
search_interval(struct hunt *hunt, struct ts_scope *scope, struct ts_scope *candidate_scope)
{
    uint8_t *struck = ts_scope_memory(scope, INTERVAL / 8);
    const struct ts_num *start = draw_start(scope, hunt);
    bool done = false;

    if (!struck || !start) {
        stop(hunt, TS_INTERNAL);
        return;
    }
    sieve(struck, hunt, start);
    for (size_t i = 0; i < INTERVAL && !done; i++) {
        if (struck[i / 8] >> (i % 8) & 1)
            continue;
        done = try_candidate(hunt, candidate_scope, start, i);
        ts_scope_reset(candidate_scope);
    }
}

static void *
hunter(void *argument)
{
    struct hunt *hunt = argument;
    struct ts_scope *scope = NULL, *candidate_scope = NULL;

    if (ts_scope_new(&scope) != TS_OK || ts_scope_new(&candidate_scope) != TS_OK)
        stop(hunt, TS_INTERNAL);
    while (!atomic_load(&hunt->over)) {
        search_interval(hunt, scope, candidate_scope);
        ts_scope_reset(scope);
    }
    ts_scope_free(scope);
    ts_scope_free(candidate_scope);
    return NULL;
}

/* The caller's thread works too. When the system gives fewer threads, the search is slower. */
static void
run_threads(struct hunt *hunt)
{
    pthread_t threads[MAX_THREADS];
    sigset_t all, before;
    unsigned started = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started + 1 < hunt->search->threads && pthread_create(&threads[started], NULL, hunter, hunt) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)hunter(hunt);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

enum ts_error
ts_primes_search(struct ts_buf *out, const struct ts_env *env, uint32_t bits, const struct ts_search *search)
{
    enum ts_error error = TS_INTERNAL;

    if (!bits_allowed(bits) || !search || search->threads < 1 || search->threads > MAX_THREADS || !out->secret)
        return TS_USAGE;
    struct hunt hunt = {.env = env, .search = search, .half = bits / 2, .error = TS_INTERNAL};
    if (pthread_mutex_init(&hunt.lock, NULL) != 0)
        return TS_INTERNAL;
    hunt.small = small_primes();
    hunt.primes = ts_secret_new(bits / 8);
    if (!hunt.small || !hunt.primes)
        goto out;
    run_threads(&hunt);
    error = hunt.error;
    if (error == TS_OK)
        error = ts_buf_put(out, hunt.primes, bits / 8);
out:
    ts_secret_free(hunt.primes);
    free(hunt.small);
    pthread_mutex_destroy(&hunt.lock);
    return error;
}

/* One stored prime of `len` bytes. */
static bool
check_prime(const struct ts_env *env, const uint8_t *bytes, size_t len)
{
    struct ts_scope *scope = NULL;

    /* top two bits set, 3 modulo 4 */
    if ((bytes[0] & 0xc0) != 0xc0 || (bytes[len - 1] & 3) != 3 || ts_scope_new(&scope) != TS_OK)
        return false;
    bool good = is_safe_prime(scope, env, ts_num_from_bytes(scope, bytes, len));
    ts_scope_free(scope);
    return good;
}

enum ts_error
ts_primes_check(const struct ts_env *env, uint32_t bits, const uint8_t *primes, size_t len)
{
    if (!bits_allowed(bits) || !primes || len != bits / 8)
        return TS_FORMAT;
    if (ts_equal(primes, primes + len / 2, len / 2))
        return TS_FORMAT;
    if (!check_prime(env, primes, len / 2) || !check_prime(env, primes + len / 2, len / 2))
        return TS_FORMAT;
    return TS_OK;
}
