#ifndef TS_BASE_TERMINAL_H
#define TS_BASE_TERMINAL_H

#include "base/buffer.h"
#include "base/env.h"

#include <pthread.h>
#include <stdbool.h>

/** For programs only: the person at the controlling terminal. */

/** Ask for a PIN or passphrase without showing it.
 *  Returns: TS_OK; TS_IO when there is no terminal; TS_REFUSED at Ctrl-C or Ctrl-D; TS_USAGE when it is empty or longer
 *  than `out` may hold. Secrets: out, a secret buffer, emptied first. */
enum ts_error ts_terminal_secret(struct ts_buf *out, const char *prompt);

/** The same for a new one: asked twice until both are equal and at least `least` bytes long; three attempts. */
enum ts_error ts_terminal_new_secret(struct ts_buf *out, const char *prompt, size_t least);

/** Ask a question that only "y" or "yes" affirms. Returns: false also when there is no terminal. */
bool ts_terminal_confirm(const char *question);

/** The same, asked until a deadline, for a question that may become pointless meanwhile.
 *  In:   deadline_ms  of the monotonic clock; cancelled is asked several times a second
 *  Returns: TS_OK (yes); TS_REFUSED (anything else); TS_TIMEOUT (deadline, or cancelled); TS_IO without a terminal. */
enum ts_error ts_terminal_decide(
    const struct ts_env *env, const char *question, uint64_t deadline_ms, bool (*cancelled)(void *), void *ctx);

/** Read one line of at most size - 1 bytes, without its newline, byte by byte, so that what follows stays unread.
 *  Returns: TS_OK; TS_TIMEOUT as above; TS_IO at its end. A longer line is cut. */
enum ts_error ts_terminal_line(char *out, size_t size, const struct ts_env *env, int fd, uint64_t deadline_ms,
    bool (*cancelled)(void *), void *ctx);

/** A line on standard error that shows how a long search goes on: redrawn on a terminal each half second, else a new
 *  line each ten seconds. Used by several threads. */
struct ts_progress {
    const struct ts_env *env;
    const char *what; /**< "searching safe primes" */
    bool redraw;
    uint64_t started_ms, shown_ms;
    pthread_mutex_t lock;
};
void ts_progress_start(struct ts_progress *progress, const struct ts_env *env, const char *what);
void ts_progress_show(struct ts_progress *progress, uint64_t count);
/** Last line, with the time it took. */
void ts_progress_end(struct ts_progress *progress, bool done);

#endif
