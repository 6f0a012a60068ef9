#include "transport/link.h"

#include "base/descriptor.h"
#include "transport/link_internal.h"
#include "transport/tcp.h"
#include "transport/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void
ts_message_clear(struct ts_message *message)
{
    ts_buf_clear(&message->payload);
    message->type = 0;
}

static void
destroy(struct ts_link *link)
{
    while (link->sessions)
        ts_session_remove(link->sessions);
    if (link->wake >= 0)
        (void)close(link->wake);
    (void)pthread_mutex_destroy(&link->mutex);
    free(link);
}

static enum ts_error
make(struct ts_link **out, const struct ts_link_options *options, const char *name)
{
    struct ts_link *link = calloc(1, sizeof *link);

    if (!link)
        return TS_INTERNAL;
    link->env = options->env;
    link->idle_ms = options->idle_ms;
    link->max_sessions = options->max_sessions;
    (void)snprintf(link->name, sizeof link->name, "%s", name);
    atomic_init(&link->stopped, false);
    if (pthread_mutex_init(&link->mutex, NULL) != 0) {
        free(link);
        return TS_INTERNAL;
    }
    link->wake = ts_descriptor_raise(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (link->wake < 0) {
        ts_log(link->env, TS_LOG_ERROR, "%s: no descriptor left: %s; raise the limit of open files", name,
            strerrordesc_np(errno));
        destroy(link);
        return TS_IO;
    }
    *out = link;
    return TS_OK;
}

/* Both sides from here on: TLS and WebSocket on a socket that is ours now. */
static enum ts_error
open_on(struct ts_link **out, const struct ts_link_options *options, int socket, const struct ts_tls_trust *trust,
    const char *host, const char *name, uint64_t deadline_ms)
{
    struct ts_link *link = NULL;
    enum ts_error error = make(&link, options, name);

    if (error != TS_OK) {
        (void)close(socket);
        return error;
    }
    error =
        ts_channel_open(&link->channel, options, socket, trust, host, link->name, deadline_ms, ts_link_dispatch, link);
    if (error != TS_OK) {
        destroy(link);
        return error;
    }
    ts_tls_peer(ts_channel_tls(link->channel), link->peer);
    *out = link;
    return TS_OK;
}

enum ts_error
ts_link_dial(struct ts_link **out, const struct ts_link_options *options, const char *address,
    const uint8_t pin[TS_KEY_HASH_BYTES])
{
    const struct ts_tls_trust trust = {.pin = pin};
    uint64_t deadline_ms = ts_deadline_after(options->env, options->connect_ms);
    char name[TS_NAME_BYTES];
    int socket = -1;

    *out = NULL;
    enum ts_error error = ts_tcp_dial(&socket, options->env, address, deadline_ms);
    if (error != TS_OK)
        return error;
    if (options->name)
        (void)snprintf(name, sizeof name, "%s (%s)", options->name, address);
    else
        (void)snprintf(name, sizeof name, "%s", address);
    return open_on(out, options, socket, &trust, address, name, deadline_ms);
}

enum ts_error
ts_link_accept(struct ts_link **out, const struct ts_link_options *options, int socket, ts_link_admit admit, void *ctx)
{
    const struct ts_tls_trust trust = {.admit = admit, .ctx = ctx};
    uint64_t deadline_ms = ts_deadline_after(options->env, options->connect_ms);

    *out = NULL;
    return open_on(out, options, socket, &trust, NULL, options->name ? options->name : "a caller", deadline_ms);
}

void
ts_link_close(struct ts_link *link)
{
    if (!link)
        return;
    if (link->dead)
        ts_channel_abandon(link->channel);
    else
        ts_channel_close(link->channel);
    destroy(link);
}

void
ts_link_abandon(struct ts_link *link)
{
    if (!link)
        return;
    /* A thread that fork did not copy may have been inside: then what it guards is half done, and is left alone. */
    if (pthread_mutex_trylock(&link->mutex) != 0) {
        ts_channel_drop_socket(link->channel);
        (void)close(link->wake);
        return;
    }
    (void)pthread_mutex_unlock(&link->mutex);
    ts_channel_abandon(link->channel);
    destroy(link);
}

void
ts_link_shutdown(struct ts_link *link)
{
    uint64_t one = 1;
    int saved = errno;

    atomic_store(&link->stopped, true);
    (void)!write(link->wake, &one, sizeof one);
    errno = saved;
}

bool
ts_link_alive(struct ts_link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    ts_link_pump(link);
    bool alive = !ts_link_ended(link);
    (void)pthread_mutex_unlock(&link->mutex);
    return alive;
}

enum ts_error
ts_link_resume(struct ts_link *link, uint32_t timeout_ms)
{
    (void)timeout_ms;
    return ts_link_alive(link) ? TS_OK : TS_IO;
}

void
ts_link_peer(const struct ts_link *link, uint8_t key_hash[TS_KEY_HASH_BYTES])
{
    memcpy(key_hash, link->peer, TS_KEY_HASH_BYTES);
}

enum ts_error
ts_link_exporter(struct ts_link *link, const char *label, uint8_t out32[32])
{
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = ts_tls_exporter(ts_channel_tls(link->channel), label, out32);
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}
