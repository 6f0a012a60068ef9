#ifndef TS_STORE_JOURNAL_DB_H
#define TS_STORE_JOURNAL_DB_H

/* Inside store/ only: the journal's database and its columns; journal_rows.c writes, journal_find.c reads. */

#include "store/db.h"
#include "store/journal_rows.h"

struct ts_journal_rows {
    struct ts_store *db;
};

#define TS_JOURNAL_COLUMNS                                                                                             \
    "id, conversation, kind, status, key, label, partner, step, error, words, started, updated, application, host,"    \
    " user, presignature, request, answer, holder"

#endif
