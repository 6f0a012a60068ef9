#include "tests/cheat.h"
#include "tests/check_main.h"
#include "tests/parties.h"

#include <string.h>

static struct parties_saved saved;

static void
save(void)
{
    parties_save(&saved, TS_CURVE_P256, 2048, 0);
}

static void
forget(void)
{
    parties_saved_clear(&saved);
}

static enum ts_error
decode_pairing(struct parties *parties, const uint8_t *bytes, size_t len)
{
    struct ts_pairing *pairing = NULL;
    enum ts_error error = ts_pairing_decode(&pairing, parties->mpc, bytes, len);

    ck_assert((error == TS_OK) == (pairing != NULL));
    ts_pairing_free(pairing);
    return error;
}

static enum ts_error
decode_half(struct parties *parties, const uint8_t *bytes, size_t len)
{
    struct ts_half *half = NULL;
    enum ts_error error = ts_half_decode(&half, parties->mpc, bytes, len);

    ck_assert((error == TS_OK) == (half != NULL));
    ts_half_free(half);
    return error;
}

START_TEST(test_canonical)
{
    struct parties parties;
    struct ts_buf again;

    parties_open(&parties, &saved);
    for (int i = 0; i < 2; i++) {
        const struct ts_buf *first = &saved.pairing[i];
        ts_buf_init_secret(&again, 65536);
        ck_assert_int_eq(ts_pairing_encode(&again, parties.pairing[i]), TS_OK);
        ck_assert_uint_eq(again.len, first->len);
        ck_assert_mem_eq(again.data, first->data, first->len);
        ts_buf_clear(&again);
        first = &saved.half[i];
        ck_assert_int_eq(ts_half_encode(&again, parties.mpc, parties.half[i]), TS_OK);
        ck_assert_uint_eq(again.len, first->len);
        ck_assert_mem_eq(again.data, first->data, first->len);
        ts_buf_clear(&again);
    }
    parties_close(&parties);
}
END_TEST

START_TEST(test_every_length)
{
    struct parties parties;

    parties_open(&parties, &saved);
    for (int i = 0; i < 2; i++) {
        struct ts_buf longer;
        for (size_t len = 0; len < saved.half[i].len; len++)
            ck_assert_int_eq(decode_half(&parties, saved.half[i].data, len), TS_FORMAT);
        for (size_t len = 0; len < saved.pairing[i].len; len += 7)
            ck_assert_int_eq(decode_pairing(&parties, saved.pairing[i].data, len), TS_FORMAT);
        ts_buf_init(&longer, 65536);
        ts_buf_put(&longer, saved.half[i].data, saved.half[i].len);
        ts_buf_put_u8(&longer, 0);
        ck_assert_int_eq(decode_half(&parties, longer.data, longer.len), TS_FORMAT);
        ts_buf_clear(&longer);
        ts_buf_put(&longer, saved.pairing[i].data, saved.pairing[i].len);
        ts_buf_put_u8(&longer, 0);
        ck_assert_int_eq(decode_pairing(&parties, longer.data, longer.len), TS_FORMAT);
        ts_buf_clear(&longer);
    }
    parties_close(&parties);
}
END_TEST

static void
copy(struct ts_buf *out, const struct ts_buf *in)
{
    ts_buf_init(out, 65536);
    ck_assert_int_eq(ts_buf_put(out, in->data, in->len), TS_OK);
}

/* A part that does not fit the others. */
START_TEST(test_changed_half)
{
    static const char *const labels[] = {"version", "role", "curve", "X1", "X2", "X", "x"};
    struct parties parties;

    parties_open(&parties, &saved);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct ts_buf changed;
        size_t len = 0;
        copy(&changed, &saved.half[_i]);
        uint8_t *value = cheat_find(&len, NULL, &changed, labels[i], 0);
        ck_assert_ptr_nonnull(value);
        value[len - 1] ^= 3; /* also a role that is none */
        ck_assert_msg(decode_half(&parties, changed.data, changed.len) == TS_FORMAT, "%s", labels[i]);
        ts_buf_clear(&changed);
    }
    parties_close(&parties);
}
END_TEST

START_TEST(test_other_role)
{
    struct parties parties;

    parties_open(&parties, &saved);
    cheat_find(NULL, NULL, &saved.half[_i], "role", 0)[0] ^= 3;
    ck_assert_int_eq(decode_half(&parties, saved.half[_i].data, saved.half[_i].len), TS_FORMAT);
    cheat_find(NULL, NULL, &saved.pairing[_i], "role", 0)[0] ^= 3;
    ck_assert_int_eq(decode_pairing(&parties, saved.pairing[_i].data, saved.pairing[_i].len), TS_FORMAT);
    parties_close(&parties);
}
END_TEST

/* A point that is on the curve, but another one. */
START_TEST(test_swapped_points)
{
    struct parties parties;
    struct ts_buf changed;
    size_t len = 0;

    parties_open(&parties, &saved);
    copy(&changed, &saved.half[_i]);
    uint8_t *X = cheat_find(&len, NULL, &changed, "X", 0);
    uint8_t *other = cheat_find(NULL, NULL, &changed, _i == 0 ? "X2" : "X1", 0);
    memcpy(X, other, len);
    ck_assert_int_eq(decode_half(&parties, changed.data, changed.len), TS_FORMAT);
    memcpy(X, cheat_find(NULL, NULL, &saved.half[_i], "X", 0), len);
    memcpy(other, X, len);
    ck_assert_int_eq(decode_half(&parties, changed.data, changed.len), TS_FORMAT);
    ts_buf_clear(&changed);
    parties_close(&parties);
}
END_TEST

START_TEST(test_share_out_of_range)
{
    struct parties parties;
    struct ts_buf changed;
    size_t len = 0;

    parties_open(&parties, &saved);
    copy(&changed, &saved.half[_i]);
    uint8_t *x = cheat_find(&len, NULL, &changed, "x", 0);
    memset(x, 0, len);
    ck_assert_int_eq(decode_half(&parties, changed.data, changed.len), TS_FORMAT);
    memset(x, 0xff, len);
    ck_assert_int_eq(decode_half(&parties, changed.data, changed.len), TS_FORMAT);
    ts_buf_clear(&changed);
    parties_close(&parties);
}
END_TEST

/* x + q has the same points as x, and room in as many bytes where x is small. */
START_TEST(test_share_above_the_order)
{
    struct parties parties;
    struct ts_buf changed;
    struct ts_scope *scope;
    size_t len = 0;

    parties_open(&parties, &saved);
    copy(&changed, &saved.half[_i]);
    ck_assert_int_eq(ts_scope_new(&scope), TS_OK);
    const struct ts_group *group = ts_mpc_group(parties.mpc, parties.half[_i]->curve);
    const struct ts_num *x = ts_num_from_u64(scope, 5), *q = ts_modulus_num(ts_group_order(group));
    const struct ts_point *own = ts_point_mul_base(scope, group, x);
    const struct ts_point *other = _i == 0 ? parties.half[0]->X2 : parties.half[1]->X1;
    const struct ts_point *sum = ts_point_add(scope, group, own, other);
    uint8_t *own_bytes = cheat_find(NULL, NULL, &changed, _i == 0 ? "X1" : "X2", 0);
    uint8_t *sum_bytes = cheat_find(NULL, NULL, &changed, "X", 0), *share = cheat_find(&len, NULL, &changed, "x", 0);
    ck_assert_int_eq(ts_point_encode(own_bytes, group, own), TS_OK);
    ck_assert_int_eq(ts_point_encode(sum_bytes, group, sum), TS_OK);
    ck_assert_int_eq(ts_num_to_bytes(share, len, x), TS_OK);
    ck_assert_int_eq(decode_half(&parties, changed.data, changed.len), TS_OK);
    ck_assert_int_eq(ts_num_to_bytes(share, len, ts_num_add(scope, x, q)), TS_OK);
    ck_assert_int_eq(decode_half(&parties, changed.data, changed.len), TS_FORMAT);
    ts_scope_free(scope);
    ts_buf_clear(&changed);
    parties_close(&parties);
}
END_TEST

START_TEST(test_changed_pairing)
{
    static const char *const labels[] = {
        "version", "role", "bits", "N", "s", "t", "Nh", "sh", "th", "aux", "p", "q", "lambda"};
    struct parties parties;

    parties_open(&parties, &saved);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct ts_buf changed;
        size_t len = 0;
        copy(&changed, &saved.pairing[_i]);
        uint8_t *value = cheat_find(&len, NULL, &changed, labels[i], 0);
        ck_assert_ptr_nonnull(value);
        value[len - 1] ^= 6; /* what was odd stays so; no version, no role */
        ck_assert_msg(decode_pairing(&parties, changed.data, changed.len) == TS_FORMAT, "%s", labels[i]);
        ts_buf_clear(&changed);
    }
    parties_close(&parties);
}
END_TEST

START_TEST(test_flipped_bits)
{
    struct parties parties;
    unsigned seed = parties_seed("half flips");

    parties_open(&parties, &saved);
    srandom(seed);
    for (int i = 0; i < 200; i++) {
        struct parties_flip flip = {1, (uint32_t)random()};
        struct ts_buf changed;
        copy(&changed, &saved.half[i % 2]);
        parties_flip(&flip, 1, &changed);
        /* Keys, ids, the hedge key and C stand for themselves; either way nothing may break. */
        enum ts_error error = decode_half(&parties, changed.data, changed.len);
        ck_assert(error == TS_OK || error == TS_FORMAT);
        ts_buf_clear(&changed);
    }
    parties_close(&parties);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("half");
    TCase *all = tcase_create("half");

    tcase_add_unchecked_fixture(all, save, forget);
    tcase_add_test(all, test_canonical);
    tcase_add_test(all, test_every_length);
    tcase_add_loop_test(all, test_changed_half, 0, 2);
    tcase_add_loop_test(all, test_other_role, 0, 2);
    tcase_add_loop_test(all, test_swapped_points, 0, 2);
    tcase_add_loop_test(all, test_share_out_of_range, 0, 2);
    tcase_add_loop_test(all, test_share_above_the_order, 0, 2);
    tcase_add_loop_test(all, test_changed_pairing, 0, 2);
    tcase_add_test(all, test_flipped_bits);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
