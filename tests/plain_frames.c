/* The HTTP upgrade and the WebSocket frames of both sides as they are before TLS, in the form that text2pcap reads: for
 * tests/test_frames.sh, which has another program look at them. */
#include "transport/envelope.h"
#include "transport/message.h"
#include "transport/upgrade.h"
#include "transport/websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
need(bool holds)
{
    if (!holds)
        abort();
}

/* 'O': from the dialler; 'I': to it. */
static void
print(char direction, const struct ts_buf *bytes)
{
    printf("%c\n", direction);
    for (size_t i = 0; i < bytes->len; i++) {
        if (i % 16 == 0)
            printf("%06zx", i);
        printf(" %02x%s", bytes->data[i], i % 16 == 15 || i + 1 == bytes->len ? "\n" : "");
    }
}

static enum ts_error
take(void *ctx, const uint8_t *message, size_t len)
{
    struct ts_envelope envelope;
    unsigned *count = ctx;

    need(ts_envelope_decode(&envelope, message, len) == TS_OK);
    ts_envelope_clear(&envelope);
    ++*count;
    return TS_OK;
}

/* Hand over what one side has ready, and show it. */
static void
carry(char direction, struct ts_websocket *to, struct ts_websocket *from)
{
    struct ts_buf *bytes = ts_websocket_out(from);

    print(direction, bytes);
    (void)ts_websocket_feed(to, bytes->data, bytes->len);
    ts_buf_clear(bytes);
}

static void
send_envelope(struct ts_websocket *socket, uint64_t serial, int type, size_t len)
{
    static const uint8_t payload[70000];
    const struct ts_envelope envelope = {
        .session = {7}, .sequence = 1, .serial = serial, .type = type, .payload = payload, .payload_len = len};
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_ENVELOPE_MAX_BYTES);
    need(ts_envelope_encode(&bytes, &envelope) == TS_OK);
    need(ts_websocket_send(socket, bytes.data, bytes.len) == TS_OK);
    ts_buf_clear(&bytes);
}

static void
shake_hands(const struct ts_env *env)
{
    struct ts_upgrade request = {.named = true, .link = {1, 2, 3}};
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_UPGRADE_MAX_BYTES);
    need(ts_upgrade_key(request.key, env) == TS_OK);
    need(ts_upgrade_request_encode(&bytes, "phone.example:8083", &request) == TS_OK);
    print('O', &bytes);
    ts_buf_clear(&bytes);
    need(ts_upgrade_response_encode(&bytes, env, 101, &request, false) == TS_OK);
    print('I', &bytes);
    ts_buf_clear(&bytes);
}

int
main(void)
{
    struct ts_env env;
    struct ts_websocket *dialler = NULL, *listener = NULL;
    unsigned count = 0;

    need(ts_env_init(&env) == TS_OK);
    shake_hands(&env);
    need(ts_websocket_new(&dialler, &env, false, take, &count) == TS_OK);
    need(ts_websocket_new(&listener, &env, true, take, &count) == TS_OK);
    send_envelope(dialler, 1, TS_MESSAGE_KEYGEN_INIT, 10); /* a length of 7, of 16, and of 64 bits */
    carry('O', listener, dialler);
    send_envelope(listener, 0, TS_MESSAGE_KEYGEN_P2, 1000);
    carry('I', dialler, listener);
    send_envelope(dialler, 1, TS_MESSAGE_SIGN_REQUEST, 70000);
    carry('O', listener, dialler);
    need(ts_websocket_ping(dialler) == TS_OK);
    carry('O', listener, dialler);
    carry('I', dialler, listener);
    ts_websocket_close(dialler, TS_CLOSE_NORMAL);
    carry('O', listener, dialler);
    carry('I', dialler, listener);
    need(count == 3);
    ts_websocket_free(dialler);
    ts_websocket_free(listener);
    ts_env_clear(&env);
    return 0;
}
