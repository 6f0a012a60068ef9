#include "session/mobile_internal.h"

#include <stdio.h>

void
ts_lock_own(struct ts_conversation *conversation, const struct ts_half_row *row, const char *step)
{
    char reason[160];

    (void)snprintf(reason, sizeof reason, "the enterprise's proof or opening is wrong at %s", step);
    enum ts_error stored = ts_half_lock(conversation->mobile->options.store, row->key, reason);
    ts_waiting_forget(conversation->mobile, row->key);
    ts_log(conversation->mobile->env, TS_LOG_ERROR,
        "key %s is locked (%s): partner %s: %s; every use is refused until an administrator refreshes the key",
        row->label, stored == TS_OK ? "durably" : "BUT THE LOCK COULD NOT BE STORED",
        conversation->connection->peer.name, reason);
    conversation->reason = "your proof or opening is wrong: the key is locked at the device";
}
