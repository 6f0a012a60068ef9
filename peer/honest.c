#include "peer/tamper.h"

const ts_tamper ts_peer_tamper = NULL;
