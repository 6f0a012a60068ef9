#include "base/secret.h"
#include "mpc/machine.h"
#include "session/enterprise_internal.h"
#include "session/identity_value.h"
#include "session/pair_primes.h"
#include "session/talk.h"
#include "store/holder.h"

#include <string.h>
#include <time.h>

#define HALF_MAX_BYTES 16384
#define PAIRING_MAX_BYTES 65536

/* One refresh at the enterprise side (protocol.md 8): the question, new parameters as in a pairing, then new shares. */
struct run {
    struct ts_enterprise *enterprise;
    const struct ts_keyring *keyring;
    const struct ts_refresh_job *job;
    struct ts_holder *claim; /* one refresh of a key at a time, in all processes */
    struct ts_half_row row, next;
    struct ts_peer_row peer;
    struct ts_half *half, *fresh_half;
    struct ts_buf primes;
    bool primes_used;
    uint8_t hk[TS_HEDGE_KEY_BYTES];
    struct ts_connection *connection;
    struct ts_session *session;
    struct ts_machine *machine; /* of the parameters, then of the shares */
    struct ts_pairing *fresh;
    struct ts_journal_entry *entry;
};

static enum ts_error
load_half(struct run *run)
{
    struct ts_enterprise *enterprise = run->enterprise;
    const struct ts_parameters_source source = {enterprise->mpc, enterprise->store, run->keyring};
    enum ts_error error = ts_half_get(&run->row, enterprise->store, run->job->key, false);

    if (error == TS_OK)
        error = ts_peer_get(&run->peer, enterprise->store, run->row.pairing);
    return error == TS_OK ? ts_half_open(&run->half, &source, &run->row) : error;
}

/* The half is read under the claim, so that nobody else can make its next generation. */
static enum ts_error
prepare(struct run *run, uint64_t token)
{
    struct ts_enterprise *enterprise = run->enterprise;
    enum ts_error error = ts_holder_claim(&run->claim, enterprise->env, enterprise->config->store, run->job->key);

    if (error == TS_OK)
        error = load_half(run);
    if (error == TS_OK && run->row.token != token)
        error = TS_NOT_FOUND;
    if (error == TS_OK)
        error = ts_hedge_key_load(run->hk, enterprise->store, token, run->keyring);
    if (error == TS_OK)
        error = ts_pair_primes(&run->primes, enterprise->env, enterprise->store, token, run->keyring, run->peer.bits,
            enterprise->config->threads, run->job->search);
    run->next = run->row;
    run->next.generation++;
    run->next.state = TS_HALF_ACTIVE;
    run->next.acknowledged = false;
    run->next.created = (int64_t)time(NULL);
    return error;
}

/* Asks the peer's person, before either side has done anything that costs. */
static enum ts_error
ask(struct run *run)
{
    const struct ts_config *config = run->enterprise->config;
    struct ts_refresh_ask ask = {.generation = run->next.generation}, granted;
    struct ts_message reply = {0};
    struct ts_buf payload;

    memcpy(ask.key, run->row.key, sizeof ask.key);
    ts_asker_to_context(&ask.context, &run->job->asker);
    memset(ask.context.label, 0, sizeof ask.context.label);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_refresh_ask_encode(&payload, &ask);
    if (error == TS_OK)
        error = ts_talk(&reply, run->enterprise->env, run->session, TS_MESSAGE_REFRESH_ASK, &payload,
            TS_MESSAGE_REFRESH_GRANTED, config->timeout.approval + config->timeout.step);
    if (error == TS_OK)
        error = ts_refresh_ask_decode(&granted, reply.payload.data, reply.payload.len);
    if (error == TS_OK && (memcmp(granted.key, ask.key, sizeof ask.key) != 0 || granted.generation != ask.generation))
        error = TS_FORMAT;
    ts_message_clear(&reply);
    ts_buf_clear(&payload);
    return error;
}

/* New parameters for both, with all proofs of a pairing. They are stored with the half that needs them. */
static enum ts_error
renew_parameters(struct run *run)
{
    struct ts_enterprise *enterprise = run->enterprise;
    struct ts_message done = {0};
    struct ts_buf payload;
    uint8_t confirmation[TS_HASH_BYTES];

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    run->primes_used = true;
    enum ts_error error = ts_pair_p1_renew(
        &run->machine, enterprise->mpc, run->peer.bits, run->primes.data, run->primes.len, run->hk, run->row.pairing);
    if (error == TS_OK)
        error = ts_machine_step(run->machine, &payload, NULL, 0);
    if (error == TS_OK)
        error = ts_talk_step(&payload, enterprise->env, run->session, run->machine, TS_MESSAGE_PAIR_INIT,
            TS_MESSAGE_PRE_PARAMS_P2, TS_PAIR_PARAMETERS_MS);
    if (error == TS_OK)
        error = ts_talk_step(&payload, enterprise->env, run->session, run->machine, TS_MESSAGE_PRE_PARAMS_P1,
            TS_MESSAGE_PRE_PARAMS_CONFIRM, TS_PAIR_PARAMETERS_MS);
    if (error == TS_OK)
        error = ts_pair_take(&run->fresh, confirmation, run->machine);
    if (error == TS_OK)
        error = ts_talk(&done, enterprise->env, run->session, TS_MESSAGE_PRE_PARAMS_COMMIT, &payload,
            TS_MESSAGE_PRE_PARAMS_DONE, enterprise->config->timeout.step);
    ts_message_clear(&done);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
wrap_init(struct ts_buf *out, const struct run *run, const struct ts_buf *payload)
{
    struct ts_refresh_init init = {
        .generation = run->next.generation, .payload = payload->data, .payload_len = payload->len};

    memcpy(init.key, run->row.key, sizeof init.key);
    return ts_refresh_init_encode(out, &init);
}

static enum ts_error
talk_step(struct run *run, struct ts_buf *payload, int type, int reply_type)
{
    return ts_talk_step(payload, run->enterprise->env, run->session, run->machine, type, reply_type,
        run->enterprise->config->timeout.step);
}

static enum ts_error
renew_shares(struct run *run)
{
    struct ts_buf payload, first;

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    ts_buf_init(&first, TS_SMALL_PAYLOAD_MAX_BYTES);
    ts_machine_free(run->machine);
    run->machine = NULL;
    enum ts_error error = ts_refresh_p1_new(&run->machine, run->enterprise->mpc, run->fresh, run->half);
    if (error == TS_OK)
        error = ts_machine_step(run->machine, &first, NULL, 0);
    if (error == TS_OK)
        error = wrap_init(&payload, run, &first);
    if (error == TS_OK)
        error = talk_step(run, &payload, TS_MESSAGE_REFRESH_INIT, TS_MESSAGE_REFRESH_INIT_REPLY);
    if (error == TS_OK)
        error = talk_step(run, &payload, TS_MESSAGE_REFRESH_P1_COMMIT, TS_MESSAGE_REFRESH_P2);
    if (error == TS_OK)
        error = talk_step(run, &payload, TS_MESSAGE_REFRESH_P1_OPEN, TS_MESSAGE_REFRESH_CONFIRM);
    if (error == TS_OK)
        error = ts_refresh_take(&run->fresh_half, run->next.confirmation, run->machine);
    ts_buf_clear(&first);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
put_generation(struct run *run, const struct ts_buf *parameters, const struct ts_buf *half)
{
    struct ts_store *store = run->enterprise->store;
    enum ts_error error = ts_store_begin(store);

    if (error != TS_OK)
        return error;
    error =
        ts_parameters_put(store, run->keyring, run->row.pairing, run->fresh->aux, parameters->data, parameters->len);
    if (error == TS_OK)
        error = ts_half_put(store, run->keyring, &run->next, half->data, half->len);
    if (error == TS_OK)
        error = ts_half_unlock(store, run->next.key, run->next.generation);
    if (error == TS_OK)
        return ts_store_commit(store);
    ts_store_rollback(store);
    return error;
}

/* The new generation is durable beside the old one, which stays until the peer has acknowledged. */
static enum ts_error
store_generation(struct run *run)
{
    struct ts_buf parameters, half;

    ts_buf_init_secret(&parameters, PAIRING_MAX_BYTES);
    ts_buf_init_secret(&half, HALF_MAX_BYTES);
    memcpy(run->next.parameters, run->fresh->aux, sizeof run->next.parameters);
    enum ts_error error = ts_pairing_encode(&parameters, run->fresh);
    if (error == TS_OK)
        error = ts_half_encode(&half, run->enterprise->mpc, run->fresh_half);
    if (error == TS_OK)
        error = put_generation(run, &parameters, &half);
    ts_buf_clear(&parameters);
    ts_buf_clear(&half);
    return error;
}

static enum ts_error
converse(struct run *run)
{
    bool fresh;
    enum ts_error error =
        ts_connection_acquire(&run->connection, &fresh, run->enterprise, run->keyring, run->row.pairing);

    if (error == TS_OK)
        error = ts_session_open(&run->session, run->connection->link);
    if (error == TS_OK)
        ts_journal_attach(run->entry, run->session);
    if (error == TS_OK)
        error = ask(run);
    if (error == TS_OK)
        error = renew_parameters(run);
    if (error == TS_OK)
        error = renew_shares(run);
    if (error == TS_OK)
        error = store_generation(run);
    return error;
}

static enum ts_error
begin_entry(struct run *run)
{
    const struct ts_asker *asker = &run->job->asker;
    const struct ts_journal_start start = {TS_JOURNAL_REFRESH, run->job->session_id, run->row.key, run->row.label,
        run->peer.name, asker->application, asker->host, asker->user};

    return ts_journal_begin(&run->entry, run->enterprise->journal, &start);
}

static void
explain(const struct run *run, enum ts_error error)
{
    const char *reason = run->session ? ts_session_reason(run->session) : "";

    ts_journal_words(run->entry, reason);
    ts_log(run->enterprise->env, TS_LOG_ERROR,
        "refresh of key %s with peer %s failed at %s: %s%s%s; generation %u stays", run->row.label, run->peer.name,
        run->machine ? ts_machine_state(run->machine) : "the question", ts_error_text(error), *reason ? ": " : "",
        reason, (unsigned)run->row.generation);
}

static void
fail(struct run *run, enum ts_error error)
{
    if (error == TS_CHEATED)
        ts_lock_enterprise(run->enterprise, &run->row,
            &(struct ts_fault){run->peer.name, run->machine ? ts_machine_state(run->machine) : "REFRESH", error,
                run->session, run->connection ? run->connection->link : NULL, run->entry});
    else
        explain(run, error);
    if (run->session)
        (void)ts_session_fail(run->session, error, "refresh failed at the enterprise side");
    if (run->fresh_half)
        ts_abort_send(run->enterprise, run->connection->link, &run->next);
    if (error == TS_FORMAT && run->session)
        ts_connection_malformed(run->enterprise, run->connection, run->session);
    if (run->primes.len && !run->primes_used) /* never-used primes are not lost to a failure on the way */
        (void)ts_primes_put(
            run->enterprise->store, run->keyring, run->row.token, run->peer.bits, run->primes.data, run->primes.len);
}

static void
clear(struct run *run)
{
    ts_session_close(run->session);
    ts_machine_free(run->machine);
    ts_half_free(run->half);
    ts_half_free(run->fresh_half);
    ts_pairing_free(run->fresh);
    ts_buf_clear(&run->primes);
    ts_wipe(run->hk, sizeof run->hk);
    if (run->connection)
        ts_connection_release(run->enterprise, run->connection);
    ts_holder_close(run->claim);
}

enum ts_error
ts_refresh_enterprise(uint32_t *generation, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_refresh_job *job)
{
    struct run run = {.enterprise = enterprise, .keyring = keyring, .job = job};

    ts_buf_init_secret(&run.primes, PAIRING_MAX_BYTES);
    enum ts_error error = prepare(&run, token);
    if (error == TS_OK)
        error = begin_entry(&run);
    if (error == TS_OK)
        error = converse(&run);
    if (error == TS_OK) {
        ts_step(enterprise->env, "REFRESH_STORED");
        ts_pool_forget(enterprise, run.row.key);
        *generation = run.next.generation;
        (void)ts_commit_send(enterprise, run.session, &run.next);
        ts_parameters_drop(&enterprise->parameters, run.row.pairing);
    } else {
        fail(&run, error);
    }
    ts_journal_end(run.entry, error, NULL);
    clear(&run);
    return error;
}
