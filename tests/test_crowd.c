#include "session/crowd.h"
#include "tests/check_main.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static struct ts_env env;
static int gate[2];    /* closed for writing: every connection ends */
static int started[2]; /* one byte for each connection that is served */

/* Serves until the gate closes. */
static void
serve(void *ctx, int socket)
{
    char byte = 0;

    (void)ctx;
    (void)!write(started[1], &byte, 1);
    (void)!read(gate[0], &byte, 1);
    (void)close(socket);
}

static int
new_socket(void)
{
    int fd = dup(STDERR_FILENO);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static bool
is_open(int fd)
{
    int copy = dup(fd);
    if (copy >= 0)
        (void)close(copy);
    return copy >= 0;
}

static enum ts_error
add(struct ts_crowd *crowd, unsigned host)
{
    char from[32];

    (void)snprintf(from, sizeof from, "10.0.0.%u:%u", host, 1000 + host);
    return ts_crowd_add(crowd, new_socket(), from);
}

START_TEST(bounds_each_host_and_all)
{
    struct ts_crowd *crowd;
    int socket;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(pipe(gate), 0);
    ck_assert_int_eq(pipe(started), 0);
    ck_assert_int_eq(ts_crowd_new(&crowd, &env, serve, NULL), TS_OK);
    for (unsigned i = 0; i < TS_CROWD_SOURCE_MAX; i++)
        ck_assert_int_eq(add(crowd, 1), TS_OK);
    socket = new_socket();
    ck_assert_int_eq(ts_crowd_add(crowd, socket, "10.0.0.1:9"), TS_REFUSED);
    ck_assert(!is_open(socket));
    for (unsigned i = TS_CROWD_SOURCE_MAX; i < TS_CROWD_MAX; i++)
        ck_assert_int_eq(add(crowd, 2 + i), TS_OK);
    ck_assert_int_eq(add(crowd, 250), TS_REFUSED);
    (void)close(gate[1]);
    ts_crowd_free(crowd);
    ts_env_clear(&env);
}
END_TEST

START_TEST(uses_places_again)
{
    struct ts_crowd *crowd;
    char byte;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(pipe(gate), 0);
    ck_assert_int_eq(pipe(started), 0);
    (void)close(gate[1]); /* connections end at once */
    ck_assert_int_eq(ts_crowd_new(&crowd, &env, serve, NULL), TS_OK);
    for (unsigned served = 0; served < 3 * TS_CROWD_MAX;) {
        enum ts_error error = add(crowd, 1);
        ck_assert(error == TS_OK || error == TS_REFUSED);
        if (error == TS_OK) {
            ck_assert_int_eq(read(started[0], &byte, 1), 1);
            served++;
        }
    }
    ts_crowd_free(crowd);
    ts_crowd_free(NULL);
    ts_env_clear(&env);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("crowd");
    TCase *tests = tcase_create("crowd");

    tcase_add_test(tests, bounds_each_host_and_all);
    tcase_add_test(tests, uses_places_again);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
