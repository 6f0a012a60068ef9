#include "session/meet_enterprise.h"

#include "base/thread.h"
#include "session/crowd.h"
#include "session/identity_value.h"
#include "transport/tcp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Devices that cannot be dialled dial us: one listener for each process, opened for the first token that is used, with
   the identity of that token. It takes callers in a thread of its own where threads are allowed, and shakes hands with
   each in another, else inside the waits of those who need a device. */

#define FROM_BYTES 128

/* How long a wait that takes callers itself sleeps, before it looks whether somebody else has had more luck. */
#define SLICE_MS 100u

/* --- what connections of the listener stand on; under the lock --- */

struct ts_meeting *
ts_meeting_hold(struct ts_meeting *meeting)
{
    meeting->users++;
    return meeting;
}

void
ts_meeting_put(struct ts_meeting *meeting)
{
    if (!meeting || --meeting->users > 0)
        return;
    ts_crowd_free(meeting->callers); /* nobody has called, or there is none by now */
    ts_links_free(meeting->links);   /* the connections of its links are gone, for each is a user */
    ts_identity_free(meeting->identity);
    free(meeting);
}

/* --- one caller --- */

static bool
admit(void *ctx, const uint8_t key_hash[TS_KEY_HASH_BYTES])
{
    const struct ts_meeting *meeting = ctx;
    struct ts_peer_row row;
    struct ts_store *store = meeting->enterprise->store;

    if (ts_peer_find(&row, store, meeting->token, key_hash) == TS_OK && row.state == TS_PEER_ACTIVE)
        return true;
    ts_log(meeting->enterprise->env, TS_LOG_WARNING,
        "a caller with the certificate of no paired device was refused; pair it with `tallystick pair`");
    return false;
}

/* A device whose connection broke comes back to its link; those who wait on that go on by themselves. */
static void
receive(void *ctx, int socket)
{
    struct ts_meeting *meeting = ctx;
    struct ts_enterprise *enterprise = meeting->enterprise;
    const struct ts_link_options options = {
        .env = enterprise->env,
        .identity = meeting->identity,
        .connect_ms = enterprise->config->timeout.connect,
        .max_sessions = 1,
        .name = "a device that dialled in",
        .resume_ms = meeting->links ? enterprise->config->timeout.resume : 0,
        .heartbeat_ms = enterprise->config->timeout.heartbeat,
        .stop = ts_tcp_listener_ending(enterprise->listener),
        .links = meeting->links,
    };
    struct ts_link *link = NULL;

    if (ts_link_accept(&link, &options, socket, admit, meeting) != TS_OK)
        return;
    enum ts_error error = ts_connection_adopt(enterprise, meeting, link);
    if (error != TS_OK)
        ts_log(enterprise->env, TS_LOG_WARNING, "a device dialled in, but it cannot be used: %s", ts_error_text(error));
}

/* --- the listener --- */

static void *
accept_callers(void *argument)
{
    struct ts_meeting *meeting = argument;
    char from[FROM_BYTES];
    int socket;

    while (ts_tcp_accept(&socket, from, sizeof from, meeting->enterprise->listener, UINT32_MAX) == TS_OK)
        (void)ts_crowd_add(meeting->callers, socket, from);
    return NULL;
}

static enum ts_error
new_meeting(struct ts_meeting **out, struct ts_enterprise *enterprise, const struct ts_keyring *keyring, uint64_t token)
{
    struct ts_meeting *meeting = calloc(1, sizeof *meeting);

    if (!meeting)
        return TS_INTERNAL;
    bool threads = atomic_load(&enterprise->threads_allowed);
    *meeting = (struct ts_meeting){.enterprise = enterprise, .token = token, .users = 1};
    /* Without a thread nobody takes the device that comes back while those who need it wait for an answer. */
    enum ts_error error = threads ? ts_links_new(&meeting->links) : TS_OK;
    if (error == TS_OK && threads)
        error = ts_crowd_new(&meeting->callers, enterprise->env, receive, meeting);
    if (error == TS_OK)
        error = ts_identity_load(&meeting->identity, enterprise->env, enterprise->store, token, keyring);
    if (error == TS_OK) {
        *out = meeting;
    } else {
        ts_crowd_free(meeting->callers);
        ts_links_free(meeting->links);
        free(meeting);
    }
    return error;
}

/* Under the lock. A failure is logged once; then this process dials only. */
static void
start_listening(struct ts_enterprise *enterprise, const struct ts_keyring *keyring, uint64_t token)
{
    const char *address = enterprise->config->listen;

    if (enterprise->meeting || enterprise->listen_failed || enterprise->stopping)
        return;
    enum ts_error error = ts_tcp_listen(&enterprise->listener, enterprise->env, address);
    if (error == TS_OK)
        error = new_meeting(&enterprise->meeting, enterprise, keyring, token);
    if (error == TS_OK)
        error = ts_partners_load(enterprise, keyring, token);
    if (error != TS_OK) {
        enterprise->listen_failed = true; /* often another process of this configuration, which has the devices then */
        ts_tcp_listener_close(enterprise->listener);
        ts_meeting_put(enterprise->meeting);
        enterprise->listener = NULL;
        enterprise->meeting = NULL;
        ts_log(enterprise->env, TS_LOG_WARNING, "devices cannot dial in to this process: nothing listens on %s (%s)",
            address, ts_error_text(error));
        return;
    }
    enterprise->accepting =
        enterprise->meeting->callers && ts_thread_start(&enterprise->acceptor, accept_callers, enterprise->meeting);
    ts_log(enterprise->env, TS_LOG_INFO, "devices may dial in on port %u",
        (unsigned)ts_tcp_listener_port(enterprise->listener));
}

void
ts_meeting_stop(struct ts_enterprise *enterprise, uint64_t token)
{
    pthread_mutex_lock(&enterprise->lock);
    while (enterprise->closing) /* another thread */
        pthread_cond_wait(&enterprise->dialled, &enterprise->lock);
    struct ts_meeting *meeting = enterprise->meeting;
    if (!meeting || (token != 0 && meeting->token != token)) {
        pthread_mutex_unlock(&enterprise->lock);
        return;
    }
    enterprise->closing = true;
    ts_tcp_listener_stop(enterprise->listener);
    while (enterprise->taking) /* a wait that takes callers itself ends within a slice */
        pthread_cond_wait(&enterprise->dialled, &enterprise->lock);
    bool join = enterprise->accepting;
    pthread_mutex_unlock(&enterprise->lock);
    if (join)
        (void)pthread_join(enterprise->acceptor, NULL);
    ts_crowd_free(meeting->callers); /* their handshakes end with the listener */
    meeting->callers = NULL;
    pthread_mutex_lock(&enterprise->lock);
    ts_tcp_listener_close(enterprise->listener);
    enterprise->listener = NULL;
    enterprise->meeting = NULL;
    enterprise->accepting = false;
    enterprise->closing = false;
    pthread_cond_broadcast(&enterprise->dialled);
    ts_meeting_put(meeting);
    pthread_mutex_unlock(&enterprise->lock);
}

/* --- waiting for a device --- */

/* Under the lock: is there a listener that nobody takes callers of? */
static bool
is_open(const struct ts_enterprise *enterprise)
{
    return enterprise->listener && !enterprise->accepting && !enterprise->taking && !enterprise->closing;
}

/* Under the lock, which is given up meanwhile: take one caller, where no thread does. */
static void
take_caller(struct ts_enterprise *enterprise, uint32_t slice_ms)
{
    struct ts_meeting *meeting = ts_meeting_hold(enterprise->meeting);
    int socket;

    enterprise->taking = true;
    pthread_mutex_unlock(&enterprise->lock);
    if (ts_tcp_accept(&socket, NULL, 0, enterprise->listener, slice_ms) == TS_OK)
        receive(meeting, socket);
    pthread_mutex_lock(&enterprise->lock);
    enterprise->taking = false;
    ts_meeting_put(meeting);
    pthread_cond_broadcast(&enterprise->dialled);
}

void
ts_meeting_wait(struct ts_enterprise *enterprise, uint64_t until_ms)
{
    pthread_mutex_lock(&enterprise->lock);
    uint64_t now = ts_now_ms(enterprise->env);
    uint32_t slice = until_ms <= now ? 0 : until_ms - now < SLICE_MS ? (uint32_t)(until_ms - now) : SLICE_MS;

    if (enterprise->stopping || slice == 0) {
        pthread_mutex_unlock(&enterprise->lock);
        return;
    }
    if (is_open(enterprise)) {
        take_caller(enterprise, slice);
    } else {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)slice * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&enterprise->dialled, &enterprise->lock, &until);
    }
    pthread_mutex_unlock(&enterprise->lock);
}

/* Open for callers at the first use; and where no thread takes them, one may have called since the last wait. */
static void
open_door(struct ts_enterprise *enterprise, const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_peer_row row;

    if (!enterprise->config->listen || ts_peer_get(&row, enterprise->store, pairing) != TS_OK)
        return;
    pthread_mutex_lock(&enterprise->lock);
    start_listening(enterprise, keyring, row.token);
    if (is_open(enterprise) && !enterprise->stopping)
        take_caller(enterprise, 0);
    pthread_mutex_unlock(&enterprise->lock);
}

/* Between two attempts to dial: soon at first, then more patiently. */
static uint64_t
pause_ms(unsigned attempt)
{
    return (uint64_t)200 << (attempt < 5 ? attempt : 5);
}

enum ts_error
ts_connection_await(struct ts_connection **out, bool *fresh, struct ts_enterprise *enterprise,
    const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES], uint32_t wait_ms,
    struct ts_journal_entry *entry, struct ts_cancel *cancel)
{
    uint32_t patience = wait_ms ? wait_ms : enterprise->config->timeout.wait;
    uint64_t deadline = ts_now_ms(enterprise->env) + patience;

    open_door(enterprise, keyring, pairing);
    enum ts_error error = ts_connection_acquire(out, fresh, enterprise, keyring, pairing);

    for (unsigned attempt = 0; error == TS_IO && ts_now_ms(enterprise->env) < deadline; attempt++) {
        uint64_t next = ts_now_ms(enterprise->env) + pause_ms(attempt);
        uint64_t until = next < deadline ? next : deadline;
        ts_journal_wait(entry, true);
        while (ts_now_ms(enterprise->env) < until && !ts_partner_present(enterprise, pairing))
            ts_meeting_wait(enterprise, until);
        if (ts_enterprise_stopping(enterprise))
            break;
        if (ts_cancel_asked(cancel)) {
            error = TS_TIMEOUT;
            break;
        }
        error = ts_connection_acquire(out, fresh, enterprise, keyring, pairing);
    }
    ts_journal_wait(entry, false);
    return error;
}
