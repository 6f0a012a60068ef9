#include "tools/report.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (4 * 128)

/* Names come from the other side: JSON takes only UTF-8. */
static json_t *
text(const char *value)
{
    char safe[TEXT_BYTES];
    json_t *out = json_string(value);

    return out ? out : json_string(ts_text_safe(safe, sizeof safe, value, strlen(value)));
}

static json_t *
hex(const uint8_t *bytes, size_t len)
{
    char out[2 * 133 + 1];

    ts_text_hex(out, bytes, len <= 133 ? len : 133);
    return json_string(out);
}

static json_t *
date(int64_t seconds)
{
    char out[TS_TEXT_DATE_BYTES];

    ts_text_date(out, seconds);
    return seconds && *out ? json_string(out) : json_null();
}

static json_t *
peer_tree(const struct ts_peer_row *row)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:s, s:b, s:o, s:o}", "name", text(row->name), "address",
        text(row->address), "pairing", hex(row->pairing, TS_ID_BYTES), "key_hash", hex(row->key_hash, 32), "bits",
        (int)row->bits, "state", row->state == TS_PEER_ACTIVE ? "active" : "pending", "acknowledged",
        (int)row->acknowledged, "created", date(row->created), "last_seen", date(row->last_seen));
}

static json_t *
peers_tree(struct ts_store *store, uint64_t token)
{
    struct ts_peer_row *list = NULL;
    size_t count = 0;
    json_t *out = NULL;

    if (ts_peer_list(&list, &count, store, token) == TS_OK && (out = json_array()) != NULL)
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(out, peer_tree(&list[i]));
    free(list);
    return out;
}

static json_t *
key_tree(struct ts_store *store, const struct ts_half_row *row)
{
    char reason[256] = "";
    struct ts_peer_row peer = {0};

    if (row->locked)
        (void)ts_half_lock_reason(reason, sizeof reason, store, row->key);
    if (ts_peer_get(&peer, store, row->pairing) != TS_OK)
        peer.name[0] = 0;
    return json_pack("{s:o, s:o, s:s, s:i, s:s, s:b, s:o, s:b, s:o, s:o, s:o}", "id", hex(row->key, TS_ID_BYTES),
        "label", text(row->label), "curve", row->curve, "generation", (int)row->generation, "state",
        row->state == TS_HALF_ACTIVE ? "active" : "pending", "locked", (int)row->locked, "lock_reason", text(reason),
        "acknowledged", (int)row->acknowledged, "peer", text(peer.name), "created", date(row->created), "public_key",
        hex(row->public_key, row->public_key_len));
}

static json_t *
keys_tree(struct ts_store *store, uint64_t token)
{
    struct ts_half_row *list = NULL;
    size_t count = 0;
    json_t *out = NULL;

    if (ts_half_list(&list, &count, store, token) == TS_OK && (out = json_array()) != NULL)
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(out, key_tree(store, &list[i]));
    free(list);
    return out;
}

static json_t *
token_tree(const struct ts_tool *tool, const struct ts_token_row *row)
{
    struct ts_store *store = ts_enterprise_store(tool->enterprise);
    size_t primes = 0;

    (void)ts_primes_count(&primes, store, row->id, tool->config->modulus_bits);
    return json_pack("{s:o, s:s, s:b, s:i, s:i, s:i, s:o, s:o}", "label", text(row->label), "serial", row->serial,
        "user_pin_set", (int)row->user_pin_set, "user_tries_left", (int)row->user_tries_left, "so_tries_left",
        (int)row->so_tries_left, "primes_waiting", (int)primes, "peers", peers_tree(store, row->id), "keys",
        keys_tree(store, row->id));
}

json_t *
ts_report_tokens(const struct ts_tool *tool, const char *label)
{
    struct ts_token_row *list = NULL;
    size_t count = 0;
    json_t *out = json_array();
    enum ts_error error = ts_token_list(&list, &count, ts_enterprise_store(tool->enterprise));

    for (size_t i = 0; error == TS_OK && i < count; i++)
        if ((!label || strcmp(label, list[i].label) == 0) &&
            json_array_append_new(out, token_tree(tool, &list[i])) != 0)
            error = TS_STORAGE;
    if (error == TS_OK && label && json_array_size(out) == 0) {
        (void)ts_complain("there is no token \"%s\"; see `tallystick list`", label);
        error = TS_NOT_FOUND;
    } else if (error != TS_OK) {
        (void)ts_tool_failed(tool->config->store, error, "");
    }
    free(list);
    if (error == TS_OK)
        return out;
    json_decref(out);
    return NULL;
}

static const char *
get(char out[TEXT_BYTES], const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? ts_text_safe(out, TEXT_BYTES, value, strlen(value)) : "never";
}

static bool
is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void
print_peer(const json_t *peer)
{
    char name[TEXT_BYTES], address[TEXT_BYTES], hash[TEXT_BYTES], state[TEXT_BYTES], seen[TEXT_BYTES],
        reachable[TEXT_BYTES];

    (void)printf("  peer \"%s\" at %s: %s, %lld bits, last seen %s%s\n", get(name, peer, "name"),
        get(address, peer, "address"), get(state, peer, "state"),
        (long long)json_integer_value(json_object_get(peer, "bits")), get(seen, peer, "last_seen"),
        is(peer, "acknowledged") ? "" : ", pairing not yet acknowledged");
    (void)printf("    its key %s\n", get(hash, peer, "key_hash"));
    if (json_object_get(peer, "reachable"))
        (void)printf("    %s\n", get(reachable, peer, "reachable"));
}

static void
print_key(const json_t *key)
{
    char id[TEXT_BYTES], label[TEXT_BYTES], curve[TEXT_BYTES], state[TEXT_BYTES], peer[TEXT_BYTES], reason[TEXT_BYTES];

    (void)printf("  key \"%s\" %s: %s, generation %lld, with \"%s\"%s\n    id %s\n", get(label, key, "label"),
        get(curve, key, "curve"), get(state, key, "state"),
        (long long)json_integer_value(json_object_get(key, "generation")), get(peer, key, "peer"),
        is(key, "acknowledged") ? "" : ", commit waits for the peer", get(id, key, "id"));
    if (is(key, "locked"))
        (void)printf("    LOCKED: %s\n", get(reason, key, "lock_reason"));
}

void
ts_report_print(const json_t *tokens)
{
    char label[TEXT_BYTES], serial[TEXT_BYTES];
    const json_t *token, *item;
    size_t i, k;

    if (json_array_size(tokens) == 0)
        (void)printf("no token; make one with `tallystick init --label NAME`\n");
    json_array_foreach(tokens, i, token)
    {
        (void)printf("token \"%s\" serial %s: user PIN %s, %lld tries left, %lld pairs of primes waiting\n",
            get(label, token, "label"), get(serial, token, "serial"), is(token, "user_pin_set") ? "set" : "not set",
            (long long)json_integer_value(json_object_get(token, "user_tries_left")),
            (long long)json_integer_value(json_object_get(token, "primes_waiting")));
        json_array_foreach(json_object_get(token, "peers"), k, item) print_peer(item);
        json_array_foreach(json_object_get(token, "keys"), k, item) print_key(item);
    }
}

int
ts_report_print_json(const json_t *tree)
{
    if (json_dumpf(tree, stdout, JSON_INDENT(2)) != 0)
        return ts_complain("standard output cannot be written");
    (void)printf("\n");
    return TS_EXIT_OK;
}
