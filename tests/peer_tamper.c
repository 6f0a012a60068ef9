#include "peer/tamper.h"
#include "tests/cheat.h"

#include <stdlib.h>

/* $TS_CHEAT names the way; payloads that it does not belong to stay as they are. */
static void
tamper(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits)
{
    const char *what = getenv("TS_CHEAT");

    (void)type;
    if (what && cheat_payload(payload, curve, bits, what) == TS_USAGE)
        abort(); /* a misspelt way would look like an honest peer */
}

const ts_tamper ts_peer_tamper = tamper;
