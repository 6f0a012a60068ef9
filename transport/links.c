#include "transport/link_internal.h"

#include <stdlib.h>
#include <string.h>

/* A caller that leaves broken links behind must not use up the threads that wait for its return. */
#define LOST_MAX 4

struct ts_links {
    pthread_mutex_t mutex; /* taken before a link's */
    struct ts_link *first; /* newest first */
};

enum ts_error
ts_links_new(struct ts_links **out)
{
    struct ts_links *links = calloc(1, sizeof *links);

    *out = NULL;
    if (!links)
        return TS_INTERNAL;
    if (pthread_mutex_init(&links->mutex, NULL) != 0) {
        free(links);
        return TS_INTERNAL;
    }
    *out = links;
    return TS_OK;
}

void
ts_links_free(struct ts_links *links)
{
    if (!links)
        return;
    (void)pthread_mutex_destroy(&links->mutex);
    free(links);
}

static bool
is_lost(struct ts_link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    bool lost = !link->channel && !ts_link_ended(link);
    (void)pthread_mutex_unlock(&link->mutex);
    return lost;
}

/* Newest first: those behind the fourth end. */
static void
end_oldest_lost(const struct ts_links *links, const struct ts_link *newest)
{
    unsigned lost = 0;

    for (struct ts_link *link = links->first; link; link = link->listed) {
        if (memcmp(link->peer, newest->peer, sizeof link->peer) != 0 || !is_lost(link) || ++lost <= LOST_MAX)
            continue;
        ts_log(link->env, TS_LOG_WARNING, "%s leaves too many broken connections behind; the oldest is given up",
            link->name);
        ts_link_shutdown(link);
    }
}

void
ts_links_add(struct ts_links *links, struct ts_link *link)
{
    (void)pthread_mutex_lock(&links->mutex);
    link->links = links;
    link->listed = links->first;
    links->first = link;
    end_oldest_lost(links, link);
    (void)pthread_mutex_unlock(&links->mutex);
}

void
ts_links_remove(struct ts_link *link)
{
    struct ts_links *links = link->links;

    if (!links)
        return;
    (void)pthread_mutex_lock(&links->mutex);
    struct ts_link **place = &links->first;
    while (*place != link)
        place = &(*place)->listed;
    *place = link->listed;
    link->links = NULL;
    (void)pthread_mutex_unlock(&links->mutex);
}

/* With the list's mutex. */
static struct ts_link *
find(const struct ts_links *links, const uint8_t key_hash[TS_KEY_HASH_BYTES], const uint8_t *id)
{
    for (struct ts_link *link = links->first; link; link = link->listed) {
        if (memcmp(link->peer, key_hash, TS_KEY_HASH_BYTES) != 0)
            continue;
        if (id && (!link->named || memcmp(link->id, id, TS_LINK_ID_BYTES) != 0))
            continue;
        (void)pthread_mutex_lock(&link->mutex);
        bool over = ts_link_ended(link) || link->resume_ms == 0;
        (void)pthread_mutex_unlock(&link->mutex);
        if (!over)
            return link;
    }
    return NULL;
}

bool
ts_links_has(struct ts_links *links, const uint8_t key_hash[TS_KEY_HASH_BYTES], const uint8_t *id)
{
    (void)pthread_mutex_lock(&links->mutex);
    bool has = find(links, key_hash, id) != NULL;
    (void)pthread_mutex_unlock(&links->mutex);
    return has;
}

bool
ts_links_attach(struct ts_links *links, struct ts_channel *channel)
{
    uint8_t key_hash[TS_KEY_HASH_BYTES];
    bool attached = false;

    ts_tls_peer(ts_channel_tls(channel), key_hash);
    (void)pthread_mutex_lock(&links->mutex);
    struct ts_link *link = find(links, key_hash, ts_channel_link(channel));
    if (link) {
        (void)pthread_mutex_lock(&link->mutex);
        attached = !ts_link_ended(link);
        if (attached)
            ts_link_adopt(link, channel);
        (void)pthread_mutex_unlock(&link->mutex);
    }
    (void)pthread_mutex_unlock(&links->mutex);
    return attached;
}
