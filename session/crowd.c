#include "session/crowd.h"

#include "base/thread.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_BYTES 80

struct place {
    struct ts_crowd *crowd;
    pthread_t thread;
    int socket;
    char host[HOST_BYTES];
    bool taken;       /* has a thread that was not joined */
    atomic_bool done; /* the thread has nothing left to do */
};

struct ts_crowd {
    const struct ts_env *env;
    ts_serve serve;
    void *ctx;
    struct place places[TS_CROWD_MAX];
};

enum ts_error
ts_crowd_new(struct ts_crowd **out, const struct ts_env *env, ts_serve serve, void *ctx)
{
    struct ts_crowd *crowd = calloc(1, sizeof *crowd);

    *out = crowd;
    if (!crowd)
        return TS_INTERNAL;
    crowd->env = env;
    crowd->serve = serve;
    crowd->ctx = ctx;
    return TS_OK;
}

static void *
serve(void *argument)
{
    struct place *place = argument;

    place->crowd->serve(place->crowd->ctx, place->socket);
    atomic_store(&place->done, true);
    return NULL;
}

static void
reap(struct ts_crowd *crowd)
{
    for (size_t i = 0; i < TS_CROWD_MAX; i++) {
        struct place *place = &crowd->places[i];
        if (place->taken && atomic_load(&place->done)) {
            (void)pthread_join(place->thread, NULL);
            place->taken = false;
        }
    }
}

/* A free place; NULL when there is none, or when this host has its share. */
static struct place *
find_place(struct ts_crowd *crowd, const char *host)
{
    struct place *found = NULL;
    unsigned same = 0;

    for (size_t i = 0; i < TS_CROWD_MAX; i++) {
        struct place *place = &crowd->places[i];
        if (!place->taken)
            found = place;
        else if (strcmp(place->host, host) == 0)
            same++;
    }
    return same < TS_CROWD_SOURCE_MAX ? found : NULL;
}

static void
host_of(char out[HOST_BYTES], const char *from)
{
    const char *colon = strrchr(from, ':');

    (void)snprintf(out, HOST_BYTES, "%.*s", colon ? (int)(colon - from) : (int)strlen(from), from);
}

enum ts_error
ts_crowd_add(struct ts_crowd *crowd, int socket, const char *from)
{
    char host[HOST_BYTES];
    struct place *place;

    reap(crowd);
    host_of(host, from);
    place = find_place(crowd, host);
    if (!place) {
        ts_log(crowd->env, TS_LOG_WARNING, "%s: too many connections (at most %d, %d of one host); refused", from,
            TS_CROWD_MAX, TS_CROWD_SOURCE_MAX);
        (void)close(socket);
        return TS_REFUSED;
    }
    place->crowd = crowd;
    place->socket = socket;
    memcpy(place->host, host, sizeof host);
    atomic_store(&place->done, false);
    place->taken = ts_thread_start(&place->thread, serve, place);
    if (place->taken)
        return TS_OK;
    ts_log(crowd->env, TS_LOG_ERROR, "%s: no thread for the connection; closed", from);
    (void)close(socket);
    return TS_INTERNAL;
}

void
ts_crowd_free(struct ts_crowd *crowd)
{
    if (!crowd)
        return;
    for (size_t i = 0; i < TS_CROWD_MAX; i++)
        if (crowd->places[i].taken)
            (void)pthread_join(crowd->places[i].thread, NULL);
    free(crowd);
}
