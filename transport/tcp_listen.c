#include "transport/tcp.h"

#include "transport/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

struct ts_tcp_listener {
    const struct ts_env *env;
    atomic_bool stopped;
    struct ts_stop stop; /* its descriptor is readable for good once stopped */
    size_t count;
    size_t turn; /* whose caller is taken first, so that no socket starves another */
    int sockets[TS_TCP_LISTEN_MAX];
    uint16_t port;
};

static void
set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)address)->sin_port = htons(port);
}

static uint16_t
get_port(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

static bool
bind_and_listen(int fd, const struct sockaddr_storage *address, socklen_t size)
{
    int on = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "::" and "0.0.0.0" come as two addresses and must not take each other's port. */
    if (address->ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return bind(fd, (const struct sockaddr *)address, size) == 0 && listen(fd, BACKLOG) == 0;
}

/* Returns: 0 when the listener has one more socket, or an errno. */
static int
add_socket(struct ts_tcp_listener *listener, const struct addrinfo *at)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;

    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    memcpy(&address, at->ai_addr, at->ai_addrlen);
    set_port(&address, listener->port);
    if (!bind_and_listen(fd, &address, at->ai_addrlen) || getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        int result = errno;
        (void)close(fd);
        return result;
    }
    listener->port = get_port(&address);
    listener->sockets[listener->count++] = fd;
    return 0;
}

static bool
family_missing(int result)
{
    return result == EAFNOSUPPORT || result == EADDRNOTAVAIL;
}

static enum ts_error
listen_on_all(struct ts_tcp_listener *listener, const char *address, const struct addrinfo *list)
{
    int last = EADDRNOTAVAIL;

    for (const struct addrinfo *at = list; at && listener->count < TS_TCP_LISTEN_MAX; at = at->ai_next) {
        int result = add_socket(listener, at);
        if (result == 0)
            continue;
        last = result;
        if (!family_missing(result))
            goto failed;
    }
    if (listener->count > 0)
        return TS_OK;
failed:
    ts_log(listener->env, TS_LOG_ERROR, "cannot listen on %s: %s; choose another address or port, or stop what uses it",
        address, strerrordesc_np(last));
    return TS_IO;
}

static enum ts_error
resolve(struct addrinfo **list, const struct ts_env *env, const char *address, uint16_t *port)
{
    char host[TS_TCP_HOST_BYTES];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};

    if (ts_tcp_address_split(host, port, address) != TS_OK) {
        ts_log(env, TS_LOG_ERROR, "'%s' is not an address to listen on; write host:port or [v6]:port", address);
        return TS_USAGE;
    }
    int result = getaddrinfo(host, NULL, &hints, list);
    if (result == 0)
        return TS_OK;
    ts_log(env, TS_LOG_ERROR, "cannot find the address of the host '%s' to listen on: %s; check the name", host,
        gai_strerror(result));
    return TS_IO;
}

enum ts_error
ts_tcp_listen(struct ts_tcp_listener **out, const struct ts_env *env, const char *address)
{
    struct addrinfo *list = NULL;
    uint16_t port = 0;

    *out = NULL;
    enum ts_error error = resolve(&list, env, address, &port);
    if (error != TS_OK)
        return error;
    error = TS_INTERNAL;
    struct ts_tcp_listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        goto done;
    *listener = (struct ts_tcp_listener){.env = env, .port = port};
    listener->stop = (struct ts_stop){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), &listener->stopped};
    if (listener->stop.fd >= 0)
        error = listen_on_all(listener, address, list);
    if (error == TS_OK)
        *out = listener;
    else
        ts_tcp_listener_close(listener);
done:
    freeaddrinfo(list);
    return error;
}

uint16_t
ts_tcp_listener_port(const struct ts_tcp_listener *listener)
{
    return listener->port;
}

static void
write_address(char *out, size_t size, const struct sockaddr_storage *address)
{
    char text[INET6_ADDRSTRLEN] = "?";

    if (address->ss_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
        (void)snprintf(out, size, "[%s]:%u", text, (unsigned)get_port(address));
        return;
    }
    (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    (void)snprintf(out, size, "%s:%u", text, (unsigned)get_port(address));
}

/* What accept may report of a caller who is gone already, or of a network that is (accept(2)). */
static bool
caller_gone(int result)
{
    return result == EAGAIN || result == EWOULDBLOCK || result == EINTR || result == ECONNABORTED || result == EPROTO ||
           result == ENETDOWN || result == ENETUNREACH || result == EHOSTDOWN || result == EHOSTUNREACH ||
           result == ENOPROTOOPT || result == ENONET || result == EOPNOTSUPP;
}

/* Returns: TS_OK; TS_NOT_FOUND when nobody calls now; TS_IO. */
static enum ts_error
take_caller(int *out_socket, char *from, size_t from_size, struct ts_tcp_listener *listener)
{
    for (size_t i = 0; i < listener->count; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof address;
        int on = 1;
        int index = listener->sockets[(listener->turn + i) % listener->count];
        int fd = accept4(index, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && caller_gone(errno))
            continue;
        if (fd < 0) {
            ts_log(listener->env, TS_LOG_ERROR,
                "cannot take a caller: %s; raise the limit of open files or close connections", strerrordesc_np(errno));
            return TS_IO;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        if (from)
            write_address(from, from_size, &address);
        listener->turn = (listener->turn + i + 1) % listener->count;
        *out_socket = fd;
        return TS_OK;
    }
    return TS_NOT_FOUND;
}

enum ts_error
ts_tcp_accept(int *out_socket, char *from, size_t from_size, struct ts_tcp_listener *listener, uint32_t timeout_ms)
{
    struct pollfd fds[TS_TCP_LISTEN_MAX + 1] = {{.fd = listener->stop.fd, .events = POLLIN}};
    uint64_t deadline_ms = ts_deadline_after(listener->env, timeout_ms);

    *out_socket = -1;
    for (size_t i = 0; i < listener->count; i++)
        fds[i + 1] = (struct pollfd){.fd = listener->sockets[i], .events = POLLIN};
    for (;;) {
        enum ts_error error = ts_wait(listener->env, fds, listener->count + 1, deadline_ms);
        if (error == TS_OK && fds[0].revents)
            error = TS_IO;
        if (error == TS_OK)
            error = take_caller(out_socket, from, from_size, listener);
        if (error != TS_NOT_FOUND)
            return error;
    }
}

void
ts_tcp_listener_stop(struct ts_tcp_listener *listener)
{
    uint64_t one = 1;
    int saved = errno; /* a signal handler must leave it */

    atomic_store(&listener->stopped, true);
    (void)!write(listener->stop.fd, &one, sizeof one);
    errno = saved;
}

const struct ts_stop *
ts_tcp_listener_ending(const struct ts_tcp_listener *listener)
{
    return &listener->stop;
}

void
ts_tcp_listener_close(struct ts_tcp_listener *listener)
{
    if (!listener)
        return;
    for (size_t i = 0; i < listener->count; i++)
        (void)close(listener->sockets[i]);
    if (listener->stop.fd >= 0)
        (void)close(listener->stop.fd);
    free(listener);
}
