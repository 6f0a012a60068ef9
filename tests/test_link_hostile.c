#include "tests/check_main.h"
#include "tests/link_pair.h"
#include "transport/envelope.h"
#include "transport/identity_internal.h"
#include "transport/message.h"
#include "transport/tallystick.pb-c.h"
#include "transport/wire.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* The other side made with OpenSSL and by hand, to do what our own never would. */

#define GOOD_REQUEST                                                                                                   \
    "GET /tallystick/1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                           \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tallystick.1\r\n"                                            \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

struct raw {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static int
accept_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

static void
block(int fd)
{
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

/* identity NULL: shows no certificate. version: the only one spoken. */
static void
raw_init(struct raw *raw, struct device *device, bool with_certificate, int version)
{
    raw->fd = -1;
    raw->ctx = SSL_CTX_new_ex(device->env.libctx, NULL, TLS_method());
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(raw->ctx, version), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(raw->ctx, version), 1);
    SSL_CTX_set_verify(raw->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(raw->ctx, accept_any, NULL);
    if (with_certificate) {
        ck_assert_int_eq(SSL_CTX_use_certificate(raw->ctx, device->identity->certificate), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey(raw->ctx, device->identity->key), 1);
    }
    raw->ssl = SSL_new(raw->ctx);
}

static void
raw_clear(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->ctx);
    if (raw->fd >= 0)
        (void)close(raw->fd);
}

static int
raw_connect(struct raw *raw, struct pair *pair)
{
    ck_assert_int_eq(
        ts_tcp_dial(&raw->fd, &pair->dialler.env, pair->address, ts_now_ms(&pair->dialler.env) + WAIT_MS), TS_OK);
    block(raw->fd);
    SSL_set_fd(raw->ssl, raw->fd);
    return SSL_connect(raw->ssl);
}

/* Up to `size` bytes until the other side closes or `until` stands in them. */
static size_t
raw_read(struct raw *raw, char *out, size_t size, const char *until)
{
    size_t used = 0;

    memset(out, 0, size);
    while (used < size - 1) {
        int got = SSL_read(raw->ssl, out + used, (int)(size - 1 - used));
        if (got <= 0)
            break;
        used += (size_t)got;
        if (until && strstr(out, until))
            break;
    }
    return used;
}

/* A whole handshake, so that frames can follow. */
static void
raw_upgrade(struct raw *raw, struct pair *pair)
{
    char answer[1024];

    pair_init(pair);
    raw_init(raw, &pair->dialler, true, TLS1_3_VERSION);
    pair_accept(pair);
    ck_assert_int_eq(raw_connect(raw, pair), 1);
    ck_assert_int_gt(SSL_write(raw->ssl, GOOD_REQUEST, (int)strlen(GOOD_REQUEST)), 0);
    (void)raw_read(raw, answer, sizeof answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 101 "));
    ck_assert_ptr_nonnull(strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")); /* RFC 6455 1.3 */
    ck_assert_int_eq(pair_accepted(pair), TS_OK);
}

/* One binary message, masked with zeros. */
static void
raw_send(struct raw *raw, const uint8_t *message, size_t len)
{
    uint8_t head[8] = {0x82, 0x80 | 126, (uint8_t)(len >> 8), (uint8_t)len};

    if (len < 126) {
        uint8_t small[6] = {0x82, (uint8_t)(0x80 | len)};
        ck_assert_int_gt(SSL_write(raw->ssl, small, sizeof small), 0);
    } else {
        ck_assert_int_gt(SSL_write(raw->ssl, head, sizeof head), 0);
    }
    if (len)
        ck_assert_int_gt(SSL_write(raw->ssl, message, (int)len), 0);
}

static void
raw_send_envelope(struct raw *raw, uint32_t version, uint8_t session, uint64_t sequence, uint64_t acknowledge)
{
    Tallystick__Envelope wire = TALLYSTICK__ENVELOPE__INIT;
    uint8_t id[16] = {session}, bytes[128];

    wire.version = version;
    wire.session = (ProtobufCBinaryData){sizeof id, id};
    wire.sequence = sequence;
    wire.acknowledge = acknowledge;
    wire.serial = session;
    wire.type = sequence ? TALLYSTICK__MESSAGE_TYPE__KEYGEN_INIT : TALLYSTICK__MESSAGE_TYPE__ACKNOWLEDGE;
    raw_send(raw, bytes, tallystick__envelope__pack(&wire, bytes));
}

/* The link ends, with these words in the log and this code on the wire. */
static void
expect_end(struct raw *raw, struct pair *pair, const char *words, unsigned code)
{
    struct ts_session *none = NULL;
    char bytes[512];

    enum ts_error error = TS_OK;
    while (error == TS_OK)
        error = ts_session_accept(&none, pair->accepted, WAIT_MS);
    ck_assert_int_eq(error, TS_IO);
    ck_assert(device_logged(&pair->listener, words));
    ts_link_shutdown(pair->accepted);
    ts_link_close(pair->accepted);
    pair->accepted = NULL;
    size_t len = raw_read(raw, bytes, sizeof bytes, NULL);
    ck_assert_uint_ge(len, 4);
    ck_assert_uint_eq((uint8_t)bytes[0], 0x88);
    ck_assert_uint_eq((unsigned)(uint8_t)bytes[2] << 8 | (uint8_t)bytes[3], code);
    raw_clear(raw);
    pair_clear(pair);
}

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

static void
accept_one(struct ts_session **out, struct pair *pair)
{
    struct ts_message message;

    ck_assert_int_eq(ts_session_accept(out, pair->accepted, WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_session_expect(*out, TS_MESSAGE_KEYGEN_INIT, &message, WAIT_MS), TS_OK);
    ts_message_clear(&message);
}

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
    tcase_add_loop_test(
        tests, a_hostile_caller_is_dropped_and_others_go_on, 0, (int)(sizeof hostiles / sizeof hostiles[0]));
    tcase_add_test(tests, a_message_in_single_bytes_is_taken);
    tcase_add_test(tests, a_slow_handshake_is_given_up);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
