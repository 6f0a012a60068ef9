#ifndef TS_STORE_SCHEMA_H
#define TS_STORE_SCHEMA_H

#include "store/db.h"

/** What user_version a database of this program has. */
#define TS_SCHEMA_VERSION 2

/** The tables of a kind of database. */
struct ts_schema {
    int application_id;            /**< tells the file from other SQLite databases */
    int version;                   /**< of this program, from 1 */
    const char *const *migrations; /**< [v] takes a database of version v to v + 1; released ones are never edited */
};

/** The store's own. */
extern const struct ts_schema ts_store_schema;

/** Bring an open database to the schema of this program: make it in an empty file, or run the missing migrations, all
 *  in one transaction. Safe against other processes that do the same.
 *  Returns: TS_OK; TS_STORAGE when it is not one of ours or is newer than this program (logged); TS_INTERNAL. */
enum ts_error ts_schema_prepare(struct ts_store *store, const struct ts_schema *schema);

#endif
