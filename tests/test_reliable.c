#include "tests/check_main.h"
#include "transport/heartbeat.h"
#include "transport/message.h"
#include "transport/reliable.h"

#include <openssl/evp.h>
#include <string.h>

static EVP_MD *md;
static struct ts_reliable_times times = {.first_ms = 1000, .most_ms = 8000, .acknowledge_ms = 100};

static void
begin(struct ts_reliable *session)
{
    if (!md)
        md = EVP_MD_fetch(NULL, "SHA256", NULL);
    times.digest = md;
    ts_reliable_init(session, &times, 7, 42);
}

static enum ts_error
receive(enum ts_arrival *arrival, struct ts_reliable *session, uint64_t sequence, uint64_t acknowledge,
    const char *payload, uint64_t now)
{
    const struct ts_envelope envelope = {.sequence = sequence,
        .acknowledge = acknowledge,
        .type = sequence ? TS_MESSAGE_KEYGEN_P2 : TS_MESSAGE_ACKNOWLEDGE,
        .payload = (const uint8_t *)payload,
        .payload_len = strlen(payload)};

    return ts_reliable_receive(arrival, session, &envelope, now);
}

static void
expect_out(struct ts_reliable *session, uint64_t now, uint64_t sequence, uint64_t acknowledge)
{
    struct ts_envelope out;

    ck_assert_int_eq(ts_reliable_out(&out, session, now), TS_OK);
    ck_assert_uint_eq(out.sequence, sequence);
    ck_assert_uint_eq(out.acknowledge, acknowledge);
    ck_assert_uint_eq(out.serial, 7);
    ck_assert_int_eq(out.type, sequence ? TS_MESSAGE_SIGN_REQUEST : TS_MESSAGE_ACKNOWLEDGE);
}

static void
expect_silence(struct ts_reliable *session, uint64_t now)
{
    struct ts_envelope out;
    ck_assert_int_eq(ts_reliable_out(&out, session, now), TS_NOT_FOUND);
}

static void
send(struct ts_reliable *session, const char *payload, uint64_t now)
{
    ck_assert_int_eq(
        ts_reliable_send(session, TS_MESSAGE_SIGN_REQUEST, (const uint8_t *)payload, strlen(payload), now), TS_OK);
}

START_TEST(an_unanswered_message_goes_again_ever_more_rarely)
{
    struct ts_reliable session;
    uint64_t now = 5000, pause = 1000;

    begin(&session);
    session.deadline_ms = 60000;
    send(&session, "x", now);
    ck_assert(!ts_reliable_flushed(&session));
    for (int i = 0; i < 6; i++) {
        expect_out(&session, now, 1, 0);
        expect_silence(&session, now);
        ck_assert(ts_reliable_flushed(&session));
        uint64_t next = ts_reliable_next(&session, now);
        ck_assert_uint_ge(next, now + pause * 3 / 4);
        ck_assert_uint_le(next, now + pause * 5 / 4 + 1);
        expect_silence(&session, next - 1);
        now = next;
        pause = pause < 8000 ? pause * 2 : 8000;
    }
    /* Beyond the deadline it is useless. */
    expect_silence(&session, 60000);
    ck_assert_uint_eq(ts_reliable_next(&session, 60000), TS_NEVER);
    ts_reliable_clear(&session);
}
END_TEST

START_TEST(an_acknowledged_message_is_forgotten)
{
    struct ts_reliable session;
    enum ts_arrival arrival;

    begin(&session);
    send(&session, "one", 0);
    send(&session, "two", 0);
    expect_out(&session, 0, 1, 0);
    expect_out(&session, 0, 2, 0);
    ck_assert_uint_eq(session.unacked_bytes, 6);
    ck_assert_int_eq(receive(&arrival, &session, 0, 1, "", 10), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_NOTE);
    ck_assert_uint_eq(session.unacked_bytes, 3);
    ck_assert_int_eq(receive(&arrival, &session, 1, 2, "answer", 20), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_FRESH);
    ck_assert_ptr_null(session.unacked);
    /* An older word does not take it back. */
    ck_assert_int_eq(receive(&arrival, &session, 0, 1, "", 30), TS_OK);
    ck_assert_uint_eq(session.acknowledged, 2);
    /* Nothing goes back by itself before the acknowledgement is due. */
    expect_silence(&session, 119);
    ck_assert_uint_eq(ts_reliable_next(&session, 30), 120);
    expect_out(&session, 120, 0, 1);
    ck_assert_uint_eq(ts_reliable_next(&session, 120), TS_NEVER);
    ts_reliable_clear(&session);
}
END_TEST

START_TEST(a_message_that_comes_again_is_answered_from_what_is_kept)
{
    struct ts_reliable session;
    enum ts_arrival arrival;

    begin(&session);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "question", 0), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_FRESH);
    send(&session, "answer", 10);
    expect_out(&session, 10, 1, 1);
    expect_silence(&session, 500);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "question", 5000), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_AGAIN);
    expect_out(&session, 5000, 1, 1);
    /* One that left a moment ago does not go with every copy of the question. */
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "question", 5001), TS_OK);
    expect_out(&session, 5001, 0, 1);
    expect_silence(&session, 5001);
    ts_reliable_clear(&session);
}
END_TEST

/* Also when the next try by itself is far away by now. */
START_TEST(a_question_again_fetches_its_answer_early)
{
    struct ts_reliable session;
    enum ts_arrival arrival;
    uint64_t now = 10;

    begin(&session);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "question", 0), TS_OK);
    send(&session, "answer", now);
    for (int i = 0; i < 4; i++) {
        now = i ? ts_reliable_next(&session, now) : now;
        expect_out(&session, now, 1, 1);
    }
    expect_silence(&session, now + 2000);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "question", now + 2000), TS_OK);
    expect_out(&session, now + 2000, 1, 1);
    ts_reliable_clear(&session);
}
END_TEST

START_TEST(the_same_number_with_other_bytes_is_a_violation)
{
    struct ts_reliable session;
    enum ts_arrival arrival;

    begin(&session);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "question", 0), TS_OK);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "Question", 0), TS_FORMAT);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "questio", 0), TS_FORMAT);
    struct ts_envelope other = {
        .sequence = 1, .type = TS_MESSAGE_KEYGEN_INIT, .payload = (const uint8_t *)"question", .payload_len = 8};
    ck_assert_int_eq(ts_reliable_receive(&arrival, &session, &other, 0), TS_FORMAT);
    for (uint64_t i = 2; i < 100; i++)
        ck_assert_int_eq(receive(&arrival, &session, i, 0, "more", 0), TS_OK);
    ck_assert_int_eq(receive(&arrival, &session, 99 - TS_RELIABLE_REMEMBERED + 1, 0, "else", 0), TS_FORMAT);
    ck_assert_int_eq(receive(&arrival, &session, 99 - TS_RELIABLE_REMEMBERED, 0, "else", 0), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_AGAIN); /* too long ago to tell, but not handed on */
    ts_reliable_clear(&session);
}
END_TEST

START_TEST(messages_come_in_order_only)
{
    struct ts_reliable session;
    enum ts_arrival arrival;

    begin(&session);
    ck_assert_int_eq(receive(&arrival, &session, 2, 0, "two", 0), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_EARLY);
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "one", 0), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_FRESH);
    ck_assert_int_eq(receive(&arrival, &session, 2, 0, "two", 0), TS_OK);
    ck_assert_int_eq(arrival, TS_ARRIVAL_FRESH);
    ck_assert_int_eq(receive(&arrival, &session, 3, 1, "never sent", 0), TS_FORMAT);
    ck_assert_uint_eq(session.received, 2);
    ts_reliable_clear(&session);
}
END_TEST

START_TEST(a_new_connection_gets_what_the_old_one_lost)
{
    struct ts_reliable session;
    enum ts_arrival arrival;

    begin(&session);
    ts_reliable_reconnect(&session, 0);
    expect_silence(&session, 0); /* nobody knows of it yet */
    ck_assert_int_eq(receive(&arrival, &session, 1, 0, "question", 0), TS_OK);
    send(&session, "one", 0);
    send(&session, "two", 0);
    expect_out(&session, 0, 1, 1);
    expect_out(&session, 0, 2, 1);
    ts_reliable_reconnect(&session, 100);
    expect_out(&session, 100, 1, 1);
    expect_out(&session, 100, 2, 1);
    expect_silence(&session, 100);
    ck_assert_int_eq(receive(&arrival, &session, 0, 2, "", 100), TS_OK);
    ts_reliable_reconnect(&session, 200);
    expect_out(&session, 200, 0, 1); /* who has forgotten the session can say so */
    ts_reliable_clear(&session);
}
END_TEST

START_TEST(what_is_on_the_way_is_bounded)
{
    struct ts_reliable session;

    begin(&session);
    for (int i = 0; i < TS_RELIABLE_UNACKED_MAX; i++)
        send(&session, "x", 0);
    ck_assert_int_eq(ts_reliable_send(&session, TS_MESSAGE_SIGN_REQUEST, (const uint8_t *)"x", 1, 0), TS_USAGE);
    ts_reliable_clear(&session);
    ck_assert_uint_eq(session.unacked_bytes, 0);
}
END_TEST

START_TEST(a_dead_partner_is_noticed_in_three_intervals)
{
    struct ts_heartbeat heart = {.interval_ms = 1000};

    ts_heartbeat_start(&heart, 10000);
    ck_assert_uint_eq(ts_heartbeat_next(&heart), 11000);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 10999), TS_PULSE_QUIET);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 11000), TS_PULSE_ASK);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 11500), TS_PULSE_QUIET);
    ts_heartbeat_heard(&heart, 11600);
    ts_heartbeat_heard(&heart, 11500);
    ck_assert_uint_eq(ts_heartbeat_next(&heart), 12600);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 12600), TS_PULSE_ASK);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 13600), TS_PULSE_ASK);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 14599), TS_PULSE_QUIET);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 14600), TS_PULSE_DEAD);
    heart.interval_ms = 0;
    ck_assert_uint_eq(ts_heartbeat_next(&heart), UINT64_MAX);
    ck_assert_int_eq(ts_heartbeat_step(&heart, 1000000), TS_PULSE_QUIET);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("reliable");
    TCase *tests = tcase_create("reliable");

    tcase_add_test(tests, an_unanswered_message_goes_again_ever_more_rarely);
    tcase_add_test(tests, an_acknowledged_message_is_forgotten);
    tcase_add_test(tests, a_message_that_comes_again_is_answered_from_what_is_kept);
    tcase_add_test(tests, a_question_again_fetches_its_answer_early);
    tcase_add_test(tests, the_same_number_with_other_bytes_is_a_violation);
    tcase_add_test(tests, messages_come_in_order_only);
    tcase_add_test(tests, a_new_connection_gets_what_the_old_one_lost);
    tcase_add_test(tests, what_is_on_the_way_is_bounded);
    tcase_add_test(tests, a_dead_partner_is_noticed_in_three_intervals);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
