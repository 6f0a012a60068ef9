#ifndef TS_TESTS_LINK_RAW_H
#define TS_TESTS_LINK_RAW_H

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

static inline int
accept_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

static inline void
block(int fd)
{
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

/* identity NULL: shows no certificate. version: the only one spoken. */
static inline void
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

static inline void
raw_clear(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->ctx);
    if (raw->fd >= 0)
        (void)close(raw->fd);
}

static inline int
raw_connect(struct raw *raw, struct pair *pair)
{
    ck_assert_int_eq(
        ts_tcp_dial(&raw->fd, &pair->dialler.env, pair->address, ts_now_ms(&pair->dialler.env) + WAIT_MS), TS_OK);
    block(raw->fd);
    SSL_set_fd(raw->ssl, raw->fd);
    return SSL_connect(raw->ssl);
}

/* Up to `size` bytes until the other side closes or `until` stands in them. */
static inline size_t
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
static inline void
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
static inline void
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

static inline void
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
static inline void
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

static inline void
accept_one(struct ts_session **out, struct pair *pair)
{
    struct ts_message message;

    ck_assert_int_eq(ts_session_accept(out, pair->accepted, WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_session_expect(*out, TS_MESSAGE_KEYGEN_INIT, &message, WAIT_MS), TS_OK);
    ts_message_clear(&message);
}

#endif
