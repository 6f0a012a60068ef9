#include "base/env.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int syslog_levels[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

/* A peer's words may stand in a line: keep it one line of printable bytes. */
static void
make_printable(char *line)
{
    for (; *line; line++)
        if ((unsigned char)*line < 0x20 || *line == 0x7f)
            *line = '?';
}

void
ts_log(const struct ts_env *env, enum ts_log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;

    if (!env->log.write || level > env->log.level)
        return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    make_printable(line);
    env->log.write(env->log.ctx, level, line);
}

static void
write_syslog(void *ctx, enum ts_log_level level, const char *line)
{
    (void)ctx;
    /* No openlog: its settings belong to the host process. */
    syslog(LOG_AUTHPRIV | syslog_levels[level], "tallystick[%ld]: %s", (long)getpid(), line);
}

static void
write_descriptor(int fd, enum ts_log_level level, const char *line)
{
    char text[LINE_MAX_BYTES + 128];
    char stamp[32];
    struct tm broken;
    time_t now = time(NULL);

    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &broken));
    int len =
        snprintf(text, sizeof text, "%s tallystick[%ld] %s: %s\n", stamp, (long)getpid(), level_names[level], line);
    if (len > 0)
        (void)!write(fd, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static void
write_stderr(void *ctx, enum ts_log_level level, const char *line)
{
    (void)ctx;
    write_descriptor(STDERR_FILENO, level, line);
}

static void
write_file(void *ctx, enum ts_log_level level, const char *line)
{
    int fd = open(ctx, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return;
    write_descriptor(fd, level, line);
    (void)close(fd);
}

void
ts_log_to_syslog(struct ts_log *log, enum ts_log_level level)
{
    *log = (struct ts_log){NULL, level, write_syslog};
}

void
ts_log_to_stderr(struct ts_log *log, enum ts_log_level level)
{
    *log = (struct ts_log){NULL, level, write_stderr};
}

void
ts_log_to_file(struct ts_log *log, enum ts_log_level level, const char *path)
{
    union {
        const char *in;
        void *out;
    } place = {path};

    *log = (struct ts_log){place.out, level, write_file};
}
