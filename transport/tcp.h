#ifndef TS_TRANSPORT_TCP_H
#define TS_TRANSPORT_TCP_H

#include "base/env.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TS_TCP_HOST_BYTES 254 /**< longest DNS name with the final NUL (RFC 1035 2.3.4) */
#define TS_TCP_LISTEN_MAX 8   /**< most addresses that one listener binds */

/** Split "host:port", "v4:port" or "[v6]:port". The port is decimal without sign or leading zeros, at most 65535;
 *  the host has only letters, digits, '-', '.', '_' (or, in brackets, hexadecimal digits, ':', '.', '%').
 *  Returns: TS_OK; TS_USAGE. */
enum ts_error ts_tcp_address_split(char host[TS_TCP_HOST_BYTES], uint16_t *port, const char *address);

/** Connect, trying each address of the host in order. The socket is non-blocking, close-on-exec, with TCP_NODELAY and
 *  SO_KEEPALIVE. Looking up a name follows the system resolver's own time limits.
 *  In:   deadline_ms  of the environment's monotonic clock, for all addresses together
 *  Returns: TS_OK; TS_USAGE on a malformed address or port 0; TS_IO, logged with the name and what to do. */
enum ts_error ts_tcp_dial(int *out_socket, const struct ts_env *env, const char *address, uint64_t deadline_ms);

struct ts_lookups;
struct ts_stop;

/** The same, ended early by `stop` (wait.h) with TS_IO; with `lookups` (lookup.h), which may be NULL, the deadline holds for
 *  the resolver too. Returns: also TS_NOT_FOUND when every address refused: a machine is there, and nobody listens. */
enum ts_error ts_tcp_dial_stoppable(int *out_socket, const struct ts_env *env, const char *address,
    uint64_t deadline_ms, const struct ts_stop *stop, struct ts_lookups *lookups);

/** Listening sockets of one "host:port". */
struct ts_tcp_listener;

/** Listen on every address that the host stands for (at most TS_TCP_LISTEN_MAX); an address of a family that this
 *  machine lacks is skipped as long as one remains. Port 0 takes a free port, the same for all.
 *  Returns: TS_OK; TS_USAGE on a malformed address; TS_IO, logged. */
enum ts_error ts_tcp_listen(struct ts_tcp_listener **out, const struct ts_env *env, const char *address);

/** The port that is listened on, 1 to 65535. */
uint16_t ts_tcp_listener_port(const struct ts_tcp_listener *listener);

/** Wait for a caller. The socket is non-blocking, close-on-exec, with TCP_NODELAY and SO_KEEPALIVE, ready for
 *  ts_link_accept.
 *  In:   from         room for the caller's address as text ("127.0.0.1:4711"), or NULL
 *        timeout_ms   0 polls; UINT32_MAX waits without end
 *  Returns: TS_OK; TS_TIMEOUT; TS_IO after ts_tcp_listener_stop, or on a failure that is logged. */
enum ts_error ts_tcp_accept(
    int *out_socket, char *from, size_t from_size, struct ts_tcp_listener *listener, uint32_t timeout_ms);

/** Make every ts_tcp_accept return TS_IO, now and later. Safe from any thread and from a signal handler. */
void ts_tcp_listener_stop(struct ts_tcp_listener *listener);

/** What ts_tcp_listener_stop ends beside it: for ts_link_accept. Good until the listener is closed. */
const struct ts_stop *ts_tcp_listener_ending(const struct ts_tcp_listener *listener);

/** Close the sockets and free. No thread may be in ts_tcp_accept. NULL is allowed. */
void ts_tcp_listener_close(struct ts_tcp_listener *listener);

#endif
