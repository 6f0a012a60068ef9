#include "mpc/proof_affine_range.h"

/* The verifier of affine_range that knows the factors: every equation modulo p and q' (p^2 and q'^2 for the first).
 * All received elements have been checked to be units, so exponents may be reduced by Fermat's theorem; never by the
 * order of the squares, for they need not be squares. Public exponents stay as they are; secret is what depends on a
 * factor or on lambda. */

/* One of the two primes, with the other one. */
struct side {
    const struct ts_modulus *prime, *square;
    const struct ts_num *other; /* N / prime */
    const struct ts_num *order; /* prime - 1 */
};

static struct side
side_of(struct ts_scope *scope, const struct ts_modulus *prime, const struct ts_modulus *square,
    const struct ts_modulus *other)
{
    return (struct side){
        .prime = prime,
        .square = square,
        .other = ts_modulus_num(other),
        .order = ts_num_sub(scope, ts_modulus_num(prime), ts_num_from_u64(scope, 1)),
    };
}

/* base^exponent, constant time, with the base reduced first. */
static const struct ts_num *
power(struct ts_scope *scope, const struct ts_num *base, const struct ts_num *exponent, const struct ts_modulus *m)
{
    return ts_mod_power_secret_base(scope, ts_mod(scope, base, m), exponent, m);
}

/* w^N mod p^2 = (w^q' mod p)^p mod p^2, because x^p mod p^2 depends only on x mod p. */
static const struct ts_num *
root_power(struct ts_scope *scope, const struct side *side, const struct ts_num *w)
{
    const struct ts_num *inner = power(scope, w, ts_num_mod(scope, side->other, side->order), side->prime);

    return power(scope, inner, ts_modulus_num(side->prime), side->square);
}

/* C^z1 (1+N)^z2 w^N = A D^e mod p^2, C^z1 on the side where its exponent is positive; (1+N)^z2 = 1 + N z2. */
static unsigned
paillier_holds(struct ts_scope *scope, const struct side *side, const struct ts_affine_statement *st,
    const struct ts_affine_range *proof, const struct ts_num *e)
{
    const struct ts_modulus *m = side->square;
    bool negative = ts_num_is_negative_vartime(proof->z1);
    const struct ts_num *size = negative ? ts_num_neg(scope, proof->z1) : proof->z1;
    const struct ts_num *C = power(scope, st->C, size, m);
    const struct ts_num *linear = ts_num_mul(scope, ts_modulus_num(st->key->N), proof->z2);

    linear = ts_mod(scope, ts_num_add(scope, linear, ts_num_from_u64(scope, 1)), m);
    const struct ts_num *left = ts_mod_mul(scope, linear, root_power(scope, side, proof->w), m);
    const struct ts_num *right = ts_mod_mul(scope, ts_mod(scope, proof->A, m), power(scope, st->D, e, m), m);
    if (negative)
        right = ts_mod_mul(scope, right, C, m);
    else
        left = ts_mod_mul(scope, left, C, m);
    return ts_num_equal(left, right);
}

/* s^x t^y = first * base^e mod p, with s = t^lambda. */
static unsigned
commitment_holds(struct ts_scope *scope, const struct side *side, const struct ts_trapdoor *key, const struct ts_num *x,
    const struct ts_num *y, const struct ts_num *first, const struct ts_num *base, const struct ts_num *e)
{
    const struct ts_modulus *m = side->prime;
    const struct ts_num *exponent = ts_num_add(scope, ts_num_mul(scope, key->lambda, x), y);
    const struct ts_num *left = power(scope, key->pedersen.t, ts_num_mod(scope, exponent, side->order), m);

    return ts_num_equal(left, ts_mod_mul(scope, ts_mod(scope, first, m), power(scope, base, e, m), m));
}

/* All equations modulo one prime, every one computed whatever the others say. */
static unsigned
side_holds(struct ts_scope *scope, const struct side *side, const struct ts_trapdoor *key,
    const struct ts_affine_statement *st, const struct ts_affine_range *proof, const struct ts_num *e)
{
    return paillier_holds(scope, side, st, proof, e) &
           commitment_holds(scope, side, key, proof->z1, proof->z3, proof->E, proof->S, e) &
           commitment_holds(scope, side, key, proof->z2, proof->z4, proof->F, proof->T, e);
}

static bool
equations_hold(struct ts_scope *scope, const struct ts_place *place, const struct ts_trapdoor *key,
    const struct ts_affine_statement *st, const struct ts_affine_range *proof)
{
    const struct side p = side_of(scope, key->p, key->p2, key->q);
    const struct side q = side_of(scope, key->q, key->q2, key->p);
    const struct ts_num *e = ts_affine_range_challenge(scope, place, st->v, st->C, st->D, st->R2, proof);
    unsigned both = side_holds(scope, &p, key, st, proof, e) & side_holds(scope, &q, key, st, proof, e);
    const struct ts_num *answer = ts_num_select(scope, both, ts_num_from_u64(scope, 1), ts_num_from_u64(scope, 0));

    answer = ts_num_publish(answer, "the verdict on both halves together");
    return answer && !ts_num_is_zero_vartime(answer) && ts_affine_range_group_holds(scope, place, st, proof, e);
}

enum ts_error
ts_affine_range_verify_trapdoor(const struct ts_place *place, const struct ts_trapdoor *key, const struct ts_num *C,
    const struct ts_num *D, const struct ts_point *R2, const struct ts_affine_range *proof)
{
    const struct ts_affine_statement st = {.key = &key->key, .v = &key->pedersen, .C = C, .D = D, .R2 = R2};
    struct ts_scope *scope;

    if (ts_scope_new(&scope) != TS_OK)
        return TS_INTERNAL;
    bool accepted = ts_affine_range_members(place, &st, proof) && equations_hold(scope, place, key, &st, proof);
    return ts_verdict(scope, accepted);
}
