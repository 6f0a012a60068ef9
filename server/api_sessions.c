#include "server/api_input.h"
#include "server/route.h"
#include "server/session_form.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* GET /api/v1/sessions, GET /api/v1/sessions/{id}, POST /api/v1/sessions/{id}/cancel */

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 500

static bool
read_limit(unsigned *out, struct ts_exchange *exchange)
{
    char text[16], *end = NULL;

    *out = LIMIT_DEFAULT;
    if (!ts_exchange_query(exchange, "limit", text, sizeof text))
        return true;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || value < 1 || value > LIMIT_MAX) {
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "limit must be from 1 to %d", LIMIT_MAX);
        return false;
    }
    *out = (unsigned)value;
    return true;
}

/* The strings that a filter points to. */
struct filter {
    struct ts_journal_filter journal;
    char partner[TS_NAME_MAX];
    uint8_t after[TS_ID_BYTES];
};

static bool
read_filter(struct filter *out, struct ts_exchange *exchange)
{
    char text[TS_NAME_MAX];

    *out = (struct filter){0};
    if (!read_limit(&out->journal.limit, exchange))
        return false;
    if (ts_exchange_query(exchange, "status", text, sizeof text) &&
        !(out->journal.status = ts_journal_status_find(text))) {
        ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "there is no such status");
        return false;
    }
    if (ts_exchange_query(exchange, "kind", text, sizeof text) && !(out->journal.kind = ts_journal_kind_find(text))) {
        ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "there is no such kind");
        return false;
    }
    if (ts_exchange_query(exchange, "partner", out->partner, sizeof out->partner))
        out->journal.partner = out->partner;
    if (!ts_exchange_query(exchange, "after", text, sizeof text))
        return true;
    out->journal.after = out->after;
    if (ts_id_read(out->after, text))
        return true;
    ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "after is the id of a session");
    return false;
}

void
ts_api_sessions(struct ts_exchange *exchange)
{
    struct filter filter;
    struct ts_journal_row *rows = NULL;
    size_t count = 0;

    if (!ts_caller_may_some(exchange->caller, "read")) {
        (void)ts_exchange_may(exchange, "read", "");
        return;
    }
    if (!read_filter(&filter, exchange))
        return;
    enum ts_error error = ts_journal_list(&rows, &count, exchange->server->journal, &filter.journal);
    if (error != TS_OK) {
        ts_answer_problem(exchange, error == TS_NOT_FOUND ? TS_PROBLEM_UNKNOWN_SESSION : TS_PROBLEM_INTERNAL, NULL);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (ts_caller_may(exchange->caller, "read", rows[i].label))
            (void)json_array_append_new(list, ts_session_json(&rows[i]));
    char next[2 * TS_ID_BYTES + 1] = "";
    if (count > 0 && count == filter.journal.limit)
        ts_text_hex(next, rows[count - 1].id, TS_ID_BYTES);
    free(rows);
    ts_answer_json(exchange, 200, json_pack("{s:o, s:s*}", "sessions", list, "next", *next ? next : NULL));
}

/* --- one --- */

/* What all the three places know of a session: the journal its steps, the ledger its result, the operations that it
   waits for a worker. */
struct found {
    bool in_journal, in_ledger, in_operations;
    struct ts_journal_row row;
    struct ts_ledger_call call;
    struct ts_operation_view view;
    struct ts_buf body;
};

static bool
find(struct found *out, struct ts_exchange *exchange)
{
    struct ts_server *server = exchange->server;
    uint8_t id[TS_ID_BYTES];

    if (!ts_id_read(id, exchange->id))
        return false;
    /* In this order: what ends meanwhile is in the ledger then. */
    out->in_operations = ts_operation_view(&out->view, &server->operations, id);
    out->in_journal = ts_journal_get(&out->row, server->journal, id) == TS_OK;
    out->in_ledger = ts_ledger_get(&out->call, &out->body, server->ledger, id) == TS_OK;
    ts_text_hex(exchange->session, id, TS_ID_BYTES);
    return out->in_operations || out->in_journal || out->in_ledger;
}

static const char *
label_of(const struct found *found)
{
    return found->in_ledger ? found->call.label : found->in_journal ? found->row.label : found->view.label;
}

/* The journal hears of an end before the answer is kept. Nobody is told of an end without what came of it. */
static json_t *
show_row(const struct found *found, bool done)
{
    struct ts_journal_row row = found->row;

    if (found->in_operations && !done && ts_journal_status_ended(row.status)) {
        row.status = TS_JOURNAL_RUNNING;
        row.error = TS_OK;
        row.words[0] = 0;
    }
    return ts_session_json(&row);
}

static json_t *
show(const struct found *found, const char *id)
{
    bool done = found->in_ledger && found->call.state == TS_LEDGER_DONE;
    json_t *answer = done ? json_loadb((const char *)found->body.data, found->body.len, 0, NULL) : NULL;
    json_t *object;

    if (found->in_journal)
        object = show_row(found, done);
    else
        object = ts_session_json_early(
            id, found->in_ledger ? &found->call : NULL, found->in_operations ? &found->view : NULL, answer);
    if (object && answer)
        (void)json_object_set(object, found->call.status < 300 ? "result" : "problem", answer);
    json_decref(answer);
    return object;
}

void
ts_api_session(struct ts_exchange *exchange)
{
    struct found found = {0};

    ts_buf_init(&found.body, TS_LEDGER_BODY_MAX);
    if (!find(&found, exchange)) {
        if (ts_caller_may_some(exchange->caller, "read"))
            ts_answer_problem(exchange, TS_PROBLEM_UNKNOWN_SESSION, NULL);
        else
            (void)ts_exchange_may(exchange, "read", "");
    } else if (ts_exchange_may(exchange, "read", label_of(&found))) {
        ts_answer_json(exchange, 200, show(&found, exchange->session));
    }
    ts_buf_clear(&found.body);
}

void
ts_api_cancel(struct ts_exchange *exchange)
{
    struct found found = {0};
    uint8_t id[TS_ID_BYTES];

    ts_buf_init(&found.body, TS_LEDGER_BODY_MAX);
    if (!find(&found, exchange) || !ts_id_read(id, exchange->id)) {
        if (ts_caller_may_some(exchange->caller, "cancel"))
            ts_answer_problem(exchange, TS_PROBLEM_UNKNOWN_SESSION, NULL);
        else
            (void)ts_exchange_may(exchange, "cancel", "");
    } else if (ts_exchange_may(exchange, "cancel", label_of(&found))) {
        if (ts_operation_cancel(exchange->server, id))
            ts_answer_json(
                exchange, 202, json_pack("{s:s, s:s}", "session_id", exchange->session, "status", "CANCELLING"));
        else
            ts_answer_problem(exchange, TS_PROBLEM_ENDED, NULL);
    }
    ts_buf_clear(&found.body);
}
