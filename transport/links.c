#include "transport/link.h"

#include <pthread.h>
#include <stdlib.h>

struct ts_links {
    pthread_mutex_t mutex;
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
