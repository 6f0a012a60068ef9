#ifndef TS_MPC_SIGN_MESSAGE_H
#define TS_MPC_SIGN_MESSAGE_H

#include "mpc/transcript.h"

/** P2's answer to a signature request (protocol.md 7): nonce, sigma. The request is the session's message, known here
 *  only by its hash. Private to mpc/. */
struct ts_sign_answer {
    uint8_t nonce[TS_NONCE_BYTES];
    const struct ts_num *sigma;
};
void ts_sign_answer_encode(struct ts_buf *out, const struct ts_sign_answer *answer);
/** Returns: TS_OK; TS_FORMAT, also for a sigma outside [0, q); TS_INTERNAL. */
enum ts_error ts_sign_answer_decode(
    struct ts_sign_answer *out, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len);

#endif
