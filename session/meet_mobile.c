#include "base/thread.h"
#include "session/mobile_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The device dials in: a thread for each partner keeps a connection, and dials again, more and more patiently, when it
   is lost. What is asked on it is served as on one that was accepted. */

#define FIRST_PAUSE_MS 500u
#define LAST_PAUSE_MS 15000u
/* How often new partners are looked for, and those that are partners no more. */
#define LOOK_MS 2000u

struct dialler {
    struct dialler *next;
    struct ts_mobile *mobile;
    const char *addresses;
    uint8_t pairing[TS_ID_BYTES];
    bool ended; /* under the mobile's lock: its thread is about to return */
    pthread_t thread;
};

/* Sleep, but not when stopping. Returns: false when stopping. */
static bool
pause_for(struct ts_mobile *mobile, uint32_t ms)
{
    struct timespec until;
    int result = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&mobile->lock);
    while (!mobile->stopping && result == 0)
        result = pthread_cond_timedwait(&mobile->ended, &mobile->lock, &until);
    bool going = !mobile->stopping;
    pthread_mutex_unlock(&mobile->lock);
    return going;
}

/* Between half of it and all of it, so that many devices do not come back at once. */
static uint32_t
jitter(const struct ts_env *env, uint32_t ms)
{
    uint8_t byte = 0;

    (void)ts_random(env, &byte, 1);
    return ms / 2 + ms / 2 * byte / 255;
}

/* One attempt at each address, in order. Returns: true when a connection was there, for however long. */
static bool
dial_and_serve(struct dialler *dialler, const struct ts_peer_row *partner)
{
    for (const char *at = dialler->addresses; *at;) {
        char one[sizeof partner->address];
        size_t len = strcspn(at, ",");
        (void)snprintf(one, sizeof one, "%.*s", (int)len, at);
        if (ts_mobile_serve_dialled(dialler->mobile, one, partner))
            return true;
        at += len + (at[len] == ',' ? 1 : 0);
    }
    return false;
}

static void *
keep_connected(void *argument)
{
    struct dialler *dialler = argument;
    struct ts_mobile *mobile = dialler->mobile;
    uint32_t pause_ms = FIRST_PAUSE_MS;
    struct ts_peer_row partner;

    do {
        if (ts_peer_get(&partner, mobile->options.store, dialler->pairing) == TS_NOT_FOUND)
            break; /* unpaired */
        if (dial_and_serve(dialler, &partner))
            pause_ms = FIRST_PAUSE_MS;
        else if (pause_ms < LAST_PAUSE_MS)
            pause_ms *= 2;
    } while (pause_for(mobile, jitter(mobile->env, pause_ms)));
    pthread_mutex_lock(&mobile->lock);
    dialler->ended = true;
    pthread_mutex_unlock(&mobile->lock);
    return NULL;
}

static struct dialler *
find_dialler(struct dialler *list, const uint8_t pairing[TS_ID_BYTES])
{
    while (list && memcmp(list->pairing, pairing, TS_ID_BYTES) != 0)
        list = list->next;
    return list;
}

static void
add_dialler(struct dialler **list, struct ts_mobile *mobile, const char *addresses, const struct ts_peer_row *partner)
{
    struct dialler *dialler = calloc(1, sizeof *dialler);

    if (!dialler)
        return; /* the next look tries again */
    *dialler = (struct dialler){.next = *list, .mobile = mobile, .addresses = addresses};
    memcpy(dialler->pairing, partner->pairing, sizeof dialler->pairing);
    if (ts_thread_start(&dialler->thread, keep_connected, dialler))
        *list = dialler;
    else
        free(dialler);
}

static void
look_for_partners(struct dialler **list, struct ts_mobile *mobile, const char *addresses)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;

    if (ts_peer_list(&rows, &count, mobile->options.store, mobile->options.token) == TS_OK)
        for (size_t i = 0; i < count; i++)
            if (rows[i].state == TS_PEER_ACTIVE && !find_dialler(*list, rows[i].pairing))
                add_dialler(list, mobile, addresses, &rows[i]);
    free(rows);
}

static void
join_ended(struct dialler **list, struct ts_mobile *mobile, bool all)
{
    while (*list) {
        struct dialler *dialler = *list;
        pthread_mutex_lock(&mobile->lock);
        bool ended = dialler->ended || all;
        pthread_mutex_unlock(&mobile->lock);
        if (!ended) {
            list = &dialler->next;
            continue;
        }
        *list = dialler->next;
        (void)pthread_join(dialler->thread, NULL);
        free(dialler);
    }
}

void
ts_mobile_watch(struct ts_mobile *mobile, const char *addresses)
{
    struct dialler *diallers = NULL;

    do {
        ts_mobile_end_unpaired(mobile);
        join_ended(&diallers, mobile, false);
        if (addresses)
            look_for_partners(&diallers, mobile, addresses);
    } while (pause_for(mobile, LOOK_MS));
    join_ended(&diallers, mobile, true);
}
