#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* tests/parties.c asserts by Check; outside of a Check test an assertion that fails ends the process. */

void
_mark_point(const char *file, int line)
{
    (void)file, (void)line;
}

void
_ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
    (void)msg;
    fprintf(stderr, "%s:%d: %s\n", file, line, expr);
    abort();
}
