#ifndef TS_STORE_HOLDER_H
#define TS_STORE_HOLDER_H

#include "base/env.h"

#include <stdbool.h>
#include <stdint.h>

/** Who is still there: a number of our own, and a lock that tells others as long as we live. Each holder locks the byte
 *  at its number in one file beside the database; the kernel gives the lock back however the process ends. It works
 *  across name spaces of processes, and a number is not reused as a process id is. Linux's open file description locks,
 *  so that another handle of the same process is a stranger, too. */
struct ts_holder;

/** Open `path` with "-live" appended (made with mode 0600 when absent) and lock a random byte.
 *  Returns: TS_OK; TS_STORAGE (logged); TS_INTERNAL. env must outlive it. */
enum ts_error ts_holder_open(struct ts_holder **out, const struct ts_env *env, const char *path);

/** Give the number up. NULL is allowed. Also for a forked child: its parent keeps the lock. */
void ts_holder_close(struct ts_holder *holder);

/** From 1 to 2^62. */
uint64_t ts_holder_number(const struct ts_holder *holder);

/** Is the holder of that number, be it ourselves, alive? True when it cannot be told. */
bool ts_holder_alive(const struct ts_holder *holder, uint64_t number);

/** The right to do something to one thing that only one at a time may do, of all processes that share `path` and all
 *  threads of each. Given up with ts_holder_close, or by the kernel.
 *  In:   id  of the thing; two that share their first eight bytes exclude each other
 *  Returns: TS_OK; TS_EXISTS when somebody has it; TS_STORAGE (logged); TS_INTERNAL. */
enum ts_error ts_holder_claim(struct ts_holder **out, const struct ts_env *env, const char *path, const uint8_t id[16]);

#endif
