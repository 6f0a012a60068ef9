#ifndef TS_MPC_POINT_LIBRARY_H
#define TS_MPC_POINT_LIBRARY_H

#include "mpc/point.h"

/** Private to mpc/point*.c and their test: what a library of curves does for point.c, which checks the arguments, keeps
 *  scalars in [0, q) and records failures. `curve` is what `open` returned, read-only and shared by threads; points are
 *  what `infinity` returned, owned by the scope; an `out` is such a fresh point, and no input is changed.
 *  Functions with bool return false on failure, and then `out` must not be used. */
struct ts_point_library {
    const char *name;
    void *(*open)(const struct ts_env *env, enum ts_curve curve); /**< NULL on failure */
    void (*close)(void *curve);                                   /**< NULL is allowed */
    /** q, a number of `bits` bits. */
    const struct ts_num *(*order)(struct ts_scope *scope, const void *curve, size_t bits);
    /** A new point of the scope, infinity. Returns: NULL on failure (the scope has failed then). */
    void *(*infinity)(struct ts_scope *scope, const void *curve);
    /** k P, or k G when p is NULL. Constant time in k, also for k = 0; the product is public. */
    bool (*mul)(void *out, struct ts_scope *scope, const void *curve, const struct ts_num *k, const void *p);
    /** a G + b P, public. */
    bool (*mul2_vartime)(void *out, struct ts_scope *scope, const void *curve, const struct ts_num *a,
        const struct ts_num *b, const void *p);
    bool (*add)(void *out, struct ts_scope *scope, const void *curve, const void *a, const void *b);
    bool (*copy)(void *out, const void *p);
    bool (*equal)(const void *curve, const void *a, const void *b);
    bool (*is_infinity)(const void *curve, const void *p);
    /** 04 || X || Y in `len` bytes, the length of the curve. Never called for infinity. */
    bool (*encode)(uint8_t *out, size_t len, const void *curve, const void *p);
    /** The strict inverse: false for an unreduced coordinate and for a point that is not on the curve. */
    bool (*decode)(void *out, struct ts_scope *scope, const void *curve, const uint8_t *bytes, size_t len);
};

extern const struct ts_point_library ts_point_openssl;   /**< every curve */
extern const struct ts_point_library ts_point_secp256k1; /**< libsecp256k1: that curve; TS_LIBSECP256K1 */

/** ts_group_new with a library of the caller's choice. */
enum ts_error ts_group_new_with(
    struct ts_group **out, const struct ts_env *env, enum ts_curve curve, const struct ts_point_library *library);

#endif
