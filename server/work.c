#include "server/work.h"

#include "base/thread.h"

#include <stdlib.h>

struct worker {
    struct ts_pool *pool;
    unsigned number;
    pthread_t thread;
};

struct ts_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct ts_work *first, **last;
    unsigned waiting, room, threads;
    bool stopped;
    struct worker workers[];
};

static struct ts_work *
next_work(struct ts_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->first && !pool->stopped)
        (void)pthread_cond_wait(&pool->wake, &pool->lock);
    struct ts_work *work = pool->first;
    if (work) {
        pool->first = work->next;
        if (!pool->first)
            pool->last = &pool->first;
        pool->waiting--;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return work;
}

static void *
labour(void *argument)
{
    struct worker *worker = argument;
    struct ts_work *work;

    while ((work = next_work(worker->pool)))
        work->run(work, worker->number);
    return NULL;
}

static void
start(struct ts_pool *pool, unsigned threads)
{
    for (; pool->threads < threads; pool->threads++) {
        struct worker *worker = &pool->workers[pool->threads];
        *worker = (struct worker){.pool = pool, .number = pool->threads};
        if (!ts_thread_start(&worker->thread, labour, worker))
            break;
    }
}

struct ts_pool *
ts_pool_new(unsigned threads, unsigned room)
{
    struct ts_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(struct worker));

    if (!pool)
        return NULL;
    pool->room = room;
    pool->last = &pool->first;
    if (pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool);
        return NULL;
    }
    if (pthread_cond_init(&pool->wake, NULL) != 0) {
        (void)pthread_mutex_destroy(&pool->lock);
        free(pool);
        return NULL;
    }
    start(pool, threads);
    if (pool->threads == threads)
        return pool;
    ts_pool_free(pool);
    return NULL;
}

bool
ts_pool_add(struct ts_pool *pool, struct ts_work *work)
{
    (void)pthread_mutex_lock(&pool->lock);
    bool taken = !pool->stopped && pool->waiting < pool->room;
    if (taken) {
        work->next = NULL;
        *pool->last = work;
        pool->last = &work->next;
        pool->waiting++;
        (void)pthread_cond_signal(&pool->wake);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return taken;
}

bool
ts_pool_take(struct ts_pool *pool, struct ts_work *work)
{
    bool found = false;

    (void)pthread_mutex_lock(&pool->lock);
    for (struct ts_work **place = &pool->first; *place; place = &(*place)->next) {
        if (*place != work)
            continue;
        found = true;
        *place = work->next;
        if (!*place)
            pool->last = place;
        pool->waiting--;
        break;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return found;
}

unsigned
ts_pool_waiting(struct ts_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    unsigned waiting = pool->waiting;
    (void)pthread_mutex_unlock(&pool->lock);
    return waiting;
}

void
ts_pool_free(struct ts_pool *pool)
{
    if (!pool)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->stopped = true;
    (void)pthread_cond_broadcast(&pool->wake);
    (void)pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->threads; i++)
        (void)pthread_join(pool->workers[i].thread, NULL);
    (void)pthread_cond_destroy(&pool->wake);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}
