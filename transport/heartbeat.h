#ifndef TS_TRANSPORT_HEARTBEAT_H
#define TS_TRANSPORT_HEARTBEAT_H

#include <stdint.h>

/** Does the other side still live? Asked after one interval of silence and after two; after three it is dead.
 *  A state machine; `now` is the caller's, in milliseconds that never go back. */
struct ts_heartbeat {
    uint32_t interval_ms; /**< 0: never asks */
    uint64_t since_ms;    /**< silence began */
    unsigned asked;
};

enum ts_pulse { TS_PULSE_QUIET, TS_PULSE_ASK, TS_PULSE_DEAD };

/** Silence before `now` does not count: nobody listened. */
void ts_heartbeat_start(struct ts_heartbeat *heart, uint64_t now);

/** Something was heard at `at`, perhaps a while ago. */
void ts_heartbeat_heard(struct ts_heartbeat *heart, uint64_t at);

/** What to do now. TS_PULSE_ASK is said once for each interval. */
enum ts_pulse ts_heartbeat_step(struct ts_heartbeat *heart, uint64_t now);

/** When ts_heartbeat_step has something to say; UINT64_MAX for never. */
uint64_t ts_heartbeat_next(const struct ts_heartbeat *heart);

#endif
