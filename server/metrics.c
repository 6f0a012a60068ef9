#include "server/metrics.h"

#include <stdarg.h>
#include <stdio.h>

static void put(struct ts_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct ts_buf *out, const char *format, ...)
{
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (len > 0 && (size_t)len < sizeof line)
        (void)ts_buf_put(out, line, (size_t)len);
}

static void
head(struct ts_buf *out, const char *name, const char *type, const char *help)
{
    put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
operations(struct ts_buf *out, struct ts_metrics *metrics)
{
    static const char *const kinds[] = {"keygen", "sign"};

    head(out, "tallystick_operations_total", "counter", "Keys and signatures asked of partners, by how they ended.");
    for (unsigned i = 0; i < 2; i++) {
        put(out, "tallystick_operations_total{kind=\"%s\",outcome=\"completed\"} %llu\n", kinds[i],
            atomic_load(&metrics->completed[i]));
        put(out, "tallystick_operations_total{kind=\"%s\",outcome=\"failed\"} %llu\n", kinds[i],
            atomic_load(&metrics->failed[i]));
    }
    head(out, "tallystick_operation_seconds_total", "counter", "Time that they took together.");
    for (unsigned i = 0; i < 2; i++) {
        unsigned long long ms = atomic_load(&metrics->milliseconds[i]);
        put(out, "tallystick_operation_seconds_total{kind=\"%s\"} %llu.%03llu\n", kinds[i], ms / 1000, ms % 1000);
    }
}

static void
gauge(struct ts_buf *out, const char *name, const char *help, int value)
{
    head(out, name, "gauge", help);
    put(out, "%s %d\n", name, value);
}

enum ts_error
ts_metrics_write(struct ts_buf *out, struct ts_metrics *metrics, const struct ts_metrics_now *now)
{
    head(out, "tallystick_http_answers_total", "counter", "Answers by the class of their status.");
    for (unsigned i = 2; i < 6; i++)
        put(out, "tallystick_http_answers_total{class=\"%uxx\"} %llu\n", i, atomic_load(&metrics->answers[i]));
    operations(out, metrics);
    head(out, "tallystick_unauthenticated_total", "counter", "Calls of nobody that is known.");
    put(out, "tallystick_unauthenticated_total %llu\n", atomic_load(&metrics->refused_callers));
    head(out, "tallystick_audit_lost_total", "counter", "Audit records that found no room.");
    put(out, "tallystick_audit_lost_total %llu\n", atomic_load(&metrics->audit_lost));
    gauge(out, "tallystick_operations_running", "Operations that a worker is at.", atomic_load(&metrics->running));
    gauge(out, "tallystick_operations_waiting", "Operations that wait for a worker.", (int)now->waiting);
    gauge(out, "tallystick_event_streams", "Open streams of events.", atomic_load(&metrics->streams));
    gauge(out, "tallystick_ready", "1 when the token answers.", now->ready);
    return ts_buf_error(out);
}
