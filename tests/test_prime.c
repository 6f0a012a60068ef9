#include "mpc/prime.h"
#include "tests/check_main.h"
#include "tests/safe_primes.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* Prime and 3 modulo 4, but (p-1)/2 is composite; and the other way round. */
static const char unsafe[] = "cbcf324863386f4595b605746546ab8aad502d035d020032062c8cac5d959e33d41a224a5c97fdc11593d7243"
                             "f90ee4f842374f6e50cdb10bad35b8eef4645f2f7bfc49b664ba43738a17111514f7eb07551913f4e050c8bfe"
                             "0babf5cd94a5b187bbec7070204a294779c8a1e9d2f6b2afe2946ff09fa24fe703013feb2686c7";
static const char composite[] = "c7654e123bbc33e05fe30c3ac943b6f7accebd2bdbbe151c92e23d42e5e397b2e1614d2c3980c823d9c673"
                                "c64bb8d8046e9711752732ad52cd39502f0e9c6f3bf44c7a7c98e2c989d4b385aaa1587e849c7c518fb485"
                                "85ea001dece2e3688d19d2a1f2e823bbbd9529c2114fa2b6d22f913f1258ec6fa5dff092e3926b9162bf";

static struct ts_env env;

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
}

static void
teardown(void)
{
    ts_env_clear(&env);
}

struct watch {
    pthread_t caller;
    uint64_t limit;
    atomic_uint_fast64_t calls, highest, unblocked;
};

/* True when this thread can get no signal that can be blocked at all. */
static bool
signals_blocked(void)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1 && sigismember(&mask, SIGPIPE) == 1;
}

static bool
progress(void *ctx, uint64_t candidates)
{
    struct watch *watch = ctx;

    atomic_fetch_add(&watch->calls, 1);
    if (candidates > atomic_load(&watch->highest))
        atomic_store(&watch->highest, candidates);
    if (!pthread_equal(pthread_self(), watch->caller) && !signals_blocked())
        atomic_fetch_add(&watch->unblocked, 1);
    return candidates < watch->limit;
}

START_TEST(finding_a_pair)
{
    struct watch watch = {.caller = pthread_self(), .limit = UINT64_MAX};
    struct ts_search search = {&watch, progress, (unsigned)_i};
    struct ts_buf out;

    ts_buf_init_secret(&out, 4096);
    ck_assert_int_eq(ts_primes_search(&out, &env, 2048, &search), TS_OK);
    ck_assert_uint_eq(out.len, 256);
    ck_assert_int_eq(ts_primes_check(&env, 2048, out.data, out.len), TS_OK);
    ck_assert_uint_eq(watch.unblocked, 0);
    ck_assert(!signals_blocked());
    ts_buf_clear(&out);
}
END_TEST

START_TEST(stopping)
{
    struct watch watch = {.caller = pthread_self(), .limit = 20};
    struct ts_search search = {&watch, progress, (unsigned)_i};
    struct ts_buf out;

    ts_buf_init_secret(&out, 4096);
    ck_assert_int_eq(ts_primes_search(&out, &env, 4096, &search), TS_REFUSED);
    ck_assert_uint_eq(out.len, 0);
    ck_assert_uint_ge(watch.highest, 20);
    /* every thread stops after the candidate at hand */
    ck_assert_uint_le(watch.highest, 32 + 8 * (unsigned)_i);
    ts_buf_clear(&out);
}
END_TEST

static enum ts_error
no_entropy(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    (void)out;
    (void)len;
    return TS_INTERNAL;
}

START_TEST(refused_searches)
{
    struct ts_search search = {.threads = 1};
    struct ts_buf out, plain;

    ts_buf_init_secret(&out, 4096);
    ts_buf_init(&plain, 4096);
    ck_assert_int_eq(ts_primes_search(&out, &env, 1024, &search), TS_USAGE);
    ck_assert_int_eq(ts_primes_search(&out, &env, 2049, &search), TS_USAGE);
    ck_assert_int_eq(ts_primes_search(&out, &env, 2048, NULL), TS_USAGE);
    ck_assert_int_eq(ts_primes_search(&plain, &env, 2048, &search), TS_USAGE);
    search.threads = 0;
    ck_assert_int_eq(ts_primes_search(&out, &env, 2048, &search), TS_USAGE);
    search.threads = 65;
    ck_assert_int_eq(ts_primes_search(&out, &env, 2048, &search), TS_USAGE);
    search.threads = 2;
    env.entropy.fill = no_entropy;
    ck_assert_int_eq(ts_primes_search(&out, &env, 2048, &search), TS_INTERNAL);
    ck_assert_uint_eq(out.len, 0);
    ts_buf_clear(&out);
    ts_buf_clear(&plain);
}
END_TEST

static void
put_hex(uint8_t *out, const char *hex)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned byte = 0;
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

START_TEST(checking)
{
    uint8_t primes[256], bad[256];

    ck_assert(load_safe_primes(primes, 2048, 0));
    ck_assert_int_eq(ts_primes_check(&env, 2048, primes, sizeof primes), TS_OK);
    ck_assert_int_eq(ts_primes_check(&env, 2048, primes, sizeof primes - 1), TS_FORMAT);
    ck_assert_int_eq(ts_primes_check(&env, 3072, primes, sizeof primes), TS_FORMAT);
    ck_assert_int_eq(ts_primes_check(&env, 1024, primes, 128), TS_FORMAT);
    ck_assert_int_eq(ts_primes_check(&env, 2048, NULL, sizeof primes), TS_FORMAT);
    for (size_t half = 0; half <= 128; half += 128) {
        memcpy(bad, primes, sizeof bad);
        memcpy(bad + half, primes + 128 - half, 128); /* the same twice */
        ck_assert_int_eq(ts_primes_check(&env, 2048, bad, sizeof bad), TS_FORMAT);
        put_hex(bad + half, unsafe);
        ck_assert_int_eq(ts_primes_check(&env, 2048, bad, sizeof bad), TS_FORMAT);
        put_hex(bad + half, composite);
        ck_assert_int_eq(ts_primes_check(&env, 2048, bad, sizeof bad), TS_FORMAT);
        memcpy(bad, primes, sizeof bad);
        bad[half + 127] ^= 1;
        ck_assert_int_eq(ts_primes_check(&env, 2048, bad, sizeof bad), TS_FORMAT);
        memset(bad + half, 0, 128);
        bad[half + 127] = 23; /* a safe prime, but short */
        ck_assert_int_eq(ts_primes_check(&env, 2048, bad, sizeof bad), TS_FORMAT);
    }
}
END_TEST

START_TEST(stored_test_primes)
{
    static const uint32_t sizes[] = {2048, 2048, 3072, 4096};
    static const unsigned pairs[] = {0, 1, 0, 0};
    uint8_t primes[512];

    ck_assert(load_safe_primes(primes, sizes[_i], pairs[_i]));
    ck_assert_int_eq(ts_primes_check(&env, sizes[_i], primes, sizes[_i] / 8), TS_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("prime");
    TCase *tcase = tcase_create("prime");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, finding_a_pair, 1, 3);
    tcase_add_loop_test(tcase, stopping, 1, 4);
    tcase_add_test(tcase, refused_searches);
    tcase_add_test(tcase, checking);
    tcase_add_loop_test(tcase, stored_test_primes, 0, 4);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
