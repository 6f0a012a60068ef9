#ifndef TS_STORE_SCHEMA_H
#define TS_STORE_SCHEMA_H

#include "store/db.h"

/** What user_version a database of this program has. */
#define TS_SCHEMA_VERSION 3

/** Bring an open database to the schema of this program: make it in an empty file, or run the missing migrations, all
 *  in one transaction. Safe against other processes that do the same.
 *  Returns: TS_OK; TS_STORAGE when it is not one of ours or is newer than this program (logged); TS_INTERNAL. */
enum ts_error ts_schema_prepare(struct ts_store *store);

#endif
