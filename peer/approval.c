#include "peer/approval.h"
#include "peer/question.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SLICE_MS 100 /* how soon a cancelled question goes away */
#define ANSWER_BYTES 16

struct ts_approval {
    struct ts_approval_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool busy; /* a question is on the terminal */
    atomic_bool stopped;
};

/* What ends the wait for one answer. */
struct wait {
    struct ts_approval *approval;
    uint64_t deadline_ms;
    bool (*cancelled)(void *);
    void *cancel_ctx;
};

enum ts_error
ts_approval_mode_parse(enum ts_approval_mode *out, const char *text)
{
    static const char *const names[] = {"ask", "auto", "refuse", "never"};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum ts_approval_mode)i;
            return TS_OK;
        }
    return TS_USAGE;
}

enum ts_error
ts_approval_new(struct ts_approval **out, const struct ts_approval_options *options)
{
    struct ts_approval *approval = calloc(1, sizeof *approval);
    pthread_condattr_t monotonic;

    *out = NULL;
    if (!approval)
        return TS_INTERNAL;
    approval->options = *options;
    (void)pthread_mutex_init(&approval->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&approval->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    *out = approval;
    return TS_OK;
}

void
ts_approval_free(struct ts_approval *approval)
{
    if (!approval)
        return;
    (void)pthread_cond_destroy(&approval->changed);
    (void)pthread_mutex_destroy(&approval->lock);
    free(approval);
}

void
ts_approval_stop(struct ts_approval *approval)
{
    atomic_store(&approval->stopped, true);
    (void)pthread_mutex_lock(&approval->lock);
    (void)pthread_cond_broadcast(&approval->changed);
    (void)pthread_mutex_unlock(&approval->lock);
}

/* TS_OK while the wait may go on. */
static enum ts_error
check(const struct wait *wait)
{
    if (atomic_load(&wait->approval->stopped))
        return TS_REFUSED;
    if (ts_now_ms(wait->approval->options.env) >= wait->deadline_ms ||
        (wait->cancelled && wait->cancelled(wait->cancel_ctx)))
        return TS_TIMEOUT;
    return TS_OK;
}

static void
wait_slice(struct ts_approval *approval)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SLICE_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&approval->changed, &approval->lock, &until);
}

static enum ts_error
wait_for_turn(const struct wait *wait)
{
    struct ts_approval *approval = wait->approval;
    enum ts_error error;

    for (;;) {
        error = check(wait); /* outside the lock: it may look at the network */
        if (error != TS_OK)
            return error;
        (void)pthread_mutex_lock(&approval->lock);
        if (approval->busy)
            wait_slice(approval);
        bool mine = !approval->busy;
        if (mine)
            approval->busy = true;
        (void)pthread_mutex_unlock(&approval->lock);
        if (mine)
            return TS_OK;
    }
}

static void
end_turn(struct ts_approval *approval)
{
    (void)pthread_mutex_lock(&approval->lock);
    approval->busy = false;
    (void)pthread_cond_broadcast(&approval->changed);
    (void)pthread_mutex_unlock(&approval->lock);
}

static void
put_bytes(int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return; /* nobody sees the question: the answer will be no */
        at += put;
        len -= (size_t)put;
    }
}

static void
put_line(int fd, const char *text)
{
    put_bytes(fd, text, strlen(text));
}

/* Bytes one by one: what follows the line belongs to the next question. */
static enum ts_error
read_answer(const struct wait *wait, int fd)
{
    char answer[ANSWER_BYTES];
    size_t len = 0;
    enum ts_error error;

    while ((error = check(wait)) == TS_OK) {
        struct pollfd ready = {fd, POLLIN, 0};
        char byte;
        if (poll(&ready, 1, SLICE_MS) <= 0)
            continue;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return TS_REFUSED;
        if (byte == '\n') {
            answer[len < ANSWER_BYTES ? len : ANSWER_BYTES - 1] = 0;
            return strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0 ? TS_OK : TS_REFUSED;
        }
        if (len < ANSWER_BYTES - 1)
            answer[len] = byte;
        len++;
    }
    return error;
}

static enum ts_error
ask(const struct wait *wait, const struct ts_question *question)
{
    const struct ts_approval_options *options = &wait->approval->options;
    struct ts_buf text;
    enum ts_error error;

    ts_buf_init(&text, TS_QUESTION_MAX_BYTES);
    error = ts_question_show(&text, question);
    if (error == TS_OK) {
        /* A key pressed before the question was there must not answer it. */
        (void)tcflush(options->in, TCIFLUSH);
        put_bytes(options->out, text.data, text.len);
        put_line(options->out, "Allow it? [y/N] ");
        error = read_answer(wait, options->in);
        put_line(options->out, error == TS_OK        ? "Allowed.\n"
                               : error == TS_TIMEOUT ? "\nToo late: nobody decided, or the partner withdrew.\n"
                                                     : "Refused.\n");
    }
    ts_buf_clear(&text);
    return error;
}

static enum ts_error
stay_silent(const struct wait *wait)
{
    enum ts_error error;

    while ((error = check(wait)) == TS_OK) {
        (void)pthread_mutex_lock(&wait->approval->lock);
        wait_slice(wait->approval);
        (void)pthread_mutex_unlock(&wait->approval->lock);
    }
    return error;
}

enum ts_error
ts_approval_decide(
    void *ctx, const struct ts_question *question, uint64_t deadline_ms, bool (*cancelled)(void *), void *cancel_ctx)
{
    struct ts_approval *approval = ctx;
    const struct wait wait = {approval, deadline_ms, cancelled, cancel_ctx};
    enum ts_error error;

    switch (approval->options.mode) {
    case TS_APPROVAL_AUTO: /* but a lock is lifted by a person alone */
        return question->kind == TS_ASK_REFRESH && question->locked ? TS_REFUSED : TS_OK;
    case TS_APPROVAL_NEVER:
        return stay_silent(&wait);
    case TS_APPROVAL_ASK:
        error = wait_for_turn(&wait);
        if (error == TS_OK) {
            error = ask(&wait, question);
            end_turn(approval);
        }
        return error;
    case TS_APPROVAL_REFUSE:
    default:
        return TS_REFUSED;
    }
}
