#include "session/talk.h"

#include "session/journal.h"
#include "transport/message.h"

/* For the tests that stop a process at every step, and for the journal. */
static void
reached(const struct ts_env *env, struct ts_session *session, int type)
{
    ts_journal_step(ts_session_context(session), ts_message_name(type));
    ts_step(env, ts_message_name(type));
}

enum ts_error
ts_tell(
    const struct ts_env *env, struct ts_session *session, int type, const struct ts_buf *payload, uint32_t timeout_ms)
{
    if (ts_buf_error(payload) != TS_OK)
        return ts_buf_error(payload);
    if (!ts_message_is_due(ts_session_state(session), type))
        return TS_INTERNAL; /* our own conversations go by the table, too */
    reached(env, session, type);
    return ts_session_send(session, type, payload->data, payload->len, timeout_ms);
}

enum ts_error
ts_hear(struct ts_message *out, const struct ts_env *env, struct ts_session *session, int type, uint32_t timeout_ms)
{
    if (!ts_message_is_due(ts_session_state(session), type))
        return TS_INTERNAL;
    enum ts_error error = ts_session_next(session, out, timeout_ms);
    if (error == TS_OK)
        reached(env, session, type);
    return error;
}

enum ts_error
ts_talk(struct ts_message *reply, const struct ts_env *env, struct ts_session *session, int type,
    const struct ts_buf *payload, int reply_type, uint32_t timeout_ms)
{
    enum ts_error error = ts_tell(env, session, type, payload, timeout_ms);
    if (error == TS_OK)
        error = ts_hear(reply, env, session, reply_type, timeout_ms);
    return error;
}

enum ts_error
ts_hear_step(struct ts_buf *payload, const struct ts_env *env, struct ts_session *session, struct ts_machine *machine,
    int type, uint32_t timeout_ms)
{
    struct ts_message in = {0};
    enum ts_error error = ts_hear(&in, env, session, type, timeout_ms);

    ts_buf_clear(payload);
    if (error == TS_OK)
        error = ts_machine_step(machine, payload, in.payload.data, in.payload.len);
    ts_message_clear(&in);
    return error;
}

enum ts_error
ts_talk_step(struct ts_buf *payload, const struct ts_env *env, struct ts_session *session, struct ts_machine *machine,
    int type, int reply_type, uint32_t timeout_ms)
{
    enum ts_error error = ts_tell(env, session, type, payload, timeout_ms);

    if (error == TS_OK)
        error = ts_hear_step(payload, env, session, machine, reply_type, timeout_ms);
    return error;
}
