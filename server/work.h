#ifndef TS_SERVER_WORK_H
#define TS_SERVER_WORK_H

#include <stdbool.h>

/** A bounded queue and the threads that empty it, so that the event loop never waits. */
struct ts_pool;

/** One piece of work. worker: 0 to threads - 1, who does it. */
struct ts_work {
    struct ts_work *next; /**< of the pool */
    void (*run)(struct ts_work *work, unsigned worker);
};

/** Start the threads; every signal is blocked in them.
 *  In:   threads  1 to 64
 *        room     pieces that may wait
 *  Returns: NULL without memory or threads. */
struct ts_pool *ts_pool_new(unsigned threads, unsigned room);

/** Hand a piece over; it stays the caller's memory, and must live until it was run or taken back.
 *  Returns: false when the queue is full or the pool has stopped: the piece is not run. */
bool ts_pool_add(struct ts_pool *pool, struct ts_work *work);

/** Take a piece that waits back. Returns: true when it waited: it will not be run. */
bool ts_pool_take(struct ts_pool *pool, struct ts_work *work);

/** Pieces that wait. */
unsigned ts_pool_waiting(struct ts_pool *pool);

/** Run what waits, take nothing more, join the threads, free. NULL is allowed. */
void ts_pool_free(struct ts_pool *pool);

#endif
