#ifndef TS_STORE_FORK_GATE_H
#define TS_STORE_FORK_GATE_H

/** SQLite has locks that all its databases share, and a forked child in which a thread that no longer exists holds one
 *  waits for ever at its first use. So whoever works in SQLite is inside the gate, and fork waits until it is empty; a
 *  unit of work lasts milliseconds. The one lock of the library that belongs to the process and not to an instance,
 *  because fork does. May be entered again by the thread that is inside. */
void ts_fork_gate_enter(void);
void ts_fork_gate_leave(void);

#endif
