#include "mpc/proof.h"
#include "tests/check_main.h"

#include <stdio.h>
#include <string.h>

/* The known answers of protocol-equations.md 7. */

#define AUX "1ec337804b9f14d51b8b1b3e2152e5be8b9520d5050bc6b47c3c3c3e98d475c1"
#define SID "6325bd3a9a36a91c4fdb0a8da6ae662a82673173010dfc1e20bf1d4c7667960c"
#define REQUEST "9106d66c095a8c0cc7fc41180972aadf9752d9d62951196b4c94f08d9aa461dd"

static struct ts_env env;
static struct ts_mpc *mpc;
static struct ts_scope *scope;
static const struct ts_group *group;

static void
setup(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_mpc_new(&mpc, &env), TS_OK);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    group = ts_mpc_group(mpc, TS_CURVE_P256);
}

static void
teardown(void)
{
    ts_scope_free(scope);
    ts_mpc_free(mpc);
    ts_env_clear(&env);
}

static const char *
hex(const uint8_t *bytes, size_t len)
{
    static char text[1024];

    ck_assert_uint_lt(2 * len, sizeof text);
    text[0] = '\0';
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static void
unhex(uint8_t *out, size_t len, const char *text)
{
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

static const struct ts_num *
small(int64_t value)
{
    const struct ts_num *a = ts_num_from_u64(scope, (uint64_t)(value < 0 ? -value : value));

    return value < 0 ? ts_num_neg(scope, a) : a;
}

static const char *
hex_num(const struct ts_num *a, size_t len)
{
    static uint8_t bytes[512];

    ck_assert_int_eq(ts_num_to_bytes(bytes, len, a), TS_OK);
    return hex(bytes, len);
}

static const struct ts_point *
times_g(uint64_t k)
{
    return ts_point_mul_base(scope, group, ts_num_from_u64(scope, k));
}

static struct ts_place
place_with(enum ts_curve curve, const char *sid_hex, uint8_t role, uint32_t index)
{
    struct ts_place place = {.mpc = mpc, .curve = curve, .sid_len = TS_SID_BYTES, .role = role, .index = index};

    unhex(place.sid, TS_SID_BYTES, sid_hex);
    return place;
}

START_TEST(integers_are_signed_and_minimal)
{
    static const struct {
        int64_t value;
        const char *encoded;
    } rows[] = {{0, "00"}, {1, "0001"}, {-1, "0101"}, {255, "00ff"}, {256, "000100"}, {-65536, "01010000"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ts_buf buf;
        ts_buf_init(&buf, 64);
        ck_assert_int_eq(ts_int_encode(&buf, small(rows[i].value)), TS_OK);
        ck_assert_str_eq(hex(buf.data, buf.len), rows[i].encoded);
        const struct ts_num *again = ts_int_decode(scope, buf.data, buf.len, 3);
        ck_assert(ts_num_equal_vartime(again, small(rows[i].value)));
        ts_buf_clear(&buf);
    }
}
END_TEST

START_TEST(other_integers_are_refused)
{
    static const struct {
        uint8_t bytes[5];
        size_t len;
    } rows[] = {{{0}, 0}, {{1}, 1}, {{2}, 1}, {{2, 1}, 2}, {{0, 0, 1}, 3}, {{1, 0}, 2}, {{0, 1, 2, 3}, 4}, {{0x80}, 1}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ts_scope *own;
        ck_assert_int_eq(ts_scope_new(&own), TS_OK);
        ck_assert_ptr_null(ts_int_decode(own, rows[i].bytes, rows[i].len, 2));
        ck_assert_int_eq(ts_scope_error(own), TS_FORMAT);
        ts_scope_free(own);
    }
}
END_TEST

START_TEST(header_is_six_items)
{
    const char *sid = "1111111111111111111111111111111111111111111111111111111111111111";
    struct ts_place place = place_with(TS_CURVE_P256, sid, TS_ROLE_P1, 3);
    uint8_t hash[TS_HASH_BYTES];
    struct ts_buf buf;

    ts_transcript_init(&buf, &place, "dlog");
    ck_assert_str_eq(hex(buf.data, buf.len),
        "0870726f746f636f6c000000000000000c74616c6c79737469636b2f310563757276650000000000000005502d32353603736964"
        "00000000000000201111111111111111111111111111111111111111111111111111111111111111"
        "04726f6c65000000000000000101046e616d650000000000000004646c6f6705696e646578000000000000000400000003");
    ck_assert_int_eq(ts_hash_32(hash, mpc, &buf), TS_OK);
    ck_assert_str_eq(hex(hash, 32), "5fe220629f75ecc785e6f8f29ef69181c9e55aa4c005497aff983b867fe2ca1c");
    ts_buf_clear(&buf);
    ts_buf_init(&buf, 64);
    ts_item_put_int(&buf, "h", small(5));
    ck_assert_str_eq(hex(buf.data, buf.len), "016800000000000000020005");
    ts_buf_clear(&buf);
}
END_TEST

static struct ts_pedersen
pedersen(int64_t N, int64_t s, int64_t t)
{
    return (struct ts_pedersen){.N = ts_modulus_new(scope, small(N)), .s = small(s), .t = small(t)};
}

START_TEST(ids)
{
    struct ts_pedersen p1 = pedersen(15, 4, 16), p2 = pedersen(21, 4, 16);
    uint8_t aux[TS_HASH_BYTES], sid[TS_SID_BYTES], pairing[16], n1[32], n2[32];

    ck_assert_int_eq(ts_aux_hash(aux, mpc, &p1, &p2), TS_OK);
    ck_assert_str_eq(hex(aux, 32), AUX);
    memset(pairing, 1, sizeof pairing);
    memset(n1, 0x22, sizeof n1);
    memset(n2, 0x33, sizeof n2);
    const struct ts_sid_fields fields = {.curve = TS_CURVE_P256,
        .pairing = pairing,
        .pairing_len = 16,
        .key = (const uint8_t *)"key-1",
        .key_len = 5,
        .purpose = "keygen",
        .aux = aux,
        .aux_len = 32,
        .n1 = n1,
        .n2 = n2};
    ck_assert_int_eq(ts_sid(sid, mpc, &fields), TS_OK);
    ck_assert_str_eq(hex(sid, 32), SID);
}
END_TEST

START_TEST(commitments)
{
    struct ts_place p1 = place_with(TS_CURVE_P256, SID, TS_ROLE_P1, 0);
    struct ts_place p2 = place_with(TS_CURVE_P256, SID, TS_ROLE_P2, 5);
    const struct ts_dlog proof = {.K = times_g(2), .z = small(7)};
    uint8_t u[32], hash[TS_HASH_BYTES], request[TS_HASH_BYTES];

    memset(u, 0x44, sizeof u);
    ck_assert_int_eq(ts_dlog_commitment(hash, &p1, times_g(1), &proof, u), TS_OK);
    ck_assert_str_eq(hex(hash, 32), "fec00e0f399559e211463101121eb5ce1d2b71d03f8c29718dd1fbbffee3f33b");
    memset(u, 0x66, sizeof u);
    ck_assert_int_eq(ts_nonce_commitment(hash, &p2, u), TS_OK);
    ck_assert_str_eq(hex(hash, 32), "1c6a5005c5a6732ca5835827b06fef51c11cdd1b0a003db559cc8cc32d927f49");
    p1.index = 5;
    ck_assert_int_eq(ts_request_hash(request, &p1, (const uint8_t *)"abc", 3), TS_OK);
    ck_assert_str_eq(hex(request, 32), REQUEST);
    const struct ts_num *delta = ts_delta(scope, &p2, times_g(1), times_g(2), small(5), request, u);
    ck_assert_str_eq(hex_num(delta, 32), "71bc1ed6f77ad58909271d6592aa810ab5be535878584388f726730b5de22c24");
}
END_TEST

START_TEST(challenges)
{
    struct ts_place p1 = place_with(TS_CURVE_P256, SID, TS_ROLE_P1, 0);
    struct ts_place p2 = place_with(TS_CURVE_P256, SID, TS_ROLE_P2, 5);
    struct ts_pedersen v = pedersen(21, 4, 16), own = pedersen(15, 4, 1);
    const struct ts_enc_range_dlog enc = {.S = small(1), .A = small(2), .Y = times_g(1), .D = small(4)};
    const struct ts_affine_range affine = {
        .A = small(2), .B = times_g(1), .E = small(4), .F = small(7), .S = small(8), .T = small(11)};

    const struct ts_num *e = ts_dlog_challenge(scope, &p1, times_g(1), times_g(2));
    ck_assert_str_eq(hex_num(e, 32), "ebeb447de58f00f414e452dd82d173f05043cfd5e4f3e49dbf78d310c8357d3f");
    e = ts_enc_range_dlog_challenge(scope, &p1, small(15), small(7), times_g(1), &v, &enc);
    ck_assert_str_eq(hex_num(e, 16), "ce202d19806e26b912c42227b0c4da1f");
    e = ts_affine_range_challenge(scope, &p2, &own, small(7), small(8), times_g(3), &affine);
    ck_assert_str_eq(hex_num(e, 16), "237392e7f561e9eebd983e6f2891d3c9");
}
END_TEST

START_TEST(challenges_at_pairing)
{
    const char *sid = "5555555555555555555555555555555555555555555555555555555555555555";
    struct ts_place place = place_with(TS_CURVE_NONE, sid, TS_ROLE_P1, 0);
    struct ts_pedersen v = pedersen(21, 4, 16);
    const struct ts_no_small_factor first = {.P = small(1), .Q = small(2), .A = small(3), .B = small(4), .T = small(5)};
    const struct ts_num *A[TS_REPETITIONS], *y[TS_REPETITIONS];
    char bits[TS_REPETITIONS + 1] = {0};
    uint8_t e16[16];

    const struct ts_num *e = ts_no_small_factor_challenge(scope, &place, small(15), &v, &first);
    ck_assert_str_eq(hex_num(e, 16), "3e42f64446e35d7af1ab2d9e6002e2e0");
    for (int i = 0; i < TS_REPETITIONS; i++)
        A[i] = small(i + 1);
    ck_assert_int_eq(ts_ring_pedersen_challenge(e16, &place, small(15), small(4), small(1), A), TS_OK);
    for (int i = 0; i < TS_REPETITIONS; i++)
        bits[i] = (char)('0' + (e16[i >> 3] >> (i & 7) & 1));
    ck_assert_str_eq(bits, "0010101011001100100000010111000011110110001100000101001011000100"
                           "0111101110100000000101010011110100100000100110101001110000000010");
    const struct ts_num *N = ts_num_add(scope, ts_num_power_of_two(scope, 2047), small(9));
    ck_assert_int_eq(ts_paillier_blum_challenge(y, scope, &place, N, small(5)), TS_OK);
    ck_assert_str_eq(hex_num(ts_num_low_bits(scope, y[0], 64), 8), "721af4ae4422f336");
    ck_assert_str_eq(hex_num(ts_num_low_bits(scope, y[127], 64), 8), "637a0b75e2576276");
}
END_TEST

START_TEST(items_are_taken_in_order)
{
    static const uint8_t bytes[] = {1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 1, 'b', 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 2};
    struct ts_reader in;
    size_t len;

    ts_reader_init(&in, bytes, sizeof bytes);
    ck_assert_ptr_nonnull(ts_item_take(&len, &in, "a"));
    ck_assert_uint_eq(len, 0);
    ck_assert_uint_eq(ts_item_take_u32(&in, "b"), 0x102);
    ck_assert_int_eq(ts_reader_end(&in), TS_OK);
    ts_reader_init(&in, bytes, sizeof bytes);
    ck_assert_ptr_null(ts_item_take(&len, &in, "b"));
    ck_assert_int_eq(ts_reader_end(&in), TS_FORMAT);
    ck_assert_ptr_null(ts_item_take(&len, &in, "a"));
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        ts_reader_init(&in, bytes, cut);
        ts_item_take(&len, &in, "a");
        ts_item_take_u32(&in, "b");
        ck_assert_int_eq(ts_reader_end(&in), TS_FORMAT);
    }
}
END_TEST

START_TEST(exact_lengths_are_exact)
{
    static const uint8_t bytes[] = {1, 'a', 0, 0, 0, 0, 0, 0, 0, 2, 8, 9};

    for (size_t len = 0; len <= 3; len++) {
        struct ts_reader in;
        ts_reader_init(&in, bytes, sizeof bytes);
        ck_assert((ts_item_take_exact(&in, "a", len) != NULL) == (len == 2));
        ck_assert_int_eq(in.error, len == 2 ? TS_OK : TS_FORMAT);
    }
}
END_TEST

START_TEST(lengths_near_the_end_of_memory_are_refused)
{
    static const uint8_t bytes[] = {1, 'a', 255, 255, 255, 255, 255, 255, 255, 255, 0};
    struct ts_reader in;
    size_t len;

    ts_reader_init(&in, bytes, sizeof bytes);
    ck_assert_ptr_null(ts_item_take(&len, &in, "a"));
    ck_assert_int_eq(in.error, TS_FORMAT);
}
END_TEST

START_TEST(a_broken_transcript_is_not_hashed)
{
    struct ts_place place = {.mpc = mpc, .curve = TS_CURVE_P256};
    uint8_t hash[TS_HASH_BYTES];
    struct ts_buf buf;

    ts_transcript_init(&buf, &place, "x");
    ts_item_put_point(&buf, "P", group, times_g(0));
    ck_assert_int_eq(ts_hash_32(hash, mpc, &buf), TS_INTERNAL);
    ts_buf_clear(&buf);
    ts_transcript_init(&buf, &place, "x");
    ts_item_put_int(&buf, "z", NULL);
    ck_assert_ptr_null(ts_hash_e(scope, mpc, &buf));
    ts_buf_clear(&buf);
}
END_TEST

START_TEST(long_runs_are_confirmed)
{
    struct ts_place place = {.mpc = mpc, .role = TS_ROLE_P1};
    uint8_t *payload = calloc(1, (size_t)1 << 21);
    uint8_t first[TS_HASH_BYTES], second[TS_HASH_BYTES];

    ck_assert_ptr_nonnull(payload);
    const struct ts_bytes two[] = {{payload, (size_t)1 << 21}, {payload, 3}};
    const struct ts_bytes moved[] = {{payload, ((size_t)1 << 21) - 1}, {payload, 4}};
    ck_assert_int_eq(ts_confirmation(first, &place, two, 2), TS_OK);
    ck_assert_int_eq(ts_confirmation(second, &place, moved, 2), TS_OK);
    ck_assert_mem_ne(first, second, TS_HASH_BYTES);
    free(payload);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("transcript");
    TCase *tcase = tcase_create("transcript");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, integers_are_signed_and_minimal);
    tcase_add_test(tcase, other_integers_are_refused);
    tcase_add_test(tcase, header_is_six_items);
    tcase_add_test(tcase, ids);
    tcase_add_test(tcase, commitments);
    tcase_add_test(tcase, challenges);
    tcase_add_test(tcase, challenges_at_pairing);
    tcase_add_test(tcase, items_are_taken_in_order);
    tcase_add_test(tcase, exact_lengths_are_exact);
    tcase_add_test(tcase, lengths_near_the_end_of_memory_are_refused);
    tcase_add_test(tcase, a_broken_transcript_is_not_hashed);
    tcase_add_test(tcase, long_runs_are_confirmed);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
