#ifndef TS_STORE_PIN_SOURCE_H
#define TS_STORE_PIN_SOURCE_H

#include "base/buffer.h"
#include "base/env.h"

/** Read a PIN or passphrase from where an administrator keeps it.
 *  Source: RFC 7512 section 2.4 (pin-source), systemd.exec(5) (credentials)
 *  In:   source  file:/PATH, file:///PATH or /PATH; env:NAME; credential:NAME for $CREDENTIALS_DIRECTORY/NAME
 *  Out:  out     appended without the final newline, 1 to TS_PIN_MAX bytes; should be a secret buffer
 *  Returns: TS_OK; TS_USAGE for another form, or when the PIN is empty or too long; TS_IO when the file or variable is
 *  not there; TS_INTERNAL. Each failure, and a file that others may read, has its log line. Secrets: the content. */
enum ts_error ts_pin_source_read(struct ts_buf *out, const struct ts_env *env, const char *source);

#endif
