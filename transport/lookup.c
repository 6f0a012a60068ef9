#include "transport/lookup.h"

#include "base/descriptor.h"
#include "base/thread.h"
#include "transport/tcp.h"
#include "transport/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SERVICE_BYTES 8

/* One question to the resolver. Its thread writes result, list and ended; the rest is under the lock. */
struct lookup {
    bool taken;  /* has a thread that was not joined */
    bool waited; /* for, by one caller */
    pthread_t thread;
    int done; /* eventfd, written to at the end */
    atomic_bool ended;
    int result; /* of getaddrinfo */
    struct addrinfo *list;
    char host[TS_TCP_HOST_BYTES], service[SERVICE_BYTES];
};

struct ts_lookups {
    const struct ts_env *env;
    pthread_mutex_t lock;
    struct lookup places[TS_LOOKUPS_MAX];
};

static int
ask(struct addrinfo **out, const char *host, const char *service, int flags)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};

    *out = NULL;
    return getaddrinfo(host, service, &hints, out);
}

static void *
ask_in_thread(void *argument)
{
    struct lookup *lookup = argument;

    lookup->result = ask(&lookup->list, lookup->host, lookup->service, 0);
    atomic_store(&lookup->ended, true);
    (void)!write(lookup->done, &(uint64_t){1}, sizeof(uint64_t));
    return NULL;
}

/* Free a place whose thread has ended or is about to; its list has gone to the caller, or to nobody. */
static void
clear(struct lookup *lookup)
{
    (void)pthread_join(lookup->thread, NULL);
    (void)close(lookup->done);
    if (lookup->list)
        freeaddrinfo(lookup->list);
    *lookup = (struct lookup){.done = -1};
}

enum ts_error
ts_lookups_new(struct ts_lookups **out, const struct ts_env *env)
{
    struct ts_lookups *lookups = calloc(1, sizeof *lookups);

    *out = NULL;
    if (!lookups || pthread_mutex_init(&lookups->lock, NULL) != 0) {
        free(lookups);
        return TS_INTERNAL;
    }
    lookups->env = env;
    *out = lookups;
    return TS_OK;
}

void
ts_lookups_free(struct ts_lookups *lookups)
{
    if (!lookups)
        return;
    for (size_t i = 0; i < TS_LOOKUPS_MAX; i++)
        if (lookups->places[i].taken)
            clear(&lookups->places[i]);
    (void)pthread_mutex_destroy(&lookups->lock);
    free(lookups);
}

/* Those that nobody waited for and that have ended now. Their answers may be old. */
static void
reap(struct ts_lookups *lookups)
{
    for (size_t i = 0; i < TS_LOOKUPS_MAX; i++) {
        struct lookup *lookup = &lookups->places[i];
        if (lookup->taken && !lookup->waited && atomic_load(&lookup->ended))
            clear(lookup);
    }
}

/* A question that is still open and that nobody waits for any more, else a free place; NULL when there is neither. */
static struct lookup *
find_place(struct ts_lookups *lookups, const char *host, const char *service)
{
    struct lookup *found = NULL;

    for (size_t i = 0; i < TS_LOOKUPS_MAX; i++) {
        struct lookup *lookup = &lookups->places[i];
        if (!lookup->taken)
            found = lookup;
        else if (!lookup->waited && strcmp(lookup->host, host) == 0 && strcmp(lookup->service, service) == 0)
            return lookup;
    }
    return found;
}

static bool
start(struct lookup *lookup, const char *host, const char *service)
{
    lookup->done = ts_descriptor_raise(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (lookup->done < 0)
        return false;
    (void)snprintf(lookup->host, sizeof lookup->host, "%s", host);
    (void)snprintf(lookup->service, sizeof lookup->service, "%s", service);
    lookup->taken = ts_thread_start(&lookup->thread, ask_in_thread, lookup);
    if (!lookup->taken)
        (void)close(lookup->done);
    return lookup->taken;
}

/* Returns: NULL when there is neither a place nor a thread. */
static struct lookup *
begin(struct ts_lookups *lookups, const char *host, const char *service)
{
    (void)pthread_mutex_lock(&lookups->lock);
    reap(lookups);
    struct lookup *lookup = find_place(lookups, host, service);
    if (lookup && !lookup->taken && !start(lookup, host, service))
        lookup = NULL;
    if (lookup)
        lookup->waited = true;
    (void)pthread_mutex_unlock(&lookups->lock);
    return lookup;
}

/* Take the answer when there is one, and leave the place. Returns: false when there is none yet. */
static bool
end(struct addrinfo **out, int *result, struct ts_lookups *lookups, struct lookup *lookup)
{
    (void)pthread_mutex_lock(&lookups->lock);
    bool ended = atomic_load(&lookup->ended);
    lookup->waited = false;
    if (ended) {
        *result = lookup->result;
        *out = lookup->list;
        lookup->list = NULL;
        clear(lookup);
    }
    (void)pthread_mutex_unlock(&lookups->lock);
    return ended;
}

static enum ts_error
failed(const struct ts_env *env, const char *host, const char *why)
{
    ts_log(
        env, TS_LOG_ERROR, "cannot find the address of the host '%s': %s; check the name and the resolver", host, why);
    return TS_IO;
}

static enum ts_error
ask_until(struct addrinfo **out, struct ts_lookups *lookups, const char *host, const char *service,
    uint64_t deadline_ms, const struct ts_stop *stop)
{
    int result = EAI_AGAIN;
    struct lookup *lookup = begin(lookups, host, service);

    if (!lookup)
        return failed(lookups->env, host, "too many names are being looked up, or no thread can be started");
    struct pollfd done = {.fd = lookup->done, .events = POLLIN};
    enum ts_error waited = ts_wait_stoppable(lookups->env, &done, deadline_ms, stop);
    if (!end(out, &result, lookups, lookup))
        return failed(lookups->env, host,
            waited == TS_TIMEOUT ? "the resolver has not answered in time" : "the wait was given up");
    return result == 0 ? TS_OK : failed(lookups->env, host, gai_strerror(result));
}

enum ts_error
ts_lookup(struct addrinfo **out, struct ts_lookups *lookups, const struct ts_env *env, const char *host, uint16_t port,
    uint64_t deadline_ms, const struct ts_stop *stop)
{
    char service[SERVICE_BYTES];

    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    if (ask(out, host, service, AI_NUMERICHOST) == 0)
        return TS_OK;
    if (lookups)
        return ask_until(out, lookups, host, service, deadline_ms, stop);
    int result = ask(out, host, service, 0);
    return result == 0 ? TS_OK : failed(env, host, gai_strerror(result));
}
