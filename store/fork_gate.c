#include "store/fork_gate.h"

#include <pthread.h>

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER; /* of the guests; taken inside the gate alone */
static struct ts_fork_guest *guests;
static _Thread_local unsigned inside; /* how often this thread has entered */
static _Thread_local bool forking;    /* it holds the gate shut: it is between its handlers */

static void
put_guests_away(void)
{
    for (struct ts_fork_guest *guest = guests; guest; guest = guest->next)
        guest->put_away(guest);
}

/* A thread that forks while it is inside is between two calls of SQLite, and holds none of its locks. The lock prefers
   readers, so that who is inside never waits for one who waits for fork. */
static void
before_fork(void)
{
    if (inside > 0)
        return;
    (void)pthread_rwlock_wrlock(&gate);
    forking = true;
    put_guests_away();
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
    list = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
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
   in the child even before it is opened (pkcs11-helper initialises the module there). Nobody else is inside then, and what
   they opened is put away again. */
void
ts_fork_gate_enter(void)
{
    (void)pthread_once(&once, watch_fork);
    if (inside++ == 0 && !forking)
        (void)pthread_rwlock_rdlock(&gate);
}

bool
ts_fork_gate_try(void)
{
    (void)pthread_once(&once, watch_fork);
    if (inside == 0 && !forking && pthread_rwlock_tryrdlock(&gate) != 0)
        return false;
    inside++;
    return true;
}

void
ts_fork_gate_leave(void)
{
    if (inside == 0 || --inside > 0)
        return;
    if (forking)
        put_guests_away();
    else
        (void)pthread_rwlock_unlock(&gate);
}

void
ts_fork_gate_join(struct ts_fork_guest *guest)
{
    (void)pthread_mutex_lock(&list);
    guest->next = guests;
    guest->link = &guests;
    if (guests)
        guests->link = &guest->next;
    guests = guest;
    (void)pthread_mutex_unlock(&list);
}

void
ts_fork_gate_part(struct ts_fork_guest *guest)
{
    (void)pthread_mutex_lock(&list);
    *guest->link = guest->next;
    if (guest->next)
        guest->next->link = guest->link;
    (void)pthread_mutex_unlock(&list);
}

bool
ts_fork_gate_any(bool (*test)(const struct ts_fork_guest *guest, const void *value), const void *value)
{
    bool found = false;

    (void)pthread_mutex_lock(&list);
    for (const struct ts_fork_guest *guest = guests; guest && !found; guest = guest->next)
        found = test(guest, value);
    (void)pthread_mutex_unlock(&list);
    return found;
}
