#include "base/secret.h"
#include "mpc/machine.h"
#include "session/enterprise_internal.h"
#include "session/meet_enterprise.h"
#include "session/talk.h"

#include <stdio.h>
#include <string.h>

/* One signature at the enterprise side (protocol.md 7): with a presignature that is ready, in one round trip; without
 * one, sections 6 and 7 in one go, in two. */
struct run {
    struct ts_enterprise *enterprise;
    const struct ts_keyring *keyring;
    const struct ts_sign_job *job;
    struct ts_half_row row;
    struct ts_peer_row peer; /* for its name */
    struct ts_half *half;    /* without a presignature */
    const struct ts_pairing *pairing;
    struct ts_connection *connection;
    bool fresh;
    struct ts_ready ready; /* the presignature */
    struct ts_batch batch; /* of one, without it */
    struct ts_session *session;
    struct ts_buf request; /* as sent */
    struct ts_journal_entry *entry;
    bool asked; /* the request has left: from here on nothing is tried again */
};

static enum ts_error
load_row(struct run *run)
{
    enum ts_error error = ts_half_get(&run->row, run->enterprise->store, run->job->key, false);

    if (error == TS_OK)
        error = ts_peer_get(&run->peer, run->enterprise->store, run->row.pairing);
    return error == TS_OK && run->row.locked ? TS_LOCKED : error;
}

static const char *
step_of(const struct run *run)
{
    if (!run->connection)
        return "connect";
    return run->batch.machine ? ts_machine_state(run->batch.machine) : "SIGN_ROUND_3";
}

static void
end(struct run *run)
{
    ts_cancel_attach(run->job->cancel, NULL);
    ts_batch_end(&run->batch);
    if (run->ready.presig) {
        ts_session_close(run->session);
        ts_presig_p1_free(run->ready.presig);
    }
    ts_half_free(run->half);
    ts_parameters_release(&run->enterprise->parameters, run->pairing);
    if (run->connection)
        ts_connection_release(run->enterprise, run->connection);
    run->ready = (struct ts_ready){0};
    run->half = NULL;
    run->pairing = NULL;
    run->session = NULL;
    run->connection = NULL;
}

static enum ts_error
encode_request(struct run *run)
{
    const struct ts_sign_job *job = run->job;
    struct ts_sign_request request = {
        .batch = run->ready.presig ? run->ready.batch : run->batch.number,
        .index = run->ready.index,
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
    ts_buf_clear(&run->request);
    return ts_sign_request_encode(&run->request, &request);
}

static void
note_request(struct run *run)
{
    uint8_t presignature[TS_ID_BYTES];

    ts_journal_presignature_id(presignature, run->enterprise->env, run->row.key, run->row.generation,
        run->connection->n1, run->connection->n2, run->ready.presig ? run->ready.batch : run->batch.number,
        run->ready.index);
    ts_journal_presignature(run->entry, presignature, run->request.data, run->request.len);
}

static enum ts_error
combine(struct run *run, uint8_t *signature, struct ts_presig_p1 *presig, const uint8_t *answer, size_t len)
{
    enum ts_error error = ts_presig_p1_finish(
        signature, presig, run->request.data, run->request.len, run->job->digest, run->job->digest_len, answer, len);

    /* Another thread or process may have seen the peer cheat meanwhile. */
    return error == TS_OK ? ts_key_usable(run->enterprise, run->row.key) : error;
}

/* The presignature is out of the pool already, and is erased whatever happens. */
static enum ts_error
sign_ready(struct run *run, uint8_t *signature)
{
    struct ts_message reply = {0};
    enum ts_error error = encode_request(run);

    if (error == TS_OK)
        error = ts_session_open(&run->session, run->connection->link);
    run->asked = error == TS_OK;
    if (error == TS_OK) {
        ts_journal_attach(run->entry, run->session);
        ts_cancel_attach(run->job->cancel, run->session);
        note_request(run);
    }
    if (error == TS_OK)
        error = ts_talk(&reply, run->enterprise->env, run->session, TS_MESSAGE_SIGN_REQUEST, &run->request,
            TS_MESSAGE_SIGN_ROUND_3, run->enterprise->config->timeout.approval);
    if (error == TS_OK)
        ts_journal_answer(run->entry, reply.payload.data, reply.payload.len);
    if (error == TS_OK)
        error = combine(run, signature, run->ready.presig, reply.payload.data, reply.payload.len);
    ts_message_clear(&reply);
    return error;
}

static enum ts_error
load_secrets(struct run *run)
{
    const struct ts_parameters_source source = {run->enterprise->mpc, run->enterprise->store, run->keyring};
    enum ts_error error = ts_half_open(&run->half, &source, &run->row);

    if (error == TS_OK)
        error =
            ts_enterprise_pairing(&run->pairing, run->enterprise, run->keyring, run->row.pairing, run->row.parameters);
    run->batch = (struct ts_batch){
        .enterprise = run->enterprise, .connection = run->connection, .half = run->half, .pairing = run->pairing};
    return error;
}

static enum ts_error
ask(struct ts_message *reply, struct run *run, const struct ts_message *previous)
{
    struct ts_buf inner;

    ts_buf_init(&inner, TS_ROUND_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_batch_open(&inner, &run->batch, previous);
    if (error == TS_OK)
        error = encode_request(run);
    run->asked = error == TS_OK;
    if (error == TS_OK)
        note_request(run);
    if (error == TS_OK)
        error = ts_batch_round_2(reply, &run->batch, &inner, &run->request, run->enterprise->config->timeout.approval);
    ts_buf_clear(&inner);
    return error;
}

static enum ts_error
finish(struct run *run, uint8_t *signature, const struct ts_message *reply)
{
    struct ts_sign_round2_reply round = {0};
    struct ts_presig_p1 *presig = NULL;
    enum ts_error error = ts_sign_round2_reply_decode(&round, reply->payload.data, reply->payload.len);

    if (error == TS_OK)
        ts_journal_answer(run->entry, round.answer, round.answer_len);
    if (error == TS_OK)
        error = ts_batch_finish(&run->batch, &round);
    if (error == TS_OK)
        error = ts_presign_p1_take(&presig, run->batch.machine, 0);
    if (error == TS_OK)
        error = combine(run, signature, presig, round.answer, round.answer_len);
    ts_presig_p1_free(presig);
    ts_sign_round2_reply_clear(&round);
    return error;
}

static enum ts_error
sign_cold(struct run *run, uint8_t *signature)
{
    struct ts_message first = {0}, second = {0};
    enum ts_error error = load_secrets(run);

    if (error == TS_OK)
        error = ts_batch_begin(&run->batch, 1);
    run->session = run->batch.session;
    if (error == TS_OK) {
        ts_journal_attach(run->entry, run->session);
        ts_cancel_attach(run->job->cancel, run->session);
    }
    if (error == TS_OK)
        error = ts_batch_round_1(&run->batch, &first);
    if (error == TS_OK)
        error = ask(&second, run, &first);
    if (error == TS_OK)
        error = finish(run, signature, &second);
    ts_message_clear(&first);
    ts_message_clear(&second);
    return error;
}

static enum ts_error
converse(struct run *run, uint8_t *signature)
{
    enum ts_error error = ts_connection_await(&run->connection, &run->fresh, run->enterprise, run->keyring,
        run->row.pairing, run->job->wait_ms, run->entry, run->job->cancel);

    if (error != TS_OK)
        return error;
    ts_commit_repeat(run->enterprise, run->connection->link, &run->row);
    error = ts_pool_take(&run->ready, run->enterprise, run->connection, &run->row) ? sign_ready(run, signature)
                                                                                   : sign_cold(run, signature);
    if (error == TS_OK)
        ts_pool_used(run->enterprise, run->connection, &run->row, run->keyring);
    return error;
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
    else if (error == TS_INCAPABLE)
        advice = ": the peer does not sign at all; see capabilities: in its configuration";
    else if (error == TS_TIMEOUT)
        advice = ": nobody decided at the peer in time; look at the device and try again";
    else if (error == TS_IO)
        advice = ": check that the peer runs and that its address is right (tallystick status)";
    else if (error == TS_NOT_FOUND)
        advice = ": this key has no half here, or the peer does not know it";
    ts_log(run->enterprise->env, TS_LOG_ERROR, "signing with key %s (%s), peer %s, failed at %s: %s%s%s%s",
        run->row.label, run->job->mechanism, run->peer.name, step_of(run), ts_error_text(error), advice,
        *reason ? "; it said: " : "", reason);
}

/* A kept connection may have died unnoticed, because the peer was restarted. As long as no request has left, a new one
 * is as good. */
static bool
connection_was_stale(const struct run *run, enum ts_error error)
{
    return error == TS_IO && run->connection && !run->fresh && !run->asked;
}

/* The peer has asked nobody yet: it has no such presignature (any more), or another generation, for the key was
 * refreshed by another process meanwhile. */
static bool
peer_knew_nothing(const struct run *run, enum ts_error error)
{
    struct ts_half_row now;

    if (error != TS_NOT_FOUND || !run->session || !*ts_session_reason(run->session))
        return false;
    if (run->ready.presig)
        return true;
    return !run->asked && ts_half_get(&now, run->enterprise->store, run->row.key, false) == TS_OK &&
           now.generation != run->row.generation;
}

static enum ts_error
try_twice(struct run *run, uint8_t *signature)
{
    enum ts_error error = converse(run, signature);
    bool again = peer_knew_nothing(run, error);

    if (again)
        ts_pool_forget(run->enterprise, run->row.key);
    if (!again && !connection_was_stale(run, error))
        return error;
    end(run);
    run->asked = false;
    error = load_row(run);
    return error == TS_OK ? converse(run, signature) : error;
}

/* What went wrong, for the other side, the log, and the key. */
static void
fail(struct run *run, enum ts_error error)
{
    bool told = run->session && *ts_session_reason(run->session); /* by the other side */

    if (error == TS_CHEATED || (error == TS_LOCKED && told)) {
        ts_lock_enterprise(run->enterprise, &run->row,
            &(struct ts_fault){run->peer.name, step_of(run), error, run->session,
                run->connection ? run->connection->link : NULL, run->entry});
        return;
    }
    explain(run, error);
    if (run->session)
        (void)ts_session_fail(run->session, error, NULL);
    if (error == TS_FORMAT && run->session)
        ts_connection_malformed(run->enterprise, run->connection, run->session);
    if (error == TS_TIMEOUT && run->session && !run->asked && !told && !ts_cancel_asked(run->job->cancel))
        ts_connection_silent(run->enterprise, run->connection);
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
        error = load_row(&run);
    if (error == TS_OK && run.row.token != token)
        error = TS_NOT_FOUND;
    if (error == TS_OK) {
        enum ts_curve curve = ts_curve_by_name(run.row.curve, strlen(run.row.curve));
        size = curve == TS_CURVE_NONE ? 0 : 2 * ts_group_scalar_bytes(ts_mpc_group(enterprise->mpc, curve));
        error = size == 0 ? TS_STORAGE : *len < size ? TS_USAGE : TS_OK;
    }
    if (error == TS_OK)
        error = begin_entry(&run);
    if (error == TS_OK)
        error = try_twice(&run, both);
    if (error != TS_OK) {
        fail(&run, error);
    } else {
        memcpy(signature, both, size);
        *len = size;
    }
    if (error != TS_OK && ts_cancel_asked(job->cancel))
        ts_journal_cancel(run.entry, NULL);
    else
        ts_journal_end(run.entry, error, NULL);
    end(&run);
    ts_wipe(both, sizeof both);
    ts_buf_clear(&run.request);
    return error;
}
