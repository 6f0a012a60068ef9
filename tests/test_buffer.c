#include "base/buffer.h"
#include "tests/check_main.h"

#include <string.h>

START_TEST(numbers_are_big_endian)
{
    struct ts_buf buf;
    static const uint8_t expected[] = {1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3};

    ts_buf_init(&buf, 64);
    ts_buf_put_u8(&buf, 1);
    ts_buf_put_u32(&buf, 2);
    ck_assert_int_eq(ts_buf_put_u64(&buf, 3), TS_OK);
    ck_assert_mem_eq(buf.data, expected, sizeof expected);
    struct ts_reader reader;
    ts_reader_init(&reader, buf.data, buf.len);
    ck_assert_uint_eq(ts_reader_u8(&reader), 1);
    ck_assert_uint_eq(ts_reader_u32(&reader), 2);
    ck_assert_uint_eq(ts_reader_u64(&reader), 3);
    ck_assert_int_eq(ts_reader_end(&reader), TS_OK);
    ts_buf_clear(&buf);
}
END_TEST

START_TEST(bound_holds_and_sticks)
{
    struct ts_buf buf;

    ts_buf_init(&buf, 4);
    ck_assert_int_eq(ts_buf_put(&buf, "abc", 3), TS_OK);
    ck_assert_int_eq(ts_buf_put(&buf, "de", 2), TS_FORMAT);
    ck_assert_int_eq(ts_buf_put(&buf, "d", 1), TS_FORMAT);
    ck_assert_uint_eq(buf.len, 3);
    ts_buf_clear(&buf);
    ck_assert_int_eq(ts_buf_put(&buf, "wxyz", 4), TS_OK);
    ck_assert_int_eq(ts_buf_put(&buf, "", SIZE_MAX), TS_FORMAT);
    ts_buf_clear(&buf);
}
END_TEST

START_TEST(secret_buffer_grows_past_a_page)
{
    struct ts_buf buf;
    uint8_t chunk[100];

    memset(chunk, 7, sizeof chunk);
    ts_buf_init_secret(&buf, 20000);
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(ts_buf_put(&buf, chunk, sizeof chunk), TS_OK);
    ck_assert_int_eq(ts_buf_put_u8(&buf, 0), TS_FORMAT);
    for (size_t i = 0; i < buf.len; i++)
        ck_assert_uint_eq(buf.data[i], 7);
    ts_buf_clear(&buf);
}
END_TEST

START_TEST(reader_refuses_short_and_long_input)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct ts_reader reader;

    ts_reader_init(&reader, bytes, sizeof bytes);
    ck_assert_uint_eq(ts_reader_u32(&reader), 0);
    ck_assert_ptr_null(ts_reader_take(&reader, 1)); /* the failure sticks */
    ck_assert_int_eq(ts_reader_end(&reader), TS_FORMAT);
    ts_reader_init(&reader, bytes, sizeof bytes);
    ck_assert_ptr_eq(ts_reader_take(&reader, 2), bytes);
    ck_assert_int_eq(ts_reader_end(&reader), TS_FORMAT);
    ts_reader_init(&reader, NULL, 0);
    ck_assert_ptr_nonnull(ts_reader_take(&reader, 0));
    ck_assert_int_eq(ts_reader_end(&reader), TS_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tests = tcase_create("buffer");

    tcase_add_test(tests, numbers_are_big_endian);
    tcase_add_test(tests, bound_holds_and_sticks);
    tcase_add_test(tests, secret_buffer_grows_past_a_page);
    tcase_add_test(tests, reader_refuses_short_and_long_input);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
