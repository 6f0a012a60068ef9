#include "peer/peer.h"
#include "base/terminal.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
read_arguments(const char **name, bool *yes, int argc, char **argv)
{
    static const struct option options[] = {{"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "y", options, NULL)) != -1) {
        if (option != 'y')
            return TS_EXIT_USAGE;
        *yes = true;
    }
    if (argc - optind != 1)
        return ts_complain_usage("tallystick-peer", "unpair", "exactly one partner's name or pairing is needed");
    *name = argv[optind];
    return TS_EXIT_OK;
}

/* By the name that `list` shows, or by the pairing's id. */
static enum ts_error
find(struct ts_peer_row *out, const struct ts_peer *peer, const char *name)
{
    struct ts_peer_row *list = NULL;
    size_t count = 0;
    enum ts_error error = ts_peer_list(&list, &count, peer->store, peer->token), found = TS_NOT_FOUND;

    for (size_t i = 0; error == TS_OK && i < count; i++) {
        char id[2 * TS_ID_BYTES + 1];
        ts_text_hex(id, list[i].pairing, TS_ID_BYTES);
        if (strcmp(id, name) != 0 && strcmp(list[i].name, name) != 0)
            continue;
        *out = list[i];
        found = TS_OK;
    }
    free(list);
    return error == TS_OK ? found : error;
}

static int
unpair(struct ts_peer *peer, const char *name, bool yes)
{
    struct ts_peer_row row;
    char safe[4 * TS_NAME_MAX], question[4 * TS_NAME_MAX + 100];
    enum ts_error error = find(&row, peer, name);

    if (error == TS_NOT_FOUND)
        return ts_complain("there is no partner \"%s\"; see `tallystick-peer list`", name);
    if (error != TS_OK)
        return ts_peer_failed("the partners cannot be read", error);
    (void)ts_text_safe(safe, sizeof safe, row.name, strlen(row.name));
    (void)snprintf(question, sizeof question, "Forget partner \"%s\"? It must pair anew to use this device.", safe);
    if (!yes && !ts_terminal_confirm(question))
        return ts_complain("nothing was removed");
    error = ts_peer_delete(peer->store, row.pairing);
    if (error == TS_USAGE)
        return ts_complain("halves of keys with \"%s\" are here; remove those first: `tallystick-peer forget`", safe);
    if (error != TS_OK)
        return ts_peer_failed("the partner cannot be removed", error);
    (void)printf("\"%s\" is forgotten\n", safe);
    return TS_EXIT_OK;
}

int
ts_peer_unpair_command(void *ctx, int argc, char **argv)
{
    struct ts_peer *peer = ctx;
    const char *name = NULL;
    bool yes = false;
    int code = read_arguments(&name, &yes, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_peer_open(peer, false);
    return code == TS_EXIT_OK ? unpair(peer, name, yes) : code;
}
