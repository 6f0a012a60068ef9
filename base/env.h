#ifndef TS_BASE_ENV_H
#define TS_BASE_ENV_H

#include "base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>

/** The outside world as the library sees it, injected so that tests can replace it. */

/** Time. Both functions never fail. */
struct ts_clock {
    void *ctx;
    uint64_t (*monotonic_ms)(void *ctx); /**< milliseconds, never goes back */
    uint64_t (*realtime_ns)(void *ctx);  /**< nanoseconds since 1970 */
};

/** Random bytes for secrets.
 *  fill returns TS_OK; TS_INTERNAL when the generator fails, and then `out` must not be used. */
struct ts_entropy {
    void *ctx;
    enum ts_error (*fill)(void *ctx, uint8_t *out, size_t len);
};

enum ts_log_level { TS_LOG_ERROR, TS_LOG_WARNING, TS_LOG_INFO, TS_LOG_DEBUG };

/** Where log lines go. `line` has no newline and no secret; write must not fail or block for long. */
struct ts_log {
    void *ctx;
    enum ts_log_level level; /**< lines above this level are not formatted */
    void (*write)(void *ctx, enum ts_log_level level, const char *line);
};

/** Told of each step of a conversation, before its message leaves and after its answer has been taken in; for the
 *  tests that stop a process at every step. May be NULL. */
struct ts_steps {
    void *ctx;
    void (*reached)(void *ctx, const char *step);
};

struct ossl_lib_ctx_st;
struct ossl_provider_st;
struct evp_rand_ctx_st;

/** All of it; passed down by pointer, must outlive what was made with it. Shared by threads. */
struct ts_env {
    struct ts_clock clock;
    struct ts_entropy entropy;
    struct ts_log log;
    struct ts_steps steps;
    struct ossl_lib_ctx_st *libctx;    /**< own OpenSSL context, default provider, no configuration file */
    struct ossl_provider_st *provider; /**< that provider, held for ts_env_clear */
    struct evp_rand_ctx_st
        *generator; /**< private random generator, behind entropy unless that is replaced; thread-safe */
};

/** Fill an environment with the system's clock, an own OpenSSL library context with the default provider, its
 *  private random generator, and a log hook that drops every line.
 *  Returns: TS_OK; TS_INTERNAL. Release with ts_env_clear. */
enum ts_error ts_env_init(struct ts_env *env);

/** Release what ts_env_init made. */
void ts_env_clear(struct ts_env *env);

/** Milliseconds of the monotonic clock. */
uint64_t ts_now_ms(const struct ts_env *env);

/** Random bytes. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_random(const struct ts_env *env, uint8_t *out, size_t len);

/** Tell the hook that a step was reached. step: its protocol name, static. */
void ts_step(const struct ts_env *env, const char *step);

/** Write one log line, printf-like. Says what happened, with whom, in which step, and what to do. Never a secret. */
void ts_log(const struct ts_env *env, enum ts_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Use the system's log (syslog, facility authpriv), or append to `path`, or standard error.
 *  The file is opened for each line, so that a renamed log is followed and no descriptor is held in a host process. */
void ts_log_to_syslog(struct ts_log *log, enum ts_log_level level);
void ts_log_to_stderr(struct ts_log *log, enum ts_log_level level);
/** path: must outlive the log. */
void ts_log_to_file(struct ts_log *log, enum ts_log_level level, const char *path);

#endif
