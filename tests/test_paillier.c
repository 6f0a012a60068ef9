#include "mpc/paillier.h"
#include "tests/check_main.h"
#include "tests/safe_primes.h"

static const uint32_t sizes[] = {2048, 3072, 4096};

static struct ts_env env;
static struct ts_scope *scope;
static struct ts_trapdoor key;
static const struct ts_num *N;

static const struct ts_num *
drawn(size_t bits)
{
    uint8_t bytes[1024];

    ck_assert_int_eq(ts_random(&env, bytes, sizeof bytes), TS_OK);
    return ts_num_low_bits(scope, ts_num_from_bytes(scope, bytes, sizeof bytes), bits);
}

static const struct ts_num *
small(int64_t value)
{
    const struct ts_num *magnitude = ts_num_from_u64(scope, (uint64_t)(value < 0 ? -value : value));

    return value < 0 ? ts_num_neg(scope, magnitude) : magnitude;
}

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
}

static void
load_key(uint32_t bits)
{
    uint8_t primes[512];
    size_t half = bits / 16;

    ck_assert(load_safe_primes(primes, bits, 0));
    const struct ts_num *p = ts_num_from_bytes(scope, primes, half);
    const struct ts_num *q = ts_num_from_bytes(scope, primes + half, half);
    const struct ts_num *root = drawn(bits), *t = ts_num_mul(scope, root, root);
    ck_assert_int_eq(ts_trapdoor_init(&key, scope, bits, p, q, t, drawn(bits)), TS_OK);
    N = ts_modulus_num(key.key.N);
}

static void
teardown(void)
{
    ts_scope_free(scope);
    ts_env_clear(&env);
}

static bool
same(const struct ts_num *a, const struct ts_num *b)
{
    ck_assert_int_eq(ts_scope_error(scope), TS_OK);
    return ts_num_equal(a, b) == 1;
}

START_TEST(trapdoor)
{
    load_key(sizes[_i]);
    const struct ts_num *p = ts_modulus_num(key.p), *q = ts_modulus_num(key.q), *one = small(1);
    ck_assert_uint_eq(key.key.bits, sizes[_i]);
    ck_assert(same(ts_num_mul(scope, p, q), N));
    ck_assert(same(ts_num_mul(scope, N, N), ts_modulus_num(key.key.N2)));
    const struct ts_num *sum = ts_num_add(scope, p, q);
    ck_assert(same(key.phi, ts_num_add(scope, ts_num_sub(scope, N, sum), one)));
    ck_assert(ts_num_is_reduced_vartime(key.lambda, key.phi));
    ck_assert(same(key.pedersen.s, ts_mod_power_vartime(scope, key.pedersen.t, key.lambda, key.key.N)));
    const struct ts_num *inverse = ts_num_inverse(scope, N, key.phi);
    ck_assert(same(ts_num_mod(scope, ts_num_mul(scope, inverse, N), key.phi), one));
    ck_assert(same(inverse, ts_num_inverse_vartime(scope, N, key.phi)));
}
END_TEST

/* All ways to encrypt agree with the definition, and decrypting gives the centred value. */
START_TEST(encrypting_and_decrypting)
{
    load_key(sizes[_i]);
    const struct ts_modulus *N2 = key.key.N2;
    const struct ts_num *half = ts_num_div(scope, N, small(2)), *one = small(1);
    const struct ts_num *messages[] = {small(0), small(1), small(-1), half, ts_num_neg(scope, half), drawn(600),
        ts_num_neg(scope, drawn(600)), drawn(sizes[_i] - 2)};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        const struct ts_num *m = messages[i], *rho = drawn(sizes[_i] - 1);
        const struct ts_num *c = ts_paillier_encrypt(scope, &key.key, m, rho);
        const struct ts_num *g = ts_mod_power_vartime(scope, ts_num_add(scope, N, one), m, N2);
        ck_assert(same(c, ts_mod_mul(scope, g, ts_mod_power_vartime(scope, rho, N, N2), N2)));
        ck_assert(same(c, ts_paillier_encrypt_crt(scope, &key, m, rho)));
        ck_assert(same(ts_paillier_decrypt(scope, &key, c), m));
    }
    /* one above half of N comes back negative, and whole multiples of N vanish */
    const struct ts_num *above = ts_num_add(scope, half, one), *rho = drawn(2000);
    const struct ts_num *c = ts_paillier_encrypt(scope, &key.key, above, rho);
    ck_assert(same(ts_paillier_decrypt(scope, &key, c), ts_num_neg(scope, half)));
    ck_assert(same(ts_paillier_encrypt(scope, &key.key, ts_num_sub(scope, above, N), rho), c));
}
END_TEST

START_TEST(affine_term)
{
    load_key(sizes[_i]);
    const struct ts_num *x = drawn(256), *a = drawn(256), *b = drawn(898);
    const struct ts_num *C = ts_paillier_encrypt(scope, &key.key, x, drawn(2000));
    struct ts_paillier kept = key.key;
    kept.C = C;
    kept.C_table = ts_table_slot_new(scope);
    for (unsigned signs = 0; signs < 4; signs++) {
        const struct ts_num *u = signs & 1 ? ts_num_neg(scope, a) : a, *v = signs & 2 ? ts_num_neg(scope, b) : b;
        const struct ts_num *rho = drawn(2000), *D = ts_paillier_affine(scope, &key.key, C, u, v, rho);
        ck_assert(same(D, ts_paillier_affine_vartime(scope, &key.key, C, u, v, rho)));
        ck_assert(same(D, ts_paillier_affine(scope, &kept, C, u, v, rho)));
        const struct ts_num *expected = ts_num_add(scope, ts_num_mul(scope, u, x), v);
        ck_assert(same(ts_paillier_decrypt(scope, &key, D), expected));
    }
}
END_TEST

START_TEST(commitments)
{
    load_key(sizes[_i]);
    const struct ts_pedersen *parameters = &key.pedersen;
    const struct ts_num *x = ts_num_neg(scope, drawn(512)), *y = drawn(sizes[_i] + 128);
    const struct ts_num *commitment = ts_pedersen_commit(scope, parameters, x, y);
    ck_assert(same(commitment, ts_pedersen_commit_vartime(scope, parameters, x, y)));
    const struct ts_num *exponent = ts_num_add(scope, ts_num_mul(scope, key.lambda, x), y);
    ck_assert(same(
        commitment, ts_mod_power_vartime(scope, parameters->t, ts_num_mod(scope, exponent, key.phi), parameters->N)));
    ck_assert(!same(commitment, ts_pedersen_commit(scope, parameters, ts_num_neg(scope, x), y)));
    struct ts_pedersen kept = *parameters;
    kept.s_table = ts_table_slot_new(scope);
    kept.t_table = ts_table_slot_new(scope);
    ck_assert(same(commitment, ts_pedersen_commit(scope, &kept, x, y)));
}
END_TEST

static void
expect_refused_modulus(uint32_t bits, const struct ts_num *modulus)
{
    struct ts_scope *inner = NULL;
    struct ts_paillier paillier;

    ck_assert_int_eq(ts_scope_new(&inner), TS_OK);
    ck_assert_int_eq(ts_paillier_init(&paillier, inner, bits, modulus), TS_FORMAT);
    ts_scope_free(inner);
}

START_TEST(refused_moduli)
{
    load_key(2048);
    struct ts_paillier paillier;
    ck_assert_int_eq(ts_paillier_init(&paillier, scope, 2048, N), TS_OK);
    expect_refused_modulus(3072, N);
    expect_refused_modulus(2047, N);
    expect_refused_modulus(2048, ts_num_add(scope, N, small(1)));
    expect_refused_modulus(2048, ts_num_neg(scope, N));
    expect_refused_modulus(2048, ts_num_sub(scope, ts_num_power_of_two(scope, 2047), small(1)));
    expect_refused_modulus(2048, ts_num_add(scope, ts_num_power_of_two(scope, 2048), small(1)));
    struct ts_trapdoor bad;
    const struct ts_num *p = ts_modulus_num(key.p);
    ck_assert_int_eq(ts_trapdoor_init(&bad, scope, 2048, p, p, small(4), small(5)), TS_FORMAT);
}
END_TEST

START_TEST(permitted_parameters)
{
    for (int curve = TS_CURVE_NONE; curve <= TS_CURVE_P521; curve++) {
        bool large = curve == TS_CURVE_P384 || curve == TS_CURVE_P521;
        ck_assert(ts_parameters_allowed((enum ts_curve)curve, 2048) == !large);
        ck_assert(ts_parameters_allowed((enum ts_curve)curve, 3072));
        ck_assert(ts_parameters_allowed((enum ts_curve)curve, 4096));
        ck_assert(!ts_parameters_allowed((enum ts_curve)curve, 1024));
        ck_assert(!ts_parameters_allowed((enum ts_curve)curve, 3071));
        ck_assert(!ts_parameters_allowed((enum ts_curve)curve, 0));
    }
    ck_assert(!ts_parameters_allowed((enum ts_curve)99, 3072));
    ck_assert_uint_eq(TS_MASK_BITS(256), 642);
    ck_assert_uint_eq(TS_AFFINE_BITS(521), 1428);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("paillier");
    TCase *tcase = tcase_create("paillier");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, trapdoor, 0, 3);
    tcase_add_loop_test(tcase, encrypting_and_decrypting, 0, 3);
    tcase_add_loop_test(tcase, affine_term, 0, 3);
    tcase_add_loop_test(tcase, commitments, 0, 3);
    tcase_add_test(tcase, refused_moduli);
    tcase_add_test(tcase, permitted_parameters);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
