#include "mpc/paillier.h"

/* What the factors allow to compute once. */
struct crt {
    const struct ts_num *p1, *q1;    /* p-1, q-1 */
    const struct ts_num *q_mod_p1;   /* q mod p-1 */
    const struct ts_num *p_mod_q1;   /* p mod q-1 */
    const struct ts_num *hp, *hq;    /* (-q)^-1 mod p, (-p)^-1 mod q */
    const struct ts_num *q_inverse;  /* q^-1 mod p */
    const struct ts_num *q2_inverse; /* (q^2)^-1 mod p^2 */
};

/* Widths of the exponents of the kept bases: masks in +-2^k take k + 2 bits. P-521 has the widest, with moduli of 3072
   bits and more; with 2048 bits the curves have 256. */
#define WIDEST_CURVE(n) ((n) < 3072 ? 256 : 521)
#define SMALL_EXPONENT_BITS(n) ((size_t)TS_AFFINE_BITS(WIDEST_CURVE(n)) + 2 * TS_STAT_BITS + 2)
#define CIPHERTEXT_EXPONENT_BITS ((size_t)521 + 2 * TS_STAT_BITS + 2)

bool
ts_parameters_allowed(enum ts_curve curve, uint32_t bits)
{
    bool wide = bits == 3072 || bits == 4096;

    switch (curve) {
    case TS_CURVE_NONE:
    case TS_CURVE_P256:
    case TS_CURVE_SECP256K1:
        return wide || bits == 2048;
    case TS_CURVE_P384:
    case TS_CURVE_P521:
        return wide;
    }
    return false;
}

/* The plaintext that an accepted proof allows stays below N/2 (section 5), whatever is permitted above: 1 bit for the
   sum of the two terms, 1 for the half. */
#define FITS(l, n)                                                                                                     \
    (2 * ((l) + 2 * TS_CHALLENGE_BITS + 1) + 2 < (n)-1 && TS_AFFINE_BITS(l) + 2 * TS_CHALLENGE_BITS + 1 + 2 < (n)-1)
_Static_assert(FITS(256, 2048) && FITS(384, 3072) && FITS(521, 3072), "no wrap modulo N");

enum ts_error
ts_paillier_init(struct ts_paillier *out, struct ts_scope *scope, uint32_t bits, const struct ts_num *N)
{
    *out = (struct ts_paillier){.bits = bits};
    if (N && (ts_num_bits_vartime(N) != bits || !ts_num_is_odd_vartime(N) || ts_num_is_negative_vartime(N)))
        ts_scope_fail(scope, TS_FORMAT);
    N = ts_num_resize(scope, N, bits);
    out->N = ts_modulus_new(scope, N);
    out->N2 = ts_modulus_new(scope, ts_num_mul(scope, N, N));
    return ts_scope_error(scope);
}

/* a - 1 in the width of a. */
static const struct ts_num *
minus_one(struct ts_scope *scope, const struct ts_num *a)
{
    return ts_num_resize(scope, ts_num_sub(scope, a, ts_num_from_u64(scope, 1)), ts_num_width(a));
}

static const struct crt *
precompute(struct ts_scope *scope, const struct ts_trapdoor *key)
{
    struct crt *crt = ts_scope_memory(scope, sizeof *crt);
    const struct ts_num *p = ts_modulus_num(key->p), *q = ts_modulus_num(key->q);

    if (!crt)
        return NULL;
    crt->p1 = minus_one(scope, p);
    crt->q1 = minus_one(scope, q);
    crt->q_mod_p1 = ts_num_mod(scope, q, crt->p1);
    crt->p_mod_q1 = ts_num_mod(scope, p, crt->q1);
    crt->hp = ts_mod_inverse(scope, ts_num_neg(scope, q), key->p);
    crt->hq = ts_mod_inverse(scope, ts_num_neg(scope, p), key->q);
    crt->q_inverse = ts_mod_inverse(scope, q, key->p);
    crt->q2_inverse = ts_mod_inverse(scope, ts_modulus_num(key->q2), key->p2);
    return crt;
}

static void
load_primes(
    struct ts_trapdoor *out, struct ts_scope *scope, uint32_t bits, const struct ts_num *p, const struct ts_num *q)
{
    p = ts_num_resize(scope, p, bits / 2);
    q = ts_num_resize(scope, q, bits / 2);
    out->p = ts_modulus_new(scope, p);
    out->q = ts_modulus_new(scope, q);
    out->p2 = ts_modulus_new(scope, ts_num_mul(scope, p, p));
    out->q2 = ts_modulus_new(scope, ts_num_mul(scope, q, q));
    out->crt = precompute(scope, out);
    out->phi = out->crt ? ts_num_mul(scope, minus_one(scope, p), minus_one(scope, q)) : NULL;
    (void)ts_paillier_init(&out->key, scope, bits, ts_num_publish(ts_num_mul(scope, p, q), "N is public"));
}

enum ts_error
ts_trapdoor_init(struct ts_trapdoor *out, struct ts_scope *scope, uint32_t bits, const struct ts_num *p,
    const struct ts_num *q, const struct ts_num *t, const struct ts_num *lambda)
{
    *out = (struct ts_trapdoor){0};
    if (ts_choice_publish(ts_num_equal(p, q), "two equal primes are a failure"))
        ts_scope_fail(scope, TS_FORMAT);
    load_primes(out, scope, bits, p, q);
    out->lambda = ts_num_mod(scope, lambda, out->phi);
    out->pedersen.N = out->key.N;
    out->pedersen.t = ts_num_publish(ts_mod(scope, t, out->key.N), "t is public");
    out->pedersen.s =
        ts_num_publish(ts_mod_power_secret_base(scope, out->pedersen.t, out->lambda, out->key.N), "s is public");
    return ts_scope_error(scope);
}

/* (1+N)^m = 1 + (m mod N) N modulo N^2. */
static const struct ts_num *
message_power(struct ts_scope *scope, const struct ts_paillier *key, const struct ts_num *m)
{
    const struct ts_num *multiple = ts_num_mul(scope, ts_mod(scope, m, key->N), ts_modulus_num(key->N));

    return ts_num_add(scope, multiple, ts_num_from_u64(scope, 1));
}

const struct ts_num *
ts_paillier_encrypt(
    struct ts_scope *scope, const struct ts_paillier *key, const struct ts_num *m, const struct ts_num *rho)
{
    const struct ts_num *mask = ts_mod_power_secret_base(scope, rho, ts_modulus_num(key->N), key->N2);

    return ts_mod_mul(scope, message_power(scope, key, m), mask, key->N2);
}

/* The number below m1 * m2 that is x1 modulo m1 and x2 modulo m2; m2_inverse = m2^-1 mod m1. */
static const struct ts_num *
combine(struct ts_scope *scope, const struct ts_num *x1, const struct ts_modulus *m1, const struct ts_num *x2,
    const struct ts_modulus *m2, const struct ts_num *m2_inverse)
{
    const struct ts_num *step = ts_mod_mul(scope, ts_mod_sub(scope, x1, x2, m1), m2_inverse, m1);

    return ts_num_add(scope, x2, ts_num_mul(scope, step, ts_modulus_num(m2)));
}

/* rho^N mod p^2 and mod q^2 for N = p q: what is equal modulo p has equal p-th powers modulo p^2, so the q-th power may
   be taken modulo p, with its exponent modulo p-1. */
static struct ts_residues
mask_modulo_squares(struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *rho)
{
    const struct crt *crt = key->crt;
    const struct ts_num *const bases[2] = {rho, rho}, *const others[2] = {crt->q_mod_p1, crt->p_mod_q1};
    const struct ts_num *const own[2] = {ts_modulus_num(key->p), ts_modulus_num(key->q)};
    const struct ts_modulus *const primes[2] = {key->p, key->q}, *const squares[2] = {key->p2, key->q2};
    const struct ts_num *inner[2], *outer[2];

    ts_mod_power_secret_base_x2(inner, scope, bases, others, primes);
    ts_mod_power_secret_base_x2(outer, scope, inner, own, squares);
    return (struct ts_residues){outer[0], outer[1]};
}

const struct ts_num *
ts_paillier_encrypt_crt(
    struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *m, const struct ts_num *rho)
{
    const struct crt *crt = key->crt;
    const struct ts_residues power = mask_modulo_squares(scope, key, rho);
    const struct ts_num *mask = combine(scope, power.p, key->p2, power.q, key->q2, crt->q2_inverse);

    return ts_mod_mul(scope, message_power(scope, &key->key, m), mask, key->key.N2);
}

const struct ts_num *
ts_paillier_affine(struct ts_scope *scope, const struct ts_paillier *key, const struct ts_num *C,
    const struct ts_num *a, const struct ts_num *b, const struct ts_num *rho)
{
    const struct ts_table_base base = {C, C == key->C ? key->C_table : NULL, CIPHERTEXT_EXPONENT_BITS};
    const struct ts_num *power = ts_table_power(scope, &base, &a, 1, key->N2);

    return ts_mod_mul(scope, power, ts_paillier_encrypt(scope, key, b, rho), key->N2);
}

const struct ts_num *
ts_paillier_affine_vartime(struct ts_scope *scope, const struct ts_paillier *key, const struct ts_num *C,
    const struct ts_num *a, const struct ts_num *b, const struct ts_num *rho)
{
    const struct ts_num *powers = ts_mod_power2_vartime(scope, C, a, rho, ts_modulus_num(key->N), key->N2);

    return ts_mod_mul(scope, message_power(scope, key, b), powers, key->N2);
}

/* The plaintext modulo p: (c^(p-1) mod p^2 - 1) / p, times hp. */
static const struct ts_num *
plaintext_of(struct ts_scope *scope, const struct ts_num *power, const struct ts_modulus *p, const struct ts_num *hp)
{
    const struct ts_num *multiple = ts_num_sub(scope, power, ts_num_from_u64(scope, 1));

    return ts_mod_mul(scope, ts_num_div(scope, multiple, ts_modulus_num(p)), hp, p);
}

/* m in [0, N) to (-N/2, N/2). */
static const struct ts_num *
centred(struct ts_scope *scope, const struct ts_paillier *key, const struct ts_num *m)
{
    const struct ts_num *N = ts_modulus_num(key->N);
    const struct ts_num *half = ts_num_div(scope, N, ts_num_from_u64(scope, 2));
    const struct ts_num *value = ts_num_select(scope, ts_num_less(half, m), ts_num_sub(scope, m, N), m);

    return ts_num_resize(scope, value, key->bits);
}

struct ts_residues
ts_paillier_decrypt_residues(struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *c)
{
    const struct crt *crt = key->crt;
    const struct ts_num *const bases[2] = {c, c}, *const exponents[2] = {crt->p1, crt->q1};
    const struct ts_modulus *const squares[2] = {key->p2, key->q2};
    const struct ts_num *powers[2];

    ts_mod_power_secret_base_x2(powers, scope, bases, exponents, squares);
    return (struct ts_residues){
        .p = plaintext_of(scope, powers[0], key->p, crt->hp),
        .q = plaintext_of(scope, powers[1], key->q, crt->hq),
    };
}

const struct ts_num *
ts_paillier_join(struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_residues *plaintext)
{
    const struct crt *crt = key->crt;
    const struct ts_num *joined = combine(scope, plaintext->p, key->p, plaintext->q, key->q, crt->q_inverse);

    return centred(scope, &key->key, joined);
}

const struct ts_num *
ts_paillier_decrypt(struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *c)
{
    struct ts_residues plaintext = ts_paillier_decrypt_residues(scope, key, c);

    return ts_paillier_join(scope, key, &plaintext);
}

const struct ts_num *
ts_pedersen_commit(
    struct ts_scope *scope, const struct ts_pedersen *key, const struct ts_num *x, const struct ts_num *y)
{
    size_t n = key->N ? ts_num_width(ts_modulus_num(key->N)) : 0;
    const struct ts_table_base bases[2] = {
        {key->s, key->s_table, SMALL_EXPONENT_BITS(n)}, {key->t, key->t_table, n + 384 + 2}};
    const struct ts_num *const exponents[2] = {x, y};

    return ts_table_power(scope, bases, exponents, 2, key->N);
}

const struct ts_num *
ts_pedersen_commit_vartime(
    struct ts_scope *scope, const struct ts_pedersen *key, const struct ts_num *x, const struct ts_num *y)
{
    return ts_mod_power2_vartime(scope, key->s, x, key->t, y, key->N);
}
