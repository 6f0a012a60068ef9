#ifndef TS_TRANSPORT_WAIT_H
#define TS_TRANSPORT_WAIT_H

#include "base/env.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>

/** Deadlines of the environment's clock, and waiting for descriptors until one. Inside transport/ only. */

#define TS_NO_DEADLINE UINT64_MAX

/** The moment `timeout_ms` from now; UINT32_MAX is TS_NO_DEADLINE. */
uint64_t ts_deadline_after(const struct ts_env *env, uint32_t timeout_ms);

/** Milliseconds left, at most INT_MAX: 0 when it is past, -1 without deadline; as poll() takes them. */
int ts_deadline_left(const struct ts_env *env, uint64_t deadline_ms);

/** poll() that goes on after signals.
 *  Returns: TS_OK when a descriptor is ready; TS_TIMEOUT; TS_IO when poll fails. */
enum ts_error ts_wait(const struct ts_env *env, struct pollfd *fds, nfds_t count, uint64_t deadline_ms);

/** What ends a wait before its time. */
struct ts_stop {
    int fd;                     /**< eventfd, written to when somebody should look, after `stopped` was set */
    const atomic_bool *stopped; /**< then it is over; else the wait goes on */
};

/** The same for one descriptor; stop may be NULL.
 *  Returns: as ts_wait; TS_IO also when stopped. */
enum ts_error ts_wait_stoppable(
    const struct ts_env *env, struct pollfd *fd, uint64_t deadline_ms, const struct ts_stop *stop);

#endif
