#include "tests/check_main.h"
#include "transport/mux_internal.h"

#include <stdio.h>
#include <string.h>

struct ends {
    struct ts_env env;
    struct ts_mux *near, *far;
    struct ts_buf bytes; /* what went last */
};

static void
ends_init(struct ends *ends, uint32_t max_sessions)
{
    memset(ends, 0, sizeof *ends);
    ck_assert_int_eq(ts_env_init(&ends->env), TS_OK);
    const struct ts_mux_options options = {
        .env = &ends->env, .name = "other", .seed = 5, .max_sessions = max_sessions, .linger_ms = 10000};
    ck_assert_int_eq(ts_mux_new(&ends->near, &options), TS_OK);
    ck_assert_int_eq(ts_mux_new(&ends->far, &options), TS_OK);
    ts_buf_init(&ends->bytes, TS_ENVELOPE_MAX_BYTES);
}

static void
ends_clear(struct ends *ends)
{
    ts_mux_free(ends->near);
    ts_mux_free(ends->far);
    ts_buf_clear(&ends->bytes);
    ts_env_clear(&ends->env);
}

static struct ts_lane *
open_lane(struct ends *ends, uint8_t name)
{
    const uint8_t id[TS_SESSION_ID_BYTES] = {name};
    struct ts_lane *lane = NULL;

    ck_assert_int_eq(ts_lane_open(&lane, ends->near, id), TS_OK);
    return lane;
}

static void
send(struct ts_mux *mux, struct ts_lane *lane, const char *text, uint64_t now)
{
    ck_assert_int_eq(ts_lane_send(mux, lane, TS_MESSAGE_SIGN_REQUEST, (const uint8_t *)text, strlen(text), now), TS_OK);
}

/* One envelope into `bytes`. Returns: the session's name, 0 when there is none to send. */
static uint8_t
out(struct ends *ends, struct ts_mux *mux, uint64_t now)
{
    struct ts_envelope envelope;
    struct ts_lane *lane = NULL;

    ends->bytes.len = 0;
    if (ts_mux_out(&ends->bytes, &lane, mux, now) != TS_OK)
        return 0;
    ck_assert_int_eq(ts_envelope_decode(&envelope, ends->bytes.data, ends->bytes.len), TS_OK);
    uint8_t name = envelope.session[0];
    ts_envelope_clear(&envelope);
    return name;
}

static enum ts_error
in(struct ends *ends, struct ts_mux *mux, uint64_t now)
{
    return ts_mux_in(mux, ends->bytes.data, ends->bytes.len, now);
}

static void
carry_all(struct ends *ends, struct ts_mux *from, struct ts_mux *to, uint64_t now)
{
    while (out(ends, from, now))
        ck_assert_int_eq(in(ends, to, now), TS_OK);
}

static struct ts_lane *
accept_lane(struct ends *ends)
{
    struct ts_lane *lane = ts_mux_offered(ends->far);

    ck_assert_ptr_nonnull(lane);
    lane->accepted = true;
    return lane;
}

static void
expect_text(struct ts_mux *mux, struct ts_lane *lane, const char *text)
{
    struct ts_message message;

    ck_assert_int_eq(ts_lane_take(mux, lane, &message), TS_OK);
    ck_assert_uint_eq(message.payload.len, strlen(text));
    ck_assert_mem_eq(message.payload.data, text, strlen(text));
    ts_message_clear(&message);
}

START_TEST(sessions_take_turns)
{
    struct ends ends;
    char order[16] = "";

    ends_init(&ends, 8);
    struct ts_lane *a = open_lane(&ends, 'a'), *b = open_lane(&ends, 'b'), *c = open_lane(&ends, 'c');
    for (int i = 0; i < 3; i++)
        send(ends.near, a, "many", 0);
    send(ends.near, b, "few", 0);
    send(ends.near, c, "few", 0);
    for (int i = 0; i < 5; i++)
        order[i] = (char)out(&ends, ends.near, 0);
    ck_assert_str_eq(order, "abcaa");
    ck_assert_uint_eq(out(&ends, ends.near, 0), 0);
    ends_clear(&ends);
}
END_TEST

START_TEST(the_last_word_of_a_closed_session_is_kept)
{
    struct ends ends;

    ends_init(&ends, 8);
    struct ts_lane *near = open_lane(&ends, 'a');
    send(ends.near, near, "question", 0);
    carry_all(&ends, ends.near, ends.far, 0);
    struct ts_lane *far = accept_lane(&ends);
    expect_text(ends.far, far, "question");
    send(ends.far, far, "answer", 10);
    ck_assert_uint_eq(out(&ends, ends.far, 10), 'a'); /* and lost */
    ts_lane_close(ends.far, far, 10);
    ck_assert_uint_eq(ts_mux_open_count(ends.far), 0);
    /* The question comes again, and is answered from what is kept. */
    carry_all(&ends, ends.near, ends.far, 5000);
    ck_assert_ptr_null(ts_mux_offered(ends.far));
    carry_all(&ends, ends.far, ends.near, 5000);
    expect_text(ends.near, near, "answer");
    ts_lane_close(ends.near, near, 5000);
    carry_all(&ends, ends.near, ends.far, 5000);
    ck_assert_ptr_null(ends.near->lanes);
    ck_assert_ptr_null(ends.far->lanes);
    ends_clear(&ends);
}
END_TEST

START_TEST(what_is_forgotten_is_said_to_be_over)
{
    struct ends ends;
    struct ts_message message;

    ends_init(&ends, 8);
    struct ts_lane *near = open_lane(&ends, 'a');
    send(ends.near, near, "question", 0);
    carry_all(&ends, ends.near, ends.far, 0);
    struct ts_lane *far = accept_lane(&ends);
    send(ends.far, far, "answer", 10);
    ck_assert_uint_eq(out(&ends, ends.far, 10), 'a'); /* and lost */
    ts_lane_close(ends.far, far, 10);
    ck_assert_uint_eq(out(&ends, ends.far, 20000), 0); /* its time is up */
    ck_assert_ptr_null(ends.far->lanes);
    /* The question comes again: it starts nothing, and its caller is told. */
    ts_mux_reconnect(ends.near, 20000);
    carry_all(&ends, ends.near, ends.far, 20000);
    ck_assert_ptr_null(ts_mux_offered(ends.far));
    carry_all(&ends, ends.far, ends.near, 20000);
    ck_assert_int_eq(ts_lane_take(ends.near, near, &message), TS_IO);
    ck_assert_uint_eq(ends.near->unacked_bytes, 0);
    ends_clear(&ends);
}
END_TEST

START_TEST(a_late_first_message_starts_nothing)
{
    struct ends ends;
    struct ts_buf late;

    ends_init(&ends, 8);
    ts_buf_init(&late, TS_ENVELOPE_MAX_BYTES);
    for (unsigned i = 0; i < TS_MUX_SERIALS + 2; i++) {
        struct ts_lane *near = open_lane(&ends, 'a');
        send(ends.near, near, "x", i);
        ck_assert_uint_eq(out(&ends, ends.near, i), 'a');
        if (i == 0)
            ck_assert_int_eq(ts_buf_put(&late, ends.bytes.data, ends.bytes.len), TS_OK);
        ck_assert_int_eq(in(&ends, ends.far, i), TS_OK);
        ts_lane_close(ends.far, accept_lane(&ends), i);
        ts_lane_close(ends.near, near, i);
        carry_all(&ends, ends.far, ends.near, i);
        /* Seen, and then too old to know. */
        ck_assert_int_eq(ts_mux_in(ends.far, late.data, late.len, i), TS_OK);
        ck_assert_ptr_null(ts_mux_offered(ends.far));
    }
    ts_buf_clear(&late);
    ends_clear(&ends);
}
END_TEST

START_TEST(too_many_sessions_are_refused_and_then_dropped)
{
    struct ends ends;
    struct ts_message message;
    enum ts_error error = TS_OK;
    unsigned count = 0;

    ends_init(&ends, 2);
    for (count = 0; count < 2000 && error == TS_OK; count++) {
        struct ts_lane *near = open_lane(&ends, (uint8_t)(1 + count % 250));
        near->id[1] = (uint8_t)(count >> 8);
        near->id[2] = (uint8_t)count;
        send(ends.near, near, "x", 0);
        (void)out(&ends, ends.near, 0);
        error = in(&ends, ends.far, 0);
        if (count == 2) {
            carry_all(&ends, ends.far, ends.near, 0);
            ck_assert_int_eq(ts_lane_take(ends.near, near, &message), TS_IO);
            ck_assert_str_eq(near->failure.reason, "too many sessions at once");
        }
        ts_lane_remove(ends.near, near);
    }
    ck_assert_int_eq(error, TS_FORMAT);
    ck_assert_uint_eq(count, 2 + TS_MUX_JUNK_MAX + 1);
    ck_assert_uint_eq(ts_mux_open_count(ends.far), 2);
    ends_clear(&ends);
}
END_TEST

START_TEST(what_nobody_takes_is_bounded)
{
    struct ends ends;

    ends_init(&ends, 2);
    struct ts_lane *near = open_lane(&ends, 'a');
    for (unsigned i = 0; i < TS_LANE_QUEUE_MAX; i++)
        send(ends.near, near, "x", 0);
    carry_all(&ends, ends.near, ends.far, 0);
    send(ends.near, near, "x", 0);
    (void)out(&ends, ends.near, 0);
    ck_assert_int_eq(in(&ends, ends.far, 0), TS_FORMAT);
    ends_clear(&ends);
}
END_TEST

START_TEST(a_failure_ends_both_sides)
{
    static const struct ts_failure failure = {TS_REFUSED, "no"};
    struct ends ends;
    struct ts_message message;
    struct ts_buf payload;

    ends_init(&ends, 2);
    struct ts_lane *near = open_lane(&ends, 'a');
    send(ends.near, near, "question", 0);
    carry_all(&ends, ends.near, ends.far, 0);
    struct ts_lane *far = accept_lane(&ends);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    ck_assert_int_eq(ts_failure_encode(&payload, &failure), TS_OK);
    ck_assert_int_eq(ts_lane_send(ends.far, far, TS_MESSAGE_FAILURE, payload.data, payload.len, 0), TS_OK);
    ts_lane_close(ends.far, far, 0);
    ts_buf_clear(&payload);
    carry_all(&ends, ends.far, ends.near, 0);
    ck_assert_int_eq(ts_lane_take(ends.near, near, &message), TS_REFUSED);
    ck_assert_str_eq(near->failure.reason, "no");
    ts_lane_close(ends.near, near, 0);
    carry_all(&ends, ends.near, ends.far, 0);
    ck_assert_ptr_null(ends.near->lanes);
    ck_assert_ptr_null(ends.far->lanes);
    ends_clear(&ends);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("mux");
    TCase *tests = tcase_create("mux");

    tcase_add_test(tests, sessions_take_turns);
    tcase_add_test(tests, the_last_word_of_a_closed_session_is_kept);
    tcase_add_test(tests, what_is_forgotten_is_said_to_be_over);
    tcase_add_test(tests, a_late_first_message_starts_nothing);
    tcase_add_test(tests, too_many_sessions_are_refused_and_then_dropped);
    tcase_add_test(tests, what_nobody_takes_is_bounded);
    tcase_add_test(tests, a_failure_ends_both_sides);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
