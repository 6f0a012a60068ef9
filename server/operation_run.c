#include "server/server.h"

#include "base/secret.h"
#include "base/text.h"
#include "server/key_form.h"

#include <stdio.h>
#include <string.h>

/* What the journal knows of why the module said no: it tells more than a CK_RV can. */
static void
answer_by_journal(struct ts_exchange *result, const struct ts_journal_row *row)
{
    switch (row->error) {
    case TS_REFUSED:
        ts_answer_problem(result, TS_PROBLEM_REFUSED, row->words);
        return;
    case TS_INCAPABLE:
        ts_answer_problem(result, TS_PROBLEM_CAPABILITY, row->words);
        return;
    case TS_TIMEOUT:
        ts_answer_problem(result, TS_PROBLEM_TIMED_OUT, row->words);
        return;
    case TS_IO:
        ts_answer_problem(result, TS_PROBLEM_UNREACHABLE, row->words);
        return;
    case TS_CHEATED:
    case TS_FORMAT:
        ts_answer_problem(result, TS_PROBLEM_CHECK_FAILED, row->words);
        return;
    case TS_LOCKED:
        ts_answer_problem(result, TS_PROBLEM_KEY_LOCKED, row->words);
        return;
    case TS_NOT_FOUND:
        ts_answer_problem(result, TS_PROBLEM_UNKNOWN_PARTNER, row->words);
        return;
    default:
        ts_answer_problem(result, TS_PROBLEM_INTERNAL, row->words);
    }
}

static void
answer_by_rv(struct ts_exchange *result, CK_RV rv)
{
    switch (rv) {
    case CKR_FUNCTION_REJECTED:
        ts_answer_problem(result, TS_PROBLEM_REFUSED, NULL);
        return;
    case CKR_FUNCTION_CANCELED:
        ts_answer_problem(result, TS_PROBLEM_TIMED_OUT, NULL);
        return;
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
        ts_answer_problem(result, TS_PROBLEM_KEY_LOCKED, NULL);
        return;
    case CKR_KEY_HANDLE_INVALID:
        ts_answer_problem(result, TS_PROBLEM_UNKNOWN_KEY, NULL);
        return;
    case CKR_DATA_LEN_RANGE:
        ts_answer_problem(result, TS_PROBLEM_MALFORMED, "the partner cannot check so long a message; sign its digest");
        return;
    case CKR_CURVE_NOT_SUPPORTED:
        ts_answer_problem(result, TS_PROBLEM_MALFORMED, "the pairing's modulus is too small for this curve");
        return;
    default:
        ts_answer_problem_f(result, TS_PROBLEM_INTERNAL, "the module answers 0x%lx; see its log", rv);
    }
}

static void
answer_failure(struct ts_exchange *result, const struct ts_operation *operation, CK_RV rv)
{
    struct ts_journal_row row;

    if (rv == CKR_FUNCTION_CANCELED && ts_operation_cancelled(operation))
        ts_answer_problem(result, TS_PROBLEM_CANCELLED, NULL);
    else if (rv == CKR_FUNCTION_CANCELED && atomic_load(&operation->server->stopping))
        ts_answer_problem(result, TS_PROBLEM_STOPPING, NULL);
    else if (ts_journal_get(&row, operation->server->journal, operation->session) == TS_OK && row.error != TS_OK)
        answer_by_journal(result, &row);
    else
        answer_by_rv(result, rv);
}

static uint32_t
time_left(const struct ts_operation *operation)
{
    uint64_t now = ts_now_ms(&operation->server->env);

    return now < operation->deadline_ms ? (uint32_t)(operation->deadline_ms - now) : 0;
}

static void
run_sign(struct ts_operation *operation, unsigned worker, struct ts_exchange *result)
{
    uint8_t signature[TS_SIGNATURE_MAX];
    size_t len = 0;
    char key[2 * TS_ID_BYTES + 1];
    const struct ts_module_sign job = {
        .key = operation->key,
        .mechanism = operation->mechanism->type,
        .data = operation->data,
        .len = operation->len,
        .session = operation->session,
        .wait_ms = time_left(operation),
    };

    CK_RV rv = ts_module_sign(signature, &len, operation->server->module, worker, &job);
    if (rv != CKR_OK) {
        answer_failure(result, operation, rv);
        return;
    }
    ts_text_hex(key, operation->key, TS_ID_BYTES);
    ts_answer_json(result, 201,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "session_id", result->session, "status", "COMPLETED", "key",
            key, "label", operation->label, "partner", operation->partner, "mechanism", operation->mechanism->name,
            "signature", ts_signature_json(signature, len)));
}

static void
run_keygen(struct ts_operation *operation, unsigned worker, struct ts_exchange *result)
{
    struct ts_key key;
    const struct ts_module_keygen job = {
        .curve = operation->curve,
        .label = operation->label,
        .partner = *operation->partner ? operation->partner : NULL,
        .session = operation->session,
        .wait_ms = time_left(operation),
    };

    CK_RV rv = ts_module_keygen(&key, operation->server->module, worker, &job);
    if (rv != CKR_OK) {
        answer_failure(result, operation, rv);
        return;
    }
    ts_answer_json(result, 201,
        json_pack("{s:s, s:s, s:o}", "session_id", result->session, "status", "COMPLETED", "key",
            ts_key_json(operation->server, &key, true)));
}

void
ts_operation_run(struct ts_operation *operation, unsigned worker, struct ts_exchange *result)
{
    if (time_left(operation) == 0)
        ts_answer_problem(result, TS_PROBLEM_TIMED_OUT, "its deadline passed while it waited for a worker");
    else if (operation->kind == TS_JOURNAL_SIGN)
        run_sign(operation, worker, result);
    else
        run_keygen(operation, worker, result);
}
