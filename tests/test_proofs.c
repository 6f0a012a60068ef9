#include "mpc/proof.h"
#include "tests/check_main.h"
#include "tests/safe_primes.h"

#include <string.h>

#define BITS 2048
#define WIRE_MAX ((size_t)1 << 20)
#define MANY_ITEMS 600

/* Two parties with test-only keys, a statement of each kind and its proof, made once for all tests. */
static struct {
    struct ts_env env;
    struct ts_mpc *mpc;
    struct ts_scope *scope;
    const struct ts_group *group;
    struct ts_trapdoor p1, p2;
    struct ts_place pairing, key;
    uint8_t hk[TS_HEDGE_KEY_BYTES];
    struct ts_hedge hedge;
    const struct ts_num *x, *rho, *C, *k2, *a, *b, *r, *D;
    const struct ts_point *X, *R2;
} f;

enum { DLOG, BLUM, RING, FACTOR, ENC, AFFINE, KINDS };

static struct ts_buf wire[KINDS];

/* --- one interface to the six --- */

union proof {
    struct ts_dlog dlog;
    struct ts_paillier_blum blum;
    struct ts_ring_pedersen ring;
    struct ts_no_small_factor factor;
    struct ts_enc_range_dlog enc;
    struct ts_affine_range affine;
};

static const struct ts_place *
place_of(int kind)
{
    return kind == BLUM || kind == RING || kind == FACTOR ? &f.pairing : &f.key;
}

static enum ts_error
decode(union proof *out, int kind, struct ts_scope *scope, struct ts_reader *in, uint32_t bits)
{
    switch (kind) {
    case DLOG:
        return ts_dlog_decode(&out->dlog, scope, in, f.group);
    case BLUM:
        return ts_paillier_blum_decode(&out->blum, scope, in, bits);
    case RING:
        return ts_ring_pedersen_decode(&out->ring, scope, in, bits);
    case FACTOR:
        return ts_no_small_factor_decode(&out->factor, scope, in, bits);
    case ENC:
        return ts_enc_range_dlog_decode(&out->enc, scope, in, f.group, bits);
    default:
        return ts_affine_range_decode(&out->affine, scope, in, f.group, bits);
    }
}

static enum ts_error
verify(int kind, const struct ts_place *place, const union proof *proof)
{
    const struct ts_num *N = ts_modulus_num(f.p1.key.N);
    enum ts_error plain;

    switch (kind) {
    case DLOG:
        return ts_dlog_verify(place, f.X, &proof->dlog);
    case BLUM:
        return ts_paillier_blum_verify(place, BITS, N, &proof->blum);
    case RING:
        return ts_ring_pedersen_verify(place, BITS, N, f.p1.pedersen.s, f.p1.pedersen.t, &proof->ring);
    case FACTOR:
        return ts_no_small_factor_verify(place, BITS, N, &f.p2.pedersen, &proof->factor);
    case ENC:
        return ts_enc_range_dlog_verify(place, &f.p1.key, f.C, f.X, &f.p2.pedersen, &proof->enc);
    default:
        plain = ts_affine_range_verify(place, &f.p1.key, &f.p1.pedersen, f.C, f.D, f.R2, &proof->affine);
        ck_assert_int_eq(ts_affine_range_verify_trapdoor(place, &f.p1, f.C, f.D, f.R2, &proof->affine), plain);
        return plain;
    }
}

/* Decode whole bytes and verify at a place. */
static enum ts_error
judge(int kind, const struct ts_place *place, const uint8_t *bytes, size_t len)
{
    static union proof proof;
    struct ts_reader in;
    struct ts_scope *scope;

    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    ts_reader_init(&in, bytes, len);
    enum ts_error error = decode(&proof, kind, scope, &in, BITS);
    ck_assert_int_eq(error, ts_scope_error(scope));
    if (error == TS_OK)
        error = ts_reader_end(&in);
    if (error == TS_OK)
        error = verify(kind, place, &proof);
    ts_scope_free(scope);
    return error;
}

/* --- set-up --- */

static void
make_key(struct ts_trapdoor *out, unsigned pair, uint64_t lambda)
{
    uint8_t primes[BITS / 8];

    ck_assert(load_safe_primes(primes, BITS, pair));
    const struct ts_num *p = ts_num_from_bytes(f.scope, primes, sizeof primes / 2);
    const struct ts_num *q = ts_num_from_bytes(f.scope, primes + sizeof primes / 2, sizeof primes / 2);
    ck_assert_int_eq(
        ts_trapdoor_init(out, f.scope, BITS, p, q, ts_num_from_u64(f.scope, 9), ts_num_from_u64(f.scope, lambda)),
        TS_OK);
}

static void
make_statements(void)
{
    const struct ts_num *nu, *N = ts_modulus_num(f.p1.key.N);
    struct ts_stream *stream = ts_hedge_stream(f.scope, &f.key, &f.hedge, "test", NULL, 0);

    f.x = ts_hedge_scalar(f.scope, &f.key, &f.hedge, "x1", NULL, 0, false);
    f.X = ts_point_mul_base(f.scope, f.group, f.x);
    f.rho = ts_stream_unit(stream, N);
    f.C = ts_paillier_encrypt(f.scope, &f.p1.key, f.x, f.rho);
    f.k2 = ts_hedge_scalar(f.scope, &f.key, &f.hedge, "k2", NULL, 0, false);
    f.R2 = ts_point_mul_base(f.scope, f.group, f.k2);
    f.a = ts_mod_inverse(f.scope, f.k2, ts_group_order(f.group));
    nu = ts_stream_bits(stream, TS_AFFINE_BITS(256));
    f.b = nu;
    f.r = ts_stream_unit(stream, N);
    f.D = ts_paillier_affine(f.scope, &f.p1.key, f.C, f.a, f.b, f.r);
    ck_assert_int_eq(ts_scope_error(f.scope), TS_OK);
}

static void
make_proofs(void)
{
    static union proof p;

    for (int kind = 0; kind < KINDS; kind++)
        ts_buf_init(&wire[kind], WIRE_MAX);
    ck_assert_int_eq(ts_dlog_prove(&p.dlog, f.scope, &f.key, &f.hedge, f.X, f.x), TS_OK);
    ts_dlog_encode(&wire[DLOG], f.group, &p.dlog);
    ck_assert_int_eq(ts_paillier_blum_prove(&p.blum, f.scope, &f.pairing, &f.hedge, &f.p1), TS_OK);
    ts_paillier_blum_encode(&wire[BLUM], &p.blum);
    ck_assert_int_eq(ts_ring_pedersen_prove(&p.ring, f.scope, &f.pairing, &f.hedge, &f.p1), TS_OK);
    ts_ring_pedersen_encode(&wire[RING], &p.ring);
    ck_assert_int_eq(ts_no_small_factor_prove(&p.factor, f.scope, &f.pairing, &f.hedge, &f.p1, &f.p2.pedersen), TS_OK);
    ts_no_small_factor_encode(&wire[FACTOR], &p.factor);
    ck_assert_int_eq(
        ts_enc_range_dlog_prove(&p.enc, f.scope, &f.key, &f.hedge, &f.p1.key, f.C, f.X, &f.p2.pedersen, f.x, f.rho),
        TS_OK);
    ts_enc_range_dlog_encode(&wire[ENC], f.group, &p.enc);
    ck_assert_int_eq(ts_affine_range_prove(&p.affine, f.scope, &f.key, &f.hedge, &f.p1.key, &f.p1.pedersen, f.C, f.D,
                         f.R2, f.a, f.b, f.r),
        TS_OK);
    ts_affine_range_encode(&wire[AFFINE], f.group, &p.affine);
    for (int kind = 0; kind < KINDS; kind++)
        ck_assert_int_eq(ts_buf_error(&wire[kind]), TS_OK);
}

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&f.env), TS_OK);
    ck_assert_int_eq(ts_mpc_new(&f.mpc, &f.env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&f.scope), TS_OK);
    f.group = ts_mpc_group(f.mpc, TS_CURVE_P256);
    memset(f.hk, 7, sizeof f.hk);
    f.hedge = (struct ts_hedge){.hk = f.hk};
    f.pairing = (struct ts_place){.mpc = f.mpc, .sid_len = TS_SID_BYTES, .role = TS_ROLE_P1};
    f.key = f.pairing;
    f.key.curve = TS_CURVE_P256;
    f.key.index = 3;
    make_key(&f.p1, 0, 123456789);
    make_key(&f.p2, 1, 987654321);
    make_statements();
    make_proofs();
}

static void
teardown(void)
{
    for (int kind = 0; kind < KINDS; kind++)
        ts_buf_clear(&wire[kind]);
    ts_scope_free(f.scope);
    ts_mpc_free(f.mpc);
    ts_env_clear(&f.env);
}

/* --- items of a wire form, taken apart --- */

struct items {
    size_t start[MANY_ITEMS], end[MANY_ITEMS], value[MANY_ITEMS];
    size_t count;
};

static void
take_apart(struct items *out, const struct ts_buf *buf)
{
    out->count = 0;
    for (size_t at = 0; at < buf->len; out->count++) {
        ck_assert_uint_lt(out->count, MANY_ITEMS);
        size_t value = at + 1 + buf->data[at] + 8;
        size_t len = 0;
        for (size_t i = value - 8; i < value; i++)
            len = len << 8 | buf->data[i];
        out->start[out->count] = at;
        out->value[out->count] = value;
        at = out->end[out->count] = value + len;
    }
}

static void
put_items(struct ts_buf *out, const struct ts_buf *from, const struct items *items, size_t first, size_t last)
{
    if (first < last)
        ts_buf_put(out, from->data + items->start[first], items->end[last - 1] - items->start[first]);
}

/* --- tests, each for every proof --- */

START_TEST(honest_proof_is_accepted)
{
    ck_assert_int_eq(judge(_i, place_of(_i), wire[_i].data, wire[_i].len), TS_OK);
}
END_TEST

START_TEST(another_place_is_refused)
{
    struct ts_place place = *place_of(_i);

    place.sid[31] ^= 1;
    ck_assert_int_eq(judge(_i, &place, wire[_i].data, wire[_i].len), TS_CHEATED);
    place = *place_of(_i);
    place.sid_len = 0;
    ck_assert_int_eq(judge(_i, &place, wire[_i].data, wire[_i].len), TS_CHEATED);
    place = *place_of(_i);
    place.role = TS_ROLE_P2;
    ck_assert_int_eq(judge(_i, &place, wire[_i].data, wire[_i].len), TS_CHEATED);
    place = *place_of(_i);
    place.index++;
    ck_assert_int_eq(judge(_i, &place, wire[_i].data, wire[_i].len), TS_CHEATED);
    place = *place_of(_i);
    place.curve = place.curve == TS_CURVE_NONE ? TS_CURVE_P256 : TS_CURVE_SECP256K1;
    if (place_of(_i) == &f.pairing)
        ck_assert_int_eq(judge(_i, &place, wire[_i].data, wire[_i].len), TS_CHEATED);
}
END_TEST

START_TEST(every_altered_field_is_refused)
{
    struct items items;
    struct ts_buf *buf = &wire[_i];

    take_apart(&items, buf);
    size_t step = items.count > 20 ? 37 : 1;
    for (size_t i = 0; i < items.count; i += step) {
        uint8_t *last = buf->data + items.end[i] - 1;
        *last ^= 1;
        ck_assert_int_ne(judge(_i, place_of(_i), buf->data, buf->len), TS_OK);
        *last ^= 1;
        uint8_t *sign = buf->data + items.value[i];
        *sign ^= 1;
        ck_assert_int_ne(judge(_i, place_of(_i), buf->data, buf->len), TS_OK);
        *sign ^= 1;
        buf->data[items.start[i] + 1] ^= 1; /* its label */
        ck_assert_int_eq(judge(_i, place_of(_i), buf->data, buf->len), TS_FORMAT);
        buf->data[items.start[i] + 1] ^= 1;
    }
    ck_assert_int_eq(judge(_i, place_of(_i), buf->data, buf->len), TS_OK);
}
END_TEST

START_TEST(other_wire_forms_are_refused)
{
    struct items items;
    struct ts_buf other;

    take_apart(&items, &wire[_i]);
    ts_buf_init(&other, WIRE_MAX);
    size_t step = items.count > 20 ? 41 : 1;
    for (size_t i = 0; i < items.count; i += step) {
        /* one missing, one twice, two exchanged */
        put_items(&other, &wire[_i], &items, 0, i);
        put_items(&other, &wire[_i], &items, i + 1, items.count);
        ck_assert_int_ne(judge(_i, place_of(_i), other.data, other.len), TS_OK);
        ts_buf_clear(&other);
        put_items(&other, &wire[_i], &items, 0, i + 1);
        put_items(&other, &wire[_i], &items, i, items.count);
        ck_assert_int_ne(judge(_i, place_of(_i), other.data, other.len), TS_OK);
        ts_buf_clear(&other);
        if (i + 1 == items.count)
            break;
        put_items(&other, &wire[_i], &items, 0, i);
        put_items(&other, &wire[_i], &items, i + 1, i + 2);
        put_items(&other, &wire[_i], &items, i, i + 1);
        put_items(&other, &wire[_i], &items, i + 2, items.count);
        ck_assert_int_ne(judge(_i, place_of(_i), other.data, other.len), TS_OK);
        ts_buf_clear(&other);
    }
    ts_buf_clear(&other);
}
END_TEST

START_TEST(cut_and_trailing_bytes_are_refused)
{
    size_t step = wire[_i].len / 50 + 1;
    struct ts_buf longer;

    for (size_t len = 0; len < wire[_i].len; len += step)
        ck_assert_int_eq(judge(_i, place_of(_i), wire[_i].data, len), TS_FORMAT);
    ck_assert_int_eq(judge(_i, place_of(_i), wire[_i].data, wire[_i].len - 1), TS_FORMAT);
    ts_buf_init(&longer, WIRE_MAX);
    ts_buf_put(&longer, wire[_i].data, wire[_i].len);
    ts_buf_put_u8(&longer, 0);
    ck_assert_int_eq(judge(_i, place_of(_i), longer.data, longer.len), TS_FORMAT);
    ts_buf_clear(&longer);
}
END_TEST

START_TEST(longer_integers_are_refused)
{
    static union proof proof;
    struct ts_reader in;
    struct ts_scope *scope;

    /* the same bytes read with a smaller modulus exceed its fields; dlog's depend on the group alone */
    if (_i == DLOG)
        return;
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    ts_reader_init(&in, wire[_i].data, wire[_i].len);
    ck_assert_int_eq(decode(&proof, _i, scope, &in, BITS / 2), TS_FORMAT);
    ts_scope_free(scope);
}
END_TEST

/* --- statements and sizes --- */

START_TEST(another_size_of_modulus_is_refused)
{
    static union proof p;
    const struct ts_num *N = ts_modulus_num(f.p1.key.N);
    struct ts_reader in;
    struct ts_scope *scope;

    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    ts_reader_init(&in, wire[BLUM].data, wire[BLUM].len);
    ck_assert_int_eq(decode(&p, BLUM, scope, &in, BITS), TS_OK);
    ck_assert_int_eq(ts_paillier_blum_verify(&f.pairing, BITS, N, &p.blum), TS_OK);
    ck_assert_int_eq(ts_paillier_blum_verify(&f.pairing, BITS - 1, N, &p.blum), TS_CHEATED);
    ck_assert_int_eq(ts_paillier_blum_verify(&f.pairing, BITS + 1, N, &p.blum), TS_CHEATED);
    ts_reader_init(&in, wire[FACTOR].data, wire[FACTOR].len);
    ck_assert_int_eq(decode(&p, FACTOR, scope, &in, BITS), TS_OK);
    ck_assert_int_eq(ts_no_small_factor_verify(&f.pairing, BITS, N, &f.p2.pedersen, &p.factor), TS_OK);
    ck_assert_int_eq(ts_no_small_factor_verify(&f.pairing, BITS + 64, N, &f.p2.pedersen, &p.factor), TS_CHEATED);
    ck_assert_int_eq(ts_no_small_factor_verify(&f.pairing, BITS, N, &f.p1.pedersen, &p.factor), TS_CHEATED);
    ts_scope_free(scope);
}
END_TEST

/* The equations read every value but 0 as 1, so only the check of the bits refuses a 2 in place of a 1. */
START_TEST(bits_have_one_form)
{
    static union proof p;
    struct ts_reader in;
    struct ts_scope *scope;
    size_t a = 0, b = 0;

    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    ts_reader_init(&in, wire[BLUM].data, wire[BLUM].len);
    ck_assert_int_eq(decode(&p, BLUM, scope, &in, BITS), TS_OK);
    while (a < TS_REPETITIONS - 1 && !p.blum.a[a])
        a++;
    while (b < TS_REPETITIONS - 1 && !p.blum.b[b])
        b++;
    ck_assert(p.blum.a[a] == 1 && p.blum.b[b] == 1);
    p.blum.a[a] = 2;
    ck_assert_int_eq(verify(BLUM, &f.pairing, &p), TS_CHEATED);
    p.blum.a[a] = 1;
    p.blum.b[b] = 2;
    ck_assert_int_eq(verify(BLUM, &f.pairing, &p), TS_CHEATED);
    p.blum.b[b] = 1;
    ck_assert_int_eq(verify(BLUM, &f.pairing, &p), TS_OK);
    ts_scope_free(scope);
}
END_TEST

START_TEST(failed_values_are_refused)
{
    static const union proof empty;

    ck_assert_int_ne(verify(_i, place_of(_i), &empty), TS_OK);
}
END_TEST

START_TEST(every_run_draws_new_masks)
{
    struct ts_dlog first, second;

    ck_assert_int_eq(ts_dlog_prove(&first, f.scope, &f.key, &f.hedge, f.X, f.x), TS_OK);
    ck_assert_int_eq(ts_dlog_prove(&second, f.scope, &f.key, &f.hedge, f.X, f.x), TS_OK);
    ck_assert(!ts_point_equal(f.group, first.K, second.K));
}
END_TEST

static enum ts_error
no_entropy(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return TS_INTERNAL;
}

START_TEST(no_proof_without_entropy)
{
    struct ts_env env = f.env;
    struct ts_mpc *mpc;
    struct ts_scope *scope;
    struct ts_dlog proof;

    ck_assert_int_eq(ts_mpc_new(&mpc, &env), TS_OK);
    env.entropy.fill = no_entropy;
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    struct ts_place place = f.key;
    place.mpc = mpc;
    ck_assert_int_eq(ts_dlog_prove(&proof, scope, &place, &f.hedge, f.X, f.x), TS_INTERNAL);
    ts_scope_free(scope);
    ts_mpc_free(mpc);
}
END_TEST

int
main(void)
{
    /* Secret memory is zero in a forked child, and all tests share one set-up. */
    setenv("CK_FORK", "no", 1);
    Suite *suite = suite_create("proofs");
    TCase *tcase = tcase_create("proofs");

    tcase_set_timeout(tcase, 600);
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, honest_proof_is_accepted, 0, KINDS);
    tcase_add_loop_test(tcase, another_place_is_refused, 0, KINDS);
    tcase_add_loop_test(tcase, every_altered_field_is_refused, 0, KINDS);
    tcase_add_loop_test(tcase, other_wire_forms_are_refused, 0, KINDS);
    tcase_add_loop_test(tcase, cut_and_trailing_bytes_are_refused, 0, KINDS);
    tcase_add_loop_test(tcase, longer_integers_are_refused, 0, KINDS);
    tcase_add_test(tcase, another_size_of_modulus_is_refused);
    tcase_add_test(tcase, bits_have_one_form);
    tcase_add_loop_test(tcase, failed_values_are_refused, 0, KINDS);
    tcase_add_test(tcase, every_run_draws_new_masks);
    tcase_add_test(tcase, no_proof_without_entropy);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
