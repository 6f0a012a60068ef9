#include "transport/sequence.h"

void
ts_sequence_stamp(struct ts_sequence *state, uint64_t *sequence, uint64_t *acknowledge)
{
    *sequence = ++state->sent;
    *acknowledge = state->received;
}

enum ts_error
ts_sequence_receive(struct ts_sequence *state, uint64_t sequence, uint64_t acknowledge)
{
    if (sequence != state->received + 1)
        return TS_FORMAT;
    if (acknowledge > state->sent || acknowledge < state->acknowledged)
        return TS_FORMAT;
    state->received = sequence;
    state->acknowledged = acknowledge;
    return TS_OK;
}

bool
ts_sequence_starts(uint64_t sequence, uint64_t acknowledge)
{
    return sequence == 1 && acknowledge == 0;
}
