#ifndef TS_SERVER_METRICS_H
#define TS_SERVER_METRICS_H

#include "base/buffer.h"

#include <stdatomic.h>

/** Counters since the start; any thread. */
struct ts_metrics {
    atomic_ullong answers[6];              /**< by the status' first digit */
    atomic_ullong completed[2], failed[2]; /**< operations by kind: 0 keygen, 1 sign */
    atomic_ullong milliseconds[2];         /**< that operations took, together */
    atomic_int running, streams, connections;
    atomic_ullong refused_callers, audit_lost;
};

/** What is not counted but looked up at that moment. */
struct ts_metrics_now {
    unsigned waiting; /**< operations that wait for a worker */
    int ready;
};

/** Append the text format of Prometheus 0.0.4. Returns: as ts_buf_error. */
enum ts_error ts_metrics_write(struct ts_buf *out, struct ts_metrics *metrics, const struct ts_metrics_now *now);

#endif
