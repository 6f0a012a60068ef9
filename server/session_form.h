#ifndef TS_SERVER_SESSION_FORM_H
#define TS_SERVER_SESSION_FORM_H

#include "server/operation.h"
#include "session/journal.h"
#include "store/ledger.h"

/** A session as the API shows it. Returns: NULL without memory. */
json_t *ts_session_json(const struct ts_journal_row *row);
/** One that the journal does not have (yet): from the ledger and the operations; either may be NULL. answer: that ended
 *  it; NULL while it goes on. */
json_t *ts_session_json_early(
    const char *id, const struct ts_ledger_call *call, const struct ts_operation_view *view, const json_t *answer);
/** A step as the stream of events tells it. */
json_t *ts_event_json(const struct ts_journal_event *event, const struct ts_journal_row *row);
/** "2026-01-31T12:00:00.123Z". out: 32 bytes. */
void ts_time_text(char out[32], int64_t ms);

#endif
