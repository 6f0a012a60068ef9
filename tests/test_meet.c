#include "session/enterprise_internal.h"
#include "transport/tcp.h"
#include "tests/check_main.h"
#include "tests/two_sides.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How the two sides come together: who dials, what a caller waits for, who is kept out. */

static struct two_sides both;

static void
set_up(void)
{
    two_sides_start(&both);
}

static void
tear_down(void)
{
    two_sides_stop(&both);
}

/* A port that is free now, for a listener that is started later. */
static void
choose_port(char out[64])
{
    struct ts_tcp_listener *listener;

    ck_assert_int_eq(ts_tcp_listen(&listener, &both.p1.env, "127.0.0.1:0"), TS_OK);
    (void)snprintf(out, 64, "127.0.0.1:%u", ts_tcp_listener_port(listener));
    ts_tcp_listener_close(listener);
}

static bool
has_waited(void)
{
    struct ts_journal_row row = two_sides_newest(ts_enterprise_journal(both.enterprise), TS_JOURNAL_SIGN);
    struct ts_journal_event *events;
    size_t count;
    bool waited = false;

    ck_assert_int_eq(ts_journal_changes(&events, &count, ts_enterprise_journal(both.enterprise), 0, 0), TS_OK);
    for (size_t i = 0; i < count; i++)
        waited |= memcmp(events[i].id, row.id, TS_ID_BYTES) == 0 && events[i].status == TS_JOURNAL_WAITING;
    free(events);
    return waited;
}

/* A key whose device cannot be dialled; the enterprise listens for it from its next use on. */
static void
await_device(struct ts_new_key *key, char listen[64], bool threads)
{
    choose_port(listen);
    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, key, TS_CURVE_P256), TS_OK);
    ck_assert_int_eq(ts_peer_move(both.enterprise, both.p1.token, "phone", "-"), TS_OK);
    both.p1.config.listen = listen;
    two_sides_restart_enterprise(&both);
    if (threads)
        ts_enterprise_allow_threads(both.enterprise);
    ck_assert_int_eq(two_sides_sign(&both, key, "nobody is there"), TS_IO);
}

/* With a thread that takes callers (1), and without (0). */
START_TEST(a_device_dials_in)
{
    struct ts_new_key key;
    char listen[64];

    await_device(&key, listen, _i == 1);
    ck_assert(!has_waited());
    both.wait_ms = 200;
    ck_assert_int_eq(two_sides_sign(&both, &key, "nobody comes"), TS_IO);
    ck_assert(has_waited());
    both.wait_ms = 60000;
    two_sides_dial_in(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "it comes"), TS_OK);
    both.wait_ms = 0;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "it is there"), TS_OK);
    ck_assert(!has_waited());
    /* It goes, and comes again. */
    two_sides_stop_peer(&both);
    two_sides_start_peer(&both);
    both.wait_ms = 60000;
    two_sides_dial_in(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "it is back"), TS_OK);
    ts_enterprise_logout(both.enterprise, both.p1.token);
    ck_assert_int_eq(two_sides_sign(&both, &key, "after a new login"), TS_OK);
    both.p1.config.listen = NULL;
}
END_TEST

/* The thread that takes devices is the token's. */
START_TEST(a_logout_ends_the_thread_of_its_token)
{
    struct ts_new_key key;
    char listen[64];

    await_device(&key, listen, true);
    ck_assert(both.enterprise->accepting);
    ts_enterprise_logout(both.enterprise, both.p1.token + 1);
    ck_assert(both.enterprise->accepting);
    ts_enterprise_logout(both.enterprise, both.p1.token);
    ck_assert(!both.enterprise->accepting);
    both.wait_ms = 60000;
    two_sides_dial_in(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "after a new login"), TS_OK);
    ck_assert(both.enterprise->accepting);
    both.p1.config.listen = NULL;
}
END_TEST

/* Callers that connect and say nothing take nobody's place, and hold up nobody's end. */
START_TEST(silent_callers_keep_no_device_out)
{
    struct ts_new_key key;
    char listen[64];
    int silent[8];

    both.p1.config.timeout.connect = 240000; /* what the first of them might take */
    await_device(&key, listen, true);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        ck_assert_int_eq(ts_tcp_dial(&silent[i], &both.p2.env, listen, ts_now_ms(&both.p2.env) + 5000), TS_OK);
    both.wait_ms = 30000;
    two_sides_dial_in(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "it comes"), TS_OK);
    ts_enterprise_logout(both.enterprise, both.p1.token);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        (void)close(silent[i]);
    both.p1.config.listen = NULL;
}
END_TEST

/* The first address of several answers not, the second does. */
START_TEST(addresses_are_tried_in_order)
{
    struct ts_new_key key;
    char addresses[140], nobody[64];

    choose_port(nobody);
    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    (void)snprintf(addresses, sizeof addresses, "%s,%s", nobody, both.address);
    ck_assert_int_eq(ts_peer_move(both.enterprise, both.p1.token, "phone", addresses), TS_OK);
    two_sides_restart_enterprise(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "at the second"), TS_OK);
    ck_assert_int_eq(ts_peer_move(both.enterprise, both.p1.token, "phone", "a:1,"), TS_USAGE);
    ck_assert_int_eq(ts_peer_move(both.enterprise, both.p1.token, "phone", ""), TS_USAGE);
}
END_TEST

static void *
sign_when_it_comes(void *key)
{
    ck_assert_int_eq(two_sides_sign(&both, key, "it comes"), TS_OK);
    return NULL;
}

/* The peer is dialled again and again while the caller waits. */
START_TEST(a_caller_waits_for_a_peer_that_is_away)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    two_sides_stop_peer(&both);
    both.wait_ms = 60000;
    pthread_t signer;
    ck_assert_int_eq(pthread_create(&signer, NULL, sign_when_it_comes, &key), 0);
    const struct ts_journal_filter waiting = {.status = TS_JOURNAL_WAITING};
    struct ts_journal_row *rows = NULL;
    size_t count = 0;
    while (count == 0) {
        ck_assert_int_eq(ts_journal_list(&rows, &count, ts_enterprise_journal(both.enterprise), &waiting), TS_OK);
        free(rows);
        (void)poll(NULL, 0, 20);
    }
    two_sides_start_peer(&both);
    pthread_join(signer, NULL);
    ck_assert_int_eq(
        two_sides_newest(ts_enterprise_journal(both.enterprise), TS_JOURNAL_SIGN).status, TS_JOURNAL_COMPLETED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("meet");
    TCase *tests = tcase_create("meet");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_device_dials_in, 0, 2);
    tcase_add_test(tests, a_logout_ends_the_thread_of_its_token);
    tcase_add_test(tests, silent_callers_keep_no_device_out);
    tcase_add_test(tests, addresses_are_tried_in_order);
    tcase_add_test(tests, a_caller_waits_for_a_peer_that_is_away);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
