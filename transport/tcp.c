#include "transport/tcp.h"

#include "base/descriptor.h"
#include "transport/lookup.h"
#include "transport/wait.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Small messages must not wait for each other, and a peer that vanished shall be noticed some day. Best effort. */
static void
set_options(int socket)
{
    int on = 1;

    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* Wait until a connect that is under way ends. Returns: 0 or an errno. */
static int
finish_connect(int socket, const struct ts_env *env, uint64_t deadline_ms, const struct ts_stop *stop)
{
    struct pollfd fd = {.fd = socket, .events = POLLOUT};
    int result = 0;
    socklen_t size = sizeof result;

    enum ts_error error = ts_wait_stoppable(env, &fd, deadline_ms, stop);
    if (error != TS_OK)
        return error == TS_TIMEOUT ? ETIMEDOUT : ECANCELED;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &result, &size) != 0)
        return errno;
    return result;
}

/* Returns: 0 and a connected socket, or an errno. */
static int
connect_one(
    int *out, const struct ts_env *env, const struct addrinfo *to, uint64_t deadline_ms, const struct ts_stop *stop)
{
    int fd =
        ts_descriptor_raise(socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol));
    if (fd < 0)
        return errno;
    set_options(fd);
    int result = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : errno;
    if (result == EINPROGRESS || result == EINTR)
        result = finish_connect(fd, env, deadline_ms, stop);
    if (result == 0)
        *out = fd;
    else
        (void)close(fd);
    return result;
}

/* An address that swallows packets must leave time for the ones after it: each gets its share of what is left. */
static uint64_t
share_deadline(const struct ts_env *env, const struct addrinfo *from, uint64_t deadline_ms)
{
    uint64_t now = ts_now_ms(env);
    uint64_t count = 0;

    if (deadline_ms == TS_NO_DEADLINE || deadline_ms <= now)
        return deadline_ms;
    for (; from; from = from->ai_next)
        count++;
    return now + (deadline_ms - now) / count;
}

static enum ts_error
connect_any(int *out, const struct ts_env *env, const char *address, const struct addrinfo *list, uint64_t deadline_ms,
    const struct ts_stop *stop)
{
    char reason[128] = "no address";
    bool refused = list != NULL;

    for (const struct addrinfo *to = list; to; to = to->ai_next) {
        int result = connect_one(out, env, to, share_deadline(env, to, deadline_ms), stop);
        if (result == 0)
            return TS_OK;
        refused = refused && result == ECONNREFUSED;
        (void)snprintf(reason, sizeof reason, "%s", strerrordesc_np(result));
        ts_log(env, TS_LOG_DEBUG, "connect to %s: one address failed: %s", address, reason);
    }
    ts_log(env, TS_LOG_ERROR,
        "cannot connect to %s: %s; check that the peer runs, listens there, and is not behind a firewall", address,
        reason);
    return refused ? TS_NOT_FOUND : TS_IO;
}

enum ts_error
ts_tcp_dial(int *out_socket, const struct ts_env *env, const char *address, uint64_t deadline_ms)
{
    enum ts_error error = ts_tcp_dial_stoppable(out_socket, env, address, deadline_ms, NULL, NULL);
    return error == TS_NOT_FOUND ? TS_IO : error;
}

enum ts_error
ts_tcp_dial_stoppable(int *out_socket, const struct ts_env *env, const char *address, uint64_t deadline_ms,
    const struct ts_stop *stop, struct ts_lookups *lookups)
{
    char host[TS_TCP_HOST_BYTES];
    struct addrinfo *list = NULL;
    uint16_t port = 0;

    *out_socket = -1;
    if (ts_tcp_address_split(host, &port, address) != TS_OK || port == 0) {
        ts_log(env, TS_LOG_ERROR, "'%s' is not an address; write host:port or [v6]:port", address);
        return TS_USAGE;
    }
    enum ts_error error = ts_lookup(&list, lookups, env, host, port, deadline_ms, stop);
    if (error != TS_OK)
        return error;
    error = connect_any(out_socket, env, address, list, deadline_ms, stop);
    freeaddrinfo(list);
    return error;
}
