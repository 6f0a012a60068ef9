#include "tests/check_main.h"
#include "transport/sequence.h"

START_TEST(numbers_go_up_by_one)
{
    struct ts_sequence state = {0};
    uint64_t sequence = 0, acknowledge = 9;

    ts_sequence_stamp(&state, &sequence, &acknowledge);
    ck_assert_uint_eq(sequence, 1);
    ck_assert_uint_eq(acknowledge, 0);
    ck_assert_int_eq(ts_sequence_receive(&state, 1, 1), TS_OK);
    ck_assert_int_eq(ts_sequence_receive(&state, 1, 1), TS_FORMAT); /* again */
    ck_assert_int_eq(ts_sequence_receive(&state, 3, 1), TS_FORMAT); /* a gap */
    ck_assert_int_eq(ts_sequence_receive(&state, 0, 1), TS_FORMAT);
    ck_assert_int_eq(ts_sequence_receive(&state, 2, 2), TS_FORMAT); /* never sent */
    ck_assert_int_eq(ts_sequence_receive(&state, 2, 0), TS_FORMAT); /* taken back */
    ck_assert_int_eq(ts_sequence_receive(&state, 2, 1), TS_OK);
    ts_sequence_stamp(&state, &sequence, &acknowledge);
    ck_assert_uint_eq(sequence, 2);
    ck_assert_uint_eq(acknowledge, 2);
}
END_TEST

START_TEST(only_a_first_message_starts_a_session)
{
    ck_assert(ts_sequence_starts(1, 0));
    ck_assert(!ts_sequence_starts(2, 0));
    ck_assert(!ts_sequence_starts(1, 1)); /* an answer to something that is forgotten */
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sequence");
    TCase *tests = tcase_create("sequence");

    tcase_add_test(tests, numbers_go_up_by_one);
    tcase_add_test(tests, only_a_first_message_starts_a_session);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
