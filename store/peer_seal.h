#ifndef TS_STORE_PEER_SEAL_H
#define TS_STORE_PEER_SEAL_H

/* Inside store/ only. */

#include "store/db.h"
#include "store/gcm.h"

/** What the sealed parameters of a pairing are bound to. The pinned key too: whoever can write the database must not be
 *  able to put another peer in its place. */
void ts_peer_aad(struct ts_buf *aad, const struct ts_peer_row *row);

#endif
