#include "mpc/crt.h"
#include "mpc/proof_affine_range.h"

/* The verifier of affine_range that knows the factors. All received elements have been checked to be units, so
 * exponents may be reduced by Fermat's theorem; never by the order of the squares, for they need not be squares. Public
 * exponents stay as they are; secret is what depends on a factor, on lambda or on a plaintext.
 *
 * The first equation says that u = C^z1 (1+N)^z2 w^N / (A D^e) is 1 modulo p^2 and q'^2. The units modulo p^2 are a
 * cyclic group of order p(p-1), so u = 1 modulo p^2 exactly when u = 1 modulo p and u decrypts to 0 modulo p; and
 * decryption is a homomorphism that sends w^N to 0. So only D and A are decrypted, the rest is modulo p and q'. */

/* What the equations are about. */
struct question {
    const struct ts_trapdoor *key;
    const struct ts_affine_statement *st;
    const struct ts_affine_range *proof;
    const struct ts_num *x; /* what C decrypts to */
    const struct ts_num *e;
    const struct ts_num *p1, *q1; /* p-1, q'-1 */
};

/* Modulo p and q', base^exponent for a public exponent >= 0. */
static struct ts_residues
small_power(
    struct ts_scope *scope, const struct question *ask, const struct ts_num *base, const struct ts_num *exponent)
{
    const struct ts_crt_exponent same = {exponent, exponent};

    return ts_crt_residues_power(scope, ask->key, base, &same);
}

/* The same for an exponent of any size and sign and a base that is a unit. */
static struct ts_residues
large_power(
    struct ts_scope *scope, const struct question *ask, const struct ts_num *base, const struct ts_num *exponent)
{
    const struct ts_crt_exponent reduced = {ts_num_mod(scope, exponent, ask->p1), ts_num_mod(scope, exponent, ask->q1)};

    return ts_crt_residues_power(scope, ask->key, base, &reduced);
}

static struct ts_residues
product(struct ts_scope *scope, const struct question *ask, const struct ts_residues *a, const struct ts_residues *b)
{
    return (struct ts_residues){ts_mod_mul(scope, a->p, b->p, ask->key->p), ts_mod_mul(scope, a->q, b->q, ask->key->q)};
}

static struct ts_residues
reduced(struct ts_scope *scope, const struct question *ask, const struct ts_num *a)
{
    return (struct ts_residues){ts_mod(scope, a, ask->key->p), ts_mod(scope, a, ask->key->q)};
}

static unsigned
equal(const struct ts_residues *a, const struct ts_residues *b)
{
    return ts_num_equal(a->p, b->p) & ts_num_equal(a->q, b->q);
}

/* C^z1 w^N = A D^e modulo p and q', C^z1 on the side where its exponent is positive. */
static unsigned
units_hold(struct ts_scope *scope, const struct question *ask)
{
    const struct ts_num *z1 = ask->proof->z1;
    bool negative = ts_num_is_negative_vartime(z1);
    struct ts_residues C = small_power(scope, ask, ask->st->C, negative ? ts_num_neg(scope, z1) : z1);
    struct ts_residues left = large_power(scope, ask, ask->proof->w, ts_modulus_num(ask->key->key.N));
    struct ts_residues right = small_power(scope, ask, ask->st->D, ask->e);
    const struct ts_residues A = reduced(scope, ask, ask->proof->A);

    right = product(scope, ask, &right, &A);
    if (negative)
        right = product(scope, ask, &right, &C);
    else
        left = product(scope, ask, &left, &C);
    return equal(&left, &right);
}

/* x z1 + z2 = Dec(A) + e Dec(D) modulo p and q'. */
static unsigned
plaintexts_hold(struct ts_scope *scope, const struct question *ask, const struct ts_residues *D)
{
    const struct ts_num *image = ts_num_add(scope, ts_num_mul(scope, ask->x, ask->proof->z1), ask->proof->z2);
    const struct ts_residues left = reduced(scope, ask, image), e = reduced(scope, ask, ask->e);
    const struct ts_residues A = ts_paillier_decrypt_residues(scope, ask->key, ask->proof->A);
    struct ts_residues right = product(scope, ask, D, &e);

    right.p = ts_mod_add(scope, right.p, A.p, ask->key->p);
    right.q = ts_mod_add(scope, right.q, A.q, ask->key->q);
    return equal(&left, &right);
}

/* s^x t^y = first * base^e modulo p and q', with s = t^lambda. */
static unsigned
commitment_holds(struct ts_scope *scope, const struct question *ask, const struct ts_num *x, const struct ts_num *y,
    const struct ts_num *first, const struct ts_num *base)
{
    const struct ts_num *exponent = ts_num_add(scope, ts_num_mul(scope, ask->key->lambda, x), y);
    const struct ts_residues left = large_power(scope, ask, ask->key->pedersen.t, exponent);
    const struct ts_residues mask = reduced(scope, ask, first);
    struct ts_residues right = small_power(scope, ask, base, ask->e);

    right = product(scope, ask, &right, &mask);
    return equal(&left, &right);
}

/* Every equation but that of the group, each computed whatever the others say. */
static bool
equations_hold(struct ts_scope *scope, const struct question *ask, const struct ts_residues *D)
{
    const struct ts_affine_range *proof = ask->proof;
    unsigned all = units_hold(scope, ask) & plaintexts_hold(scope, ask, D) &
                   commitment_holds(scope, ask, proof->z1, proof->z3, proof->E, proof->S) &
                   commitment_holds(scope, ask, proof->z2, proof->z4, proof->F, proof->T);

    return ts_choice_publish(all, "the verdict on all of them together");
}

/* Out: D  its plaintext, not to be used before the answer is known */
static bool
accepts(struct ts_residues *D, struct ts_scope *scope, const struct ts_place *place, const struct ts_trapdoor *key,
    const struct ts_affine_statement *st, const struct ts_num *x, const struct ts_affine_range *proof)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1);

    if (!ts_affine_range_members(place, st, proof))
        return false;
    const struct question ask = {
        .key = key,
        .st = st,
        .proof = proof,
        .x = x ? x : ts_paillier_decrypt(scope, key, st->C),
        .e = ts_affine_range_challenge(scope, place, st->v, st->C, st->D, st->R2, proof),
        .p1 = ts_num_sub(scope, ts_modulus_num(key->p), one),
        .q1 = ts_num_sub(scope, ts_modulus_num(key->q), one),
    };
    *D = ts_paillier_decrypt_residues(scope, key, st->D);
    return equations_hold(scope, &ask, D) && ts_affine_range_group_holds(scope, place, st, proof, ask.e);
}

/* Erases the plaintext with its scope when there is nobody to take it. */
static enum ts_error
decide(const struct ts_num **M, struct ts_scope *out, const struct ts_place *place, const struct ts_trapdoor *key,
    const struct ts_affine_statement *st, const struct ts_num *x, const struct ts_affine_range *proof)
{
    struct ts_residues plaintext = {0};
    const struct ts_num *value = NULL;
    struct ts_scope *scope;

    if (ts_scope_borrow(&scope, place->mpc) != TS_OK)
        return TS_INTERNAL;
    bool accepted = accepts(&plaintext, scope, place, key, st, x, proof);
    if (accepted && M)
        value = ts_num_copy(out, ts_paillier_join(scope, key, &plaintext));
    enum ts_error error = ts_verdict(place->mpc, scope, accepted);
    if (error == TS_OK && M) {
        *M = value;
        error = ts_scope_error(out);
    }
    return error;
}

enum ts_error
ts_affine_range_verify_trapdoor(const struct ts_place *place, const struct ts_trapdoor *key, const struct ts_num *C,
    const struct ts_num *D, const struct ts_point *R2, const struct ts_affine_range *proof)
{
    const struct ts_affine_statement st = {.key = &key->key, .v = &key->pedersen, .C = C, .D = D, .R2 = R2};

    return decide(NULL, NULL, place, key, &st, NULL, proof);
}

enum ts_error
ts_affine_range_decrypt(const struct ts_num **M, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_trapdoor *key, const struct ts_num *C, const struct ts_num *x, const struct ts_num *D,
    const struct ts_point *R2, const struct ts_affine_range *proof)
{
    const struct ts_affine_statement st = {.key = &key->key, .v = &key->pedersen, .C = C, .D = D, .R2 = R2};

    *M = NULL;
    return x ? decide(M, scope, place, key, &st, x, proof) : TS_INTERNAL;
}
