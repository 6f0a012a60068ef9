#include "server/api_input.h"
#include "server/key_form.h"
#include "server/route.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 65536
#define DIGEST_MAX 64

/* POST /api/v1/sign/two-party: which key, what, how. */
struct input {
    const char *session, *key, *message, *digest, *partner, *encoding, *mechanism;
    json_int_t wait, deadline;
};

static bool
find_key(struct ts_key *out, struct ts_exchange *exchange, const struct input *input)
{
    uint8_t id[TS_ID_BYTES];

    if (!input->session == !input->key) {
        ts_answer_problem(
            exchange, TS_PROBLEM_MALFORMED, "one of session_id (of the key's generation) and key (its id) is needed");
        return false;
    }
    CK_RV rv = CKR_KEY_HANDLE_INVALID;
    if (ts_id_read(id, input->session ? input->session : input->key))
        rv = ts_module_key(out, exchange->server->module, input->session ? NULL : id, input->session ? id : NULL);
    if (rv == CKR_OK)
        return true;
    if (rv != CKR_KEY_HANDLE_INVALID)
        ts_answer_problem_f(exchange, TS_PROBLEM_INTERNAL, "the module answers 0x%lx", rv);
    else if (ts_caller_may_some(exchange->caller, "sign"))
        ts_answer_problem(exchange, input->session ? TS_PROBLEM_UNKNOWN_SESSION : TS_PROBLEM_UNKNOWN_KEY,
            "no key of the token was made in this session, or has this id");
    else
        (void)ts_exchange_may(exchange, "sign", "");
    return false;
}

static int
digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool
read_hex(uint8_t *out, size_t *len, size_t room, const char *text)
{
    size_t digits = strlen(text);

    *len = digits / 2;
    if (digits % 2 != 0 || *len > room)
        return false;
    for (size_t i = 0; i < digits; i += 2) {
        int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool
read_text(uint8_t *out, size_t *len, size_t room, const char *text)
{
    *len = strlen(text);
    if (*len > room)
        return false;
    memcpy(out, text, *len);
    return true;
}

static const struct {
    const char *name;
    bool (*read)(uint8_t *out, size_t *len, size_t room, const char *text);
} encodings[] = {{"utf8", read_text}, {"hex", read_hex}, {"base64", ts_base64_read}};

/* Message or digest into the operation; a digest is binary, so that its default is hex. */
static bool
read_data(struct ts_operation *operation, struct ts_exchange *exchange, const struct input *input)
{
    const char *text = input->digest ? input->digest : input->message;
    const char *encoding = input->encoding ? input->encoding : input->digest ? "hex" : "utf8";
    size_t room = input->digest ? DIGEST_MAX : MESSAGE_MAX;

    operation->data = malloc(room);
    if (!operation->data) {
        ts_answer_problem(exchange, TS_PROBLEM_INTERNAL, NULL);
        return false;
    }
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        if (strcmp(encodings[i].name, encoding) != 0)
            continue;
        if (encodings[i].read(operation->data, &operation->len, room, text) && (operation->len || !input->digest))
            return true;
        operation->len = 0;
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "%s is not %s of at most %zu bytes",
            input->digest ? "digest" : "message", encoding, room);
        return false;
    }
    ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "encoding is one of utf8, hex, base64");
    return false;
}

static bool
read_mechanism(struct ts_operation *operation, struct ts_exchange *exchange, const struct input *input)
{
    const char *name = input->mechanism ? input->mechanism : input->digest ? "ECDSA" : "ECDSA-SHA256";

    operation->mechanism = ts_mechanism_named(name);
    if (!operation->mechanism)
        ts_answer_problem_f(exchange, TS_PROBLEM_MALFORMED, "there is no mechanism \"%.40s\"", name);
    else if (operation->mechanism->hashes == (input->digest != NULL))
        ts_answer_problem(
            exchange, TS_PROBLEM_MALFORMED, "a digest is signed by ECDSA alone, a message by a mechanism that hashes");
    else
        return true;
    return false;
}

/* All that can be refused is refused before anything is kept. */
static struct ts_operation *
prepare(struct ts_exchange *exchange, const void *from)
{
    const struct input *input = from;
    struct ts_key key;
    char partner[TS_NAME_MAX];

    if (!input->message == !input->digest) {
        ts_answer_problem(exchange, TS_PROBLEM_MALFORMED, "one of message and digest is needed");
        return NULL;
    }
    if (!find_key(&key, exchange, input) || !ts_exchange_may(exchange, "sign", key.label))
        return NULL;
    if (!ts_key_partner(partner, exchange->server, key.id)) {
        ts_answer_problem(exchange, TS_PROBLEM_UNKNOWN_KEY, "its half is gone");
        return NULL;
    }
    if (!ts_api_allowed(exchange, "sign", partner))
        return NULL;
    if (input->partner && strcmp(input->partner, partner) != 0) {
        ts_answer_problem_f(exchange, TS_PROBLEM_UNKNOWN_PARTNER, "the other half of this key is at \"%s\"", partner);
        return NULL;
    }
    struct ts_operation *operation = ts_api_operation(exchange, TS_JOURNAL_SIGN, key.label, partner, input->deadline);
    if (!operation)
        return NULL;
    memcpy(operation->key, key.id, sizeof operation->key);
    if (read_mechanism(operation, exchange, input) && read_data(operation, exchange, input))
        return operation;
    ts_operation_free(operation);
    return NULL;
}

void
ts_api_sign(struct ts_exchange *exchange)
{
    struct input input = {.wait = -1, .deadline = -1};
    const struct ts_field fields[] = {
        {"session_id", JSON_STRING, 40, &input.session},
        {"key", JSON_STRING, 40, &input.key},
        {"message", JSON_STRING, 0, &input.message},
        {"digest", JSON_STRING, 128, &input.digest},
        {"partner", JSON_STRING, TS_NAME_MAX - 1, &input.partner},
        {"encoding", JSON_STRING, 16, &input.encoding},
        {"mechanism", JSON_STRING, 32, &input.mechanism},
        {"wait", JSON_INTEGER, 0, &input.wait},
        {"deadline", JSON_INTEGER, 0, &input.deadline},
    };

    ts_api_begin(exchange, fields, sizeof fields / sizeof *fields, &input.wait, prepare, &input);
}
