#include "transport/link.h"

#include "base/descriptor.h"
#include "base/secret.h"
#include "transport/link_internal.h"
#include "transport/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LINGER_MS 10000 /* how long a closed session's last words are kept at least */

void
ts_message_clear(struct ts_message *message)
{
    ts_buf_clear(&message->payload);
    message->type = 0;
}

static void
destroy(struct ts_link *link)
{
    ts_mux_free(link->mux);
    if (link->wake >= 0)
        (void)close(link->wake);
    (void)pthread_mutex_destroy(&link->mutex);
    free(link->address);
    ts_wipe(link->exported, sizeof link->exported);
    free(link);
}

static enum ts_error
make_mux(struct ts_link *link, const struct ts_link_options *options)
{
    struct ts_mux_options mux = {.env = options->env,
        .name = link->name,
        .max_sessions = options->max_sessions,
        .linger_ms = options->resume_ms > LINGER_MS ? options->resume_ms : LINGER_MS};
    enum ts_error error = ts_random(options->env, (uint8_t *)&mux.seed, sizeof mux.seed);

    return error == TS_OK ? ts_mux_new(&link->mux, &mux) : error;
}

static enum ts_error
make_parts(struct ts_link *link, const struct ts_link_options *options)
{
    if (make_mux(link, options) != TS_OK)
        return TS_INTERNAL;
    link->wake = ts_descriptor_raise(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (link->wake < 0) {
        ts_log(link->env, TS_LOG_ERROR, "%s: no descriptor left: %s; raise the limit of open files", link->name,
            strerrordesc_np(errno));
        return TS_IO;
    }
    return TS_OK;
}

static enum ts_error
make(struct ts_link **out, const struct ts_link_options *options, const char *name)
{
    struct ts_link *link = calloc(1, sizeof *link);

    if (!link)
        return TS_INTERNAL;
    link->env = options->env;
    link->identity = options->identity;
    link->connect_ms = options->connect_ms;
    link->idle_ms = options->idle_ms;
    link->resume_ms = options->resume_ms;
    link->lookups = options->lookups;
    link->heart.interval_ms = options->heartbeat_ms;
    link->wake = -1;
    (void)snprintf(link->name, sizeof link->name, "%s", name);
    atomic_init(&link->stopped, false);
    if (pthread_mutex_init(&link->mutex, NULL) != 0) {
        free(link);
        return TS_INTERNAL;
    }
    enum ts_error error = make_parts(link, options);
    if (error != TS_OK)
        destroy(link);
    else
        *out = link;
    return error;
}

static void
begin(struct ts_link *link, struct ts_channel *channel)
{
    (void)pthread_mutex_lock(&link->mutex);
    ts_link_adopt(link, channel);
    (void)pthread_mutex_unlock(&link->mutex);
}

static enum ts_error
dial(struct ts_link *link, const char *address, uint64_t deadline_ms)
{
    struct ts_channel *channel = NULL;

    link->address = strdup(address);
    if (!link->address || ts_random(link->env, link->id, sizeof link->id) != TS_OK)
        return TS_INTERNAL;
    link->named = link->resume_ms > 0;
    enum ts_error error = ts_link_reach(&channel, link, deadline_ms);
    if (error == TS_OK)
        begin(link, channel);
    return error == TS_NOT_FOUND ? TS_IO : error;
}

enum ts_error
ts_link_dial(struct ts_link **out, const struct ts_link_options *options, const char *address,
    const uint8_t pin[TS_KEY_HASH_BYTES])
{
    uint64_t deadline_ms = ts_deadline_after(options->env, options->connect_ms);
    char name[TS_NAME_BYTES];
    struct ts_link *link = NULL;

    *out = NULL;
    if (options->name)
        (void)snprintf(name, sizeof name, "%s (%s)", options->name, address);
    else
        (void)snprintf(name, sizeof name, "%s", address);
    enum ts_error error = make(&link, options, name);
    if (error != TS_OK)
        return error;
    memcpy(link->peer, pin, TS_KEY_HASH_BYTES);
    error = dial(link, address, deadline_ms);
    if (error != TS_OK)
        destroy(link);
    else
        *out = link;
    return error;
}

/* Who is asked about a caller, on the accepting side. */
struct door {
    const struct ts_link_options *options;
    ts_link_admit admit;
    void *ctx;
    bool returning; /* let in because of an earlier link */
};

/* Who was let in, and whose connection broke, is let in again: what it was let in for may be under way. */
static bool
admit_caller(void *ctx, const uint8_t key_hash[TS_KEY_HASH_BYTES])
{
    struct door *door = ctx;
    struct ts_links *links = door->options->links;

    door->returning = links && ts_links_has(links, key_hash, NULL);
    return door->returning || door->admit(door->ctx, key_hash);
}

static bool
knows_link(void *ctx, const uint8_t key_hash[TS_KEY_HASH_BYTES], const uint8_t id[TS_LINK_ID_BYTES])
{
    const struct door *door = ctx;
    return ts_links_has(door->options->links, key_hash, id);
}

/* A new link on an accepted channel, which is owned from here on. */
static enum ts_error
make_accepted(struct ts_link **out, const struct ts_link_options *options, struct ts_channel *channel, const char *name)
{
    const uint8_t *id = ts_channel_link(channel);
    struct ts_link *link = NULL;

    enum ts_error error = make(&link, options, name);
    if (error != TS_OK) {
        ts_channel_abandon(channel);
        return error;
    }
    ts_tls_peer(ts_channel_tls(channel), link->peer);
    link->named = id && options->links;
    if (id)
        memcpy(link->id, id, TS_LINK_ID_BYTES);
    begin(link, channel);
    if (options->links)
        ts_links_add(options->links, link);
    *out = link;
    return TS_OK;
}

static enum ts_error
attach(const struct ts_link_options *options, struct ts_channel *channel, const char *name)
{
    if (ts_links_attach(options->links, channel))
        return TS_EXISTS;
    ts_log(options->env, TS_LOG_INFO, "%s came back when its sessions had just ended", name);
    ts_channel_abandon(channel);
    return TS_IO;
}

enum ts_error
ts_link_accept(struct ts_link **out, const struct ts_link_options *options, int socket, ts_link_admit admit, void *ctx)
{
    struct door door = {.options = options, .admit = admit, .ctx = ctx};
    const struct ts_tls_trust trust = {.admit = admit_caller, .ctx = &door};
    const char *name = options->name ? options->name : "a caller";
    const struct ts_channel_options how = {.env = options->env,
        .identity = options->identity,
        .socket = socket,
        .trust = &trust,
        .name = name,
        .deadline_ms = ts_deadline_after(options->env, options->connect_ms),
        .stop = options->stop,
        .known = options->links ? knows_link : NULL,
        .ctx = &door};
    struct ts_channel *channel = NULL;
    uint8_t key_hash[TS_KEY_HASH_BYTES];

    *out = NULL;
    enum ts_error error = ts_channel_open(&channel, &how);
    if (error != TS_OK)
        return error;
    if (ts_channel_resumed(channel))
        return attach(options, channel, name);
    ts_tls_peer(ts_channel_tls(channel), key_hash);
    if (door.returning && !admit(ctx, key_hash)) { /* it came for something new after all */
        ts_channel_abandon(channel);
        return TS_REFUSED;
    }
    return make_accepted(out, options, channel, name);
}

void
ts_link_close(struct ts_link *link)
{
    if (!link)
        return;
    ts_links_remove(link);
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
        if (link->channel)
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

static bool
ready_connected(const void *ctx)
{
    const struct ts_link *link = ctx;
    return !ts_link_ended(link) && link->channel;
}

bool
ts_link_connected(struct ts_link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    ts_link_pump(link);
    bool connected = ready_connected(link);
    (void)pthread_mutex_unlock(&link->mutex);
    return connected;
}

enum ts_error
ts_link_resume(struct ts_link *link, uint32_t timeout_ms)
{
    (void)pthread_mutex_lock(&link->mutex);
    ts_link_pump(link);
    enum ts_error error = ts_link_wait(link, ready_connected, link, ts_deadline_after(link->env, timeout_ms));
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}

void
ts_link_peer(const struct ts_link *link, uint8_t key_hash[TS_KEY_HASH_BYTES])
{
    memcpy(key_hash, link->peer, TS_KEY_HASH_BYTES);
}

/* With the mutex. The value belongs to the first channel: kept, because another will have another. */
static enum ts_error export(struct ts_link *link, const char *label, uint8_t out32[32]) {
    for (unsigned i = 0; i < link->exported_count; i++){
        if (strcmp(link->exported[i].label, label) == 0){memcpy(out32, link->exported[i].value, 32); return TS_OK;}
}
if (!link->channel || link->channels > 1)
    return TS_IO;
enum ts_error error = ts_tls_exporter(ts_channel_tls(link->channel), label, out32);
if (error != TS_OK || link->exported_count == TS_EXPORTERS_MAX || strlen(label) >= TS_LABEL_BYTES)
    return error;
struct ts_exported *kept = &link->exported[link->exported_count++];
(void)snprintf(kept->label, sizeof kept->label, "%s", label);
memcpy(kept->value, out32, sizeof kept->value);
return TS_OK;
}

enum ts_error
ts_link_exporter(struct ts_link *link, const char *label, uint8_t out32[32])
{
    (void)pthread_mutex_lock(&link->mutex);
    enum ts_error error = export(link, label, out32);
    (void)pthread_mutex_unlock(&link->mutex);
    return error;
}
