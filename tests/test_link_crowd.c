/* One caller does what it likes; the others go on. */
#include "tests/check_main.h"
#include "tests/link_raw.h"

/* A second, honest caller of the same device, while the first does what it likes. */
struct honest {
    struct pair *pair;
    struct ts_link *dialled, *accepted;
    struct ts_session *near, *far;
};

static void
honest_start(struct honest *honest, struct pair *pair)
{
    struct ts_link *hostile = pair->accepted;

    *honest = (struct honest){.pair = pair};
    pair_accept(pair);
    ck_assert_int_eq(ts_link_dial(&honest->dialled, &pair->dialler.options, pair->address, pair->listener.hash), TS_OK);
    ck_assert_int_eq(pair_accepted(pair), TS_OK);
    honest->accepted = pair->accepted;
    pair->accepted = hostile;
    ck_assert_int_eq(ts_session_open(&honest->near, honest->dialled), TS_OK);
    ck_assert_int_eq(ts_session_send(honest->near, TS_MESSAGE_SIGN_REQUEST, (const uint8_t *)"x", 1, WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_session_accept(&honest->far, honest->accepted, WAIT_MS), TS_OK);
}

static void
honest_goes_on(struct honest *honest)
{
    struct ts_message message;

    ck_assert_int_eq(ts_session_expect(honest->far, TS_MESSAGE_SIGN_REQUEST, &message, WAIT_MS), TS_OK);
    ts_message_clear(&message);
    ck_assert_int_eq(ts_session_send(honest->far, TS_MESSAGE_SIGN_ROUND_3, (const uint8_t *)"y", 1, WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_session_expect(honest->near, TS_MESSAGE_SIGN_ROUND_3, &message, WAIT_MS), TS_OK);
    ts_message_clear(&message);
    ts_session_close(honest->near);
    ts_session_close(honest->far);
    ts_link_close(honest->dialled);
    ts_link_close(honest->accepted);
}

struct hostile_thread {
    struct raw *raw;
    void (*act)(struct raw *raw);
    pthread_t thread;
};

static void *
hostile_main(void *arg)
{
    struct hostile_thread *hostile = arg;

    hostile->act(hostile->raw);
    return NULL;
}

/* Writing may fail at any moment: we are thrown out. */
static void
act_garbage(struct raw *raw)
{
    uint8_t bytes[1024];

    memset(bytes, 0xa5, sizeof bytes);
    for (int i = 0; i < 200; i++)
        if (SSL_write(raw->ssl, bytes, sizeof bytes) <= 0)
            return;
}

/* Fragments of a message that never ends. */
static void
act_endless(struct raw *raw)
{
    static uint8_t frame[8 + 65535] = {0x02, 0x80 | 126, 0xff, 0xff};

    for (int i = 0; i < 100; i++) {
        if (SSL_write(raw->ssl, frame, sizeof frame) <= 0)
            return;
        frame[0] = 0x00;
    }
}

static void
act_sessions(struct raw *raw)
{
    uint8_t frame[128] = {0x82};

    for (uint32_t i = 1; i <= 10000; i++) {
        Tallystick__Envelope wire = TALLYSTICK__ENVELOPE__INIT;
        uint8_t id[16] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16)};
        wire.version = 1;
        wire.session = (ProtobufCBinaryData){sizeof id, id};
        wire.sequence = 1;
        wire.serial = i;
        wire.type = TALLYSTICK__MESSAGE_TYPE__KEYGEN_INIT;
        size_t len = tallystick__envelope__pack(&wire, frame + 6);
        frame[1] = (uint8_t)(0x80 | len);
        if (SSL_write(raw->ssl, frame, (int)(6 + len)) <= 0)
            return;
    }
}

/* RSV1 says that permessage-deflate (RFC 7692) is in use, which nobody offered; the bytes would be a bomb. */
static void
act_compressed(struct raw *raw)
{
    static const uint8_t frame[] = {0xc2, 0x80 | 14, 0, 0, 0, 0, 0xec, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90,
        0xfe, 0xaf, 0xee, 0x08, 0x0a};

    (void)SSL_write(raw->ssl, frame, sizeof frame);
}

/* The first half of a message, and goodbye. */
static void
act_close(struct raw *raw)
{
    static const uint8_t frames[] = {0x02, 0x82, 0, 0, 0, 0, 'h', 'i', 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};

    (void)SSL_write(raw->ssl, frames, sizeof frames);
}

static void
act_cut(struct raw *raw)
{
    static const uint8_t frame[] = {0x82, 0xfe, 0x10, 0x00, 0, 0, 0, 0, 'h', 'i'};

    (void)SSL_write(raw->ssl, frame, sizeof frame);
    (void)shutdown(raw->fd, SHUT_RDWR);
}

static const struct {
    void (*act)(struct raw *raw);
    const char *words;
} hostiles[] = {
    {act_garbage, "a frame against RFC 6455"},
    {act_endless, "or too large"},
    {act_sessions, "too much that nobody needs"},
    {act_compressed, "RFC 6455"},
    {act_close, "closed the connection (code 1000)"},
    {act_cut, "without a goodbye"},
};

/* Whatever one caller does, it is thrown out with a line in the log, and another caller is served meanwhile. */
START_TEST(a_hostile_caller_is_dropped_and_others_go_on)
{
    struct pair pair;
    struct raw raw;
    struct honest honest;
    struct hostile_thread hostile = {.raw = &raw, .act = hostiles[_i].act};
    struct ts_session *session = NULL;
    unsigned opened = 0;

    raw_upgrade(&raw, &pair);
    honest_start(&honest, &pair);
    ck_assert_int_eq(pthread_create(&hostile.thread, NULL, hostile_main, &hostile), 0);
    struct ts_session *sessions[32];
    enum ts_error error = TS_OK;
    while ((error = ts_session_accept(&session, pair.accepted, WAIT_MS)) == TS_OK) {
        ck_assert_uint_lt(opened, pair.listener.options.max_sessions);
        sessions[opened++] = session;
    }
    ck_assert_int_eq(error, TS_IO);
    ck_assert(device_logged(&pair.listener, hostiles[_i].words));
    honest_goes_on(&honest);
    while (opened > 0)
        ts_session_close(sessions[--opened]);
    ts_link_close(pair.accepted);
    pair.accepted = NULL;
    (void)shutdown(raw.fd, SHUT_RDWR);
    (void)pthread_join(hostile.thread, NULL);
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

/* One byte after the other is slow, not wrong; while it goes on another caller is served. */
START_TEST(a_message_in_single_bytes_is_taken)
{
    struct pair pair;
    struct raw raw;
    struct honest honest;
    struct ts_session *session = NULL;
    Tallystick__Envelope wire = TALLYSTICK__ENVELOPE__INIT;
    uint8_t id[16] = {7}, frame[128] = {0x82};

    raw_upgrade(&raw, &pair);
    honest_start(&honest, &pair);
    wire.version = 1;
    wire.session = (ProtobufCBinaryData){sizeof id, id};
    wire.sequence = 1;
    wire.serial = 7;
    wire.type = TALLYSTICK__MESSAGE_TYPE__KEYGEN_INIT;
    size_t len = tallystick__envelope__pack(&wire, frame + 6);
    frame[1] = (uint8_t)(0x80 | len);
    for (size_t i = 0; i < 6 + len; i++) {
        ck_assert_int_eq(ts_session_accept(&session, pair.accepted, 0), TS_TIMEOUT);
        ck_assert_int_eq(SSL_write(raw.ssl, frame + i, 1), 1);
        if (i == 10)
            honest_goes_on(&honest);
    }
    accept_one(&session, &pair);
    ts_session_close(session);
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

/* One byte now and then does not keep a handshake open beyond its deadline. */
START_TEST(a_slow_handshake_is_given_up)
{
    struct pair pair;
    int fd = -1;

    pair_init(&pair);
    pair.listener.options.connect_ms = 300;
    pair_accept(&pair);
    ck_assert_int_eq(ts_tcp_dial(&fd, &pair.dialler.env, pair.address, ts_now_ms(&pair.dialler.env) + WAIT_MS), TS_OK);
    /* The beginning of a TLS record of 512 bytes. */
    static const uint8_t record[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01};
    for (size_t i = 0; i < 500; i++) {
        if (send(fd, i < sizeof record ? &record[i] : &record[4], 1, MSG_NOSIGNAL) != 1)
            break;
        (void)poll(NULL, 0, 2);
    }
    ck_assert_int_eq(pair_accepted(&pair), TS_IO);
    ck_assert(device_logged(&pair.listener, "handshake timeout"));
    (void)close(fd);
    pair_clear(&pair);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("link_crowd");
    TCase *tests = tcase_create("link_crowd");

    (void)signal(SIGPIPE, SIG_IGN); /* libssl's own sockets here, not ours */
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(
        tests, a_hostile_caller_is_dropped_and_others_go_on, 0, (int)(sizeof hostiles / sizeof hostiles[0]));
    tcase_add_test(tests, a_message_in_single_bytes_is_taken);
    tcase_add_test(tests, a_slow_handshake_is_given_up);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
