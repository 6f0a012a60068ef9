#include "server/api_input.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_DEFAULT_S 30
#define WAIT_MAX_S 300

static const struct ts_field *
find(const struct ts_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static bool
take(struct ts_exchange *exchange, const struct ts_field *field, const char *name, json_t *value)
{
    if (!field) {
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "there is no field \"%.40s\"", name);
        return false;
    }
    if (json_typeof(value) != field->type) {
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "%s must be %s", name,
            field->type == JSON_STRING ? "a string" : "a whole number");
        return false;
    }
    if (field->type == JSON_INTEGER) {
        *(json_int_t *)field->out = json_integer_value(value);
        return true;
    }
    if (field->max && json_string_length(value) > field->max) {
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "%s has more than %zu bytes", name, field->max);
        return false;
    }
    *(const char **)field->out = json_string_value(value);
    return true;
}

json_t *
ts_api_read(struct ts_exchange *exchange, const struct ts_field *fields, size_t count)
{
    json_error_t fault;
    const char *name;
    json_t *value;
    json_t *object = json_loadb((const char *)exchange->body.data, exchange->body.len, JSON_REJECT_DUPLICATES, &fault);

    if (!json_is_object(object)) {
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "a JSON object is expected: %s (line %d)",
            object ? "this is another value" : fault.text, object ? 1 : fault.line);
        json_decref(object);
        return NULL;
    }
    json_object_foreach(object, name, value)
    {
        if (!take(exchange, find(fields, count, name), name, value)) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

bool
ts_api_fingerprint(uint8_t out[32], const struct ts_exchange *exchange)
{
    EVP_MD *hash = EVP_MD_fetch(exchange->server->env.libctx, "SHA256", NULL);
    EVP_MD_CTX *state = EVP_MD_CTX_new();
    bool good = hash && state && EVP_DigestInit_ex2(state, hash, NULL) == 1 &&
                EVP_DigestUpdate(state, exchange->path, strlen(exchange->path) + 1) == 1 &&
                EVP_DigestUpdate(state, exchange->body.data, exchange->body.len) == 1 &&
                EVP_DigestFinal_ex(state, out, NULL) == 1;

    EVP_MD_CTX_free(state);
    EVP_MD_free(hash);
    return good;
}

bool
ts_api_allowed(struct ts_exchange *exchange, const char *capability, const char *partner)
{
    const struct ts_config *config = exchange->policy->config;

    if (!ts_config_capable(config, capability)) {
        ts_answer_problem_f(
            exchange, TS_PROBLEM_CAPABILITY, "this server has no capability \"%s\" (capabilities:)", capability);
        return false;
    }
    if (!*partner || ts_config_partner(config, partner))
        return true;
    ts_answer_problem_f(
        exchange, TS_PROBLEM_UNKNOWN_PARTNER, "\"%s\" is not a partner of this server (partners:)", partner);
    return false;
}

bool
ts_api_wait(uint32_t *out, struct ts_exchange *exchange, json_int_t seconds)
{
    if (seconds == -1)
        seconds = WAIT_DEFAULT_S;
    if (seconds < 0 || seconds > WAIT_MAX_S) {
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "wait must be from 0 to %d seconds", WAIT_MAX_S);
        return false;
    }
    *out = (uint32_t)seconds * 1000;
    return true;
}

void
ts_api_begin(struct ts_exchange *exchange, const struct ts_field *fields, size_t count, const json_int_t *wait,
    struct ts_operation *(*prepare)(struct ts_exchange *exchange, const void *input), const void *input)
{
    json_t *object = ts_api_read(exchange, fields, count);
    struct ts_operation *operation = NULL;
    uint8_t request[32];
    uint32_t wait_ms = 0;

    if (object && ts_api_wait(&wait_ms, exchange, *wait))
        operation = prepare(exchange, input);
    json_decref(object); /* the strings of the input end here */
    if (!operation)
        return;
    if (ts_api_fingerprint(request, exchange)) {
        ts_operation_begin(exchange, operation, request, wait_ms);
        return;
    }
    ts_operation_free(operation);
    ts_answer_problem(exchange, TS_PROBLEM_INTERNAL, NULL);
}

struct ts_operation *
ts_api_operation(
    struct ts_exchange *exchange, enum ts_journal_kind kind, const char *label, const char *partner, json_int_t seconds)
{
    struct ts_server *server = exchange->server;
    uint32_t most = exchange->policy->config->server.deadline;
    struct ts_operation *operation;

    if (seconds != -1 && (seconds < 1 || (uint64_t)seconds * 1000 > most)) {
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "deadline must be from 1 to %u seconds", most / 1000);
        return NULL;
    }
    operation = calloc(1, sizeof *operation);
    if (!operation || ts_random(&server->env, operation->session, TS_ID_BYTES) != TS_OK) {
        ts_operation_free(operation);
        ts_answer_problem(exchange, TS_PROBLEM_INTERNAL, NULL);
        return NULL;
    }
    operation->server = server;
    operation->kind = kind;
    operation->started_ms = ts_server_time_ms(server);
    operation->deadline_ms = ts_now_ms(&server->env) + (seconds == -1 ? most : (uint32_t)seconds * 1000);
    (void)snprintf(operation->label, sizeof operation->label, "%s", label);
    (void)snprintf(operation->partner, sizeof operation->partner, "%s", partner);
    (void)snprintf(operation->caller, sizeof operation->caller, "%s", exchange->caller->config->name);
    return operation;
}
