#include "tools/calls.h"

#include <stdlib.h>
#include <string.h>

const char *
ts_calls_hsm(bool *good, const struct ts_tool *tool)
{
    struct ts_hsm *hsm = ts_enterprise_hsm(tool->enterprise);
    enum ts_error error = hsm ? ts_hsm_check(hsm) : TS_USAGE;

    *good = *good && error == TS_OK;
    switch (error) {
    case TS_OK:
        return "ok";
    case TS_USAGE:
        return "not configured; set hsm: to its PKCS#11 URI";
    case TS_NOT_FOUND:
        return "reached, but its key is not there; `tallystick init` makes it when no token needs it";
    case TS_STORAGE:
        return "the key is not a sensitive, non-extractable AES-256 key";
    default:
        return "cannot be reached; check module, token and PIN of hsm:";
    }
}

static const char *
describe_ping(enum ts_error error)
{
    switch (error) {
    case TS_OK:
        return "reachable";
    case TS_IO:
        return "NOT reachable: it does not listen, or another device answers there";
    case TS_TIMEOUT:
        return "NOT reachable: no answer in time";
    default:
        return ts_error_text(error);
    }
}

/* Call every peer of the token and add the outcome to its objects. Both lists have the store's order. */
static bool
ping_peers(const struct ts_tool *tool, json_t *peers, uint64_t token, const struct ts_keyring *keyring)
{
    struct ts_peer_row *list = NULL;
    size_t count = 0;
    bool good = ts_peer_list(&list, &count, ts_enterprise_store(tool->enterprise), token) == TS_OK;

    for (size_t i = 0; i < count && i < json_array_size(peers); i++) {
        enum ts_error error = ts_peer_ping(tool->enterprise, token, keyring, list[i].pairing);
        good = good && error == TS_OK;
        (void)json_object_set_new(json_array_get(peers, i), "reachable", json_string(describe_ping(error)));
    }
    free(list);
    return good;
}

bool
ts_calls_peers(const struct ts_tool *tool, json_t *tokens, const char *label, const char *source)
{
    struct ts_token_row row;
    struct ts_keyring *keyring = NULL;
    bool good = false;

    if (ts_tool_token(&row, tool, label) != TS_OK ||
        ts_tool_unlock(&keyring, tool, &row, TS_USER, strcmp(source, "ask") == 0 ? NULL : source) != TS_OK)
        return false;
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        json_t *token = json_array_get(tokens, i);
        if (strcmp(json_string_value(json_object_get(token, "serial")), row.serial) == 0)
            good = ping_peers(tool, json_object_get(token, "peers"), row.id, keyring);
    }
    ts_keyring_free(keyring);
    return good;
}
