#include "tests/check_main.h"
#include "tests/link_pair.h"
#include "transport/link_internal.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sched.h>
#include <unistd.h>

/* A link whose connection is cut under it, with both sides as they are. */

#define WINDOW_MS 20000

struct resumable {
    struct pair pair;
    struct ts_links *links;
    pthread_t thread;
    pthread_mutex_t mutex;
    unsigned attached, refused, calls; /* calls: all, when they have been answered */
    bool cutting;                      /* each connection but the first is cut as soon as it is there */
};

/* As a network does it: no goodbye. */
static void
cut(struct ts_link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    if (link->channel)
        (void)shutdown(ts_channel_poll(link->channel).fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&link->mutex);
}

/* The first caller makes the link; who comes later is attached to it, or makes one that nobody needs. */
static void *
accept_thread(void *arg)
{
    struct resumable *world = arg;
    struct pair *pair = &world->pair;
    int fd = -1;

    while (ts_tcp_accept(&fd, NULL, 0, pair->tcp, UINT32_MAX) == TS_OK) {
        struct ts_link *link = NULL;
        enum ts_error error = ts_link_accept(&link, &pair->listener.options, fd, pair_admit, pair);
        (void)pthread_mutex_lock(&world->mutex);
        world->attached += error == TS_EXISTS;
        world->refused += error == TS_REFUSED;
        if (error == TS_EXISTS && world->cutting)
            cut(pair->accepted);
        if (error == TS_OK && !pair->accepted)
            pair->accepted = link;
        else
            ts_link_close(link);
        world->calls++;
        (void)pthread_mutex_unlock(&world->mutex);
    }
    return NULL;
}

static struct ts_link *
accepted(struct resumable *world)
{
    struct ts_link *link = NULL;

    while (!link) {
        (void)pthread_mutex_lock(&world->mutex);
        link = world->pair.accepted;
        (void)pthread_mutex_unlock(&world->mutex);
        if (!link)
            (void)sched_yield();
    }
    return link;
}

static void
world_init(struct resumable *world, uint32_t window_ms, uint32_t heartbeat_ms)
{
    struct pair *pair = &world->pair;

    memset(world, 0, sizeof *world);
    (void)pthread_mutex_init(&world->mutex, NULL);
    pair_init(pair);
    ck_assert_int_eq(ts_links_new(&world->links), TS_OK);
    pair->listener.options.links = world->links;
    pair->listener.options.resume_ms = window_ms;
    pair->dialler.options.resume_ms = window_ms;
    pair->dialler.options.heartbeat_ms = heartbeat_ms;
    ck_assert_int_eq(pthread_create(&world->thread, NULL, accept_thread, world), 0);
    ck_assert_int_eq(ts_link_dial(&pair->dialled, &pair->dialler.options, pair->address, pair->listener.hash), TS_OK);
    (void)accepted(world);
}

static void
stop_listening(struct resumable *world)
{
    ts_tcp_listener_stop(world->pair.tcp);
    (void)pthread_join(world->thread, NULL);
}

static void
world_clear(struct resumable *world)
{
    pair_clear(&world->pair);
    ts_links_free(world->links);
    (void)pthread_mutex_destroy(&world->mutex);
}

struct echo {
    struct ts_session *session;
    pthread_t thread;
};

/* Answers every request until the session ends. */
static void *
answer_thread(void *arg)
{
    struct echo *echo = arg;
    struct ts_message message;

    while (ts_session_receive(echo->session, &message, WAIT_MS) == TS_OK) {
        enum ts_error error =
            ts_session_send(echo->session, TS_MESSAGE_SIGN_ROUND_3, message.payload.data, message.payload.len, WAIT_MS);
        ts_message_clear(&message);
        if (error != TS_OK)
            break;
    }
    ts_session_close(echo->session);
    return NULL;
}

START_TEST(a_session_goes_on_over_another_connection)
{
    struct resumable world;
    struct ts_session *near = NULL;
    struct echo echo;
    uint8_t before[32], after[32];
    char text[32];

    world_init(&world, WINDOW_MS, 0);
    ck_assert_int_eq(ts_link_exporter(world.pair.dialled, "EXPORTER-x", before), TS_OK);
    ck_assert_int_eq(ts_session_open(&near, world.pair.dialled), TS_OK);
    send_text(near, TS_MESSAGE_SIGN_REQUEST, "0");
    ck_assert_int_eq(ts_session_accept(&echo.session, accepted(&world), WAIT_MS), TS_OK);
    ck_assert_int_eq(pthread_create(&echo.thread, NULL, answer_thread, &echo), 0);
    expect_text(near, TS_MESSAGE_SIGN_ROUND_3, "0");
    for (int i = 1; i <= 6; i++) {
        (void)snprintf(text, sizeof text, "request %d", i);
        if (i % 2)
            cut(world.pair.dialled);
        send_text(near, TS_MESSAGE_SIGN_REQUEST, text);
        if (i % 2 == 0)
            cut(accepted(&world));
        expect_text(near, TS_MESSAGE_SIGN_ROUND_3, text);
    }
    ck_assert(ts_link_alive(world.pair.dialled));
    ck_assert_int_eq(ts_link_exporter(world.pair.dialled, "EXPORTER-x", after), TS_OK);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert_int_eq(ts_link_exporter(world.pair.dialled, "EXPORTER-y", after), TS_IO);
    ts_session_close(near);
    (void)pthread_join(echo.thread, NULL);
    ck_assert(device_logged(&world.pair.dialler, "wait for another"));
    ck_assert(device_logged(&world.pair.dialler, "resumed with 1 sessions"));
    stop_listening(&world);
    ck_assert_uint_gt(world.attached, 0);
    world_clear(&world);
}
END_TEST

START_TEST(a_side_that_was_started_anew_knows_nothing)
{
    struct resumable world;
    struct ts_session *near = NULL, *far = NULL;
    struct ts_message message;

    world_init(&world, WINDOW_MS, 0);
    ck_assert_int_eq(ts_session_open(&near, world.pair.dialled), TS_OK);
    send_text(near, TS_MESSAGE_SIGN_REQUEST, "x");
    ck_assert_int_eq(ts_session_accept(&far, accepted(&world), WAIT_MS), TS_OK);
    free(far);
    /* Its memory is gone, and no goodbye was said. */
    struct ts_link *gone = accepted(&world);
    ts_links_remove(gone);
    ts_link_abandon(gone);
    if (_i == 0)
        ck_assert_int_eq(ts_session_receive(near, &message, WAIT_MS), TS_IO);
    else /* told before something new begins */
        ck_assert_int_eq(ts_link_resume(world.pair.dialled, WAIT_MS), TS_IO);
    ck_assert(!ts_link_alive(world.pair.dialled));
    ck_assert(device_logged(&world.pair.dialler, "started anew"));
    ts_session_close(near);
    stop_listening(&world);
    world.pair.accepted = NULL;
    world_clear(&world);
}
END_TEST

/* At once, and after 0.2, 0.4 and 0.8 s more; a machine that is busy does less. */
START_TEST(connections_that_lead_nowhere_are_not_made_in_a_loop)
{
    struct resumable world;
    struct ts_session *session;
    struct ts_message message;

    world_init(&world, WINDOW_MS, 0);
    world.cutting = true;
    ck_assert_int_eq(ts_session_open(&session, world.pair.dialled), TS_OK);
    cut(world.pair.dialled);
    ck_assert_int_ne(ts_session_receive(session, &message, 1500), TS_OK);
    stop_listening(&world);
    ck_assert_uint_ge(world.attached, 1);
    ck_assert_uint_le(world.attached, 4);
    ts_session_close(session);
    world_clear(&world);
}
END_TEST

START_TEST(the_window_ends)
{
    struct resumable world;
    struct ts_session *near = NULL, *none = NULL;
    struct ts_message message;

    world_init(&world, 300, 0);
    stop_listening(&world); /* who dials is not answered */
    ck_assert_int_eq(ts_session_open(&near, world.pair.dialled), TS_OK);
    cut(world.pair.dialled);
    ck_assert_int_eq(ts_session_receive(near, &message, WAIT_MS), TS_IO);
    ck_assert_int_eq(ts_session_accept(&none, world.pair.accepted, WAIT_MS), TS_IO);
    ck_assert(device_logged(&world.pair.dialler, "did not come back in time"));
    ck_assert(device_logged(&world.pair.listener, "did not come back in time"));
    ts_session_close(near);
    world_clear(&world);
}
END_TEST

START_TEST(a_call_does_not_wait_longer_than_it_may)
{
    struct resumable world;
    struct ts_session *near = NULL;
    struct ts_message message;

    world_init(&world, UINT32_MAX / 2, 0);
    stop_listening(&world);
    ck_assert_int_eq(ts_session_open(&near, world.pair.dialled), TS_OK);
    cut(world.pair.dialled);
    ck_assert_int_eq(ts_session_receive(near, &message, 100), TS_IO);
    ck_assert_str_eq(ts_session_reason(near), "the connection was lost and did not come back in time");
    ck_assert_int_eq(ts_session_send(near, TS_MESSAGE_PRE_PARAMS_DONE, NULL, 0, 100), TS_IO);
    ck_assert_int_eq(ts_link_resume(world.pair.dialled, 100), TS_TIMEOUT);
    ts_session_close(near);
    world_clear(&world);
}
END_TEST

START_TEST(where_nobody_listens_nobody_has_the_sessions)
{
    struct resumable world;
    struct ts_session *near = NULL;
    struct ts_message message;

    world_init(&world, UINT32_MAX / 2, 0);
    stop_listening(&world);
    ts_tcp_listener_close(world.pair.tcp);
    world.pair.tcp = NULL;
    ck_assert_int_eq(ts_session_open(&near, world.pair.dialled), TS_OK);
    cut(world.pair.dialled);
    ck_assert_int_eq(ts_session_receive(near, &message, WAIT_MS), TS_IO);
    ck_assert(device_logged(&world.pair.dialler, "nobody listens there any more"));
    ts_session_close(near);
    world_clear(&world);
}
END_TEST

static void *
stop_thread(void *arg)
{
    ts_link_shutdown(arg);
    return NULL;
}

START_TEST(a_shutdown_ends_the_wait_for_another_connection)
{
    struct resumable world;
    struct ts_session *near = NULL;
    struct ts_message message;
    pthread_t thread;

    world_init(&world, UINT32_MAX / 2, 0);
    stop_listening(&world);
    /* Who dials from here on is not answered, but the socket is there. */
    ck_assert_int_eq(ts_session_open(&near, world.pair.dialled), TS_OK);
    cut(world.pair.dialled);
    ck_assert_int_eq(ts_session_receive(near, &message, 200), TS_IO);
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_thread, world.pair.dialled), 0);
    ck_assert_int_eq(ts_session_receive(near, &message, UINT32_MAX), TS_IO);
    (void)pthread_join(thread, NULL);
    ts_session_close(near);
    world_clear(&world);
}
END_TEST

START_TEST(a_partner_that_does_not_answer_is_given_up)
{
    struct resumable world;
    struct ts_session *near = NULL, *far = NULL;
    struct ts_message message;

    world_init(&world, WINDOW_MS, 500);
    ck_assert_int_eq(ts_session_open(&near, world.pair.dialled), TS_OK);
    send_text(near, TS_MESSAGE_SIGN_REQUEST, "x"); /* nobody reads there */
    ck_assert_int_ne(ts_session_receive(near, &message, 6000), TS_OK);
    ck_assert(device_logged(&world.pair.dialler, "does not answer, three times in a row"));
    ck_assert_int_eq(ts_session_accept(&far, accepted(&world), WAIT_MS), TS_OK);
    expect_text(far, TS_MESSAGE_SIGN_REQUEST, "x");
    send_text(far, TS_MESSAGE_SIGN_ROUND_3, "late");
    expect_text(near, TS_MESSAGE_SIGN_ROUND_3, "late");
    ts_session_close(near);
    ts_session_close(far);
    stop_listening(&world);
    world_clear(&world);
}
END_TEST

START_TEST(a_link_belongs_to_one_key)
{
    struct resumable world;
    uint8_t other[TS_KEY_HASH_BYTES], id[TS_LINK_ID_BYTES];

    world_init(&world, WINDOW_MS, 0);
    memcpy(other, world.pair.dialler.hash, sizeof other);
    memcpy(id, accepted(&world)->id, sizeof id);
    ck_assert(ts_links_has(world.links, other, id));
    ck_assert(ts_links_has(world.links, other, NULL));
    other[31] ^= 1;
    ck_assert(!ts_links_has(world.links, other, id));
    ck_assert(!ts_links_has(world.links, other, NULL));
    id[15] ^= 1;
    ck_assert(!ts_links_has(world.links, world.pair.dialler.hash, id));
    id[15] ^= 1;
    ts_link_shutdown(accepted(&world));
    ck_assert(!ts_links_has(world.links, world.pair.dialler.hash, id));
    stop_listening(&world);
    world_clear(&world);
}
END_TEST

/* Has it a connection? Looks at the socket. */
static bool
ready(struct ts_link *link)
{
    (void)ts_link_alive(link);
    (void)pthread_mutex_lock(&link->mutex);
    bool connected = link->channel != NULL;
    (void)pthread_mutex_unlock(&link->mutex);
    return connected;
}

/* It is let in while it may come back to a link, but not for another one. */
START_TEST(who_comes_for_something_new_is_asked_again)
{
    struct resumable world;
    struct ts_link *second = NULL;

    world_init(&world, WINDOW_MS, 0);
    (void)pthread_mutex_lock(&world.mutex);
    world.pair.admit_nobody = true;
    (void)pthread_mutex_unlock(&world.mutex);
    (void)ts_link_dial(&second, &world.pair.dialler.options, world.pair.address, world.pair.listener.hash);
    for (bool answered = false; !answered; (void)sched_yield()) {
        (void)pthread_mutex_lock(&world.mutex);
        answered = world.calls == 2;
        (void)pthread_mutex_unlock(&world.mutex);
    }
    ck_assert_uint_eq(world.refused, 1);
    ts_link_close(second);
    cut(world.pair.dialled); /* what it had goes on */
    ck_assert_int_eq(ts_link_resume(world.pair.dialled, WAIT_MS), TS_OK);
    stop_listening(&world);
    ck_assert_uint_eq(world.attached, 1);
    world_clear(&world);
}
END_TEST

START_TEST(broken_links_of_one_caller_are_bounded)
{
    struct resumable world;
    struct ts_link *links[8] = {0};
    struct pair *pair = &world.pair;

    world_init(&world, WINDOW_MS, 0);
    stop_listening(&world);
    ts_tcp_listener_close(pair->tcp);
    ck_assert_int_eq(ts_tcp_listen(&pair->tcp, &pair->listener.env, "127.0.0.1:0"), TS_OK);
    (void)snprintf(pair->address, sizeof pair->address, "127.0.0.1:%u", (unsigned)ts_tcp_listener_port(pair->tcp));
    for (int i = 0; i < 8; i++) {
        struct ts_link *dialled = NULL, *first = pair->accepted;
        pair->accepted = NULL;
        pair_accept(pair);
        ck_assert_int_eq(ts_link_dial(&dialled, &pair->dialler.options, pair->address, pair->listener.hash), TS_OK);
        ck_assert_int_eq(pair_accepted(pair), TS_OK);
        links[i] = pair->accepted;
        pair->accepted = first;
        ts_link_abandon(dialled);
        while (ready(links[i]))
            (void)sched_yield();
    }
    ck_assert(device_logged(&pair->listener, "too many broken connections"));
    unsigned alive = 0;
    for (int i = 0; i < 8; i++) {
        alive += ts_link_alive(links[i]);
        ts_link_close(links[i]);
    }
    ck_assert_uint_eq(alive, 5);
    world_clear(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("link_resume");
    TCase *tests = tcase_create("link_resume");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, a_session_goes_on_over_another_connection);
    tcase_add_loop_test(tests, a_side_that_was_started_anew_knows_nothing, 0, 2);
    tcase_add_test(tests, connections_that_lead_nowhere_are_not_made_in_a_loop);
    tcase_add_test(tests, the_window_ends);
    tcase_add_test(tests, a_call_does_not_wait_longer_than_it_may);
    tcase_add_test(tests, where_nobody_listens_nobody_has_the_sessions);
    tcase_add_test(tests, a_shutdown_ends_the_wait_for_another_connection);
    tcase_add_test(tests, a_partner_that_does_not_answer_is_given_up);
    tcase_add_test(tests, a_link_belongs_to_one_key);
    tcase_add_test(tests, who_comes_for_something_new_is_asked_again);
    tcase_add_test(tests, broken_links_of_one_caller_are_bounded);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
