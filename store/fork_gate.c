#include "store/fork_gate.h"

#include <pthread.h>
#include <stdbool.h>

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local unsigned inside; /* how often this thread has entered */
static _Thread_local bool forking;    /* it holds the gate shut: it is between its handlers */

/* A thread that forks while it is inside is between two calls of SQLite, and holds none of its locks. The lock prefers
   readers, so that who is inside never waits for one who waits for fork. */
static void
before_fork(void)
{
    if (inside > 0)
        return;
    (void)pthread_rwlock_wrlock(&gate);
    forking = true;
}

static void
after_fork(void)
{
    if (!forking)
        return;
    forking = false;
    (void)pthread_rwlock_unlock(&gate);
}

/* Whoever waited for it in the parent is not here. */
static void
in_child(void)
{
    gate = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    forking = false;
    inside = 0;
}

/* The C library forgets the handlers when the module is unloaded. */
static void
watch_fork(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child);
}

/* The host's own handlers of fork may work with the module: those that were there before us run while the gate is shut,
   in the child even before it is opened (pkcs11-helper initialises the module there). Nobody else is inside then. */
void
ts_fork_gate_enter(void)
{
    (void)pthread_once(&once, watch_fork);
    if (inside++ == 0 && !forking)
        (void)pthread_rwlock_rdlock(&gate);
}

void
ts_fork_gate_leave(void)
{
    if (inside > 0 && --inside == 0 && !forking)
        (void)pthread_rwlock_unlock(&gate);
}
