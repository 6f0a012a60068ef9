#include "transport/link_internal.h"
#include "transport/wait.h"

#include <time.h>
#include <unistd.h>

/* Above this nobody adds to what waits for room in the socket. */
#define BACKLOG_FULL_BYTES ((size_t)1 << 20)

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

void
ts_link_wake_all(struct ts_link *link)
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
    ts_link_wake_all(link);
}

bool
ts_link_has_sent(const struct ts_link *link, uint64_t mark)
{
    return mark <= link->sent_base + (link->channel ? ts_channel_sent(link->channel) : 0);
}

/* Returns: TS_OK; TS_NOT_FOUND when nothing is to be sent now; another when the channel failed. */
static enum ts_error
transmit_one(struct ts_link *link)
{
    struct ts_lane *lane = NULL;
    uint64_t mark = 0;
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_ENVELOPE_MAX_BYTES);
    enum ts_error error = ts_mux_out(&bytes, &lane, link->mux, ts_now_ms(link->env));
    if (error == TS_OK)
        error = ts_channel_send(&mark, link->channel, bytes.data, bytes.len);
    ts_buf_clear(&bytes);
    if (error != TS_OK)
        return error;
    link->last_mark = link->sent_base + mark;
    if (lane)
        lane->mark = link->last_mark;
    return TS_OK;
}

void
ts_link_transmit(struct ts_link *link)
{
    enum ts_error error = TS_OK;

    if (ts_link_ended(link) || !link->channel)
        return;
    while (error == TS_OK && ts_channel_backlog(link->channel) < BACKLOG_FULL_BYTES)
        error = transmit_one(link);
    if (error != TS_OK && error != TS_NOT_FOUND)
        ts_link_lose(link);
}

void
ts_link_pump(struct ts_link *link)
{
    if (ts_link_ended(link))
        return;
    if (link->channel && ts_channel_pump(link->channel) != TS_OK)
        ts_link_lose(link);
    ts_link_transmit(link);
    ts_link_wake_ready(link);
}

/* The moment when a silent link is given up. */
static uint64_t
idle_deadline(const struct ts_link *link)
{
    return link->idle_ms ? ts_channel_heard_ms(link->channel) + link->idle_ms : TS_NO_DEADLINE;
}

/* Somebody waits, and while a session is open the other side shall not be silent for long. */
static void
listen_to_heart(struct ts_link *link)
{
    bool listening = ts_mux_open_count(link->mux) > 0;

    if (listening && !link->listening)
        ts_heartbeat_start(&link->heart, ts_now_ms(link->env));
    link->listening = listening;
}

static uint64_t
earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
next_moment(struct ts_link *link)
{
    if (!link->channel)
        return ts_link_resume_next(link);
    uint64_t next = idle_deadline(link);
    if (ts_channel_backlog(link->channel) < BACKLOG_FULL_BYTES)
        next = earliest(next, ts_mux_next(link->mux, ts_now_ms(link->env)));
    return link->listening ? earliest(next, ts_heartbeat_next(&link->heart)) : next;
}

static void
ask_heart(struct ts_link *link)
{
    ts_heartbeat_heard(&link->heart, ts_channel_heard_ms(link->channel));
    enum ts_pulse pulse = ts_heartbeat_step(&link->heart, ts_now_ms(link->env));
    if (pulse == TS_PULSE_QUIET)
        return;
    if (pulse == TS_PULSE_DEAD)
        ts_channel_give_up(link->channel, "it does not answer, three times in a row");
    if (pulse == TS_PULSE_DEAD || ts_channel_ping(link->channel) != TS_OK)
        ts_link_lose(link);
}

/* What time has brought, after what came was read. */
static void
check_clock(struct ts_link *link, uint64_t deadline_ms)
{
    if (ts_link_ended(link))
        return;
    if (!link->channel)
        ts_link_resume_step(link, deadline_ms);
    else if (link->idle_ms && ts_deadline_left(link->env, idle_deadline(link)) == 0)
        ts_link_die(link, "nothing was heard for too long");
    else if (link->listening)
        ask_heart(link);
}

/* Poll once, without the mutex, and hand out what came. */
static void
lead(struct ts_link *link, struct ts_waiter *self, uint64_t deadline_ms)
{
    uint64_t count = 0;

    link->leader = self;
    listen_to_heart(link);
    struct pollfd fds[2] = {{.fd = -1}, {.fd = link->wake, .events = POLLIN}};
    if (link->channel)
        fds[0] = ts_channel_poll(link->channel);
    uint64_t until_ms = earliest(deadline_ms, next_moment(link));
    (void)pthread_mutex_unlock(&link->mutex);
    enum ts_error error = ts_wait(link->env, fds, 2, until_ms);
    (void)pthread_mutex_lock(&link->mutex);
    if (error == TS_OK && fds[1].revents)
        (void)!read(link->wake, &count, sizeof count);
    if (error == TS_IO)
        ts_link_die(link, "waiting for the socket failed");
    ts_link_pump(link);
    check_clock(link, deadline_ms);
    link->leader = NULL;
    if (ts_link_ended(link))
        ts_link_wake_all(link);
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
    if (!link->waiters)
        link->listening = false; /* nobody hears what comes now */
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
