#include "mpc/crt.h"

enum ts_error
ts_crt_init(struct ts_crt *out, struct ts_scope *scope, const struct ts_trapdoor *key)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1);

    *out = (struct ts_crt){
        .key = key,
        .p1 = ts_num_sub(scope, ts_modulus_num(key->p), one),
        .q1 = ts_num_sub(scope, ts_modulus_num(key->q), one),
        .p_inverse_q = ts_mod_inverse(scope, ts_modulus_num(key->p), key->q),
    };
    return ts_scope_error(scope);
}

struct ts_crt_exponent
ts_crt_reduce(struct ts_scope *scope, const struct ts_crt *crt, const struct ts_num *exponent)
{
    return (struct ts_crt_exponent){
        .p = ts_num_mod(scope, exponent, crt->p1),
        .q = ts_num_mod(scope, exponent, crt->q1),
    };
}

struct ts_residues
ts_crt_residues_power(struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *base,
    const struct ts_crt_exponent *exponent)
{
    const struct ts_num *const bases[2] = {base, base}, *const exponents[2] = {exponent->p, exponent->q};
    const struct ts_modulus *const primes[2] = {key->p, key->q};
    const struct ts_num *powers[2];

    ts_mod_power_secret_base_x2(powers, scope, bases, exponents, primes);
    return (struct ts_residues){powers[0], powers[1]};
}

const struct ts_num *
ts_crt_power(
    struct ts_scope *scope, const struct ts_crt *crt, const struct ts_num *base, const struct ts_crt_exponent *exponent)
{
    const struct ts_trapdoor *key = crt->key;
    struct ts_residues power = ts_crt_residues_power(scope, key, base, exponent);
    const struct ts_num *step =
        ts_mod_mul(scope, ts_mod_sub(scope, power.q, ts_mod(scope, power.p, key->q), key->q), crt->p_inverse_q, key->q);

    /* Below p + (q-1) p = N: nothing is left to reduce but the width. */
    const struct ts_num *joined = ts_num_add(scope, power.p, ts_num_mul(scope, step, ts_modulus_num(key->p)));
    return ts_mod(scope, joined, key->key.N);
}
