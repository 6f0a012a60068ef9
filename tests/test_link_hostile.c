#include "tests/check_main.h"
#include "tests/link_raw.h"

START_TEST(an_unrelated_client_is_served)
{
    struct pair pair;
    struct raw raw;
    struct ts_session *session = NULL;
    struct ts_message message;

    raw_upgrade(&raw, &pair);
    raw_send_envelope(&raw, 1, 7, 1, 0);
    ck_assert_int_eq(ts_session_accept(&session, pair.accepted, WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_session_expect(session, TS_MESSAGE_KEYGEN_INIT, &message, WAIT_MS), TS_OK);
    ts_message_clear(&message);
    ts_session_close(session);
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(another_envelope_version_ends_the_link)
{
    struct pair pair;
    struct raw raw;

    raw_upgrade(&raw, &pair);
    raw_send_envelope(&raw, 2, 7, 1, 0);
    expect_end(&raw, &pair, "does not decode", 1002);
}
END_TEST

START_TEST(garbage_in_a_frame_ends_the_link)
{
    struct pair pair;
    struct raw raw;

    raw_upgrade(&raw, &pair);
    raw_send(&raw, (const uint8_t *)"garbage", 7);
    expect_end(&raw, &pair, "does not decode", 1002);
}
END_TEST

START_TEST(a_contradiction_ends_that_session_alone)
{
    static const uint8_t other[] = "other bytes";
    struct pair pair;
    struct raw raw;
    struct ts_session *session = NULL, *next = NULL;
    struct ts_message message;
    Tallystick__Envelope wire = TALLYSTICK__ENVELOPE__INIT;
    uint8_t id[16] = {7}, bytes[128];

    raw_upgrade(&raw, &pair);
    raw_send_envelope(&raw, 1, 7, 1, 0);
    accept_one(&session, &pair);
    if (_i == 0) { /* never sent */
        raw_send_envelope(&raw, 1, 7, 2, 1);
    } else { /* the same number with other bytes */
        wire.version = 1;
        wire.session = (ProtobufCBinaryData){sizeof id, id};
        wire.sequence = 1;
        wire.serial = 7;
        wire.type = TALLYSTICK__MESSAGE_TYPE__KEYGEN_INIT;
        wire.payload = ts_wire_bytes(other, sizeof other);
        raw_send(&raw, bytes, tallystick__envelope__pack(&wire, bytes));
    }
    ck_assert_int_eq(ts_session_receive(session, &message, WAIT_MS), TS_FORMAT);
    ck_assert_ptr_nonnull(strstr(ts_session_reason(session), "contradicts"));
    ck_assert(device_logged(&pair.listener, "broke a session: KEYGEN_INIT number"));
    raw_send_envelope(&raw, 1, 8, 1, 0);
    accept_one(&next, &pair);
    ts_session_close(session);
    ts_session_close(next);
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_message_that_comes_twice_is_handed_on_once)
{
    struct pair pair;
    struct raw raw;
    struct ts_session *session = NULL, *next = NULL;
    struct ts_message message;

    raw_upgrade(&raw, &pair);
    raw_send_envelope(&raw, 1, 7, 1, 0);
    raw_send_envelope(&raw, 1, 7, 1, 0);
    raw_send_envelope(&raw, 1, 7, 3, 0); /* too early */
    accept_one(&session, &pair);
    ts_session_close(session);
    raw_send_envelope(&raw, 1, 7, 1, 0); /* does not start it again */
    raw_send_envelope(&raw, 1, 8, 1, 0);
    accept_one(&next, &pair);
    ck_assert_int_eq(ts_session_receive(next, &message, 0), TS_TIMEOUT);
    ck_assert_int_eq(ts_session_accept(&session, pair.accepted, 0), TS_TIMEOUT);
    ck_assert(device_logged(&pair.listener, "for a session that is over"));
    ts_session_close(next);
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(unknown_sessions_are_answered_so)
{
    struct pair pair;
    struct raw raw;
    struct ts_session *session = NULL, *none = NULL;
    uint8_t id[TS_SESSION_ID_BYTES];
    char bytes[128];

    raw_upgrade(&raw, &pair);
    raw_send_envelope(&raw, 1, 9, 2, 0); /* too early to know */
    raw_send_envelope(&raw, 1, 9, 1, 1); /* an answer to something that is forgotten */
    raw_send_envelope(&raw, 1, 7, 1, 0);
    accept_one(&session, &pair);
    ts_session_id(session, id);
    ck_assert_uint_eq(id[0], 7);
    ck_assert_int_eq(ts_session_accept(&none, pair.accepted, 0), TS_TIMEOUT);
    /* What the other side hears: SESSION_OVER (3) for session 9. */
    ck_assert_uint_eq(raw_read(&raw, bytes, 27, NULL), 26);
    ck_assert_uint_eq((uint8_t)bytes[0], 0x82);
    ck_assert_mem_eq(bytes + 2, "\x08\x01\x12\x10\x09", 5);
    ck_assert_mem_eq(bytes + 22, "\x20\x01\x28\x03", 4);
    ts_session_close(session);
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(an_oversize_frame_ends_the_link)
{
    static const uint8_t head[] = {0x82, 0xff, 0, 0, 0, 0, 0, 0x50, 0, 0, 0, 0, 0, 0, 'x'}; /* 5 MiB */
    struct pair pair;
    struct raw raw;

    raw_upgrade(&raw, &pair);
    ck_assert_int_gt(SSL_write(raw.ssl, head, sizeof head), 0);
    expect_end(&raw, &pair, "too large", 1009);
}
END_TEST

START_TEST(a_text_frame_ends_the_link)
{
    struct pair pair;
    struct raw raw;

    raw_upgrade(&raw, &pair);
    ck_assert_int_gt(SSL_write(raw.ssl, "\x81\x82\0\0\0\0hi", 8), 0);
    expect_end(&raw, &pair, "text message", 1003);
}
END_TEST

START_TEST(bad_upgrades_are_answered)
{
    static const struct {
        const char *request;
        const char *answer;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
        {"GET /tallystick/1 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 "}, {"\x16\x03\x01\r\n\r\n", "HTTP/1.1 400 "},
        {GOOD_REQUEST "early", "HTTP/1.1 400 "}, {NULL, "HTTP/1.1 400 "}, /* a head without end */
    };
    struct pair pair;
    struct raw raw;
    char answer[1024], endless[9000];

    pair_init(&pair);
    raw_init(&raw, &pair.dialler, true, TLS1_3_VERSION);
    pair_accept(&pair);
    ck_assert_int_eq(raw_connect(&raw, &pair), 1);
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = 0;
    const char *request = cases[_i].request ? cases[_i].request : endless;
    ck_assert_int_gt(SSL_write(raw.ssl, request, (int)strlen(request)), 0);
    (void)raw_read(&raw, answer, sizeof answer, "\r\n\r\n");
    ck_assert_msg(strncmp(answer, cases[_i].answer, strlen(cases[_i].answer)) == 0, "%s", answer);
    ck_assert_int_eq(pair_accepted(&pair), TS_FORMAT);
    ck_assert(device_logged(&pair.listener, "bad WebSocket handshake"));
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_client_without_certificate_is_refused)
{
    struct pair pair;
    struct raw raw;
    char bytes[64];

    pair_init(&pair);
    raw_init(&raw, &pair.dialler, false, TLS1_3_VERSION);
    pair_accept(&pair);
    if (raw_connect(&raw, &pair) == 1)
        ck_assert_uint_eq(raw_read(&raw, bytes, sizeof bytes, NULL), 0);
    ck_assert_int_eq(pair_accepted(&pair), TS_IO);
    ck_assert(!pair.admit_asked);
    ck_assert(device_logged(&pair.listener, "no certificate was shown"));
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(other_certificates_are_refused)
{
    struct pair pair;
    struct raw raw;
    char bytes[64];
    EVP_PKEY *other = NULL;

    pair_init(&pair);
    raw_init(&raw, &pair.dialler, true, TLS1_3_VERSION);
    X509 *certificate = pair.dialler.identity->certificate;
    if (_i == 0) { /* not signed by itself */
        ck_assert_int_gt(X509_sign(certificate, pair.listener.identity->key, EVP_sha256()), 0);
    } else if (_i == 1) { /* an RSA key */
        other = EVP_PKEY_Q_keygen(pair.dialler.env.libctx, NULL, "RSA", (size_t)2048);
        ck_assert_int_eq(X509_set_pubkey(certificate, other), 1);
        ck_assert_int_gt(X509_sign(certificate, other, EVP_sha256()), 0);
    } else { /* a chain of two */
        ck_assert_int_eq(SSL_add1_chain_cert(raw.ssl, pair.listener.identity->certificate), 1);
    }
    if (_i < 2) {
        ck_assert_int_eq(SSL_use_certificate(raw.ssl, certificate), 1);
        ck_assert_int_eq(SSL_use_PrivateKey(raw.ssl, other ? other : pair.dialler.identity->key), 1);
    }
    pair_accept(&pair);
    if (raw_connect(&raw, &pair) == 1)
        ck_assert_uint_eq(raw_read(&raw, bytes, sizeof bytes, NULL), 0);
    ck_assert_int_eq(pair_accepted(&pair), TS_IO);
    ck_assert(!pair.admit_asked);
    EVP_PKEY_free(other);
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_client_of_tls_1_2_is_refused)
{
    struct pair pair;
    struct raw raw;

    pair_init(&pair);
    raw_init(&raw, &pair.dialler, true, TLS1_2_VERSION);
    pair_accept(&pair);
    ck_assert_int_ne(raw_connect(&raw, &pair), 1);
    ck_assert_int_eq(pair_accepted(&pair), TS_IO);
    ck_assert(device_logged(&pair.listener, "protocol version"));
    raw_clear(&raw);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_device_that_is_not_admitted_is_refused)
{
    struct pair pair;

    pair_init(&pair);
    pair.admit_nobody = true;
    pair_accept(&pair);
    ck_assert_int_eq(ts_link_dial(&pair.dialled, &pair.dialler.options, pair.address, pair.listener.hash), TS_IO);
    ck_assert_int_eq(pair_accepted(&pair), TS_REFUSED);
    ck_assert(pair.admit_asked);
    ck_assert(device_logged(&pair.dialler, "refused our certificate"));
    ck_assert(device_logged(&pair.listener, "not admitted"));
    pair_clear(&pair);
}
END_TEST

START_TEST(a_wrong_pin_is_refused)
{
    struct pair pair;
    uint8_t pin[TS_KEY_HASH_BYTES];
    char words[64];

    pair_init(&pair);
    pair_accept(&pair);
    memcpy(pin, pair.listener.hash, sizeof pin);
    pin[_i] ^= 1;
    pair.dialler.options.name = "the phone";
    ck_assert_int_eq(ts_link_dial(&pair.dialled, &pair.dialler.options, pair.address, pin), TS_IO);
    ck_assert_int_eq(pair_accepted(&pair), TS_IO);
    ck_assert(device_logged(&pair.dialler, "the phone"));
    (void)snprintf(
        words, sizeof words, "wrong certificate: the key is %02x%02x", pair.listener.hash[0], pair.listener.hash[1]);
    ck_assert(device_logged(&pair.dialler, words));
    (void)snprintf(words, sizeof words, "..., paired is %02x%02x", pin[0], pin[1]);
    ck_assert(device_logged(&pair.dialler, words));
    pair_clear(&pair);
}
END_TEST

/* A server that is not ours, for one caller. */
struct server {
    struct pair *pair;
    void (*serve)(struct server *server, int fd);
    pthread_t thread;
};

static void *
server_thread(void *arg)
{
    struct server *server = arg;
    int fd = -1;

    if (ts_tcp_accept(&fd, NULL, 0, server->pair->tcp, WAIT_MS) != TS_OK)
        return NULL;
    block(fd);
    server->serve(server, fd);
    (void)close(fd);
    return NULL;
}

static void
drain(int fd)
{
    char bytes[4096];

    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        continue;
}

static void
serve_silence(struct server *server, int fd)
{
    (void)server;
    drain(fd);
}

static void
serve_garbage(struct server *server, int fd)
{
    (void)server;
    (void)!write(fd, "220 mail.example ESMTP ready\r\n", 30);
    drain(fd);
}

static void
serve_nothing(struct server *server, int fd)
{
    (void)server;
    (void)fd;
}

static void
serve_tls(struct server *server, int fd, int version, const char *answer)
{
    struct raw raw;
    char request[1024];

    raw_init(&raw, &server->pair->listener, true, version);
    SSL_set_fd(raw.ssl, fd);
    if (SSL_accept(raw.ssl) == 1 && answer) {
        (void)raw_read(&raw, request, sizeof request, "\r\n\r\n");
        (void)SSL_write(raw.ssl, answer, (int)strlen(answer));
    }
    drain(fd);
    raw_clear(&raw);
}

static void
serve_tls_1_2(struct server *server, int fd)
{
    serve_tls(server, fd, TLS1_2_VERSION, NULL);
}

static void
serve_tls_silence(struct server *server, int fd)
{
    serve_tls(server, fd, TLS1_3_VERSION, NULL);
}

static void
serve_http(struct server *server, int fd)
{
    serve_tls(server, fd, TLS1_3_VERSION, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void
serve_wrong_accept(struct server *server, int fd)
{
    serve_tls(server, fd, TLS1_3_VERSION,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Protocol: tallystick.1\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

static const struct {
    void (*serve)(struct server *server, int fd);
    uint32_t connect_ms;
    enum ts_error error;
    const char *words;
} servers[] = {
    {serve_tls_1_2, WAIT_MS, TS_IO, "protocol version"},
    {serve_garbage, WAIT_MS, TS_IO, "does not speak TLS"},
    {serve_silence, 200, TS_IO, "handshake timeout"},
    {serve_tls_silence, 500, TS_IO, "handshake timeout"},
    {serve_nothing, WAIT_MS, TS_IO, "failed: "},
    {serve_http, WAIT_MS, TS_FORMAT, "HTTP status 200"},
    {serve_wrong_accept, WAIT_MS, TS_FORMAT, "HTTP status 101"},
};

START_TEST(other_servers_are_refused)
{
    struct pair pair;
    struct server server = {.pair = &pair, .serve = servers[_i].serve};

    pair_init(&pair);
    pair.dialler.options.connect_ms = servers[_i].connect_ms;
    ck_assert_int_eq(pthread_create(&server.thread, NULL, server_thread, &server), 0);
    ck_assert_int_eq(
        ts_link_dial(&pair.dialled, &pair.dialler.options, pair.address, pair.listener.hash), servers[_i].error);
    (void)pthread_join(server.thread, NULL);
    ck_assert_ptr_null(pair.dialled);
    ck_assert(device_logged(&pair.dialler, servers[_i].words));
    pair_clear(&pair);
}
END_TEST

START_TEST(a_caller_who_says_nothing_is_given_up)
{
    struct pair pair;
    int fd = -1;

    pair_init(&pair);
    pair.listener.options.connect_ms = 200;
    pair_accept(&pair);
    ck_assert_int_eq(ts_tcp_dial(&fd, &pair.dialler.env, pair.address, ts_now_ms(&pair.dialler.env) + WAIT_MS), TS_OK);
    ck_assert_int_eq(pair_accepted(&pair), TS_IO);
    ck_assert(device_logged(&pair.listener, "handshake timeout"));
    (void)close(fd);
    pair_clear(&pair);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("link_hostile");
    TCase *tests = tcase_create("link_hostile");

    (void)signal(SIGPIPE, SIG_IGN); /* libssl's own sockets here, not ours */
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, an_unrelated_client_is_served);
    tcase_add_test(tests, another_envelope_version_ends_the_link);
    tcase_add_test(tests, garbage_in_a_frame_ends_the_link);
    tcase_add_loop_test(tests, a_contradiction_ends_that_session_alone, 0, 2);
    tcase_add_test(tests, a_message_that_comes_twice_is_handed_on_once);
    tcase_add_test(tests, unknown_sessions_are_answered_so);
    tcase_add_test(tests, an_oversize_frame_ends_the_link);
    tcase_add_test(tests, a_text_frame_ends_the_link);
    tcase_add_loop_test(tests, bad_upgrades_are_answered, 0, 5);
    tcase_add_test(tests, a_client_without_certificate_is_refused);
    tcase_add_loop_test(tests, other_certificates_are_refused, 0, 3);
    tcase_add_test(tests, a_client_of_tls_1_2_is_refused);
    tcase_add_test(tests, a_device_that_is_not_admitted_is_refused);
    tcase_add_loop_test(tests, a_wrong_pin_is_refused, 0, TS_KEY_HASH_BYTES);
    tcase_add_loop_test(tests, other_servers_are_refused, 0, (int)(sizeof servers / sizeof servers[0]));
    tcase_add_test(tests, a_caller_who_says_nothing_is_given_up);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
