#include "mpc/paillier.h"

#define ATTEMPTS 128 /* one in about sqrt(N) fails */

/* The square of a random unit that generates all squares: t - 1 is a unit too. Public. */
static const struct ts_num *
draw_generator(struct ts_scope *scope, struct ts_stream *stream, const struct ts_modulus *N)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1);

    for (int i = 0; i < ATTEMPTS && ts_scope_error(scope) == TS_OK; i++) {
        const struct ts_num *root = ts_stream_unit(stream, ts_modulus_num(N));
        const struct ts_num *t = ts_num_publish(ts_mod_mul(scope, root, root, N), "t is public");
        if (ts_num_coprime_vartime(ts_num_sub(scope, t, one), ts_modulus_num(N)))
            return t;
    }
    ts_scope_fail(scope, TS_INTERNAL);
    return NULL;
}

enum ts_error
ts_trapdoor_draw(struct ts_trapdoor *out, struct ts_scope *scope, uint32_t bits, const struct ts_num *p,
    const struct ts_num *q, const struct ts_place *place, const struct ts_hedge *hedge)
{
    const struct ts_num *one = ts_num_from_u64(scope, 1);
    const struct ts_num *phi = ts_num_mul(scope, ts_num_sub(scope, p, one), ts_num_sub(scope, q, one));
    const struct ts_num *product = ts_num_publish(ts_num_mul(scope, p, q), "N is public");
    const struct ts_modulus *N = ts_modulus_new(scope, product);
    struct ts_stream *stream = N ? ts_hedge_stream(scope, place, hedge, "parameters", NULL, 0) : NULL;

    *out = (struct ts_trapdoor){0};
    if (!stream) {
        ts_scope_fail(scope, TS_INTERNAL);
        return ts_scope_error(scope);
    }
    const struct ts_num *t = draw_generator(scope, stream, N);
    const struct ts_num *lambda = ts_stream_residue(stream, ts_num_resize(scope, phi, bits));
    return ts_trapdoor_init(out, scope, bits, p, q, t, lambda);
}
