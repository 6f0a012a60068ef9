#ifndef TS_TESTS_CHECK_MAIN_H
#define TS_TESTS_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/** Run a suite and print TAP (the test driver sets CK_TAP_LOG_FILE_NAME to "-").
 *  Returns: EXIT_SUCCESS when every test passed. */
static inline int
run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
