#include "tests/check_main.h"
#include "tests/link_pair.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *address;
    const char *host; /* NULL: refused */
    uint16_t port;
} addresses[] = {
    {"phone:8083", "phone", 8083},
    {"127.0.0.1:0", "127.0.0.1", 0},
    {"[::1]:65535", "::1", 65535},
    {"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
    {"a-b.c_d:80", "a-b.c_d", 80},
    {"", NULL, 0},
    {":80", NULL, 0},
    {"phone", NULL, 0},
    {"phone:", NULL, 0},
    {"phone:65536", NULL, 0},
    {"phone:00", NULL, 0},
    {"phone:8 ", NULL, 0},
    {"phone:-1", NULL, 0},
    {"::1:80", NULL, 0},
    {"[::1]", NULL, 0},
    {"[::1]80", NULL, 0},
    {"[::1:80", NULL, 0},
    {"[phone]:80", NULL, 0},
    {"ph one:80", NULL, 0},
    {"phone/:80", NULL, 0},
    {"phone\r\nX:80", NULL, 0},
};

START_TEST(addresses_are_split)
{
    char host[TS_TCP_HOST_BYTES];
    uint16_t port = 0;

    enum ts_error error = ts_tcp_address_split(host, &port, addresses[_i].address);
    ck_assert_int_eq(error, addresses[_i].host ? TS_OK : TS_USAGE);
    if (error != TS_OK)
        return;
    ck_assert_str_eq(host, addresses[_i].host);
    ck_assert_uint_eq(port, addresses[_i].port);
}
END_TEST

static void
check_socket(int fd)
{
    int on = 0;
    socklen_t size = sizeof on;

    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    ck_assert_int_ne(on, 0);
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    ck_assert_int_ne(on, 0);
}

START_TEST(a_caller_is_taken)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
    struct device device;
    struct ts_tcp_listener *listener = NULL;
    char address[64], from[64];
    int near = -1, far = -1;

    device_init(&device, "any");
    (void)snprintf(address, sizeof address, "%s:0", hosts[_i]);
    enum ts_error error = ts_tcp_listen(&listener, &device.env, address);
    if (hosts[_i][0] == '[' && error == TS_IO) { /* a machine without IPv6 */
        device_clear(&device);
        return;
    }
    ck_assert_int_eq(error, TS_OK);
    ck_assert_int_eq(ts_tcp_accept(&far, NULL, 0, listener, 0), TS_TIMEOUT);
    (void)snprintf(address, sizeof address, "%s:%u", hosts[_i], (unsigned)ts_tcp_listener_port(listener));
    ck_assert_int_eq(ts_tcp_dial(&near, &device.env, address, ts_now_ms(&device.env) + WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_tcp_accept(&far, from, sizeof from, listener, WAIT_MS), TS_OK);
    ck_assert_ptr_nonnull(strstr(from, ":"));
    check_socket(near);
    check_socket(far);
    (void)close(near);
    (void)close(far);
    ts_tcp_listener_stop(listener);
    ck_assert_int_eq(ts_tcp_accept(&far, NULL, 0, listener, UINT32_MAX), TS_IO);
    ck_assert_int_eq(ts_tcp_accept(&far, NULL, 0, listener, 0), TS_IO);
    ts_tcp_listener_close(listener);
    device_clear(&device);
}
END_TEST

START_TEST(failures_say_what_to_do)
{
    struct device device;
    struct ts_tcp_listener *listener = NULL, *second = NULL;
    char address[64];
    int fd = -1;

    device_init(&device, "any");
    ck_assert_int_eq(ts_tcp_dial(&fd, &device.env, "no-port", UINT64_MAX), TS_USAGE);
    ck_assert_int_eq(ts_tcp_dial(&fd, &device.env, "127.0.0.1:0", UINT64_MAX), TS_USAGE);
    ck_assert(device_logged(&device, "write host:port"));
    ck_assert_int_eq(ts_tcp_dial(&fd, &device.env, "nowhere.invalid:1", ts_now_ms(&device.env) + WAIT_MS), TS_IO);
    ck_assert(device_logged(&device, "'nowhere.invalid'"));
    ck_assert_int_eq(ts_tcp_listen(&listener, &device.env, "127.0.0.1:0"), TS_OK);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)ts_tcp_listener_port(listener));
    ck_assert_int_eq(ts_tcp_listen(&second, &device.env, address), TS_IO);
    ck_assert(device_logged(&device, "cannot listen on"));
    ts_tcp_listener_close(listener);
    ck_assert_int_eq(ts_tcp_dial(&fd, &device.env, address, ts_now_ms(&device.env) + WAIT_MS), TS_IO);
    ck_assert(device_logged(&device, "Connection refused; check that the peer runs"));
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(ts_tcp_listen(&listener, &device.env, "x"), TS_USAGE);
    device_clear(&device);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("tcp");
    TCase *tests = tcase_create("tcp");

    tcase_add_loop_test(tests, addresses_are_split, 0, (int)(sizeof addresses / sizeof addresses[0]));
    tcase_add_loop_test(tests, a_caller_is_taken, 0, 3);
    tcase_add_test(tests, failures_say_what_to_do);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
