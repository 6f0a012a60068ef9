#ifndef TS_BASE_THREAD_H
#define TS_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/** Start a thread with all signals blocked: in the module they are the host's, in the programs the main thread's.
 *  It must be joined with pthread_join.
 *  Returns: false when there is none. */
bool ts_thread_start(pthread_t *out, void *(*run)(void *argument), void *argument);

#endif
