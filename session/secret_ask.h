#ifndef TS_SESSION_SECRET_ASK_H
#define TS_SESSION_SECRET_ASK_H

#include "base/buffer.h"
#include "base/env.h"

/** For programs only: get a PIN or passphrase from its source, or from the person at the terminal.
 *  In:   source  as for ts_pin_source_read; NULL: asked on the terminal
 *        what    "user PIN"
 *        fresh   it is a new one: asked twice, and it must have TS_PIN_MIN bytes
 *  Returns: TS_OK; as ts_pin_source_read and ts_terminal_secret; complains itself. Secrets: out, a secret buffer,
 * emptied first. */
enum ts_error ts_secret_ask(
    struct ts_buf *out, const struct ts_env *env, const char *source, const char *what, bool fresh);

#endif
