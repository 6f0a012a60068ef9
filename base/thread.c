#include "base/thread.h"

#include <signal.h>

bool
ts_thread_start(pthread_t *out, void *(*run)(void *argument), void *argument)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(out, NULL, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}
