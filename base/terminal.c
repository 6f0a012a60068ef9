#include "base/terminal.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define REDRAW_MS 500
#define LINE_MS 10000
#define ATTEMPTS 3
#define SLICE_MS 100 /* how soon a question that became pointless goes away */

enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };

static void
put(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

/* The terminal gives single keys, so that Ctrl-C ends the question with the echo restored. */
static enum ts_error
read_keys(struct ts_buf *out, int fd)
{
    unsigned char key;

    for (;;) {
        ssize_t got = read(fd, &key, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return TS_IO;
        if (got == 0 || key == CTRL_C || key == CTRL_D)
            return TS_REFUSED;
        if (key == '\r' || key == '\n')
            return out->len ? ts_buf_error(out) : TS_USAGE;
        if (key == CTRL_U)
            ts_buf_clear(out);
        else if ((key == BACKSPACE || key == DELETE) && out->len)
            out->data[--out->len] = 0;
        else if (key >= 0x20 && key != DELETE)
            (void)ts_buf_put_u8(out, key);
    }
}

enum ts_error
ts_terminal_secret(struct ts_buf *out, const char *prompt)
{
    struct termios before, quiet;
    enum ts_error error = TS_IO;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    ts_buf_clear(out);
    if (fd < 0 || tcgetattr(fd, &before) != 0)
        goto out;
    quiet = before;
    quiet.c_lflag &= (tcflag_t) ~(ECHO | ICANON | ISIG | IEXTEN);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
        goto out;
    put(fd, prompt);
    error = read_keys(out, fd);
    put(fd, "\n");
    (void)tcsetattr(fd, TCSAFLUSH, &before);
out:
    if (fd >= 0)
        (void)close(fd);
    if (error == TS_FORMAT)
        error = TS_USAGE;
    if (error != TS_OK)
        ts_buf_clear(out);
    return error;
}

enum ts_error
ts_terminal_new_secret(struct ts_buf *out, const char *prompt, size_t least)
{
    struct ts_buf again;
    char repeat[128];
    enum ts_error error = TS_USAGE;
    bool same = false;

    ts_buf_init_secret(&again, out->max);
    (void)snprintf(repeat, sizeof repeat, "Again, %s", prompt);
    for (int i = 0; i < ATTEMPTS && !same; i++) {
        error = ts_terminal_secret(out, prompt);
        if (error == TS_OK && out->len < least) {
            (void)fprintf(stderr, "It must have at least %zu characters.\n", least);
            error = TS_USAGE;
            continue;
        }
        if (error == TS_OK)
            error = ts_terminal_secret(&again, repeat);
        if (error == TS_IO || error == TS_REFUSED)
            break;
        same = error == TS_OK && again.len == out->len && ts_equal(again.data, out->data, out->len);
        if (!same)
            (void)fprintf(stderr, "The two are not the same.\n");
    }
    ts_buf_clear(&again);
    if (!same)
        ts_buf_clear(out);
    return same ? TS_OK : error == TS_OK ? TS_USAGE : error;
}

bool
ts_terminal_confirm(const char *question)
{
    char answer[16] = "";
    FILE *terminal = fopen("/dev/tty", "r+e");

    if (!terminal)
        return false;
    (void)fprintf(terminal, "%s [y/N] ", question);
    (void)fflush(terminal);
    if (!fgets(answer, sizeof answer, terminal))
        answer[0] = 0;
    (void)fclose(terminal);
    return strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0;
}

enum ts_error
ts_terminal_line(char *out, size_t size, const struct ts_env *env, int fd, uint64_t deadline_ms,
    bool (*cancelled)(void *), void *ctx)
{
    size_t len = 0;

    out[0] = 0;
    while (ts_now_ms(env) < deadline_ms && !cancelled(ctx)) {
        struct pollfd ready = {fd, POLLIN, 0};
        char byte;
        if (poll(&ready, 1, SLICE_MS) <= 0)
            continue;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return TS_IO;
        if (byte == '\n')
            return TS_OK;
        if (len + 1 < size) {
            out[len++] = byte;
            out[len] = 0;
        }
    }
    return TS_TIMEOUT;
}

enum ts_error
ts_terminal_decide(
    const struct ts_env *env, const char *question, uint64_t deadline_ms, bool (*cancelled)(void *), void *ctx)
{
    char answer[16];
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return TS_IO;
    (void)tcflush(fd, TCIFLUSH); /* a key pressed before the question was there must not answer it */
    put(fd, question);
    put(fd, " [y/N] ");
    enum ts_error error = ts_terminal_line(answer, sizeof answer, env, fd, deadline_ms, cancelled, ctx);
    if (error == TS_TIMEOUT)
        put(fd, "\n");
    else
        error = error == TS_OK && (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0) ? TS_OK : TS_REFUSED;
    (void)close(fd);
    return error;
}

void
ts_progress_start(struct ts_progress *progress, const struct ts_env *env, const char *what)
{
    *progress = (struct ts_progress){.env = env, .what = what, .redraw = isatty(STDERR_FILENO) == 1};
    progress->started_ms = progress->shown_ms = ts_now_ms(env);
    (void)pthread_mutex_init(&progress->lock, NULL);
    (void)fprintf(stderr, "%s ...%s", what, progress->redraw ? "" : "\n");
}

void
ts_progress_show(struct ts_progress *progress, uint64_t count)
{
    uint64_t now = ts_now_ms(progress->env);

    (void)pthread_mutex_lock(&progress->lock);
    if (now - progress->shown_ms >= (progress->redraw ? REDRAW_MS : LINE_MS)) {
        progress->shown_ms = now;
        (void)fprintf(stderr, "%s%s: %" PRIu64 " candidates, %" PRIu64 " s%s", progress->redraw ? "\r" : "",
            progress->what, count, (now - progress->started_ms) / 1000, progress->redraw ? "   " : "\n");
    }
    (void)pthread_mutex_unlock(&progress->lock);
}

void
ts_progress_end(struct ts_progress *progress, bool done)
{
    uint64_t took = (ts_now_ms(progress->env) - progress->started_ms) / 1000;

    (void)fprintf(stderr, "%s%s: %s after %" PRIu64 " s%s\n", progress->redraw ? "\r" : "", progress->what,
        done ? "done" : "stopped", took, progress->redraw ? "              " : "");
    (void)pthread_mutex_destroy(&progress->lock);
}
