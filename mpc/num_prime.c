#include "mpc/num_internal.h"

#define ROUNDS 64

/* A base in [2, n-2], 128 bits more than n reduced. */
static const struct ts_num *
random_base(struct ts_scope *scope, const struct ts_env *env, const struct ts_modulus *n)
{
    size_t len = 8 * ts_modulus_num(n)->limbs + 16;
    uint8_t *bytes = ts_scope_memory(scope, len);

    if (!bytes || ts_random(env, bytes, len) != TS_OK) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    const struct ts_num *range = ts_num_sub(scope, ts_modulus_num(n), ts_num_from_u64(scope, 3));
    const struct ts_num *offset = ts_num_mod(scope, ts_num_from_bytes(scope, bytes, len), range);
    return ts_num_add(scope, offset, ts_num_from_u64(scope, 2));
}

/* One Miller-Rabin round of n = 2^twos * odd + 1: powers in constant time, for n may become a secret prime. */
static bool
passes_round(
    struct ts_scope *scope, const struct ts_modulus *n, const struct ts_num *odd, size_t twos, const struct ts_env *env)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1);
    const struct ts_num *minus_one = ts_num_sub(scope, ts_modulus_num(n), one);
    const struct ts_num *x = ts_mod_power_secret_base(scope, random_base(scope, env, n), odd, n);
    unsigned good = ts_num_equal(x, one) | ts_num_equal(x, minus_one);
    for (size_t i = 1; i < twos; i++) {
        x = ts_mod_mul(scope, x, x, n);
        good |= ts_num_equal(x, minus_one);
    }
    return ts_choice_publish(good, "a composite is thrown away") && ts_scope_error(scope) == TS_OK;
}

static size_t
trailing_zeros(const struct ts_num *a)
{
    size_t i = 0;

    while (i < a->bits && (a->d[i / TS_LIMB_BITS] >> (i % TS_LIMB_BITS) & 1) == 0)
        i++;
    return i;
}

static bool
passes_rounds(struct ts_scope *scope, struct ts_scope *round_scope, const struct ts_num *a, const struct ts_env *env)
{
    const struct ts_modulus *n = ts_modulus_new(scope, a);
    const struct ts_num *even = ts_num_sub(scope, a, ts_num_from_u64(scope, 1));

    if (!n || !even)
        return false;
    size_t twos = trailing_zeros(even);
    const struct ts_num *odd =
        ts_num_resize(scope, ts_num_div(scope, even, ts_num_power_of_two(scope, twos)), ts_num_width(a));
    for (int round = 0; odd && round < ROUNDS; round++) {
        if (!passes_round(round_scope, n, odd, twos, env))
            return false;
        ts_scope_reset(round_scope);
    }
    return odd != NULL;
}

bool
ts_num_is_prime_vartime(const struct ts_num *a, const struct ts_env *env)
{
    struct ts_scope *scope = NULL, *round_scope = NULL;
    bool prime = false;

    if (!a || ts_num_is_negative_vartime(a))
        return false;
    if (ts_num_bits_vartime(a) <= 3) {
        mp_limb_t value = a->d[0];
        return value == 2 || value == 3 || value == 5 || value == 7;
    }
    if (ts_num_is_odd_vartime(a) && ts_scope_new(&scope) == TS_OK && ts_scope_new(&round_scope) == TS_OK)
        prime = passes_rounds(scope, round_scope, a, env);
    ts_scope_free(scope);
    ts_scope_free(round_scope);
    return prime;
}
