#include "tests/check_main.h"
#include "transport/upgrade.h"

#include <stdio.h>
#include <string.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 1.3 */
#define START "GET /tallystick/1 HTTP/1.1\r\n"
#define HOST "Host: phone:8083\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: tallystick.1\r\n"
#define SECRET "Sec-WebSocket-Key: " KEY "\r\n"
#define END "\r\n"
#define LINK_ID "0123456789abcdef0123456789abcdef"
#define GOOD START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END

static const struct {
    int status;
    const char *head;
} requests[] = {
    {101, GOOD},
    {101, START HOST "upgrade: WebSocket\r\nconnection: keep-alive , Upgrade\r\n" VERSION
                     "sec-websocket-protocol: other, tallystick.1\r\nSEC-WEBSOCKET-KEY:" KEY " \r\n"
                     "Sec-WebSocket-Extensions: permessage-deflate\r\nUser-Agent: x\r\n" END},
    {404, "GET / HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {404, "GET /tallystick/2 HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, "POST /tallystick/1 HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, "GET /tallystick/1 HTTP/1.0\r\n" HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, "GET  HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, "GET HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, START UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, START HOST HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, START "Host:\r\n" UPGRADE CONNECTION VERSION PROTOCOL SECRET END},
    {400, START HOST CONNECTION VERSION PROTOCOL SECRET END},
    {400, START HOST "Upgrade: h2c\r\n" CONNECTION VERSION PROTOCOL SECRET END},
    {400, START HOST UPGRADE VERSION PROTOCOL SECRET END},
    {400, START HOST UPGRADE "Connection: close\r\n" VERSION PROTOCOL SECRET END},
    {400, START HOST UPGRADE "Connection: xupgrade\r\n" VERSION PROTOCOL SECRET END},
    {400, START HOST UPGRADE CONNECTION PROTOCOL SECRET END},
    {400, START HOST UPGRADE CONNECTION VERSION VERSION PROTOCOL SECRET END},
    {426, START HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 8\r\n" PROTOCOL SECRET END},
    {400, START HOST UPGRADE CONNECTION VERSION SECRET END},
    {400, START HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Protocol: tallystick.2\r\n" SECRET END},
    {400, START HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Protocol: Tallystick.1\r\n" SECRET END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET SECRET END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Content-Length: 0\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Transfer-Encoding: chunked\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET " folded\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "no colon\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Bad Name: x\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Name : x\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET ": x\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "X: \x01\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "X: \xff\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "X: a\nY: b\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "X: a\rY: b\r\n" END},
    {101, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Tallystick-Link: " LINK_ID "\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Tallystick-Link: " LINK_ID "0\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Tallystick-Link: X" LINK_ID "\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET
        "Tallystick-Link: 0123456789ABCDEF0123456789abcdef\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Tallystick-Link:\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET "Tallystick-Link: " LINK_ID
                                                                "\r\nTallystick-Link: " LINK_ID "\r\n" END},
    {400, START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET},
    {400, END},
    {400, ""},
};

START_TEST(requests_are_judged)
{
    struct ts_upgrade asked;
    int status = 0;

    enum ts_error error =
        ts_upgrade_request_decode(&asked, &status, (const uint8_t *)requests[_i].head, strlen(requests[_i].head));
    ck_assert_msg(status == requests[_i].status, "status %d for\n%s", status, requests[_i].head);
    ck_assert_int_eq(error, status == 101 ? TS_OK : TS_FORMAT);
    if (status == 101)
        ck_assert_str_eq(asked.key, KEY);
}
END_TEST

START_TEST(too_many_headers_and_nul_bytes_are_refused)
{
    char head[8192];
    struct ts_upgrade asked;
    int status = 0;

    for (int count = 24; count < 30; count++) { /* beside the six */
        (void)snprintf(head, sizeof head, "%s", START HOST UPGRADE CONNECTION VERSION PROTOCOL SECRET);
        for (int i = 0; i < count; i++)
            strcat(head, "X: y\r\n");
        strcat(head, END);
        (void)ts_upgrade_request_decode(&asked, &status, (const uint8_t *)head, strlen(head));
        ck_assert_int_eq(status, count <= 26 ? 101 : 400);
    }
    memcpy(head, GOOD, sizeof GOOD);
    for (size_t i = 0; i < strlen(GOOD); i++) {
        head[i] = 0;
        ck_assert_int_eq(ts_upgrade_request_decode(&asked, &status, (const uint8_t *)head, strlen(GOOD)), TS_FORMAT);
        head[i] = GOOD[i];
    }
    /* One byte too many in a head that is good otherwise. */
    size_t used = strlen(GOOD) - 2;
    memcpy(head + used, "X: ", 3);
    memset(head + used + 3, 'y', sizeof head - used - 3);
    memcpy(head + TS_UPGRADE_MAX_BYTES - 4, "\r\n\r\n", 4);
    ck_assert_int_eq(ts_upgrade_request_decode(&asked, &status, (const uint8_t *)head, TS_UPGRADE_MAX_BYTES), TS_OK);
    memcpy(head + TS_UPGRADE_MAX_BYTES - 4, "yy\r\n\r\n", 6);
    ck_assert_int_eq(
        ts_upgrade_request_decode(&asked, &status, (const uint8_t *)head, TS_UPGRADE_MAX_BYTES + 2), TS_FORMAT);
}
END_TEST

START_TEST(our_request_and_answer_fit_each_other)
{
    struct ts_env env;
    struct ts_buf bytes;
    struct ts_upgrade request = {.named = _i > 0, .link = {1, 0xab, 0xff}}, other;
    bool resumed = true;
    int status = 0;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_upgrade_key(request.key, &env), TS_OK);
    ts_buf_init(&bytes, 4096);
    ck_assert_int_eq(ts_upgrade_request_encode(&bytes, "[::1]:8083", &request), TS_OK);
    ck_assert_uint_eq(ts_upgrade_head(bytes.data, bytes.len), bytes.len);
    ck_assert_uint_eq(ts_upgrade_head(bytes.data, bytes.len - 1), 0);
    ck_assert_int_eq(ts_upgrade_request_decode(&other, &status, bytes.data, bytes.len), TS_OK);
    ck_assert_str_eq(other.key, request.key);
    ck_assert_int_eq(other.named, request.named);
    if (request.named)
        ck_assert_mem_eq(other.link, request.link, sizeof other.link);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_upgrade_response_encode(&bytes, &env, 101, &request, _i == 2), TS_OK);
    ck_assert_int_eq(ts_upgrade_response_decode(&status, &resumed, &env, request.key, bytes.data, bytes.len), TS_OK);
    ck_assert_int_eq(resumed, _i == 2);
    ck_assert_int_eq(ts_upgrade_response_decode(&status, &resumed, &env, KEY, bytes.data, bytes.len), TS_FORMAT);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_upgrade_response_encode(&bytes, &env, 404, &request, false), TS_OK);
    ck_assert_int_eq(
        ts_upgrade_response_decode(&status, &resumed, &env, request.key, bytes.data, bytes.len), TS_FORMAT);
    ck_assert_int_eq(status, 404);
    ts_buf_clear(&bytes);
    ts_env_clear(&env);
}
END_TEST

#define ANSWER "HTTP/1.1 101 Switching Protocols\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" /* RFC 6455 1.3 */

static const struct {
    bool good;
    const char *head;
} responses[] = {
    {true, ANSWER UPGRADE CONNECTION PROTOCOL ACCEPT END},
    {true, "HTTP/1.1 101 \r\n" UPGRADE CONNECTION PROTOCOL ACCEPT END},
    {false, "HTTP/1.0 101 x\r\n" UPGRADE CONNECTION PROTOCOL ACCEPT END},
    {false, "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION PROTOCOL ACCEPT END},
    {false, "HTTP/1.1 1011 x\r\n" UPGRADE CONNECTION PROTOCOL ACCEPT END},
    {false, "HTTP/1.1 101\r\n" UPGRADE CONNECTION PROTOCOL ACCEPT END},
    {false, ANSWER CONNECTION PROTOCOL ACCEPT END},
    {false, ANSWER UPGRADE PROTOCOL ACCEPT END},
    {false, ANSWER UPGRADE CONNECTION ACCEPT END},
    {false, ANSWER UPGRADE CONNECTION PROTOCOL END},
    {false, ANSWER UPGRADE CONNECTION PROTOCOL ACCEPT ACCEPT END},
    {false, ANSWER UPGRADE CONNECTION PROTOCOL "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" END},
    {false, ANSWER UPGRADE CONNECTION PROTOCOL ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n" END},
    {true, ANSWER UPGRADE CONNECTION PROTOCOL ACCEPT "Tallystick-Link: new\r\n" END},
    {false, ANSWER UPGRADE CONNECTION PROTOCOL ACCEPT "Tallystick-Link: other\r\n" END},
    {false, ANSWER UPGRADE CONNECTION PROTOCOL ACCEPT "Tallystick-Link: new\r\nTallystick-Link: new\r\n" END},
    {false, ANSWER UPGRADE CONNECTION "Sec-WebSocket-Protocol: other\r\n" ACCEPT END},
};

START_TEST(answers_are_judged)
{
    struct ts_env env;
    bool resumed = false;
    int status = 0;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    enum ts_error error = ts_upgrade_response_decode(
        &status, &resumed, &env, KEY, (const uint8_t *)responses[_i].head, strlen(responses[_i].head));
    ck_assert_msg(error == (responses[_i].good ? TS_OK : TS_FORMAT), "%s", responses[_i].head);
    ts_env_clear(&env);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("upgrade");
    TCase *tests = tcase_create("upgrade");

    tcase_add_loop_test(tests, requests_are_judged, 0, (int)(sizeof requests / sizeof requests[0]));
    tcase_add_test(tests, too_many_headers_and_nul_bytes_are_refused);
    tcase_add_loop_test(tests, our_request_and_answer_fit_each_other, 0, 3);
    tcase_add_loop_test(tests, answers_are_judged, 0, (int)(sizeof responses / sizeof responses[0]));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
