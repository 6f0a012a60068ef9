#ifndef TS_PEER_QR_H
#define TS_PEER_QR_H

#include <stdbool.h>
#include <stdio.h>

/** Draw a text as a QR code (ISO/IEC 18004, level M) of half blocks, dark on light, with its quiet zone of four modules.
 *  Needs a terminal that shows UTF-8.
 *  Returns: false when the text does not fit into a code, or without memory; then nothing is drawn. */
bool ts_qr_draw(FILE *out, const char *text);

#endif
