#ifndef TS_BASE_SECRET_H
#define TS_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Memory for secrets: own pages, zeroed, locked against swapping where the system allows, left out of core
 *  dumps, and zero in a forked child.
 *  In:   size  bytes, 1 to 2^30
 *  Returns: the memory, 16-byte aligned; NULL when there is none. Free with ts_secret_free. */
void *ts_secret_new(size_t size);

/** Erase and give back memory of ts_secret_new. NULL is allowed. */
void ts_secret_free(void *memory);

/** Erase `size` bytes in a way that the compiler does not remove. */
void ts_wipe(void *memory, size_t size);

/** Compare `size` bytes in constant time.
 *  Returns: true when equal. */
bool ts_equal(const void *a, const void *b, size_t size);

#endif
