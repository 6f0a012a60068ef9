#ifndef TS_SERVER_LISTEN_H
#define TS_SERVER_LISTEN_H

#include "base/env.h"

#include <stddef.h>

#define TS_LISTEN_MAX 8

/** The sockets that accept calls: what systemd passed (LISTEN_FDS), else one bound to `address` ("host:port" or
 *  "[v6]:port"; an unspecified IPv6 address takes IPv4, too). Non-blocking.
 *  Returns: TS_OK; TS_USAGE (address); TS_IO (logged). */
enum ts_error ts_listen(int sockets[TS_LISTEN_MAX], unsigned *count, const struct ts_env *env, const char *address);

/** "host:port" of a bound socket. Returns: out, "" when it has none (a unix socket). */
char *ts_listen_name(char *out, size_t size, int socket);

#endif
