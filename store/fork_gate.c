#include "store/fork_gate.h"

#include <pthread.h>

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local unsigned inside; /* how often this thread has entered */

/* A thread that forks while it is inside is between two calls of SQLite, and holds none of its locks. The lock prefers
   readers, so that who is inside never waits for one who waits for fork. */
static void
before_fork(void)
{
    if (inside == 0)
        (void)pthread_rwlock_wrlock(&gate);
}

static void
after_fork(void)
{
    if (inside == 0)
        (void)pthread_rwlock_unlock(&gate);
}

/* Whoever waited for it in the parent is not here. */
static void
in_child(void)
{
    gate = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    inside = 0;
}

/* The C library forgets the handlers when the module is unloaded. */
static void
watch_fork(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child);
}

void
ts_fork_gate_enter(void)
{
    (void)pthread_once(&once, watch_fork);
    if (inside++ == 0)
        (void)pthread_rwlock_rdlock(&gate);
}

void
ts_fork_gate_leave(void)
{
    if (inside > 0 && --inside == 0)
        (void)pthread_rwlock_unlock(&gate);
}
