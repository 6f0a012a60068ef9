#ifndef TS_TRANSPORT_SEQUENCE_H
#define TS_TRANSPORT_SEQUENCE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** The numbers of one session, both directions: a state machine without sockets, clock or memory of its own. */
struct ts_sequence {
    uint64_t sent;         /**< number of the last message sent, 0 before the first */
    uint64_t received;     /**< number of the last message received */
    uint64_t acknowledged; /**< highest of ours that the other side said it has */
};

/** Number the next message to send, and say what it acknowledges. */
void ts_sequence_stamp(struct ts_sequence *state, uint64_t *sequence, uint64_t *acknowledge);

/** Judge the numbers of a received message: each is one above the last, and acknowledges at least as much as the last
 *  did and nothing that was not sent. The state changes only on success.
 *  Returns: TS_OK; TS_FORMAT. */
enum ts_error ts_sequence_receive(struct ts_sequence *state, uint64_t sequence, uint64_t acknowledge);

/** Can a message with these numbers start a session? A late one for a session that is forgotten cannot: it is not
 *  the first, or it answers something. */
bool ts_sequence_starts(uint64_t sequence, uint64_t acknowledge);

#endif
