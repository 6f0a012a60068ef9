#ifndef TS_SERVER_AUDIT_H
#define TS_SERVER_AUDIT_H

#include "server/exchange.h"

/** Writes who asked for what, many records in one durable unit, on a thread of its own: a flood of refused calls costs no
 *  more than the disk gives. What finds no room in its queue is counted and told once. */
struct ts_auditor;

/** Returns: NULL without memory or a thread. */
struct ts_auditor *ts_auditor_new(struct ts_server *server);
/** Write what is left, join, free. NULL is allowed. */
void ts_auditor_free(struct ts_auditor *auditor);
/** Record a call. Never waits. answered: false when the client went before; what a worker may still write is not read. */
void ts_auditor_add(struct ts_auditor *auditor, const struct ts_exchange *exchange, bool answered);

#endif
