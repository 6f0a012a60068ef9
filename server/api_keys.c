#include "server/api_input.h"
#include "server/key_form.h"
#include "server/route.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* POST /api/v1/keygen, GET /api/v1/keys, GET /api/v1/keys/{id}, GET /api/v1/partners */

struct input {
    const char *label, *curve, *partner;
    json_int_t wait, deadline;
};

static bool
has_peer(struct ts_server *server, const char *name)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;
    bool found = false;

    if (ts_peer_list(&rows, &count, server->store, ts_module_token(server->module)) == TS_OK)
        for (size_t i = 0; i < count && !found; i++)
            found = rows[i].state == TS_PEER_ACTIVE && strcmp(rows[i].name, name) == 0;
    free(rows);
    return found;
}

/* The one that was paired last, among those this server serves. */
static const char *
choose_partner(char out[TS_NAME_MAX], struct ts_exchange *exchange)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;

    *out = 0;
    if (ts_peer_list(&rows, &count, exchange->server->store, ts_module_token(exchange->server->module)) == TS_OK)
        for (size_t i = 0; i < count; i++)
            if (rows[i].state == TS_PEER_ACTIVE && ts_config_partner(exchange->policy->config, rows[i].name))
                memcpy(out, rows[i].name, TS_NAME_MAX);
    free(rows);
    return out;
}

static struct ts_operation *
prepare(struct ts_exchange *exchange, const void *from)
{
    const struct input *input = from;
    static const char *const curves[] = {"P-256", "P-384", "P-521", "secp256k1"};
    const char *label = input->label ? input->label : "", *curve = input->curve ? input->curve : "P-256";
    char chosen[TS_NAME_MAX];
    size_t at = 0;

    if (!ts_text_is_plain(label, strlen(label), false)) {
        ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "label must be plain text");
        return NULL;
    }
    while (at < 4 && strcmp(curves[at], curve) != 0)
        at++;
    if (at == 4) {
        ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "curve is one of P-256, P-384, P-521, secp256k1");
        return NULL;
    }
    if (!ts_exchange_may(exchange, "keygen", label))
        return NULL;
    const char *partner = input->partner ? input->partner : choose_partner(chosen, exchange);
    if (!ts_api_allowed(exchange, "keygen", partner))
        return NULL;
    if (!*partner || !has_peer(exchange->server, partner)) {
        ts_answer_problem(exchange, TS_PROBLEM_UNKNOWN_PARTNER, "the token is not paired with it");
        return NULL;
    }
    struct ts_operation *operation = ts_api_operation(exchange, TS_JOURNAL_KEYGEN, label, partner, input->deadline);
    if (operation)
        (void)strcpy(operation->curve, curves[at]);
    return operation;
}

void
ts_api_keygen(struct ts_exchange *exchange)
{
    struct input input = {.wait = -1, .deadline = -1};
    const struct ts_field fields[] = {
        {"label", JSON_STRING, TS_NAME_MAX - 1, &input.label},
        {"curve", JSON_STRING, 16, &input.curve},
        {"partner", JSON_STRING, TS_NAME_MAX - 1, &input.partner},
        {"wait", JSON_INTEGER, 0, &input.wait},
        {"deadline", JSON_INTEGER, 0, &input.deadline},
    };

    ts_api_begin(exchange, fields, sizeof fields / sizeof *fields, &input.wait, prepare, &input);
}

void
ts_api_keys(struct ts_exchange *exchange)
{
    struct ts_key *keys = NULL;
    size_t count = 0;
    json_t *list = json_array();

    CK_RV rv = ts_module_keys(&keys, &count, exchange->server->module);
    for (size_t i = 0; rv == CKR_OK && i < count; i++)
        if (ts_caller_may(exchange->caller, "read", keys[i].label))
            (void)json_array_append_new(list, ts_key_json(exchange->server, &keys[i], false));
    free(keys);
    if (rv == CKR_OK) {
        ts_answer_json(exchange, 200, json_pack("{s:o}", "keys", list));
        return;
    }
    json_decref(list);
    ts_answer_problem_f(exchange, TS_PROBLEM_INTERNAL, "the module answers 0x%lx", rv);
}

void
ts_api_key(struct ts_exchange *exchange)
{
    struct ts_key key;
    uint8_t id[TS_ID_BYTES];

    CK_RV rv = CKR_KEY_HANDLE_INVALID;
    if (ts_id_read(id, exchange->id))
        rv = ts_module_key(&key, exchange->server->module, id, NULL);
    if (rv == CKR_OK && ts_exchange_may(exchange, "read", key.label))
        ts_answer_json(exchange, 200, ts_key_json(exchange->server, &key, true));
    else if (rv == CKR_KEY_HANDLE_INVALID)
        ts_answer_problem(exchange, TS_PROBLEM_UNKNOWN_KEY, NULL);
    else if (rv != CKR_OK)
        ts_answer_problem_f(exchange, TS_PROBLEM_INTERNAL, "the module answers 0x%lx", rv);
}

void
ts_api_partners(struct ts_exchange *exchange)
{
    struct ts_server *server = exchange->server;
    struct ts_peer_row *rows = NULL;
    size_t count = 0;
    json_t *list = json_array();

    if (!ts_caller_may_some(exchange->caller, "read")) {
        json_decref(list);
        (void)ts_exchange_may(exchange, "read", "");
        return;
    }
    enum ts_error error = ts_peer_list(&rows, &count, server->store, ts_module_token(server->module));
    for (size_t i = 0; error == TS_OK && i < count; i++) {
        char pin[65];
        if (rows[i].state != TS_PEER_ACTIVE)
            continue;
        ts_text_hex(pin, rows[i].key_hash, 32);
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:b}", "name", rows[i].name, "address",
                                              rows[i].address, "pin", pin, "last_seen", (json_int_t)rows[i].last_seen,
                                              "served", ts_config_partner(exchange->policy->config, rows[i].name)));
    }
    free(rows);
    if (error == TS_OK) {
        ts_answer_json(exchange, 200, json_pack("{s:o}", "partners", list));
        return;
    }
    json_decref(list);
    ts_answer_problem(exchange, TS_PROBLEM_INTERNAL, "the store cannot be read");
}
