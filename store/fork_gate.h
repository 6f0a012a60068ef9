#ifndef TS_STORE_FORK_GATE_H
#define TS_STORE_FORK_GATE_H

#include <stdbool.h>

/** SQLite has locks that all its databases share, and a forked child in which a thread that no longer exists holds one
 *  waits for ever at its first use. So whoever works in SQLite is inside the gate, and fork waits until it is empty; a
 *  unit of work lasts milliseconds. The one lock of the library that belongs to the process and not to an instance,
 *  because fork does. May be entered again by the thread that is inside. */
void ts_fork_gate_enter(void);
void ts_fork_gate_leave(void);
/** Enter unless it is shut. Returns: false when it is. */
bool ts_fork_gate_try(void);

/** What has something open that must not live through a fork. */
struct ts_fork_guest {
    void (*put_away)(struct ts_fork_guest *guest); /**< before fork, while nobody is inside; not when the thread that
                                                        forks is inside itself */
    void *owner;
    struct ts_fork_guest *next, **link; /**< the gate's own */
};

/** Name a guest to the gate, or take it back. Inside the gate. */
void ts_fork_gate_join(struct ts_fork_guest *guest);
void ts_fork_gate_part(struct ts_fork_guest *guest);

/** Is there a guest for which the test holds? Inside the gate. */
bool ts_fork_gate_any(bool (*test)(const struct ts_fork_guest *guest, const void *value), const void *value);

#endif
