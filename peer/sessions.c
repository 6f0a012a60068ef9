#include "peer/peer.h"
#include "session/sessions_show.h"

int
ts_peer_sessions(void *ctx, int argc, char **argv)
{
    struct ts_peer *peer = ctx;
    int code = ts_peer_open(peer, false);

    if (code != TS_EXIT_OK)
        return code;
    return ts_sessions_show(
        "tallystick-peer", &peer->env, peer->config->peer.store, peer->config->sessions.keep, argc, argv);
}
