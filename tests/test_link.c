#include "tests/check_main.h"
#include "tests/link_pair.h"
#include "transport/message.h"

#include <openssl/err.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define MESSAGES 200

/* A session with one message from each side, so that both know it. */
static void
open_session(struct pair *pair, struct ts_session **near, struct ts_session **far)
{
    ck_assert_int_eq(ts_session_open(near, pair->dialled), TS_OK);
    send_text(*near, TS_MESSAGE_KEYGEN_INIT, "hello");
    ck_assert_int_eq(ts_session_accept(far, pair->accepted, WAIT_MS), TS_OK);
    expect_text(*far, TS_MESSAGE_KEYGEN_INIT, "hello");
    send_text(*far, TS_MESSAGE_KEYGEN_INIT_REPLY, "hi");
    expect_text(*near, TS_MESSAGE_KEYGEN_INIT_REPLY, "hi");
}

START_TEST(both_ends_know_each_other)
{
    struct pair pair;
    uint8_t near[32], far[32], other[32];

    pair_connect(&pair);
    ts_link_peer(pair.dialled, near);
    ts_link_peer(pair.accepted, far);
    ck_assert_mem_eq(near, pair.listener.hash, sizeof near);
    ck_assert_mem_eq(far, pair.dialler.hash, sizeof far);
    ck_assert_int_eq(ts_link_exporter(pair.dialled, "EXPORTER-Channel-Binding", near), TS_OK);
    ck_assert_int_eq(ts_link_exporter(pair.accepted, "EXPORTER-Channel-Binding", far), TS_OK);
    ck_assert_mem_eq(near, far, sizeof near);
    ck_assert_int_eq(ts_link_exporter(pair.accepted, "another", other), TS_OK);
    ck_assert_mem_ne(near, other, sizeof near);
    ck_assert(ts_link_alive(pair.dialled));
    ck_assert(ts_link_alive(pair.accepted));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    pair_clear(&pair);
}
END_TEST

START_TEST(sessions_go_both_ways)
{
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL, *back = NULL, *front = NULL, *none = NULL;
    uint8_t id[TS_SESSION_ID_BYTES], same[TS_SESSION_ID_BYTES];
    struct ts_message message;

    pair_connect(&pair);
    open_session(&pair, &near, &far);
    ts_session_id(near, id);
    ts_session_id(far, same);
    ck_assert_mem_eq(id, same, sizeof id);
    ck_assert_ptr_eq(ts_session_link(far), pair.accepted);
    /* The side that was called can begin too. */
    ck_assert_int_eq(ts_session_open(&back, pair.accepted), TS_OK);
    send_text(back, TS_MESSAGE_LOCK, "locked");
    ck_assert_int_eq(ts_session_accept(&front, pair.dialled, WAIT_MS), TS_OK);
    expect_text(front, TS_MESSAGE_LOCK, "locked");
    ck_assert_int_eq(ts_session_receive(near, &message, 0), TS_TIMEOUT);
    ck_assert_int_eq(ts_session_accept(&none, pair.dialled, 0), TS_TIMEOUT);
    ts_session_close(near);
    ts_session_close(far);
    ts_session_close(back);
    ts_session_close(front);
    pair_clear(&pair);
}
END_TEST

START_TEST(late_messages_of_closed_sessions_are_dropped)
{
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL, *none = NULL;

    pair_connect(&pair);
    ck_assert_int_eq(ts_session_open(&near, pair.dialled), TS_OK);
    send_text(near, TS_MESSAGE_KEYGEN_INIT, "hello");
    ts_session_close(near);
    ck_assert_int_eq(ts_session_accept(&far, pair.accepted, WAIT_MS), TS_OK);
    send_text(far, TS_MESSAGE_KEYGEN_INIT_REPLY, "too late"); /* its number is 1, and it starts nothing */
    ts_session_close(far);
    open_session(&pair, &near, &far);
    ck_assert_int_eq(ts_session_accept(&none, pair.dialled, 0), TS_TIMEOUT);
    ck_assert(ts_link_alive(pair.dialled));
    ts_session_close(near);
    ts_session_close(far);
    pair_clear(&pair);
}
END_TEST

START_TEST(sizes_and_types_are_checked_before_sending)
{
    static uint8_t large[TS_MESSAGE_MAX_BYTES];
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL;
    struct ts_message message;

    pair_connect(&pair);
    open_session(&pair, &near, &far);
    ck_assert_int_eq(ts_session_send(near, 0, large, 1, WAIT_MS), TS_FORMAT);
    ck_assert_int_eq(ts_session_send(near, 99, large, 1, WAIT_MS), TS_FORMAT);
    ck_assert_int_eq(ts_session_send(near, TS_MESSAGE_KEYGEN_INIT, large, 4097, WAIT_MS), TS_FORMAT);
    ck_assert_int_eq(ts_session_send(near, TS_MESSAGE_PRE_PARAMS_DONE, large, 1, WAIT_MS), TS_FORMAT);
    ck_assert_int_eq(ts_session_send(near, TS_MESSAGE_PRE_PARAMS_DONE, NULL, 0, WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_session_expect(far, TS_MESSAGE_PRE_PARAMS_DONE, &message, WAIT_MS), TS_OK);
    ck_assert_uint_eq(message.payload.len, 0);
    ts_message_clear(&message);
    ck_assert(ts_link_alive(pair.dialled));
    ts_session_close(near);
    ts_session_close(far);
    pair_clear(&pair);
}
END_TEST

START_TEST(another_type_than_expected_names_both)
{
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL;
    struct ts_message message;

    pair_connect(&pair);
    open_session(&pair, &near, &far);
    ck_assert_str_eq(ts_session_reason(far), "");
    send_text(near, TS_MESSAGE_KEYGEN_P1_OPEN, "x");
    ck_assert_int_eq(ts_session_expect(far, TS_MESSAGE_KEYGEN_P1_COMMIT, &message, WAIT_MS), TS_FORMAT);
    ck_assert_str_eq(ts_session_reason(far), "KEYGEN_P1_OPEN came where KEYGEN_P1_COMMIT was due");
    ck_assert(ts_link_alive(pair.accepted)); /* it ends that session alone */
    ts_session_close(near);
    ts_session_close(far);
    pair_clear(&pair);
}
END_TEST

START_TEST(failures_reach_the_other_side)
{
    static const enum ts_error sent[] = {TS_USAGE, TS_FORMAT, TS_IO, TS_TIMEOUT, TS_REFUSED, TS_CHEATED, TS_LOCKED,
        TS_STORAGE, TS_INTERNAL, TS_NOT_FOUND, TS_PIN_LOCKED, TS_INCAPABLE};
    static const enum ts_error seen[] = {TS_USAGE, TS_FORMAT, TS_IO, TS_TIMEOUT, TS_REFUSED, TS_CHEATED, TS_LOCKED,
        TS_IO, TS_INTERNAL, TS_NOT_FOUND, TS_INTERNAL, TS_INCAPABLE};
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL;
    struct ts_message message;

    pair_connect(&pair);
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        open_session(&pair, &near, &far);
        send_text(far, TS_MESSAGE_KEYGEN_P2, "before");
        ck_assert_int_eq(ts_session_fail(far, sent[i], "not\ntoday"), TS_OK);
        expect_text(near, TS_MESSAGE_KEYGEN_P2, "before");
        ck_assert_int_eq(ts_session_receive(near, &message, WAIT_MS), seen[i]);
        ck_assert_str_eq(ts_session_reason(near), "not?today");
        ck_assert_int_eq(ts_session_receive(near, &message, WAIT_MS), seen[i]); /* stays */
        ts_session_close(near);
        ts_session_close(far);
    }
    open_session(&pair, &near, &far);
    ck_assert_int_eq(ts_session_fail(far, TS_REFUSED, NULL), TS_OK);
    ck_assert_int_eq(ts_session_receive(near, &message, WAIT_MS), TS_REFUSED);
    ts_session_close(near);
    ts_session_close(far);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_cancel_is_seen_without_waiting)
{
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL, *other_near = NULL, *other_far = NULL;

    pair_connect(&pair);
    open_session(&pair, &near, &far);
    open_session(&pair, &other_near, &other_far);
    ck_assert(!ts_session_cancelled(far));
    ck_assert_int_eq(ts_session_fail(near, TS_TIMEOUT, "the caller gave up"), TS_OK);
    /* What is sent after it on the same connection has come: so has the cancel, read by nobody who waited for it. */
    send_text(other_near, TS_MESSAGE_KEYGEN_P1_COMMIT, "x");
    expect_text(other_far, TS_MESSAGE_KEYGEN_P1_COMMIT, "x");
    ck_assert(ts_session_cancelled(far));
    ck_assert(!ts_session_cancelled(other_far));
    ts_session_close(near);
    ts_session_close(far);
    ts_session_close(other_near);
    ts_session_close(other_far);
    pair_clear(&pair);
}
END_TEST

START_TEST(too_many_sessions_are_refused)
{
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL, *second = NULL;
    struct ts_message message;

    pair_init(&pair);
    pair.listener.options.max_sessions = 1;
    pair_accept(&pair);
    ck_assert_int_eq(ts_link_dial(&pair.dialled, &pair.dialler.options, pair.address, pair.listener.hash), TS_OK);
    ck_assert_int_eq(pair_accepted(&pair), TS_OK);
    open_session(&pair, &near, &far);
    ck_assert_int_eq(ts_session_open(&second, pair.dialled), TS_OK);
    send_text(second, TS_MESSAGE_KEYGEN_INIT, "me too");
    ck_assert(ts_link_alive(pair.accepted));
    struct ts_session *none = NULL;
    ck_assert_int_eq(ts_session_accept(&none, pair.accepted, 0), TS_TIMEOUT);
    ck_assert_int_eq(ts_session_receive(second, &message, WAIT_MS), TS_IO);
    ck_assert_str_eq(ts_session_reason(second), "too many sessions at once");
    ck_assert(ts_link_alive(pair.dialled));
    ts_session_close(far); /* room again */
    ts_session_close(near);
    ts_session_close(second);
    open_session(&pair, &near, &far);
    ts_session_close(near);
    ts_session_close(far);
    pair_clear(&pair);
}
END_TEST

struct echo {
    struct ts_link *link;
    struct ts_session *session;
    pthread_t thread;
    unsigned number;
    bool good;
};

static bool
echo_once(struct echo *echo, unsigned round)
{
    uint8_t payload[3000];
    size_t len = 1 + (echo->number * 389 + round * 131) % sizeof payload;
    struct ts_message message;

    memset(payload, (int)(echo->number * 31 + round), len);
    if (ts_session_send(echo->session, TS_MESSAGE_SIGN_REQUEST, payload, len, WAIT_MS) != TS_OK)
        return false;
    if (ts_session_expect(echo->session, TS_MESSAGE_SIGN_ROUND_1_REPLY, &message, WAIT_MS) != TS_OK)
        return false;
    bool same = message.payload.len == len && memcmp(message.payload.data, payload, len) == 0;
    ts_message_clear(&message);
    return same;
}

static void *
ask_thread(void *arg)
{
    struct echo *echo = arg;

    if (ts_session_open(&echo->session, echo->link) != TS_OK)
        return NULL;
    echo->good = true;
    for (unsigned round = 0; round < MESSAGES && echo->good; round++)
        echo->good = echo_once(echo, round);
    ts_session_close(echo->session);
    return NULL;
}

static void *
answer_thread(void *arg)
{
    struct echo *echo = arg;
    struct ts_message message;

    if (ts_session_accept(&echo->session, echo->link, WAIT_MS) != TS_OK)
        return NULL;
    echo->good = true;
    for (unsigned round = 0; round < MESSAGES && echo->good; round++) {
        echo->good = ts_session_expect(echo->session, TS_MESSAGE_SIGN_REQUEST, &message, WAIT_MS) == TS_OK &&
                     ts_session_send(echo->session, TS_MESSAGE_SIGN_ROUND_1_REPLY, message.payload.data,
                         message.payload.len, WAIT_MS) == TS_OK;
        ts_message_clear(&message);
    }
    ts_session_close(echo->session);
    return NULL;
}

START_TEST(many_threads_share_a_link)
{
    struct pair pair;
    struct echo ask[THREADS], answer[THREADS];

    pair_connect(&pair);
    for (unsigned i = 0; i < THREADS; i++) {
        ask[i] = (struct echo){.link = pair.dialled, .number = i};
        answer[i] = (struct echo){.link = pair.accepted, .number = i};
        ck_assert_int_eq(pthread_create(&answer[i].thread, NULL, answer_thread, &answer[i]), 0);
        ck_assert_int_eq(pthread_create(&ask[i].thread, NULL, ask_thread, &ask[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(ask[i].thread, NULL);
        (void)pthread_join(answer[i].thread, NULL);
        ck_assert(ask[i].good);
        ck_assert(answer[i].good);
    }
    pair_clear(&pair);
}
END_TEST

/* Sends more than the sockets hold before it receives: it must read while it waits for room. */
static void *
flood_thread(void *arg)
{
    static const uint8_t large[(size_t)1 << 20];
    struct echo *echo = arg;
    struct ts_message message;

    echo->good = true;
    for (unsigned i = 0; i < 12; i++)
        if (ts_session_send(echo->session, TS_MESSAGE_SIGN_ROUND_2, large, sizeof large, WAIT_MS) != TS_OK)
            echo->good = false;
    for (unsigned i = 0; i < 12 && echo->good; i++) {
        echo->good = ts_session_expect(echo->session, TS_MESSAGE_SIGN_ROUND_2, &message, WAIT_MS) == TS_OK &&
                     message.payload.len == sizeof large;
        ts_message_clear(&message);
    }
    return NULL;
}

START_TEST(large_messages_cross_both_ways_at_once)
{
    struct pair pair;
    struct echo ends[2] = {0};

    pair_connect(&pair);
    open_session(&pair, &ends[0].session, &ends[1].session);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&ends[i].thread, NULL, flood_thread, &ends[i]), 0);
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(ends[i].thread, NULL);
        ck_assert(ends[i].good);
        ts_session_close(ends[i].session);
    }
    pair_clear(&pair);
}
END_TEST

START_TEST(a_peer_that_does_not_read_is_a_timeout)
{
    static const uint8_t large[(size_t)1 << 20];
    struct pair pair;
    struct ts_session *near = NULL;
    enum ts_error error = TS_OK;

    pair_connect(&pair);
    ck_assert_int_eq(ts_session_open(&near, pair.dialled), TS_OK);
    for (int i = 0; i < 64 && error == TS_OK; i++)
        error = ts_session_send(near, TS_MESSAGE_SIGN_ROUND_2, large, sizeof large, 50);
    ck_assert_int_eq(error, TS_TIMEOUT);
    ts_session_close(near);
    /* The other side has not read what came either: more than it asked for, so it drops the connection. */
    pair_clear(&pair);
}
END_TEST

START_TEST(a_flood_is_dropped)
{
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL, *none = NULL;
    enum ts_error error = TS_OK;

    pair_connect(&pair);
    open_session(&pair, &near, &far);
    for (int i = 0; i < 17 && error == TS_OK; i++)
        error = ts_session_send(near, TS_MESSAGE_KEYGEN_P2, (const uint8_t *)"x", 1, WAIT_MS);
    ck_assert_int_eq(ts_session_accept(&none, pair.accepted, WAIT_MS), TS_IO);
    ck_assert(!ts_link_alive(pair.accepted));
    ck_assert(device_logged(&pair.listener, "sends more than is asked for"));
    ts_session_close(near);
    ts_session_close(far);
    pair_clear(&pair);
}
END_TEST

static void *
wait_thread(void *arg)
{
    struct echo *echo = arg;
    struct ts_message message;
    struct ts_session *none = NULL;

    /* Half of them lead or follow in receive, half in accept. */
    if (echo->number % 2)
        echo->good = ts_session_receive(echo->session, &message, UINT32_MAX) == TS_IO;
    else
        echo->good = ts_session_accept(&none, echo->link, UINT32_MAX) == TS_IO;
    return NULL;
}

static void
start_waiters(struct pair *pair, struct echo waiters[4])
{
    for (unsigned i = 0; i < 4; i++) {
        waiters[i] = (struct echo){.link = pair->dialled, .number = i};
        ck_assert_int_eq(ts_session_open(&waiters[i].session, pair->dialled), TS_OK);
        ck_assert_int_eq(pthread_create(&waiters[i].thread, NULL, wait_thread, &waiters[i]), 0);
    }
}

static void
join_waiters(struct echo waiters[4])
{
    for (unsigned i = 0; i < 4; i++) {
        (void)pthread_join(waiters[i].thread, NULL);
        ck_assert(waiters[i].good);
        ts_session_close(waiters[i].session);
    }
}

START_TEST(shutdown_wakes_every_waiter)
{
    struct pair pair;
    struct echo waiters[4];
    struct ts_session *none = NULL;

    pair_connect(&pair);
    start_waiters(&pair, waiters);
    ts_link_shutdown(pair.dialled);
    join_waiters(waiters);
    ck_assert(!ts_link_alive(pair.dialled));
    ck_assert_int_eq(ts_session_open(&none, pair.dialled), TS_IO);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_lost_connection_wakes_every_waiter)
{
    struct pair pair;
    struct echo waiters[4];

    pair_connect(&pair);
    start_waiters(&pair, waiters);
    if (_i == 0)
        ts_link_close(pair.accepted);
    else
        ts_link_abandon(pair.accepted);
    pair.accepted = NULL;
    join_waiters(waiters);
    ck_assert(!ts_link_alive(pair.dialled));
    ck_assert(device_logged(&pair.dialler, _i == 0 ? "closed the connection" : "without a goodbye"));
    pair_clear(&pair);
}
END_TEST

START_TEST(sending_into_a_lost_connection_raises_no_signal)
{
    struct pair pair;
    struct ts_session *near = NULL;
    enum ts_error error = TS_OK;

    pair_connect(&pair);
    ck_assert_int_eq(ts_session_open(&near, pair.dialled), TS_OK);
    ts_link_abandon(pair.accepted);
    pair.accepted = NULL;
    for (int i = 0; i < 1000 && error == TS_OK; i++) /* SIGPIPE has its default action here */
        error = ts_session_send(near, TS_MESSAGE_SIGN_REQUEST, (const uint8_t *)"x", 1, WAIT_MS);
    ck_assert_int_eq(error, TS_IO);
    ts_session_close(near);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_forked_child_leaves_the_link_alone)
{
    struct pair pair;
    struct ts_session *near = NULL, *far = NULL;
    int status = -1;

    pair_connect(&pair);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        ts_link_abandon(pair.dialled);
        ts_link_abandon(pair.accepted);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    open_session(&pair, &near, &far);
    ts_session_close(near);
    ts_session_close(far);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_silent_link_is_closed)
{
    struct pair pair;
    struct ts_session *none = NULL;

    pair_init(&pair);
    pair.listener.options.idle_ms = 50;
    pair_accept(&pair);
    ck_assert_int_eq(ts_link_dial(&pair.dialled, &pair.dialler.options, pair.address, pair.listener.hash), TS_OK);
    ck_assert_int_eq(pair_accepted(&pair), TS_OK);
    ck_assert_int_eq(ts_session_accept(&none, pair.accepted, UINT32_MAX), TS_IO);
    ck_assert(device_logged(&pair.listener, "nothing was heard for too long"));
    pair_clear(&pair);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("link");
    TCase *tests = tcase_create("link");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, both_ends_know_each_other);
    tcase_add_test(tests, sessions_go_both_ways);
    tcase_add_test(tests, late_messages_of_closed_sessions_are_dropped);
    tcase_add_test(tests, sizes_and_types_are_checked_before_sending);
    tcase_add_test(tests, another_type_than_expected_names_both);
    tcase_add_test(tests, failures_reach_the_other_side);
    tcase_add_test(tests, a_cancel_is_seen_without_waiting);
    tcase_add_test(tests, too_many_sessions_are_refused);
    tcase_add_test(tests, many_threads_share_a_link);
    tcase_add_test(tests, large_messages_cross_both_ways_at_once);
    tcase_add_test(tests, a_peer_that_does_not_read_is_a_timeout);
    tcase_add_test(tests, a_flood_is_dropped);
    tcase_add_test(tests, shutdown_wakes_every_waiter);
    tcase_add_loop_test(tests, a_lost_connection_wakes_every_waiter, 0, 2);
    tcase_add_test(tests, sending_into_a_lost_connection_raises_no_signal);
    tcase_add_test(tests, a_forked_child_leaves_the_link_alone);
    tcase_add_test(tests, a_silent_link_is_closed);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
