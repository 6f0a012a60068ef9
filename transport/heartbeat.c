#include "transport/heartbeat.h"

#define DEAD_AFTER 3 /* intervals */

void
ts_heartbeat_start(struct ts_heartbeat *heart, uint64_t now)
{
    heart->since_ms = now;
    heart->asked = 0;
}

void
ts_heartbeat_heard(struct ts_heartbeat *heart, uint64_t at)
{
    if (at > heart->since_ms)
        ts_heartbeat_start(heart, at);
}

enum ts_pulse
ts_heartbeat_step(struct ts_heartbeat *heart, uint64_t now)
{
    if (now < ts_heartbeat_next(heart))
        return TS_PULSE_QUIET;
    heart->asked++;
    return now - heart->since_ms < (uint64_t)DEAD_AFTER * heart->interval_ms ? TS_PULSE_ASK : TS_PULSE_DEAD;
}

uint64_t
ts_heartbeat_next(const struct ts_heartbeat *heart)
{
    if (heart->interval_ms == 0)
        return UINT64_MAX;
    return heart->since_ms + (uint64_t)(heart->asked + 1) * heart->interval_ms;
}
