#ifndef TS_TRANSPORT_ENVELOPE_H
#define TS_TRANSPORT_ENVELOPE_H

#include "base/buffer.h"
#include "transport/link.h"

#define TS_ENVELOPE_VERSION 1
#define TS_ENVELOPE_MAX_BYTES (TS_MESSAGE_MAX_BYTES + 128) /**< the fields around the payload need less than 128 */

/** What one WebSocket message carries. */
struct ts_envelope {
    uint8_t session[TS_SESSION_ID_BYTES];
    uint64_t sequence;    /**< from 1; 0 in what only the links say to each other (TS_FROM_LINK) */
    uint64_t acknowledge; /**< highest number received, 0 at first */
    uint64_t serial;      /**< from the side that started the session: which of its sessions this is, from 1; else 0 */
    int type;             /**< enum ts_message_type */
    const uint8_t *payload;
    size_t payload_len;
    void *owned; /**< of a decoded one */
};

/** Append the encoding.
 *  Returns: TS_OK; TS_FORMAT when the type does not exist or allows less; TS_INTERNAL. */
enum ts_error ts_envelope_encode(struct ts_buf *out, const struct ts_envelope *envelope);

/** Decode; the payload points into memory of the envelope until ts_envelope_clear.
 *  Returns: TS_OK; TS_FORMAT on a wrong version, an unknown type, a wrong length, or more payload than the type
 *  allows; TS_INTERNAL. */
enum ts_error ts_envelope_decode(struct ts_envelope *out, const uint8_t *bytes, size_t len);

void ts_envelope_clear(struct ts_envelope *envelope);

#endif
