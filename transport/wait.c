#include "transport/wait.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

uint64_t
ts_deadline_after(const struct ts_env *env, uint32_t timeout_ms)
{
    return timeout_ms == UINT32_MAX ? TS_NO_DEADLINE : ts_now_ms(env) + timeout_ms;
}

int
ts_deadline_left(const struct ts_env *env, uint64_t deadline_ms)
{
    if (deadline_ms == TS_NO_DEADLINE)
        return -1;
    uint64_t now = ts_now_ms(env);
    if (deadline_ms <= now)
        return 0;
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}

enum ts_error
ts_wait(const struct ts_env *env, struct pollfd *fds, nfds_t count, uint64_t deadline_ms)
{
    for (;;) {
        int left = ts_deadline_left(env, deadline_ms);
        int ready = poll(fds, count, left);
        if (ready > 0)
            return TS_OK;
        if (ready == 0 && left >= 0 && ts_deadline_left(env, deadline_ms) == 0)
            return TS_TIMEOUT;
        if (ready < 0 && errno != EINTR)
            return TS_IO;
    }
}

enum ts_error
ts_wait_stoppable(const struct ts_env *env, struct pollfd *fd, uint64_t deadline_ms, const struct ts_stop *stop)
{
    for (;;) {
        struct pollfd fds[2] = {*fd, {.fd = stop ? stop->fd : -1, .events = POLLIN}};
        uint64_t count = 0;
        if (stop && atomic_load(stop->stopped))
            return TS_IO;
        enum ts_error error = ts_wait(env, fds, 2, deadline_ms);
        *fd = fds[0];
        if (error != TS_OK || fds[0].revents)
            return error;
        if (atomic_load(stop->stopped))
            return TS_IO; /* unread: the descriptor may end the waits of others, too */
        (void)!read(fds[1].fd, &count, sizeof count);
    }
}
