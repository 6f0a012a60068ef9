#include "session/enterprise_internal.h"
#include "session/talk.h"

#include <stdio.h>
#include <string.h>

/* The other side locks too, so that no other session of the key goes on there. Best effort: our own lock is what
 * counts. */
static void
tell(struct ts_enterprise *enterprise, struct ts_link *link, const struct ts_half_row *row, const char *reason)
{
    struct ts_lock lock = {0};
    struct ts_session *session = NULL;
    struct ts_message reply = {0};
    struct ts_buf payload;

    memcpy(lock.key, row->key, sizeof lock.key);
    (void)snprintf(lock.reason, sizeof lock.reason, "%s", reason);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    if (ts_lock_encode(&payload, &lock) == TS_OK && ts_session_open(&session, link) == TS_OK)
        (void)ts_talk(&reply, enterprise->env, session, TS_MESSAGE_LOCK, &payload, TS_MESSAGE_LOCK_DONE,
            enterprise->config->timeout.step);
    ts_message_clear(&reply);
    ts_session_close(session);
    ts_buf_clear(&payload);
}

void
ts_lock_enterprise(struct ts_enterprise *enterprise, const struct ts_half_row *row, const struct ts_fault *fault)
{
    const char *said = fault->session ? ts_session_reason(fault->session) : "";
    char reason[160];

    (void)snprintf(reason, sizeof reason, "%.100s at %.20s",
        *said ? said : "the peer's proof, opening or answer is wrong", fault->step);
    enum ts_error stored = ts_half_lock(enterprise->store, row->key, reason);
    ts_pool_forget(enterprise, row->key);
    ts_journal_words(fault->entry, reason);
    ts_log(enterprise->env, TS_LOG_ERROR,
        "key %s is locked (%s): peer %s, %s, %s; every use is refused until an administrator refreshes the key "
        "(tallystick refresh); find out whether the device is faulty or hostile first",
        row->label, stored == TS_OK ? "durably" : "BUT THE LOCK COULD NOT BE STORED", fault->peer,
        ts_error_text(fault->error), reason);
    if (!*said && fault->link)
        tell(enterprise, fault->link, row, reason);
}
