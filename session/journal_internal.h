#ifndef TS_SESSION_JOURNAL_INTERNAL_H
#define TS_SESSION_JOURNAL_INTERNAL_H

#include "session/journal.h"

#include <pthread.h>
#include <string.h>

/* Private to journal.c (the file, reading) and journal_entry.c (writing). */

struct ts_journal {
    const struct ts_env *env;
    char *store;
    uint32_t keep_s;
    pthread_mutex_t lock; /* guards what follows until it is there */
    const struct ts_holder *holder;
    struct ts_holder *own_holder;
    struct ts_journal_rows *rows; /* NULL before the first use; then never changed */
    uint64_t retry_ms;            /* not opened, and no step written, before */
    uint64_t begun;
    bool warned; /* that it cannot be written */
};

/** Open it at the first use.
 *  In:   make  when it is not there; a reader may be another user, whose file the writer could not open
 *  Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_journal_ready(struct ts_journal *journal, bool make);

/** Forget what is too old; and: is it time for that again? Counts a record. */
void ts_journal_expire(struct ts_journal *journal);
bool ts_journal_expire_due(struct ts_journal *journal);

/** Milliseconds since 1970. */
int64_t ts_journal_now(const struct ts_journal *journal);

#endif
