#ifndef TS_SESSION_MEET_ENTERPRISE_H
#define TS_SESSION_MEET_ENTERPRISE_H

#include "session/enterprise_internal.h"

/** Private to the enterprise side of session/: devices that dial in (`listen:` of the configuration), and waiting for
 *  one that is away. Which side dialled changes nothing for the conversations. */

/* The identity under which devices are received, held by the listener and by each connection that came through it. */
struct ts_meeting {
    struct ts_enterprise *enterprise;
    uint64_t token;
    struct ts_identity *identity;
    struct ts_crowd *callers; /* shaking hands; NULL where threads are not allowed */
    struct ts_links *links;   /* where a device whose connection broke finds its sessions; NULL: it does not */
    unsigned users;
};

/** Under the lock: one user more; one less. */
struct ts_meeting *ts_meeting_hold(struct ts_meeting *meeting);
void ts_meeting_put(struct ts_meeting *meeting);

/** Without the lock: listen no longer (token 0: whichever it is for). */
void ts_meeting_stop(struct ts_enterprise *enterprise, uint64_t token);

/** Sleep a little, at most until `until_ms`, and end early when a connection came or went. Takes a caller itself where no
 *  thread does. */
void ts_meeting_wait(struct ts_enterprise *enterprise, uint64_t until_ms);

/** As ts_connection_acquire, but when the peer cannot be reached wait for it to come (or to answer when it is dialled
 *  again) for wait_ms, or as configured when that is 0; the entry shows that it waits. Its first use opens the listener.
 *  cancel (may be NULL): ends the wait soon with TS_TIMEOUT. */
enum ts_error ts_connection_await(struct ts_connection **out, bool *fresh, struct ts_enterprise *enterprise,
    const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES], uint32_t wait_ms,
    struct ts_journal_entry *entry, struct ts_cancel *cancel);

#endif
