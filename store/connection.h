#ifndef TS_STORE_CONNECTION_H
#define TS_STORE_CONNECTION_H

/* Inside store/ only: SQLite's handle of a database, and what fork does to it.
   SQLite knows the files that a process has open by their inodes and counts their locks there. A child of fork would
   find its parent's files among them, take the parent's locks for its own and have none: its log could be deleted under
   it. So no handle lives through a fork. It is closed before (store/fork_gate.h) and opened again at the next use. Only a
   process that could not open it again keeps it; its child is refused. */

#include "store/db.h"

/** Open the handle of a store that has none, with its settings. Inside the gate.
 *  Returns: TS_OK; TS_STORAGE (logged). Also when this process has inherited a handle of the file from its parent, which
 *  happens when a thread forks in the middle of its unit: then there is no safe way to use the file. */
enum ts_error ts_connection_open(struct ts_store *store);

/** Open the handle again if a fork has closed it. The store's mutex is held. On failure (logged) it stays without. */
void ts_connection_restore(struct ts_store *store);

/** Close. Inside the gate. What is inherited from the parent is left alone. Returns: false when it is. */
bool ts_connection_close(struct ts_store *store);

#endif
