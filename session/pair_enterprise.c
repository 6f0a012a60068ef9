#include "base/secret.h"
#include "mpc/machine.h"
#include "mpc/prime.h"
#include "session/enterprise_internal.h"
#include "session/identity_value.h"
#include "session/pair_primes.h"
#include "session/talk.h"
#include "transport/pair_code.h"
#include "transport/pair_uri.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAIRING_MAX_BYTES 65536

/* One pairing at the enterprise side (protocol.md 4). */
struct run {
    struct ts_enterprise *enterprise;
    const struct ts_keyring *keyring;
    const struct ts_pair_job *job;
    struct ts_pair_uri uri;
    struct ts_identity *identity;
    struct ts_buf primes;
    uint8_t hk[TS_HEDGE_KEY_BYTES];
    uint8_t exporter[32], nonce[TS_PAIR_NONCE_BYTES];
    char code[TS_PAIR_CODE_BYTES];
    struct ts_link *link;
    struct ts_session *session;
    struct ts_machine *machine;
    struct ts_pairing *pairing;
    struct ts_peer_row row;
    struct ts_journal_entry *entry;
};

enum ts_error
ts_enterprise_prepare_token(
    struct ts_enterprise *enterprise, uint64_t token, const struct ts_keyring *keyring, const char *name)
{
    return ts_identity_prepare(enterprise->env, enterprise->store, token, keyring, name);
}

/* The proof of one side, as both compute it. */
static enum ts_error
proof_of(uint8_t out32[32], struct run *run, uint8_t role)
{
    uint8_t own[TS_KEY_HASH_BYTES];

    ts_identity_key_hash(run->identity, own);
    return ts_pair_proof(out32, run->enterprise->env, run->uri.secret, role, run->exporter, own, run->uri.key_hash);
}

/* What binds proofs and code to this very channel, and our nonce of the code. */
static enum ts_error
draw(struct run *run, struct ts_pair_prove *prove)
{
    enum ts_error error = ts_link_exporter(run->link, TS_PAIR_EXPORTER, run->exporter);

    if (error == TS_OK)
        error = ts_random(run->enterprise->env, run->nonce, sizeof run->nonce);
    if (error == TS_OK)
        error = ts_pair_code_commit(prove->code, run->enterprise->env, run->exporter, run->nonce);
    if (error == TS_OK)
        error = proof_of(prove->proof, run, TS_ROLE_P1);
    return error;
}

/* Both show that they know the one-time secret, on this very channel. The first try belongs to us. */
static enum ts_error
prove_secret(struct run *run, const char *own_name)
{
    struct ts_pair_prove prove = {0}, theirs = {0};
    struct ts_message reply = {0};
    struct ts_buf payload;
    uint8_t expected[32];

    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    (void)snprintf(prove.name, sizeof prove.name, "%.64s", own_name);
    enum ts_error error = draw(run, &prove);
    if (error == TS_OK)
        error = proof_of(expected, run, TS_ROLE_P2);
    if (error == TS_OK)
        error = ts_pair_prove_encode(&payload, &prove);
    if (error == TS_OK)
        error = ts_talk(&reply, run->enterprise->env, run->session, TS_MESSAGE_PAIR_PROVE, &payload,
            TS_MESSAGE_PAIR_PROVE_REPLY, run->enterprise->config->timeout.approval);
    if (error == TS_OK)
        error = ts_pair_prove_decode(&theirs, reply.payload.data, reply.payload.len);
    if (error == TS_OK && !ts_equal(theirs.proof, expected, sizeof expected))
        error = TS_REFUSED;
    if (error == TS_OK)
        error = ts_pair_code(run->code, run->enterprise->env, run->exporter, run->nonce, theirs.code);
    if (error == TS_OK && !run->row.name[0])
        memcpy(run->row.name, theirs.name, sizeof run->row.name);
    ts_journal_partner(run->entry, run->row.name);
    ts_wipe(expected, sizeof expected);
    ts_message_clear(&reply);
    ts_buf_clear(&payload);
    return error;
}

static bool
gave_up(void *ctx)
{
    struct run *run = ctx;

    return ts_session_cancelled(run->session) || !ts_link_alive(run->link);
}

/* Both people look at the same digits at once: ours is asked while the other one is. */
static enum ts_error
compare_codes(struct run *run)
{
    const struct ts_pair_job *job = run->job;
    const struct ts_config *config = run->enterprise->config;
    struct ts_message reply = {0};
    struct ts_buf payload;

    ts_buf_init(&payload, TS_PAIR_NONCE_BYTES);
    enum ts_error error = ts_buf_put(&payload, run->nonce, sizeof run->nonce);
    if (error == TS_OK)
        error = ts_tell(run->enterprise->env, run->session, TS_MESSAGE_PAIR_CODE, &payload, config->timeout.step);
    if (error == TS_OK && job->confirm)
        error = job->confirm(job->ctx, run->code, run->row.name,
            ts_now_ms(run->enterprise->env) + config->timeout.approval, gave_up, run);
    if (error == TS_OK)
        error = ts_hear(&reply, run->enterprise->env, run->session, TS_MESSAGE_PAIR_CODE_REPLY,
            config->timeout.approval + config->timeout.step);
    ts_message_clear(&reply);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
put_peer(struct run *run, const struct ts_peer_row *row)
{
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, PAIRING_MAX_BYTES);
    enum ts_error error = ts_pairing_encode(&bytes, run->pairing);
    if (error == TS_OK)
        error = ts_peer_put(run->enterprise->store, run->keyring, row, bytes.data, bytes.len);
    ts_buf_clear(&bytes);
    return error;
}

/* Before the other side is told; the name may still be another's. */
static enum ts_error
store_pending(struct run *run)
{
    memcpy(run->row.pairing, run->pairing->id, TS_ID_BYTES);
    run->row.state = TS_PEER_PENDING;
    struct ts_peer_row row = run->row;
    if (run->job->replace)
        (void)snprintf(row.name, sizeof row.name, "%.56s (new)", run->row.name);
    return put_peer(run, &row);
}

/* The old one goes when the new one is there, or not at all. */
static enum ts_error
take_place(struct run *run)
{
    struct ts_store *store = run->enterprise->store;
    enum ts_error error = ts_store_begin(store);

    if (error != TS_OK)
        return error;
    run->row.state = TS_PEER_ACTIVE;
    error = ts_peer_delete(store, run->row.pairing);
    if (error == TS_OK)
        error = ts_peer_forget(run->enterprise, run->row.token, run->job->replace);
    if (error == TS_OK)
        error = put_peer(run, &run->row);
    if (error == TS_OK)
        return ts_store_commit(store);
    ts_store_rollback(store);
    return error;
}

static enum ts_error
activate(struct run *run)
{
    enum ts_error error =
        run->job->replace ? take_place(run) : ts_peer_activate(run->enterprise->store, run->row.pairing);

    return error == TS_OK ? ts_peer_set_acknowledged(run->enterprise->store, run->row.pairing) : error;
}

/* The parameters of both, checked and stored by both. */
static enum ts_error
agree(struct run *run)
{
    struct ts_message done = {0};
    struct ts_buf payload;
    uint32_t step = run->enterprise->config->timeout.step;

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_machine_step(run->machine, &payload, NULL, 0);
    if (error == TS_OK)
        error = ts_talk_step(&payload, run->enterprise->env, run->session, run->machine, TS_MESSAGE_PAIR_INIT,
            TS_MESSAGE_PRE_PARAMS_P2, TS_PAIR_PARAMETERS_MS);
    if (error == TS_OK)
        error = ts_talk_step(&payload, run->enterprise->env, run->session, run->machine, TS_MESSAGE_PRE_PARAMS_P1,
            TS_MESSAGE_PRE_PARAMS_CONFIRM, TS_PAIR_PARAMETERS_MS);
    if (error == TS_OK)
        error = ts_pair_take(&run->pairing, run->row.confirmation, run->machine);
    if (error == TS_OK)
        error = store_pending(run);
    if (error == TS_OK)
        error = ts_talk(&done, run->enterprise->env, run->session, TS_MESSAGE_PRE_PARAMS_COMMIT, &payload,
            TS_MESSAGE_PRE_PARAMS_DONE, step);
    if (error == TS_OK)
        error = activate(run);
    ts_message_clear(&done);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
load_own(struct run *run)
{
    struct ts_enterprise *enterprise = run->enterprise;
    enum ts_error error =
        ts_identity_load(&run->identity, enterprise->env, enterprise->store, run->row.token, run->keyring);

    if (error == TS_OK)
        error = ts_hedge_key_load(run->hk, enterprise->store, run->row.token, run->keyring);
    if (error == TS_OK)
        error = ts_pair_primes(&run->primes, enterprise->env, enterprise->store, run->row.token, run->keyring,
            run->row.bits, enterprise->config->threads, run->job->search);
    return error;
}

static enum ts_error
converse(struct run *run)
{
    struct ts_enterprise *enterprise = run->enterprise;
    char name[TS_NAME_MAX];

    ts_identity_name(name, enterprise->store, run->row.token, run->keyring);
    enum ts_error error =
        ts_enterprise_dial(&run->link, enterprise, run->identity, run->uri.address, run->uri.key_hash, "to be paired");
    if (error == TS_OK)
        error = ts_session_open(&run->session, run->link);
    if (error == TS_OK)
        ts_journal_attach(run->entry, run->session);
    if (error == TS_OK)
        error = prove_secret(run, name[0] ? name : "enterprise");
    if (error == TS_OK)
        error = compare_codes(run);
    if (error == TS_OK)
        error =
            ts_pair_p1_new(&run->machine, enterprise->mpc, run->row.bits, run->primes.data, run->primes.len, run->hk);
    if (error == TS_OK)
        error = agree(run);
    return error;
}

/* Never-used parameters are not lost to a failure on the way to the peer. */
static void
give_primes_back(struct run *run)
{
    if (run->primes.len && !run->machine)
        (void)ts_primes_put(
            run->enterprise->store, run->keyring, run->row.token, run->row.bits, run->primes.data, run->primes.len);
}

static void
finish(struct run *run, enum ts_error error)
{
    if (error != TS_OK) {
        const char *reason = run->session ? ts_session_reason(run->session) : "";
        ts_journal_words(run->entry, reason);
        ts_log(run->enterprise->env, TS_LOG_ERROR, "pairing with %s failed at %s: %s%s%s", run->uri.address,
            run->machine   ? ts_machine_state(run->machine)
            : run->session ? "PAIR_PROVE"
                           : "connect",
            ts_error_text(error), *reason ? ": " : "", reason);
        if (run->session)
            (void)ts_session_fail(run->session, error, "pairing failed at the enterprise side");
        if (run->pairing)
            (void)ts_peer_delete(run->enterprise->store, run->row.pairing);
        give_primes_back(run);
    }
    ts_journal_end(run->entry, error, NULL);
    ts_session_close(run->session);
    ts_machine_free(run->machine);
    ts_pairing_free(run->pairing);
    if (run->link)
        ts_link_close(run->link);
    if (run->identity)
        ts_identity_free(run->identity);
    ts_buf_clear(&run->primes);
    ts_wipe(run->hk, sizeof run->hk);
    ts_wipe(run->exporter, sizeof run->exporter);
    ts_wipe(run->nonce, sizeof run->nonce);
    ts_wipe(&run->uri, sizeof run->uri);
}

static enum ts_error
begin_entry(struct run *run)
{
    struct ts_asker asker = {0};
    struct ts_asker_text text;

    ts_asker_from_process(&asker, &text);
    const struct ts_journal_start start = {.kind = TS_JOURNAL_PAIRING,
        .partner = run->row.name[0] ? run->row.name : run->uri.address,
        .application = asker.application,
        .host = asker.host,
        .user = asker.user};
    return ts_journal_begin(&run->entry, run->enterprise->journal, &start);
}

/* Tried and taken back: only whether it could be done. */
static enum ts_error
try_unpairing(struct run *run, const char *name)
{
    struct ts_enterprise *enterprise = run->enterprise;
    enum ts_error error = ts_store_begin(enterprise->store);

    if (error != TS_OK)
        return error;
    error = ts_peer_forget(enterprise, run->row.token, name);
    ts_store_rollback(enterprise->store);
    if (error != TS_OK)
        ts_log(enterprise->env, TS_LOG_ERROR, "peer %s cannot be replaced: %s", name,
            error == TS_USAGE ? "the other halves of keys are on it; destroy those keys first" : ts_error_text(error));
    return error;
}

/* Before anything is asked of anybody: is there a place for the new peer? */
static enum ts_error
check_place(struct run *run)
{
    struct ts_enterprise *enterprise = run->enterprise;
    const char *replace = run->job->replace;
    struct ts_peer_row known;
    bool found = ts_peer_find(&known, enterprise->store, run->row.token, run->row.key_hash) == TS_OK;
    enum ts_error error = replace ? try_unpairing(run, replace) : TS_OK;

    if (error == TS_OK && found && known.state == TS_PEER_ACTIVE && (!replace || strcmp(known.name, replace) != 0)) {
        ts_log(enterprise->env, TS_LOG_ERROR, "this device is paired with the token already, as %s", known.name);
        return TS_EXISTS;
    }
    return error;
}

enum ts_error
ts_pair_enterprise(struct ts_peer_row *out, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_pair_job *job)
{
    struct run run = {.enterprise = enterprise, .keyring = keyring, .job = job};

    ts_buf_init_secret(&run.primes, PAIRING_MAX_BYTES);
    enum ts_error error = ts_pair_uri_decode(&run.uri, job->uri);
    if (error != TS_OK) {
        ts_log(enterprise->env, TS_LOG_ERROR,
            "this is not a pairing URI: take the line that `tallystick-peer uri` prints, whole");
        return error;
    }
    run.row.token = token;
    run.row.bits = enterprise->config->modulus_bits;
    run.row.created = (int64_t)time(NULL);
    (void)snprintf(run.row.name, sizeof run.row.name, "%.64s",
        job->name      ? job->name
        : job->replace ? job->replace
                       : "");
    memcpy(run.row.address, run.uri.address, sizeof run.row.address);
    memcpy(run.row.key_hash, run.uri.key_hash, sizeof run.row.key_hash);
    error = check_place(&run);
    if (error == TS_OK)
        error = begin_entry(&run);
    if (error == TS_OK)
        error = load_own(&run);
    if (error == TS_OK)
        error = converse(&run);
    if (error == TS_OK)
        *out = run.row;
    finish(&run, error);
    if (error == TS_OK)
        error = ts_peer_get(out, enterprise->store, out->pairing);
    return error;
}

enum ts_error
ts_peer_ping(struct ts_enterprise *enterprise, uint64_t token, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_connection *connection = NULL;
    bool fresh;

    (void)token;
    enum ts_error error = ts_connection_acquire(&connection, &fresh, enterprise, keyring, pairing);
    if (error == TS_OK)
        ts_connection_release(enterprise, connection);
    return error;
}
