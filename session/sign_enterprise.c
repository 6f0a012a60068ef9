#include "base/secret.h"
#include "mpc/machine.h"
#include "session/enterprise_internal.h"
#include "session/meet_enterprise.h"
#include "session/talk.h"

#include <stdio.h>
#include <string.h>

#define HALF_MAX_BYTES 16384

/* One signature at the enterprise side without a presignature at hand (protocol.md 6 and 7 in one go, two round trips).
 */
struct run {
    struct ts_enterprise *enterprise;
    const struct ts_keyring *keyring;
    const struct ts_sign_job *job;
    struct ts_half_row row;
    struct ts_peer_row peer; /* for its name */
    struct ts_half *half;
    struct ts_connection *connection;
    bool fresh;
    uint64_t batch;
    struct ts_session *session;
    struct ts_machine *machine;
    struct ts_buf request; /* as sent */
    struct ts_journal_entry *entry;
    bool asked; /* the request has left: from here on nothing is tried again */
};

static enum ts_error
load_half(struct run *run)
{
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, HALF_MAX_BYTES);
    enum ts_error error = ts_half_get(&run->row, run->enterprise->store, run->job->key, false);
    if (error == TS_OK)
        error = ts_peer_get(&run->peer, run->enterprise->store, run->row.pairing);
    if (error == TS_OK && run->row.locked)
        error = TS_LOCKED;
    if (error == TS_OK)
        error = ts_half_data(&bytes, run->enterprise->store, run->keyring, run->job->key, run->row.generation);
    if (error == TS_OK) {
        error = ts_half_decode(&run->half, run->enterprise->mpc, bytes.data, bytes.len);
        error = error == TS_FORMAT ? TS_STORAGE : error;
    }
    ts_buf_clear(&bytes);
    return error;
}

/* A connection, a session on it, and the machine of one presignature. */
static enum ts_error
begin(struct run *run)
{
    enum ts_error error = ts_connection_await(&run->connection, &run->fresh, run->enterprise, run->keyring,
        run->row.pairing, run->job->wait_ms, run->entry, run->job->cancel);
    if (error != TS_OK)
        return error;
    run->batch = ts_connection_batch(run->enterprise, run->connection);
    struct ts_presign_place place = {
        .mpc = run->enterprise->mpc,
        .pairing = run->connection->partner->pairing,
        .half = run->half,
        .n1 = run->connection->n1,
        .n2 = run->connection->n2,
        .batch = run->batch,
    };
    error = ts_presign_p1_new(&run->machine, &place, 1);
    if (error == TS_OK)
        error = ts_session_open(&run->session, run->connection->link);
    if (error == TS_OK) {
        ts_journal_attach(run->entry, run->session);
        ts_cancel_attach(run->job->cancel, run->session);
    }
    return error;
}

static void
end(struct run *run)
{
    ts_cancel_attach(run->job->cancel, NULL);
    ts_session_close(run->session);
    ts_machine_free(run->machine);
    if (run->connection)
        ts_connection_release(run->enterprise, run->connection);
    run->session = NULL;
    run->machine = NULL;
    run->connection = NULL;
}

static enum ts_error
round_1(struct run *run, struct ts_message *reply)
{
    struct ts_sign_round1 round = {.generation = run->row.generation, .batch = run->batch};
    struct ts_buf inner, payload;

    memcpy(round.key, run->row.key, sizeof round.key);
    ts_buf_init(&inner, TS_ROUND_PAYLOAD_MAX_BYTES);
    ts_buf_init(&payload, ts_message_max(TS_MESSAGE_SIGN_ROUND_1));
    enum ts_error error = ts_machine_step(run->machine, &inner, NULL, 0);
    round.payload = inner.data;
    round.payload_len = inner.len;
    if (error == TS_OK)
        error = ts_sign_round1_encode(&payload, &round);
    if (error == TS_OK)
        error = ts_talk(reply, run->enterprise->env, run->session, TS_MESSAGE_SIGN_ROUND_1, &payload,
            TS_MESSAGE_SIGN_ROUND_1_REPLY, run->enterprise->config->timeout.step);
    ts_buf_clear(&inner);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
encode_request(struct run *run)
{
    const struct ts_sign_job *job = run->job;
    struct ts_sign_request request = {
        .batch = run->batch,
        .generation = run->row.generation,
        .digest = job->digest,
        .digest_len = job->digest_len,
        .message = job->message,
        .message_len = job->message_len,
        .has_message = job->message != NULL,
    };

    memcpy(request.key, run->row.key, sizeof request.key);
    (void)snprintf(request.mechanism, sizeof request.mechanism, "%s", job->mechanism);
    ts_asker_to_context(&request.context, &job->asker);
    return ts_sign_request_encode(&run->request, &request);
}

static void
note_request(struct run *run)
{
    uint8_t presignature[TS_ID_BYTES];

    ts_journal_presignature_id(presignature, run->enterprise->env, run->row.key, run->row.generation,
        run->connection->n1, run->connection->n2, run->batch, 0);
    ts_journal_presignature(run->entry, presignature, run->request.data, run->request.len);
}

static enum ts_error
round_2(struct run *run, struct ts_message *reply, const struct ts_message *previous)
{
    const struct ts_config *config = run->enterprise->config;
    struct ts_sign_round2 round = {0};
    struct ts_buf inner, payload;

    ts_buf_init(&inner, TS_ROUND_PAYLOAD_MAX_BYTES);
    ts_buf_init(&payload, ts_message_max(TS_MESSAGE_SIGN_ROUND_2));
    enum ts_error error = ts_machine_step(run->machine, &inner, previous->payload.data, previous->payload.len);
    if (error == TS_OK)
        error = encode_request(run);
    round.payload = inner.data;
    round.payload_len = inner.len;
    round.request = run->request.data;
    round.request_len = run->request.len;
    if (error == TS_OK)
        error = ts_sign_round2_encode(&payload, &round);
    run->asked = error == TS_OK;
    if (error == TS_OK)
        note_request(run);
    if (error == TS_OK)
        error = ts_talk(reply, run->enterprise->env, run->session, TS_MESSAGE_SIGN_ROUND_2, &payload,
            TS_MESSAGE_SIGN_ROUND_2_REPLY, config->timeout.approval);
    ts_buf_clear(&inner);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
combine(struct run *run, uint8_t *signature, const struct ts_message *reply)
{
    struct ts_sign_round2_reply round = {0};
    struct ts_presig_p1 *presig = NULL;
    struct ts_buf nothing;

    ts_buf_init(&nothing, 0);
    enum ts_error error = ts_sign_round2_reply_decode(&round, reply->payload.data, reply->payload.len);
    if (error == TS_OK)
        ts_journal_answer(run->entry, round.answer, round.answer_len);
    if (error == TS_OK)
        error = ts_machine_step(run->machine, &nothing, round.payload, round.payload_len);
    if (error == TS_OK)
        error = ts_presign_p1_take(&presig, run->machine, 0);
    if (error == TS_OK)
        error = ts_presig_p1_finish(signature, presig, run->request.data, run->request.len, run->job->digest,
            run->job->digest_len, round.answer, round.answer_len);
    if (error == TS_OK) /* another thread or process may have seen the peer cheat meanwhile */
        error = ts_key_usable(run->enterprise, run->row.key);
    ts_presig_p1_free(presig);
    ts_sign_round2_reply_clear(&round);
    return error;
}

static enum ts_error
converse(struct run *run, uint8_t *signature)
{
    struct ts_message first = {0}, second = {0};
    enum ts_error error = begin(run);

    if (error == TS_OK)
        error = round_1(run, &first);
    if (error == TS_OK)
        error = round_2(run, &second, &first);
    if (error == TS_OK)
        error = combine(run, signature, &second);
    ts_message_clear(&first);
    ts_message_clear(&second);
    return error;
}

/* The other side locks too, so that no other session of the key goes on there. Best effort: our own lock is what
 * counts. */
static void
tell_lock(struct run *run, const char *reason)
{
    struct ts_lock lock = {0};
    struct ts_session *session = NULL;
    struct ts_message reply = {0};
    struct ts_buf payload;

    memcpy(lock.key, run->row.key, sizeof lock.key);
    (void)snprintf(lock.reason, sizeof lock.reason, "%s", reason);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    if (ts_lock_encode(&payload, &lock) == TS_OK && ts_session_open(&session, run->connection->link) == TS_OK)
        (void)ts_talk(&reply, run->enterprise->env, session, TS_MESSAGE_LOCK, &payload, TS_MESSAGE_LOCK_DONE,
            run->enterprise->config->timeout.step);
    ts_message_clear(&reply);
    ts_session_close(session);
    ts_buf_clear(&payload);
}

/* Durable before anything else: whoever comes after finds the key locked. */
static void
lock_key(struct run *run, enum ts_error error)
{
    const char *step = run->machine ? ts_machine_state(run->machine) : "SIGN_ROUND_1";
    const char *said = run->session ? ts_session_reason(run->session) : "";
    char reason[160];

    (void)snprintf(
        reason, sizeof reason, "%.100s at %.20s", *said ? said : "the peer's proof, opening or answer is wrong", step);
    enum ts_error stored = ts_half_lock(run->enterprise->store, run->row.key, reason);
    ts_journal_words(run->entry, reason);
    ts_log(run->enterprise->env, TS_LOG_ERROR,
        "key %s is locked (%s): peer %s, %s, %s; every use is refused until an administrator refreshes the key; find "
        "out whether the device is "
        "faulty or hostile first",
        run->row.label, stored == TS_OK ? "durably" : "BUT THE LOCK COULD NOT BE STORED", run->peer.name,
        ts_error_text(error), reason);
    if (!*said && run->connection)
        tell_lock(run, reason);
}

static void
explain(const struct run *run, enum ts_error error)
{
    const char *advice = "";
    const char *reason = run->session ? ts_session_reason(run->session) : "";

    ts_journal_words(run->entry, reason);
    if (error == TS_LOCKED)
        advice = ": the key is locked after cheating or a fault; an administrator's refresh lifts it";
    else if (error == TS_REFUSED)
        advice = ": the person or policy at the peer said no";
    else if (error == TS_TIMEOUT)
        advice = ": nobody decided at the peer in time; look at the device and try again";
    else if (error == TS_IO)
        advice = ": check that the peer runs and that its address is right (tallystick status)";
    else if (error == TS_NOT_FOUND)
        advice = ": this key has no half here, or the peer does not know it";
    ts_log(run->enterprise->env, TS_LOG_ERROR, "signing with key %s, peer %s, failed at %s: %s%s%s%s", run->row.label,
        run->peer.name, run->machine ? ts_machine_state(run->machine) : "connect", ts_error_text(error), advice,
        *reason ? "; it said: " : "", reason);
}

/* A kept connection may have died unnoticed, because the peer was restarted. As long as no request has left, a new one
 * is as good. */
static bool
worth_another_try(const struct run *run, enum ts_error error)
{
    return error == TS_IO && run->connection && !run->fresh && !run->asked;
}

static enum ts_error
begin_entry(struct run *run)
{
    const struct ts_asker *asker = &run->job->asker;
    const struct ts_journal_start start = {TS_JOURNAL_SIGN, run->job->session_id, run->row.key, run->row.label,
        run->peer.name, asker->application, asker->host, asker->user};

    return ts_journal_begin(&run->entry, run->enterprise->journal, &start);
}

static enum ts_error
check_job(const struct ts_sign_job *job)
{
    bool fits = job->digest_len >= 1 && job->digest_len <= 64 && strlen(job->mechanism) < TS_MECHANISM_BYTES;

    return fits && (!job->message || job->message_len <= TS_MESSAGE_SIGN_MAX) ? TS_OK : TS_USAGE;
}

enum ts_error
ts_sign_enterprise(uint8_t *signature, size_t *len, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_sign_job *job)
{
    struct run run = {.enterprise = enterprise, .keyring = keyring, .job = job};
    uint8_t both[2 * TS_SCALAR_MAX_BYTES];
    size_t size = 0;

    ts_buf_init(&run.request, TS_SIGN_REQUEST_MAX_BYTES);
    enum ts_error error = check_job(job);
    if (error == TS_OK)
        error = load_half(&run);
    if (error == TS_OK && run.row.token != token)
        error = TS_NOT_FOUND;
    if (error == TS_OK) {
        size = 2 * ts_group_scalar_bytes(ts_mpc_group(enterprise->mpc, run.half->curve));
        error = *len < size ? TS_USAGE : TS_OK;
    }
    if (error == TS_OK)
        error = begin_entry(&run);
    if (error == TS_OK) {
        error = converse(&run, both);
        if (worth_another_try(&run, error)) {
            end(&run);
            error = converse(&run, both);
        }
    }
    bool told = run.session && *ts_session_reason(run.session); /* by the other side */
    bool cheated = error == TS_CHEATED || (error == TS_LOCKED && told);
    if (cheated)
        lock_key(&run, error);
    else if (error != TS_OK)
        explain(&run, error);
    if (error != TS_OK && run.session && !cheated)
        (void)ts_session_fail(run.session, error, NULL);
    if (error == TS_FORMAT && run.session && !told)
        ts_connection_violation(enterprise, run.connection);
    if (error == TS_TIMEOUT && run.session && !run.asked && !told)
        ts_connection_silent(enterprise, run.connection);
    if (error == TS_OK) {
        memcpy(signature, both, size);
        *len = size;
    }
    if (error != TS_OK && job->cancel && ts_cancel_asked(job->cancel))
        ts_journal_cancel(run.entry, NULL);
    else
        ts_journal_end(run.entry, error, NULL);
    end(&run);
    ts_wipe(both, sizeof both);
    ts_half_free(run.half);
    ts_buf_clear(&run.request);
    return error;
}
