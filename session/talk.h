#ifndef TS_SESSION_TALK_H
#define TS_SESSION_TALK_H

#include "base/env.h"
#include "mpc/machine.h"
#include "transport/link.h"

/** One exchange of a conversation: send `payload` as `type`, wait for `reply_type`. Tells env's step hook the name of
 * the type before sending and of the reply after receiving. Both must be what is due (transport/message.h).
 * Returns: TS_OK and a message to clear; the error of ts_session_send or ts_session_next; TS_INTERNAL when the caller
 * wants something else than is due. */
enum ts_error ts_talk(struct ts_message *reply, const struct ts_env *env, struct ts_session *session, int type,
    const struct ts_buf *payload, int reply_type, uint32_t timeout_ms);

/** Only the first half. */
enum ts_error ts_tell(
    const struct ts_env *env, struct ts_session *session, int type, const struct ts_buf *payload, uint32_t timeout_ms);

/** Only the second half. */
enum ts_error ts_hear(
    struct ts_message *out, const struct ts_env *env, struct ts_session *session, int type, uint32_t timeout_ms);

/** One round of a machine from the side that asks: send `payload`, feed the reply to the machine, and leave the
 * machine's next payload in `payload`. Returns: TS_OK; the error of ts_talk or of ts_machine_step. */
enum ts_error ts_talk_step(struct ts_buf *payload, const struct ts_env *env, struct ts_session *session,
    struct ts_machine *machine, int type, int reply_type, uint32_t timeout_ms);

/** One round from the side that answers: wait for a message of `type`, feed it, and leave the answer in `payload`.
 * Returns: the same. */
enum ts_error ts_hear_step(struct ts_buf *payload, const struct ts_env *env, struct ts_session *session,
    struct ts_machine *machine, int type, uint32_t timeout_ms);

#endif
