#include "transport/link_internal.h"
#include "transport/wait.h"

#include <time.h>
#include <unistd.h>

bool
ts_link_ended(const struct ts_link *link)
{
    return link->dead || atomic_load(&link->stopped);
}

void
ts_link_poke(struct ts_link *link)
{
    uint64_t one = 1;

    if (link->leader)
        (void)!write(link->wake, &one, sizeof one);
}

/* The leader does not sleep on its condition but in poll. */
static void
wake(struct ts_link *link, struct ts_waiter *waiter)
{
    if (waiter == link->leader)
        ts_link_poke(link);
    else
        (void)pthread_cond_signal(&waiter->wake);
}

static void
wake_all(struct ts_link *link)
{
    for (struct ts_waiter *waiter = link->waiters; waiter; waiter = waiter->next)
        wake(link, waiter);
}

/* Whoever pumps may have received what another waits for, the leader too. */
void
ts_link_wake_ready(struct ts_link *link)
{
    for (struct ts_waiter *waiter = link->waiters; waiter; waiter = waiter->next)
        if (waiter->ready(waiter->ctx))
            wake(link, waiter);
}

void
ts_link_die(struct ts_link *link, const char *words)
{
    if (!link->dead)
        ts_log(link->env, TS_LOG_INFO, "connection with %s ended: %s", link->name, words);
    link->dead = true;
    wake_all(link);
}

void
ts_link_pump(struct ts_link *link)
{
    if (ts_link_ended(link))
        return;
    if (ts_channel_pump(link->channel) != TS_OK)
        ts_link_die(link, ts_channel_words(link->channel));
    ts_link_wake_ready(link);
}

/* The moment when a silent link is given up. */
static uint64_t
idle_deadline(const struct ts_link *link)
{
    return link->idle_ms ? ts_channel_heard_ms(link->channel) + link->idle_ms : TS_NO_DEADLINE;
}

static void
check_idle(struct ts_link *link)
{
    if (link->idle_ms && ts_deadline_left(link->env, idle_deadline(link)) == 0)
        ts_link_die(link, "nothing was heard for too long");
}

/* Poll once, without the mutex, and hand out what came. */
static void
lead(struct ts_link *link, struct ts_waiter *self, uint64_t deadline_ms)
{
    struct pollfd fds[2] = {ts_channel_poll(link->channel), {.fd = link->wake, .events = POLLIN}};
    uint64_t idle_ms = idle_deadline(link);
    uint64_t count = 0;

    link->leader = self;
    (void)pthread_mutex_unlock(&link->mutex);
    enum ts_error error = ts_wait(link->env, fds, 2, deadline_ms < idle_ms ? deadline_ms : idle_ms);
    (void)pthread_mutex_lock(&link->mutex);
    link->leader = NULL;
    if (error == TS_OK && fds[1].revents)
        (void)!read(link->wake, &count, sizeof count);
    if (error == TS_IO)
        ts_link_die(link, "waiting for the socket failed");
    ts_link_pump(link);
    if (!ts_link_ended(link))
        check_idle(link);
    if (ts_link_ended(link))
        wake_all(link);
}

/* Sleep until called. May return early; the caller looks again. */
static void
follow(struct ts_link *link, struct ts_waiter *self, uint64_t deadline_ms)
{
    struct timespec until;
    int left = ts_deadline_left(link->env, deadline_ms);

    if (left < 0) {
        (void)pthread_cond_wait(&self->wake, &link->mutex);
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += left / 1000;
    until.tv_nsec += (long)(left % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&self->wake, &link->mutex, &until);
}

static enum ts_error
wait_in_line(struct ts_link *link, struct ts_waiter *self, uint64_t deadline_ms)
{
    ts_link_pump(link); /* so that a wait of no time sees what has come */
    for (;;) {
        if (self->ready(self->ctx))
            return TS_OK;
        if (ts_link_ended(link))
            return TS_IO;
        if (ts_deadline_left(link->env, deadline_ms) == 0)
            return TS_TIMEOUT;
        if (link->leader)
            follow(link, self, deadline_ms);
        else
            lead(link, self, deadline_ms);
    }
}

static bool
init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    /* The system's clock may be set while we wait. */
    bool good =
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return good;
}

static void
leave_line(struct ts_link *link, struct ts_waiter *self)
{
    struct ts_waiter **place = &link->waiters;

    while (*place != self)
        place = &(*place)->next;
    *place = self->next;
    if (!link->leader && link->waiters)
        (void)pthread_cond_signal(&link->waiters->wake);
    (void)pthread_cond_destroy(&self->wake);
}

enum ts_error
ts_link_wait(struct ts_link *link, bool (*ready)(const void *ctx), const void *ctx, uint64_t deadline_ms)
{
    struct ts_waiter self = {.next = link->waiters, .ready = ready, .ctx = ctx};

    if (ready(ctx))
        return TS_OK;
    if (!init_condition(&self.wake))
        return TS_INTERNAL;
    link->waiters = &self;
    enum ts_error error = wait_in_line(link, &self, deadline_ms);
    leave_line(link, &self);
    return error;
}
