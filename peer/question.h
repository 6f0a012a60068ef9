#ifndef TS_PEER_QUESTION_H
#define TS_PEER_QUESTION_H

#include "base/buffer.h"
#include "session/mobile.h"

/** What a person is shown of a question, as text for a terminal: nothing in it is obeyed by one, whatever the other
 * side sent. A message is shown as text, each line behind a bar, when all of it is plain text, else as a hexadecimal
 * dump; of a long one the beginning and the number of bytes left out. Returns: TS_OK; TS_FORMAT or TS_INTERNAL as
 * ts_buf_error. */
enum ts_error ts_question_show(struct ts_buf *out, const struct ts_question *question);

#define TS_QUESTION_MAX_BYTES 65536 /**< a buffer for ts_question_show */

#endif
