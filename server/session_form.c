#include "server/session_form.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void
ts_time_text(char out[32], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts = {0};
    char text[24] = "";

    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out, 32, "%s.%03dZ", text, (int)(ms % 1000));
}

static const char *
or_nothing(const char *text)
{
    return *text ? text : NULL;
}

json_t *
ts_session_json(const struct ts_journal_row *row)
{
    char id[2 * TS_ID_BYTES + 1], key[2 * TS_ID_BYTES + 1], started[32], updated[32];

    ts_text_hex(id, row->id, TS_ID_BYTES);
    ts_text_hex(key, row->key, TS_ID_BYTES);
    ts_time_text(started, row->started_ms);
    ts_time_text(updated, row->updated_ms);
    return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s, s:s, s:s*, s:s*}", "session_id", id, "kind",
        ts_journal_kind_name(row->kind), "status", ts_journal_status_name(row->status), "step", row->step, "partner",
        or_nothing(row->partner), "key", row->has_key ? key : NULL, "label", or_nothing(row->label), "started", started,
        "updated", updated, "error", row->error == TS_OK ? NULL : ts_error_text(row->error), "reason",
        or_nothing(row->words));
}

/* How it ended, said as the journal would have. */
static const char *
early_end(const json_t *answer)
{
    static const struct {
        enum ts_problem problem;
        enum ts_journal_status status;
    } ends[] = {{TS_PROBLEM_CANCELLED, TS_JOURNAL_CANCELLED}, {TS_PROBLEM_TIMED_OUT, TS_JOURNAL_TIMED_OUT}};
    const char *type = json_string_value(json_object_get(answer, "type"));
    const char *name = type ? strrchr(type, ':') : NULL;

    for (size_t i = 0; name && i < sizeof ends / sizeof *ends; i++)
        if (strcmp(name + 1, ts_problem_name(ends[i].problem)) == 0)
            return ts_journal_status_name(ends[i].status);
    return ts_journal_status_name(TS_JOURNAL_FAILED);
}

json_t *
ts_session_json_early(
    const char *id, const struct ts_ledger_call *call, const struct ts_operation_view *view, const json_t *answer)
{
    const char *status = view ? "RUNNING" : "INTERRUPTED";
    const char *step = view && view->running ? "STARTED" : view ? "QUEUED" : "INTERRUPTED";
    char started[32], updated[32];

    ts_time_text(started, call ? call->started_ms : view->started_ms);
    ts_time_text(updated, call && call->ended_ms ? call->ended_ms : call ? call->started_ms : view->started_ms);
    if (!view && call && call->state == TS_LEDGER_DONE)
        status = step = call->status < 300 ? "COMPLETED" : early_end(answer);
    return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s, s:s}", "session_id", id, "kind",
        ts_journal_kind_name(call ? (enum ts_journal_kind)call->kind : view->kind), "status", status, "step", step,
        "partner", or_nothing(call ? call->partner : view->partner), "label",
        or_nothing(call ? call->label : view->label), "started", started, "updated", updated);
}

json_t *
ts_event_json(const struct ts_journal_event *event, const struct ts_journal_row *row)
{
    char id[2 * TS_ID_BYTES + 1], at[32];

    ts_text_hex(id, event->id, TS_ID_BYTES);
    ts_time_text(at, event->at_ms);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*}", "number", (json_int_t)event->number, "session_id",
        id, "kind", ts_journal_kind_name(row->kind), "status", ts_journal_status_name(event->status), "step",
        event->step, "at", at, "partner", or_nothing(row->partner), "label", or_nothing(row->label));
}
