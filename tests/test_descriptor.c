#include "base/descriptor.h"
#include "tests/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

static int
open_null(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static bool
is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(a_high_one_stays)
{
    int fd = open_null();

    ck_assert_int_gt(fd, STDERR_FILENO);
    ck_assert_int_eq(ts_descriptor_raise(fd), fd);
    ck_assert(is_open(fd));
    (void)close(fd);
}
END_TEST

/* Each in a process of its own, which Check's fork mode gives. */
START_TEST(a_standard_one_is_left_free)
{
    (void)close(_i);
    int fd = open_null();
    ck_assert_int_eq(fd, _i);
    int high = ts_descriptor_raise(fd);
    ck_assert_int_gt(high, STDERR_FILENO);
    ck_assert(!is_open(_i));
    ck_assert_int_eq(fcntl(high, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(write(high, "x", 1), 1);
}
END_TEST

START_TEST(a_failure_stays_one)
{
    struct rlimit limit = {3, 3};

    errno = ENOENT;
    ck_assert_int_eq(ts_descriptor_raise(-1), -1);
    ck_assert_int_eq(errno, ENOENT);
    /* No room above: the low one is closed, and errno tells why. */
    (void)close(STDIN_FILENO);
    int fd = open_null();
    ck_assert_int_eq(fd, STDIN_FILENO);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(ts_descriptor_raise(fd), -1);
    ck_assert(errno == EMFILE || errno == EINVAL);
    ck_assert(!is_open(STDIN_FILENO));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("descriptor");
    TCase *tests = tcase_create("descriptor");

    tcase_add_test(tests, a_high_one_stays);
    tcase_add_loop_test(tests, a_standard_one_is_left_free, 0, 3);
    tcase_add_test(tests, a_failure_stays_one);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
