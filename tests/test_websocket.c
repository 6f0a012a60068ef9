#include "tests/check_main.h"
#include "transport/envelope.h"
#include "transport/websocket.h"

#include <string.h>

struct end {
    struct ts_env env;
    struct ts_websocket *socket;
    struct ts_buf got; /* all messages, one behind the other */
    unsigned messages;
    enum ts_error verdict;
};

static enum ts_error
take_message(void *ctx, const uint8_t *message, size_t len)
{
    struct end *end = ctx;

    end->messages++;
    (void)ts_buf_put(&end->got, message, len);
    return end->verdict;
}

static void
end_init(struct end *end, bool server)
{
    memset(end, 0, sizeof *end);
    ck_assert_int_eq(ts_env_init(&end->env), TS_OK);
    ts_buf_init(&end->got, (size_t)32 << 20);
    ck_assert_int_eq(ts_websocket_new(&end->socket, &end->env, server, take_message, end), TS_OK);
}

static void
end_clear(struct end *end)
{
    ts_websocket_free(end->socket);
    ts_buf_clear(&end->got);
    ts_env_clear(&end->env);
}

static enum ts_error
feed(struct end *end, const void *bytes, size_t len)
{
    return ts_websocket_feed(end->socket, bytes, len);
}

/* The close code that waits to be sent by a server (whose frames are not masked); 0 in a close without code. */
static unsigned
close_code(struct end *end)
{
    const struct ts_buf *out = ts_websocket_out(end->socket);

    ck_assert_uint_ge(out->len, 2);
    ck_assert_uint_eq(out->data[0], 0x88);
    if (out->data[1] == 0)
        return 0;
    return (unsigned)out->data[2] << 8 | out->data[3];
}

START_TEST(messages_cross_in_pieces)
{
    static uint8_t message[70000];
    struct end client, server;

    end_init(&client, false);
    end_init(&server, true);
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7);
    ck_assert_int_eq(ts_websocket_send(client.socket, message, sizeof message), TS_OK);
    ck_assert_int_eq(ts_websocket_send(client.socket, message, 0), TS_OK);
    ck_assert_int_eq(ts_websocket_send(client.socket, message, 5), TS_OK);
    struct ts_buf *out = ts_websocket_out(client.socket);
    for (size_t i = 0; i < out->len; i++)
        ck_assert_int_eq(feed(&server, out->data + i, 1), TS_OK);
    ck_assert_uint_eq(server.messages, 3);
    ck_assert_uint_eq(server.got.len, sizeof message + 5);
    ck_assert_mem_eq(server.got.data, message, sizeof message);
    ck_assert_int_eq(ts_websocket_send(server.socket, message, 300), TS_OK);
    out = ts_websocket_out(server.socket);
    ck_assert_int_eq(feed(&client, out->data, out->len), TS_OK);
    ck_assert_uint_eq(client.got.len, 300);
    end_clear(&client);
    end_clear(&server);
}
END_TEST

#define MASK "\0\0\0\0" /* a mask of zeros leaves the bytes as they are */

START_TEST(violations_are_refused)
{
    static const struct {
        const char *bytes;
        size_t len;
        unsigned code;
    } cases[] = {
        {"\x81\x81" MASK "a", 7, 1003}, /* text */
        {"\x01\x81" MASK "a", 7, 1003}, /* text, fragmented */
        {"\x82\x01"
         "a",
            3, 1002},                                                    /* a client that does not mask */
        {"\x80\x81" MASK "a", 7, 1002},                                  /* continuation of nothing */
        {"\x02\x81" MASK "a\x82\x81" MASK "a", 14, 1002},                /* a message inside another */
        {"\x83\x81" MASK "a", 7, 1002},                                  /* reserved opcode */
        {"\xc2\x81" MASK "a", 7, 1002},                                  /* reserved bit: compressed */
        {"\x89\xfe\x00\x7e" MASK, 8, 0},                                 /* a long ping */
        {"\x09\x80" MASK, 6, 0},                                         /* a fragmented ping */
        {"\x82\xfe\x00\x05" MASK "aaaaa", 13, 0},                        /* length not in the shortest form */
        {"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00" MASK, 14, 0},        /* length with its top bit */
        {"\x82\xff\x00\x00\x00\x00\x10\x00\x00\x00" MASK "a", 15, 1009}, /* 256 MiB */
    };
    struct end server;

    end_init(&server, true);
    ck_assert_int_eq(feed(&server, cases[_i].bytes, cases[_i].len), TS_FORMAT);
    ck_assert_uint_eq(close_code(&server), cases[_i].code);
    ck_assert_uint_eq(server.messages, 0);
    ck_assert_str_ne(ts_websocket_words(server.socket), "");
    ck_assert_int_eq(feed(&server, "\x82\x81" MASK "a", 7), TS_FORMAT); /* for good */
    ck_assert_uint_eq(server.messages, 0);
    ck_assert_int_eq(ts_websocket_send(server.socket, (const uint8_t *)"x", 1), TS_IO);
    end_clear(&server);
}
END_TEST

START_TEST(fragments_are_joined_and_bounded)
{
    struct end server;

    end_init(&server, true);
    ck_assert_int_eq(feed(&server, "\x02\x81" MASK "a", 7), TS_OK);
    ck_assert_int_eq(feed(&server, "\x89\x80" MASK, 6), TS_OK); /* a ping between */
    ck_assert_int_eq(feed(&server, "\x80\x81" MASK "b", 7), TS_OK);
    ck_assert_uint_eq(server.messages, 1);
    ck_assert_mem_eq(server.got.data, "ab", 2);
    ck_assert_int_eq(feed(&server, "\x02\x81" MASK "a", 7), TS_OK);
    unsigned fragments = 1;
    while (feed(&server, "\x00\x81" MASK "b", 7) == TS_OK)
        ck_assert_uint_lt(++fragments, 100);
    ck_assert_uint_eq(fragments, 64);
    ck_assert_ptr_nonnull(strstr(ts_websocket_words(server.socket), "fragments"));
    end_clear(&server);
}
END_TEST

START_TEST(a_large_message_in_fragments_is_bounded)
{
    static uint8_t frame[14 + ((size_t)1 << 20)];
    struct end server;
    enum ts_error error = TS_OK;
    unsigned count = 0;

    end_init(&server, true);
    memcpy(frame, "\x02\xff\x00\x00\x00\x00\x00\x10\x00\x00" MASK, 14);
    while (error == TS_OK && count < 10) {
        error = feed(&server, frame, sizeof frame);
        frame[0] = 0;
        count++;
    }
    ck_assert_int_eq(error, TS_FORMAT);
    ck_assert_uint_eq(count, TS_MESSAGE_MAX_BYTES / (1 << 20) + 1);
    ck_assert_uint_eq(server.messages, 0);
    end_clear(&server);
}
END_TEST

START_TEST(a_message_of_the_largest_size_passes)
{
    static uint8_t message[TS_ENVELOPE_MAX_BYTES + 1];
    struct end client, server;

    end_init(&client, false);
    end_init(&server, true);
    struct ts_buf *out = ts_websocket_out(client.socket);
    ck_assert_int_eq(ts_websocket_send(client.socket, message, TS_ENVELOPE_MAX_BYTES), TS_OK);
    ck_assert_int_eq(feed(&server, out->data, out->len), TS_OK);
    ck_assert_uint_eq(server.messages, 1);
    ts_buf_clear(out);
    ck_assert_int_eq(ts_websocket_send(client.socket, message, sizeof message), TS_OK);
    ck_assert_int_eq(feed(&server, out->data, out->len), TS_FORMAT);
    ck_assert_uint_eq(close_code(&server), 1009);
    end_clear(&client);
    end_clear(&server);
}
END_TEST

START_TEST(pings_are_answered)
{
    struct end server;

    end_init(&server, true);
    ck_assert_int_eq(feed(&server, "\x89\x82" MASK "hi", 8), TS_OK);
    ck_assert_uint_eq(ts_websocket_out(server.socket)->len, 4);
    ck_assert_mem_eq(ts_websocket_out(server.socket)->data, "\x8a\x02hi", 4);
    ck_assert_uint_eq(server.messages, 0);
    end_clear(&server);
}
END_TEST

START_TEST(a_close_ends_it)
{
    struct end client, server;

    end_init(&client, false);
    end_init(&server, true);
    ts_websocket_close(client.socket, TS_CLOSE_NORMAL);
    struct ts_buf *out = ts_websocket_out(client.socket);
    ck_assert_int_eq(feed(&server, out->data, out->len), TS_IO);
    ck_assert_uint_eq(close_code(&server), TS_CLOSE_NORMAL);
    ck_assert_ptr_nonnull(strstr(ts_websocket_words(server.socket), "1000"));
    ck_assert_int_eq(ts_websocket_send(server.socket, (const uint8_t *)"x", 1), TS_IO);
    end_clear(&client);
    end_clear(&server);
}
END_TEST

START_TEST(what_the_layer_above_refuses_ends_it)
{
    struct end server;

    end_init(&server, true);
    server.verdict = TS_FORMAT;
    ck_assert_int_eq(feed(&server, "\x82\x81" MASK "a\x82\x81" MASK "b", 14), TS_FORMAT);
    ck_assert_uint_eq(server.messages, 1);
    ck_assert_uint_eq(close_code(&server), TS_CLOSE_PROTOCOL_ERROR);
    end_clear(&server);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("websocket");
    TCase *tests = tcase_create("websocket");

    tcase_add_test(tests, messages_cross_in_pieces);
    tcase_add_loop_test(tests, violations_are_refused, 0, 12);
    tcase_add_test(tests, fragments_are_joined_and_bounded);
    tcase_add_test(tests, a_large_message_in_fragments_is_bounded);
    tcase_add_test(tests, a_message_of_the_largest_size_passes);
    tcase_add_test(tests, pings_are_answered);
    tcase_add_test(tests, a_close_ends_it);
    tcase_add_test(tests, what_the_layer_above_refuses_ends_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
