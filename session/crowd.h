#ifndef TS_SESSION_CROWD_H
#define TS_SESSION_CROWD_H

#include "base/env.h"

#define TS_CROWD_MAX 64        /**< connections at once */
#define TS_CROWD_SOURCE_MAX 16 /**< of them from one host */

/** Callers that have to be served at once, lest one that is silent keeps the others out: threads, one for each connection,
 *  in a bounded number; no host can take them all. */
struct ts_crowd;

/** What a thread does: serve one caller; the socket is owned. */
typedef void (*ts_serve)(void *ctx, int socket);

/** Returns: TS_OK; TS_INTERNAL. env must outlive it. */
enum ts_error ts_crowd_new(struct ts_crowd **out, const struct ts_env *env, ts_serve serve, void *ctx);

/** Start a thread for an accepted socket, which is owned from here on. Called from one thread.
 *  In:   from  the caller's address with port
 *  Returns: TS_OK; TS_REFUSED when there are too many (closed, logged); TS_INTERNAL (closed, logged). */
enum ts_error ts_crowd_add(struct ts_crowd *crowd, int socket, const char *from);

/** Wait until each thread has ended and free. What serves must have been told to stop, or have a deadline. NULL is
 *  allowed. */
void ts_crowd_free(struct ts_crowd *crowd);

#endif
