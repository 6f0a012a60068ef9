#include "transport/reliable.h"

#include "transport/message.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* A large message is acknowledged at once: sending it again costs more than a small one in the other direction. */
#define LARGE_BYTES ((size_t)16 << 10)

void
ts_reliable_init(struct ts_reliable *session, const struct ts_reliable_times *times, uint64_t serial, uint64_t seed)
{
    *session = (struct ts_reliable){.times = times, .serial = serial, .random = seed | 1};
    session->deadline_ms = TS_NEVER;
    session->acknowledge_ms = TS_NEVER;
}

static void
drop_first(struct ts_reliable *session)
{
    struct ts_unacked *item = session->unacked;

    session->unacked = item->next;
    session->unacked_count--;
    session->unacked_bytes -= item->payload.len;
    ts_buf_clear(&item->payload);
    free(item);
}

void
ts_reliable_clear(struct ts_reliable *session)
{
    while (session->unacked)
        drop_first(session);
}

void
ts_reliable_forget(struct ts_reliable *session, uint64_t acknowledge)
{
    while (session->unacked && session->unacked->sequence <= acknowledge)
        drop_first(session);
}

enum ts_error
ts_reliable_send(struct ts_reliable *session, int type, const uint8_t *payload, size_t len, uint64_t now)
{
    struct ts_unacked **place = &session->unacked;

    if (session->unacked_count == TS_RELIABLE_UNACKED_MAX)
        return TS_USAGE;
    struct ts_unacked *item = calloc(1, sizeof *item);
    if (!item)
        return TS_INTERNAL;
    item->type = type;
    item->due_ms = now;
    ts_buf_init(&item->payload, len);
    if (ts_buf_put(&item->payload, payload, len) != TS_OK) {
        free(item);
        return TS_INTERNAL;
    }
    item->sequence = ++session->sent;
    while (*place)
        place = &(*place)->next;
    *place = item;
    session->unacked_count++;
    session->unacked_bytes += len;
    return TS_OK;
}

/* xorshift64 (Marsaglia 2003): spreads the times of many sessions, nothing else. */
static uint64_t
draw(struct ts_reliable *session)
{
    session->random ^= session->random << 13;
    session->random ^= session->random >> 7;
    session->random ^= session->random << 17;
    return session->random;
}

/* Doubled with each try, and then between three and five quarters of that. */
static uint64_t
pause_after(struct ts_reliable *session, unsigned tries)
{
    uint64_t pause = session->times->first_ms;

    for (unsigned i = 1; i < tries && pause < session->times->most_ms; i++)
        pause *= 2;
    if (pause > session->times->most_ms)
        pause = session->times->most_ms;
    return pause - pause / 4 + draw(session) % (pause / 2 + 1);
}

static void
acknowledge_by(struct ts_reliable *session, uint64_t moment)
{
    if (moment < session->acknowledge_ms)
        session->acknowledge_ms = moment;
}

/* The other side did not get our answer, or not in time. One that left a moment ago may still be under way. */
static void
answer_again(struct ts_reliable *session, uint64_t now)
{
    acknowledge_by(session, now);
    for (struct ts_unacked *item = session->unacked; item; item = item->next)
        if (item->tries > 0 && item->due_ms > item->sent_ms + session->times->first_ms)
            item->due_ms = item->sent_ms + session->times->first_ms;
}

static enum ts_error
digest(struct ts_remembered *out, const struct ts_reliable *session, const struct ts_envelope *envelope)
{
    static const uint8_t nothing[1];
    unsigned len = 0;

    *out = (struct ts_remembered){.type = envelope->type, .len = envelope->payload_len};
    const uint8_t *payload = envelope->payload_len ? envelope->payload : nothing;
    if (EVP_Digest(payload, envelope->payload_len, out->digest, &len, session->times->digest, NULL) != 1)
        return TS_INTERNAL;
    return len == sizeof out->digest ? TS_OK : TS_INTERNAL;
}

/* A number that is known: the same bytes, or a violation. What is too long ago to be remembered is let go. */
static enum ts_error
compare(const struct ts_reliable *session, const struct ts_envelope *envelope)
{
    const struct ts_remembered *known = &session->remembered[envelope->sequence % TS_RELIABLE_REMEMBERED];
    struct ts_remembered now;

    if (session->received - envelope->sequence >= TS_RELIABLE_REMEMBERED)
        return TS_OK;
    enum ts_error error = digest(&now, session, envelope);
    if (error != TS_OK)
        return error;
    bool same =
        now.type == known->type && now.len == known->len && memcmp(now.digest, known->digest, sizeof now.digest) == 0;
    return same ? TS_OK : TS_FORMAT;
}

static enum ts_error
judge(enum ts_arrival *arrival, struct ts_reliable *session, const struct ts_envelope *envelope)
{
    if (envelope->sequence == 0) {
        *arrival = TS_ARRIVAL_NOTE;
        return TS_OK;
    }
    if (envelope->sequence > session->received + 1) {
        *arrival = TS_ARRIVAL_EARLY;
        return TS_OK;
    }
    if (envelope->sequence <= session->received) {
        *arrival = TS_ARRIVAL_AGAIN;
        return compare(session, envelope);
    }
    *arrival = TS_ARRIVAL_FRESH;
    return digest(&session->remembered[envelope->sequence % TS_RELIABLE_REMEMBERED], session, envelope);
}

enum ts_error
ts_reliable_receive(
    enum ts_arrival *arrival, struct ts_reliable *session, const struct ts_envelope *envelope, uint64_t now)
{
    *arrival = TS_ARRIVAL_NOTE;
    if (envelope->acknowledge > session->sent)
        return TS_FORMAT;
    enum ts_error error = judge(arrival, session, envelope);
    if (error != TS_OK)
        return error;
    if (envelope->acknowledge > session->acknowledged) /* an older envelope may come later */
        session->acknowledged = envelope->acknowledge;
    ts_reliable_forget(session, session->acknowledged);
    if (*arrival == TS_ARRIVAL_FRESH) {
        session->received = envelope->sequence;
        bool large = envelope->payload_len > LARGE_BYTES;
        acknowledge_by(session, large ? now : now + session->times->acknowledge_ms);
    } else if (*arrival != TS_ARRIVAL_NOTE) {
        answer_again(session, now);
    }
    return TS_OK;
}

static void
stamp(struct ts_envelope *out, struct ts_reliable *session, const struct ts_unacked *item)
{
    *out = (struct ts_envelope){
        .type = TS_MESSAGE_ACKNOWLEDGE, .acknowledge = session->received, .serial = session->serial};
    session->acknowledge_ms = TS_NEVER;
    if (!item)
        return;
    out->sequence = item->sequence;
    out->type = item->type;
    out->payload = item->payload.data;
    out->payload_len = item->payload.len;
}

enum ts_error
ts_reliable_out(struct ts_envelope *out, struct ts_reliable *session, uint64_t now)
{
    for (struct ts_unacked *item = session->unacked; item && now < session->deadline_ms; item = item->next) {
        if (item->due_ms > now)
            continue;
        stamp(out, session, item);
        item->tries++;
        item->sent_ms = now;
        item->due_ms = now + pause_after(session, item->tries);
        return TS_OK;
    }
    if (session->acknowledge_ms > now)
        return TS_NOT_FOUND;
    stamp(out, session, NULL);
    return TS_OK;
}

uint64_t
ts_reliable_next(const struct ts_reliable *session, uint64_t now)
{
    uint64_t next = session->acknowledge_ms;

    for (const struct ts_unacked *item = session->unacked; item && now < session->deadline_ms; item = item->next)
        if (item->due_ms < next && item->due_ms < session->deadline_ms)
            next = item->due_ms;
    return next;
}

void
ts_reliable_reconnect(struct ts_reliable *session, uint64_t now)
{
    for (struct ts_unacked *item = session->unacked; item; item = item->next)
        item->due_ms = now;
    /* Even without anything received: who does not know the session any more says so. */
    if (session->sent > 0 || session->received > 0)
        acknowledge_by(session, now);
}

bool
ts_reliable_flushed(const struct ts_reliable *session)
{
    for (const struct ts_unacked *item = session->unacked; item; item = item->next)
        if (item->tries == 0)
            return false;
    return true;
}
