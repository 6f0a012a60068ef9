#include "peer/peer.h"
#include "base/terminal.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
read_arguments(const char **key, bool *yes, int argc, char **argv)
{
    static const struct option options[] = {{"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "y", options, NULL)) != -1) {
        if (option != 'y')
            return TS_EXIT_USAGE;
        *yes = true;
    }
    if (argc - optind != 1)
        return ts_complain_usage("tallystick-peer", "forget", "exactly one key is needed");
    *key = argv[optind];
    return TS_EXIT_OK;
}

static bool
is_key(const struct ts_half_row *row, const char *key)
{
    char id[2 * TS_ID_BYTES + 1];

    ts_text_hex(id, row->key, TS_ID_BYTES);
    return strcmp(id, key) == 0;
}

static bool
confirm(const struct ts_half_row *row)
{
    char label[4 * TS_NAME_MAX], question[4 * TS_NAME_MAX + 160];

    (void)snprintf(question, sizeof question,
        "Remove the %s half of key \"%s\" (%s, generation %u)? The key can never sign again.",
        row->state == TS_HALF_ACTIVE ? "ACTIVE" : "pending",
        ts_text_safe(label, sizeof label, row->label, strlen(row->label)), row->curve, (unsigned)row->generation);
    return ts_terminal_confirm(question);
}

static int
forget(struct ts_peer *peer, const char *key, bool yes)
{
    struct ts_half_row *list = NULL;
    size_t count = 0, removed = 0;
    bool found = false;
    enum ts_error error = ts_half_list(&list, &count, peer->store, peer->token);

    for (size_t i = 0; error == TS_OK && i < count; i++) {
        if (!is_key(&list[i], key))
            continue;
        found = true;
        if (!yes && !confirm(&list[i]))
            continue;
        error = ts_half_delete(peer->store, list[i].key, list[i].generation);
        removed += error == TS_OK;
    }
    free(list);
    if (error != TS_OK)
        return ts_peer_failed("the half cannot be removed", error);
    if (!found)
        return ts_complain("there is no key %s; see `tallystick-peer list`", key);
    if (removed == 0)
        return ts_complain("nothing was removed");
    (void)printf("removed %zu half%s of key %s\n", removed, removed == 1 ? "" : " generations", key);
    return TS_EXIT_OK;
}

int
ts_peer_forget(void *ctx, int argc, char **argv)
{
    struct ts_peer *peer = ctx;
    const char *key = NULL;
    bool yes = false;
    int code = read_arguments(&key, &yes, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_peer_open(peer, false);
    return code == TS_EXIT_OK ? forget(peer, key, yes) : code;
}
