#include "mpc/crt.h"
#include "mpc/proof_parts.h"

#include "base/secret.h"

/* Pi-mod, protocol-equations.md 4.2. */

#define NAME "paillier_blum"
#define EXTRA_BYTES ((size_t)16)                          /* y_i: 128 bits more than N */
#define Y_MAX_BYTES ((size_t)4096 / 8 + 64 + EXTRA_BYTES) /* of the largest modulus, with a margin for vectors */
#define SYMBOL_TRIES 256                                  /* half of the candidates for w have the right symbol */

static void
put_statement(struct ts_buf *out, const struct ts_place *place, const struct ts_num *N)
{
    ts_transcript_init(out, place, NAME);
    ts_item_put_int(out, "N", N);
}

/* y_i; the item "i" is put behind the common front and taken off again. */
static const struct ts_num *
challenge_at(struct ts_scope *scope, const struct ts_mpc *mpc, struct ts_buf *front, uint32_t i, const struct ts_num *N)
{
    uint8_t bytes[Y_MAX_BYTES];
    size_t size = ts_num_bits_vartime(N) / 8 + EXTRA_BYTES;
    size_t len = front->len;

    ts_item_put_u32(front, "i", i);
    enum ts_error error = size <= sizeof bytes ? ts_buf_error(front) : TS_USAGE;
    if (error == TS_OK)
        error = ts_shake256(bytes, size, mpc, front->data, front->len);
    front->len = len;
    if (error != TS_OK) {
        ts_scope_fail(scope, error);
        return NULL;
    }
    return ts_num_mod(scope, ts_num_from_bytes(scope, bytes, size), N);
}

enum ts_error
ts_paillier_blum_challenge(const struct ts_num *y[TS_REPETITIONS], struct ts_scope *scope, const struct ts_place *place,
    const struct ts_num *N, const struct ts_num *w)
{
    struct ts_buf front;

    put_statement(&front, place, N);
    ts_item_put_int(&front, "w", w);
    for (uint32_t i = 0; i < TS_REPETITIONS; i++)
        y[i] = challenge_at(scope, place->mpc, &front, i, N);
    ts_buf_clear(&front);
    return ts_scope_error(scope);
}

/* --- proving --- */

/* What the prover computes once. Secret: all but w. */
struct prover {
    struct ts_crt crt;
    struct ts_crt_exponent euler;  /* (p-1)/2, (q'-1)/2 */
    struct ts_crt_exponent fourth; /* of the fourth root that is a square */
    struct ts_crt_exponent nth;    /* 1/N mod phi(N) */
    unsigned w_p, w_q;             /* w is no square mod p, mod q' */
};

/* Whether x is no square modulo a prime, as 0 or 1, by Euler's criterion; constant time but for the symbol itself, which
   OpenSSL shows by the size of 1. For w and the y_i the proof shows the same: a_i and b_i are made of the symbols. */
static unsigned
is_no_square(struct ts_scope *scope, const struct ts_num *x, const struct ts_num *half, const struct ts_modulus *prime)
{
    const struct ts_num *symbol = ts_mod_power_secret_base(scope, ts_mod(scope, x, prime), half, prime);

    return 1u - ts_num_equal(symbol, ts_num_from_u64(scope, 1));
}

/* For p = 3 mod 4 the square root that is a square is x^((p+1)/4); the fourth root is that twice. */
static const struct ts_num *
fourth_root(struct ts_scope *scope, const struct ts_modulus *prime, const struct ts_num *order)
{
    const struct ts_num *above = ts_num_add(scope, ts_modulus_num(prime), ts_num_from_u64(scope, 1));
    const struct ts_num *root = ts_num_div(scope, above, ts_num_from_u64(scope, 4));

    return ts_num_mod(scope, ts_num_mul(scope, root, root), order);
}

static enum ts_error
prepare(struct prover *out, struct ts_scope *scope, const struct ts_trapdoor *key)
{
    const struct ts_num *two = ts_num_from_u64(scope, 2);
    const struct ts_num *N = ts_modulus_num(key->key.N);

    ts_crt_init(&out->crt, scope, key);
    out->euler.p = ts_num_div(scope, out->crt.p1, two);
    out->euler.q = ts_num_div(scope, out->crt.q1, two);
    out->fourth.p = fourth_root(scope, key->p, out->crt.p1);
    out->fourth.q = fourth_root(scope, key->q, out->crt.q1);
    /* N itself and not N mod phi(N) = p + q' - 1, so that what is divided by is public */
    out->nth = ts_crt_reduce(scope, &out->crt, ts_num_inverse(scope, N, key->phi));
    return ts_scope_error(scope);
}

/* The first candidate with Jacobi(w/N) = -1. Those thrown away tell nothing of the one kept. */
static const struct ts_num *
draw_w(struct ts_scope *scope, struct ts_stream *stream, const struct ts_num *N)
{
    for (int i = 0; i < SYMBOL_TRIES; i++) {
        const struct ts_num *w = ts_num_publish(ts_stream_unit(stream, N), "w is sent");
        if (!w || ts_num_jacobi_vartime(w, N) == -1)
            return w;
    }
    ts_scope_fail(scope, TS_INTERNAL);
    return NULL;
}

/* A bit that is about to be sent. */
static uint8_t
publish_bit(struct ts_scope *scope, unsigned bit)
{
    const struct ts_num *number = ts_num_select(scope, bit, ts_num_from_u64(scope, 1), ts_num_from_u64(scope, 0));

    number = ts_num_publish(number, "a_i and b_i are sent");
    return number && !ts_num_is_zero_vartime(number) ? 1 : 0;
}

/* (-1)^a w^b y mod N */
static const struct ts_num *
signed_challenge(struct ts_scope *scope, const struct ts_modulus *N, const struct ts_num *y, const struct ts_num *w,
    uint8_t a, uint8_t b)
{
    const struct ts_num *v = b ? ts_mod_mul(scope, w, y, N) : y;

    return a ? ts_mod_sub(scope, ts_num_from_u64(scope, 0), v, N) : v;
}

/* -1 is no square modulo either prime, w modulo exactly one: so b evens out the two symbols of y, a sets both to 1. */
static void
respond(struct ts_paillier_blum *out, size_t i, struct ts_scope *scope, const struct prover *prover,
    const struct ts_trapdoor *key, const struct ts_num *y)
{
    unsigned y_p = is_no_square(scope, y, prover->euler.p, key->p);
    unsigned y_q = is_no_square(scope, y, prover->euler.q, key->q);
    unsigned b = y_p ^ y_q;

    out->b[i] = publish_bit(scope, b);
    out->a[i] = publish_bit(scope, y_p ^ (b & prover->w_p));
    const struct ts_num *v = signed_challenge(scope, key->key.N, y, out->w, out->a[i], out->b[i]);
    out->x[i] = ts_num_publish(ts_crt_power(scope, &prover->crt, v, &prover->fourth), "a fourth root is sent");
    out->z[i] = ts_num_publish(ts_crt_power(scope, &prover->crt, y, &prover->nth), "an N-th root is sent");
}

enum ts_error
ts_paillier_blum_prove(struct ts_paillier_blum *out, struct ts_scope *scope, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_trapdoor *key)
{
    const struct ts_num *N = ts_modulus_num(key->key.N);
    const struct ts_num *y[TS_REPETITIONS];
    struct ts_buf statement;
    struct prover prover;

    put_statement(&statement, place, N);
    struct ts_stream *stream = ts_prover_stream(scope, place, hedge, NAME, &statement);
    enum ts_error error = prepare(&prover, scope, key);
    out->w = draw_w(scope, stream, N);
    if (error == TS_OK)
        error = ts_paillier_blum_challenge(y, scope, place, N, out->w);
    if (error == TS_OK) {
        prover.w_p = is_no_square(scope, out->w, prover.euler.p, key->p);
        for (size_t i = 0; i < TS_REPETITIONS; i++)
            respond(out, i, scope, &prover, key, y[i]);
        error = ts_scope_error(scope);
    }
    ts_wipe(&prover, sizeof prover);
    return error;
}

/* --- verifying --- */

static bool
members(const struct ts_place *place, uint32_t bits, const struct ts_num *N, const struct ts_paillier_blum *proof)
{
    /* w: not in the paper's list; w = 0 or gcd(w,N) > 1 forges the proof (CVE-2025-66016). A symbol of -1 implies
     * gcd(w,N) = 1. */
    if (!ts_is_modulus(N, bits) || !ts_num_is_reduced_vartime(proof->w, N) || ts_num_jacobi_vartime(proof->w, N) != -1)
        return false;
    for (size_t i = 0; i < TS_REPETITIONS; i++) {
        if (proof->a[i] > 1 || proof->b[i] > 1 || !ts_num_is_unit_vartime(proof->x[i], N) ||
            !ts_num_is_unit_vartime(proof->z[i], N))
            return false;
    }
    return !ts_num_is_prime_vartime(N, ts_mpc_env(place->mpc));
}

/* z^N = y and x^4 = (-1)^a w^b y mod N */
static bool
round_holds(struct ts_scope *scope, const struct ts_modulus *N, const struct ts_paillier_blum *proof, size_t i,
    const struct ts_num *y)
{
    const struct ts_num *v = signed_challenge(scope, N, y, proof->w, proof->a[i], proof->b[i]);
    const struct ts_num *square = ts_mod_mul(scope, proof->x[i], proof->x[i], N);

    return ts_num_equal_vartime(ts_mod_mul(scope, square, square, N), v) &&
           ts_num_equal_vartime(ts_mod_power_vartime(scope, proof->z[i], ts_modulus_num(N), N), y);
}

static bool
equations_hold(
    struct ts_scope *scope, const struct ts_place *place, const struct ts_num *N, const struct ts_paillier_blum *proof)
{
    const struct ts_modulus *m = ts_modulus_new(scope, N);
    const struct ts_num *y[TS_REPETITIONS];
    bool all = ts_paillier_blum_challenge(y, scope, place, N, proof->w) == TS_OK;

    for (size_t i = 0; i < TS_REPETITIONS && all; i++)
        all = round_holds(scope, m, proof, i, y[i]);
    return all;
}

enum ts_error
ts_paillier_blum_verify(
    const struct ts_place *place, uint32_t bits, const struct ts_num *N, const struct ts_paillier_blum *proof)
{
    struct ts_scope *scope;

    if (ts_scope_borrow(&scope, place->mpc) != TS_OK)
        return TS_INTERNAL;
    return ts_verdict(place->mpc, scope, members(place, bits, N, proof) && equations_hold(scope, place, N, proof));
}

/* --- wire form --- */

void
ts_paillier_blum_encode(struct ts_buf *out, const struct ts_paillier_blum *proof)
{
    ts_item_put_int(out, "w", proof->w);
    for (size_t i = 0; i < TS_REPETITIONS; i++) {
        ts_item_put_int(out, "x", proof->x[i]);
        ts_item_put(out, "a", &proof->a[i], 1);
        ts_item_put(out, "b", &proof->b[i], 1);
        ts_item_put_int(out, "z", proof->z[i]);
    }
}

static uint8_t
take_bit(struct ts_reader *in, const char *label)
{
    const uint8_t *bit = ts_item_take_exact(in, label, 1);

    if (bit && *bit <= 1)
        return *bit;
    in->error = TS_FORMAT;
    return 0;
}

enum ts_error
ts_paillier_blum_decode(struct ts_paillier_blum *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits)
{
    out->w = ts_item_take_int(scope, in, "w", bits / 8);
    for (size_t i = 0; i < TS_REPETITIONS; i++) {
        out->x[i] = ts_item_take_int(scope, in, "x", bits / 8);
        out->a[i] = take_bit(in, "a");
        out->b[i] = take_bit(in, "b");
        out->z[i] = ts_item_take_int(scope, in, "z", bits / 8);
    }
    return ts_decoded(scope, in);
}
