#ifndef TS_SESSION_STORE_PLACE_H
#define TS_SESSION_STORE_PLACE_H

#include "store/store.h"

/** Make the folders that lead to a file, each for the owner alone. An existing one is left as it is.
 *  Returns: TS_OK; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_store_place(const char *path);

/** Open a store, making the folders that lead to it for the owner alone; a failure is logged. Used by both sides.
 *  Returns: as ts_store_open. */
enum ts_error ts_store_open_at(struct ts_store **out, const struct ts_env *env, const char *path);

#endif
