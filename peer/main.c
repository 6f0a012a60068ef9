#include "peer/peer.h"

int
main(int argc, char **argv)
{
    return ts_peer_main(argc, argv);
}
