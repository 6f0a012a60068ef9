#ifndef TS_MPC_PAILLIER_H
#define TS_MPC_PAILLIER_H

#include "mpc/hedge.h"
#include "mpc/transcript.h"

/** Public side: N, N^2. Everything is owned by the scope that it was made in and read-only afterwards. */
struct ts_paillier {
    uint32_t bits; /**< n */
    const struct ts_modulus *N;
    const struct ts_modulus *N2; /**< N^2 */
    const struct ts_num *C;      /**< a ciphertext of which many powers are taken, or NULL */
    struct ts_table_slot *C_table;
};

/** A modulus with its factors: P1's Paillier key and ring-Pedersen trapdoor, P2's ring-Pedersen trapdoor. Secrets: all
 * but N, s, t. */
struct ts_trapdoor {
    struct ts_paillier key;
    struct ts_pedersen pedersen;      /**< N, s, t with N shared with key */
    const struct ts_modulus *p, *q;   /**< the safe primes */
    const struct ts_modulus *p2, *q2; /**< their squares */
    const struct ts_num *phi;         /**< (p-1)(q-1) */
    const struct ts_num *lambda;      /**< s = t^lambda */
    const void *crt;                  /**< precomputed for CRT, private to paillier.c */
};

/** Checks that N is odd and has exactly `bits` bits (TS_FORMAT). Returns: TS_OK or the scope's error. */
enum ts_error ts_paillier_init(struct ts_paillier *out, struct ts_scope *scope, uint32_t bits, const struct ts_num *N);
/** Build from primes and t, lambda (s is computed). */
enum ts_error ts_trapdoor_init(struct ts_trapdoor *out, struct ts_scope *scope, uint32_t bits, const struct ts_num *p,
    const struct ts_num *q, const struct ts_num *t, const struct ts_num *lambda);
/** Fresh t (square of a unit, gcd(t-1, N) = 1) and lambda in Z_phi(N) from the hedge (use "parameters"). */
enum ts_error ts_trapdoor_draw(struct ts_trapdoor *out, struct ts_scope *scope, uint32_t bits, const struct ts_num *p,
    const struct ts_num *q, const struct ts_place *place, const struct ts_hedge *hedge);

/** Enc(m; rho) = (1+N)^m rho^N mod N^2; m signed, rho a unit mod N. Constant time in m and rho. */
const struct ts_num *ts_paillier_encrypt(
    struct ts_scope *scope, const struct ts_paillier *key, const struct ts_num *m, const struct ts_num *rho);
/** The same with the factors known, by CRT. */
const struct ts_num *ts_paillier_encrypt_crt(
    struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *m, const struct ts_num *rho);
/** C^a (1+N)^b rho^N mod N^2, a and b signed; constant time in a, b, rho; C public. */
const struct ts_num *ts_paillier_affine(struct ts_scope *scope, const struct ts_paillier *key, const struct ts_num *C,
    const struct ts_num *a, const struct ts_num *b, const struct ts_num *rho);
/** The same for public values, variable time. */
const struct ts_num *ts_paillier_affine_vartime(struct ts_scope *scope, const struct ts_paillier *key,
    const struct ts_num *C, const struct ts_num *a, const struct ts_num *b, const struct ts_num *rho);
/** A number modulo p and q'. Secret. */
struct ts_residues {
    const struct ts_num *p, *q;
};
/** The plaintext of a unit c modulo each prime, constant time; members are NULL on failure. For c = C^a (1+N)^b r^N it
 *  is a Dec(C) + b. */
struct ts_residues ts_paillier_decrypt_residues(
    struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *c);
/** The centred plaintext of its residues, in (-N/2, N/2), by mask, constant time. */
const struct ts_num *ts_paillier_join(
    struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_residues *plaintext);
/** Dec(c) as the centred representative in (-N/2, N/2), by mask, constant time. Only for ciphertexts whose proof has
 * been verified. */
const struct ts_num *ts_paillier_decrypt(struct ts_scope *scope, const struct ts_trapdoor *key, const struct ts_num *c);
/** s^x t^y mod N for secret signed x, y. */
const struct ts_num *ts_pedersen_commit(
    struct ts_scope *scope, const struct ts_pedersen *key, const struct ts_num *x, const struct ts_num *y);
const struct ts_num *ts_pedersen_commit_vartime(
    struct ts_scope *scope, const struct ts_pedersen *key, const struct ts_num *x, const struct ts_num *y);

/** Constants of section 1 and 5. */
#define TS_CHALLENGE_BITS 128
#define TS_STAT_BITS 128
#define TS_REPETITIONS 128
#define TS_MASK_BITS(l) ((l) + TS_CHALLENGE_BITS + 2 * TS_STAT_BITS + 2)       /**< lnu */
#define TS_AFFINE_BITS(l) (2 * (l) + TS_CHALLENGE_BITS + 2 * TS_STAT_BITS + 2) /**< lb */
/** The permitted combinations: n 2048, 3072, 4096; P-384 and P-521 not with 2048. curve may be TS_CURVE_NONE. */
bool ts_parameters_allowed(enum ts_curve curve, uint32_t bits);

#endif
