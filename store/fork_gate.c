#include "store/fork_gate.h"

#include <pthread.h>

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
before_fork(void)
{
    (void)pthread_rwlock_wrlock(&gate);
}

static void
after_fork(void)
{
    (void)pthread_rwlock_unlock(&gate);
}

/* Whoever waited for it in the parent is not here. */
static void
in_child(void)
{
    gate = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
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
    (void)pthread_rwlock_rdlock(&gate);
}

void
ts_fork_gate_leave(void)
{
    (void)pthread_rwlock_unlock(&gate);
}
