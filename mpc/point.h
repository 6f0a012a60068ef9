#ifndef TS_MPC_POINT_H
#define TS_MPC_POINT_H

#include "base/env.h"
#include "mpc/num.h"

/** Elliptic curve groups and points, by OpenSSL, and secp256k1 by libsecp256k1 where the build has it. Points belong to
 *  scopes like numbers. */

enum ts_curve { TS_CURVE_NONE, TS_CURVE_P256, TS_CURVE_SECP256K1, TS_CURVE_P384, TS_CURVE_P521 };

struct ts_group;
struct ts_point;

/** Names as in the protocol: "P-256", "secp256k1", "P-384", "P-521"; "" for TS_CURVE_NONE.
 *  by_name returns TS_CURVE_NONE for others. */
const char *ts_curve_name(enum ts_curve curve);
enum ts_curve ts_curve_by_name(const char *name, size_t len);

/** Returns: TS_OK; TS_INTERNAL. A group is read-only afterwards and shared by threads. */
enum ts_error ts_group_new(struct ts_group **out, const struct ts_env *env, enum ts_curve curve);
void ts_group_free(struct ts_group *group);
enum ts_curve ts_group_curve(const struct ts_group *group);
const struct ts_modulus *ts_group_order(const struct ts_group *group); /**< q */
size_t ts_group_bits(const struct ts_group *group);                    /**< l: 256, 256, 384, 521 */
size_t ts_group_scalar_bytes(const struct ts_group *group);            /**< bytes of q: 32, 32, 48, 66 */
size_t ts_group_hash_bytes(const struct ts_group *group);              /**< Lq: 48, 48, 64, 82 */
size_t ts_group_point_bytes(const struct ts_group *group);             /**< bytes of Pt: 65, 65, 97, 133 */
#define TS_POINT_MAX_BYTES 133
#define TS_SCALAR_MAX_BYTES 66

/** Scalars are taken mod q (also negative ones); constant time in the scalar with libsecp256k1, and as far
 *  as OpenSSL's EC_POINT_mul is elsewhere (fixed ladder or window, for the generic curves over field arithmetic that is
 *  not constant-time but on blinded coordinates). NULL results only on failure; infinity is a point. */
const struct ts_point *ts_point_mul_base(struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k);
const struct ts_point *ts_point_mul(
    struct ts_scope *scope, const struct ts_group *group, const struct ts_num *k, const struct ts_point *p);
const struct ts_point *ts_point_add(
    struct ts_scope *scope, const struct ts_group *group, const struct ts_point *a, const struct ts_point *b);
/** a G + b P for public values. */
const struct ts_point *ts_point_mul2_vartime(struct ts_scope *scope, const struct ts_group *group,
    const struct ts_num *a, const struct ts_num *b, const struct ts_point *p);
const struct ts_point *ts_point_copy(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *p);
bool ts_point_equal(const struct ts_group *group, const struct ts_point *a, const struct ts_point *b);
bool ts_point_is_infinity(const struct ts_group *group, const struct ts_point *p);
/** Affine x mod q; fails the scope (TS_CHEATED) for infinity. */
const struct ts_num *ts_point_x(struct ts_scope *scope, const struct ts_group *group, const struct ts_point *p);

/** Pt(P): 04 || X || Y; `out` has ts_group_point_bytes. Returns: TS_OK; TS_INTERNAL for infinity (it has no encoding).
 */
enum ts_error ts_point_encode(uint8_t *out, const struct ts_group *group, const struct ts_point *p);
/** Strict inverse: exact length, 04, reduced coordinates, on the curve. Fails the scope with TS_FORMAT. */
const struct ts_point *ts_point_decode(
    struct ts_scope *scope, const struct ts_group *group, const uint8_t *bytes, size_t len);

#endif
