#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PASSED 3
#define BACKLOG 256

/* sd_listen_fds(3), without libsystemd. */
static unsigned
passed(int sockets[TS_LISTEN_MAX])
{
    const char *pid = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
    unsigned count = 0;

    if (!pid || !number || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    for (long i = strtol(number, NULL, 10); i > 0 && count < TS_LISTEN_MAX; i--) {
        int fd = FIRST_PASSED + (int)count;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        sockets[count++] = fd;
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    return count;
}

static int
bind_one(const struct addrinfo *info)
{
    const int yes = 1, no = 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return -1;
}

static enum ts_error
split(char host[256], const char **port, const char *address)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;

    if (len > 1 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    if (!colon || len >= 256)
        return TS_USAGE;
    memcpy(host, address, len);
    host[len] = 0;
    *port = colon + 1;
    return TS_OK;
}

enum ts_error
ts_listen(int sockets[TS_LISTEN_MAX], unsigned *count, const struct ts_env *env, const char *address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
    char host[256];
    const char *port;

    if ((*count = passed(sockets)) > 0)
        return TS_OK;
    if (split(host, &port, address) != TS_OK)
        return TS_USAGE;
    int code = getaddrinfo(*host ? host : NULL, port, &hints, &list);
    for (struct addrinfo *at = code == 0 ? list : NULL; at && *count == 0; at = at->ai_next)
        if ((sockets[0] = bind_one(at)) >= 0)
            *count = 1;
    if (list)
        freeaddrinfo(list);
    if (*count > 0)
        return TS_OK;
    ts_log(env, TS_LOG_ERROR, "cannot listen on %s: %s", address, code ? gai_strerror(code) : strerror(errno));
    return TS_IO;
}

char *
ts_listen_name(char *out, size_t size, int socket)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char host[64], port[16];

    *out = 0;
    if (getsockname(socket, (struct sockaddr *)&address, &len) == 0 &&
        getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        (void)snprintf(out, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    return out;
}
