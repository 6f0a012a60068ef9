#include "peer/peer.h"
#include "base/text.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (4 * TS_NAME_MAX)

static int
read_arguments(bool *json, int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
        if (option != 'j')
            return TS_EXIT_USAGE;
        *json = true;
    }
    if (optind < argc)
        return ts_complain_usage("tallystick-peer", "list", "\"%s\" is one argument too many", argv[optind]);
    return TS_EXIT_OK;
}

/* Names come from the other side: only what a terminal merely shows is passed on. */
static json_t *
text(const char *value)
{
    char safe[TEXT_BYTES];
    return json_string(ts_text_safe(safe, sizeof safe, value, strlen(value)));
}

static json_t *
hex(const uint8_t *bytes, size_t len)
{
    char out[2 * 32 + 1];

    ts_text_hex(out, bytes, len <= 32 ? len : 32);
    return json_string(out);
}

static json_t *
partner(const struct ts_peer_row *row)
{
    char seen[TS_TEXT_DATE_BYTES];

    ts_text_date(seen, row->last_seen);
    return json_pack("{s:o, s:o, s:o, s:i, s:s, s:s}", "name", text(row->name), "pairing",
        hex(row->pairing, TS_ID_BYTES), "key_hash", hex(row->key_hash, 32), "bits", (int)row->bits, "state",
        row->state == TS_PEER_ACTIVE ? "active" : "pending", "last_seen", row->last_seen ? seen : "never");
}

static json_t *
partners(const struct ts_peer *peer)
{
    struct ts_peer_row *list = NULL;
    size_t count = 0;
    json_t *out = NULL;

    if (ts_peer_list(&list, &count, peer->store, peer->token) == TS_OK && (out = json_array()) != NULL)
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(out, partner(&list[i]));
    free(list);
    return out;
}

static json_t *
key(const struct ts_peer *peer, const struct ts_half_row *row)
{
    char reason[256] = "";
    struct ts_peer_row partner = {0};

    if (row->locked)
        (void)ts_half_lock_reason(reason, sizeof reason, peer->store, row->key);
    if (ts_peer_get(&partner, peer->store, row->pairing) != TS_OK)
        partner.name[0] = 0;
    return json_pack("{s:o, s:o, s:s, s:i, s:s, s:b, s:o, s:o}", "id", hex(row->key, TS_ID_BYTES), "label",
        text(row->label), "curve", row->curve, "generation", (int)row->generation, "state",
        row->state == TS_HALF_ACTIVE ? "active" : "pending", "locked", (int)row->locked, "lock_reason", text(reason),
        "partner", text(partner.name));
}

static json_t *
keys(const struct ts_peer *peer)
{
    struct ts_half_row *list = NULL;
    size_t count = 0;
    json_t *out = NULL;

    if (ts_half_list(&list, &count, peer->store, peer->token) == TS_OK && (out = json_array()) != NULL)
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(out, key(peer, &list[i]));
    free(list);
    return out;
}

static const char *
get(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void
print(const json_t *tree)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(tree, "partners"), i, item)(void) printf(
        "partner \"%s\": %s, %lld bits, last seen %s\n  its key %s\n", get(item, "name"), get(item, "state"),
        (long long)json_integer_value(json_object_get(item, "bits")), get(item, "last_seen"), get(item, "key_hash"));
    json_array_foreach(json_object_get(tree, "keys"), i, item)
    {
        (void)printf("key \"%s\" %s: %s, generation %lld, with \"%s\"\n  id %s\n", get(item, "label"),
            get(item, "curve"), get(item, "state"), (long long)json_integer_value(json_object_get(item, "generation")),
            get(item, "partner"), get(item, "id"));
        if (json_is_true(json_object_get(item, "locked")))
            (void)printf("  LOCKED: %s\n", get(item, "lock_reason"));
    }
    if (json_array_size(json_object_get(tree, "partners")) == 0)
        (void)printf("no partner yet; `tallystick-peer uri` opens the door for one\n");
}

int
ts_peer_list_command(void *ctx, int argc, char **argv)
{
    struct ts_peer *peer = ctx;
    bool json = false;
    json_t *tree;
    int code = read_arguments(&json, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_peer_open(peer, false);
    if (code != TS_EXIT_OK)
        return code;
    tree = json_pack("{s:o, s:o}", "partners", partners(peer), "keys", keys(peer));
    if (!tree)
        return ts_peer_failed(peer->config->peer.store, TS_STORAGE);
    if (!json)
        print(tree);
    else if (json_dumpf(tree, stdout, JSON_INDENT(2)) != 0 || printf("\n") < 0)
        code = ts_complain("standard output cannot be written");
    json_decref(tree);
    return code;
}
