#ifndef TS_PEER_TAMPER_H
#define TS_PEER_TAMPER_H

#include "session/mobile.h"

typedef void (*ts_tamper)(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits);

/** What changes payloads before they are sent: NULL in tallystick-peer (honest.c); the tests' cheating peer links
 * another file instead. */
extern const ts_tamper ts_peer_tamper;

#endif
