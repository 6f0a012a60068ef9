#ifndef TS_TRANSPORT_LOOKUP_H
#define TS_TRANSPORT_LOOKUP_H

#include "base/env.h"

#include <netdb.h>
#include <stdint.h>

struct ts_stop;

/** The system's resolver knows no deadline and cannot be interrupted. So it is asked in a thread, and who waits may go
 *  before it answers. The thread is kept here until it has ended; threads belong to the owner, not to a lookup. */
struct ts_lookups;

#define TS_LOOKUPS_MAX 16 /**< threads at once; one is enough for all who wait for the same name one after the other */

/** Returns: TS_OK; TS_INTERNAL. env must outlive it. */
enum ts_error ts_lookups_new(struct ts_lookups **out, const struct ts_env *env);

/** Wait for the threads and free: as long as the system's resolver needs to give up (resolv.conf(5)). Nobody may be in
 *  ts_lookup. NULL is allowed. */
void ts_lookups_free(struct ts_lookups *lookups);

/** Find the addresses of a host. A number is its own address and needs no resolver.
 *  In:   lookups  NULL where no thread may be started: then the resolver's own time limits hold
 *        stop     ends the wait (wait.h); NULL: nothing does
 *  Out:  list of stream addresses, to be freed with freeaddrinfo
 *  Returns: TS_OK; TS_IO, logged with the host's name and what to do: unknown, no answer until the deadline, stopped. */
enum ts_error ts_lookup(struct addrinfo **out, struct ts_lookups *lookups, const struct ts_env *env, const char *host,
    uint16_t port, uint64_t deadline_ms, const struct ts_stop *stop);

#endif
