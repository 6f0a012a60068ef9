#include "mpc/num_internal.h"

/* Public values: GMP's ordinary functions on read-only views. Their temporaries are on the heap. */

void
ts_num_view_vartime(mpz_t view, const struct ts_num *a)
{
    mp_size_t size = (mp_size_t)a->limbs;

    mpz_roinit_n(view, a->d, a->negative ? -size : size);
}

const struct ts_num *
ts_num_from_mpz_vartime(struct ts_scope *scope, const mpz_t value, size_t bits)
{
    size_t size = mpz_size(value);
    struct ts_num *num = ts_num_alloc(scope, bits);

    if (!num)
        return NULL;
    if (size != 0 && mpz_sizeinbase(value, 2) > num->bits) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    for (size_t i = 0; i < size; i++)
        num->d[i] = mpz_getlimbn(value, (mp_size_t)i);
    num->negative = mpz_sgn(value) < 0 ? ~(mp_limb_t)0 : 0;
    return num;
}

size_t
ts_num_bits_vartime(const struct ts_num *a)
{
    mpz_t x;

    if (!a || ts_num_is_zero(a))
        return 0;
    ts_num_view_vartime(x, a);
    return mpz_sizeinbase(x, 2);
}

int
ts_num_cmp_vartime(const struct ts_num *a, const struct ts_num *b)
{
    mpz_t x, y;

    if (!a || !b)
        return 0;
    ts_num_view_vartime(x, a);
    ts_num_view_vartime(y, b);
    int order = mpz_cmp(x, y);
    return (order > 0) - (order < 0);
}

bool
ts_num_is_negative_vartime(const struct ts_num *a)
{
    return ts_num_is_negative(a) != 0;
}

bool
ts_num_is_zero_vartime(const struct ts_num *a)
{
    return ts_num_is_zero(a) != 0;
}

bool
ts_num_is_odd_vartime(const struct ts_num *a)
{
    return a && (a->d[0] & 1) != 0;
}

bool
ts_num_equal_vartime(const struct ts_num *a, const struct ts_num *b)
{
    return ts_num_equal(a, b) != 0;
}

uint64_t
ts_num_mod_u64_vartime(const struct ts_num *a, uint64_t modulus)
{
    mpz_t x;

    if (!a || modulus == 0)
        return 0;
    ts_num_view_vartime(x, a);
    return mpz_fdiv_ui(x, modulus);
}

bool
ts_num_in_range_vartime(const struct ts_num *a, size_t k)
{
    mpz_t x;
    size_t bits = ts_num_bits_vartime(a);

    if (!a || bits <= k)
        return a != NULL;
    if (bits > k + 1)
        return false;
    ts_num_view_vartime(x, a);
    /* k + 1 bits: in range only as 2^k itself. The lowest one bit of -x is that of x. */
    return mpz_scan1(x, 0) == k;
}

bool
ts_num_is_reduced_vartime(const struct ts_num *a, const struct ts_num *m)
{
    return a && m && !ts_num_is_negative_vartime(a) && ts_num_cmp_vartime(a, m) < 0;
}

bool
ts_num_coprime_vartime(const struct ts_num *a, const struct ts_num *b)
{
    mpz_t x, y, gcd;

    if (!a || !b)
        return false;
    ts_num_view_vartime(x, a);
    ts_num_view_vartime(y, b);
    mpz_init(gcd);
    mpz_gcd(gcd, x, y);
    bool coprime = mpz_cmp_ui(gcd, 1) == 0;
    mpz_clear(gcd);
    return coprime;
}

bool
ts_num_is_unit_vartime(const struct ts_num *a, const struct ts_num *m)
{
    return ts_num_is_reduced_vartime(a, m) && !ts_num_is_zero_vartime(a) && ts_num_coprime_vartime(a, m);
}

bool
ts_num_are_units_vartime(
    const struct ts_num *const *values, size_t count, const struct ts_num *m, const struct ts_num *radical)
{
    mpz_t product, x, y;
    bool fine = m && radical && !ts_num_is_zero_vartime(radical);

    if (!fine)
        return false;
    mpz_init_set_ui(product, 1);
    ts_num_view_vartime(y, radical);
    for (size_t i = 0; i < count && fine; i++) {
        fine = ts_num_is_reduced_vartime(values[i], m) && !ts_num_is_zero_vartime(values[i]);
        if (!fine)
            break;
        ts_num_view_vartime(x, values[i]);
        mpz_mul(product, product, x);
        mpz_mod(product, product, y);
    }
    mpz_gcd(product, product, y);
    fine = fine && mpz_cmp_ui(product, 1) == 0;
    mpz_clear(product);
    return fine;
}

int
ts_num_jacobi_vartime(const struct ts_num *a, const struct ts_num *n)
{
    mpz_t x, y;

    if (!a || !n || !ts_num_is_odd_vartime(n) || ts_num_is_negative_vartime(n))
        return 0;
    ts_num_view_vartime(x, a);
    ts_num_view_vartime(y, n);
    return mpz_jacobi(x, y);
}

const struct ts_num *
ts_num_inverse_vartime(struct ts_scope *scope, const struct ts_num *a, const struct ts_num *m)
{
    mpz_t x, y, inverse;
    const struct ts_num *result = NULL;

    if (!ts_scope_ready(scope, a && m))
        return NULL;
    ts_num_view_vartime(x, a);
    ts_num_view_vartime(y, m);
    mpz_init(inverse);
    if (mpz_sgn(y) > 0 && mpz_invert(inverse, x, y) != 0)
        result = ts_num_from_mpz_vartime(scope, inverse, m->bits);
    else
        ts_scope_fail(scope, TS_CHEATED);
    mpz_clear(inverse);
    return result;
}
