#include "base/secret.h"
#include "mpc/machine.h"
#include "session/enterprise_internal.h"
#include "session/meet_enterprise.h"
#include "session/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HALF_MAX_BYTES 16384
#define FIRST_GENERATION 0

/* One run of keygen at the enterprise side (protocol.md 5). */
struct run {
    struct ts_enterprise *enterprise;
    const struct ts_keyring *keyring;
    struct ts_connection *connection;
    struct ts_session *session;
    struct ts_machine *machine;
    struct ts_half_row row;
    struct ts_half *half;
    const struct ts_keygen_job *job;
    const struct ts_pairing *pairing;
    struct ts_journal_entry *entry;
    bool noted; /* that the peer may have stored its half, and has to be told if this run does not become a key */
};

/* The peer by name, or the one paired last. */
static enum ts_error
choose_peer(struct ts_peer_row *out, struct ts_enterprise *enterprise, uint64_t token, const char *name)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;
    enum ts_error error = ts_peer_list(&rows, &count, enterprise->store, token);
    bool found = false;

    for (size_t i = 0; error == TS_OK && i < count; i++) {
        if (rows[i].state != TS_PEER_ACTIVE || (name && strcmp(rows[i].name, name) != 0))
            continue;
        *out = rows[i];
        found = true;
    }
    free(rows);
    if (error != TS_OK || found)
        return error;
    ts_log(enterprise->env, TS_LOG_ERROR, "%s%s: pair a device first with `tallystick pair`",
        name ? "no peer is called " : "no peer is paired with this token", name ? name : "");
    return TS_NOT_FOUND;
}

static enum ts_error
wrap_init(struct ts_buf *out, const struct run *run, const struct ts_buf *payload)
{
    struct ts_keygen_init init = {
        .payload = payload->data, .payload_len = payload->len, .temporary = run->job->asker.temporary};

    memcpy(init.parameters, run->row.parameters, sizeof init.parameters);
    ts_asker_to_context(&init.context, &run->job->asker);
    return ts_keygen_init_encode(out, &init);
}

/* From the opening on the peer may hold a half. Until ours is stored, in the same unit that takes this note back, the run
   is one that never became a key: whoever meets the peer after this process has ended tells it so, for exactly this run.
 */
static enum ts_error
note_run(struct run *run)
{
    struct ts_store *store = run->enterprise->store;
    struct ts_farewell_row row = {.generation = FIRST_GENERATION};
    enum ts_error error = ts_keygen_p1_confirmation(row.confirmation, run->machine);

    memcpy(row.key, run->row.key, sizeof row.key);
    memcpy(row.pairing, run->row.pairing, sizeof row.pairing);
    if (error == TS_OK)
        error = ts_store_begin(store);
    if (error != TS_OK)
        return error;
    error = ts_farewell_put(store, &row);
    if (error == TS_OK)
        error = ts_key_lend(run->enterprise, row.key);
    if (error == TS_OK)
        error = ts_store_commit(store);
    else
        ts_store_rollback(store);
    run->noted = error == TS_OK;
    return error;
}

/* In the unit that stores our half. */
static enum ts_error
take_note_back(struct run *run)
{
    enum ts_error error = ts_farewell_delete(run->enterprise->store, run->row.key, FIRST_GENERATION);

    return error == TS_OK ? ts_key_keep(run->enterprise, run->row.key) : error;
}

static enum ts_error
rounds(struct run *run)
{
    const struct ts_config *config = run->enterprise->config;
    struct ts_buf payload, first;

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    ts_buf_init(&first, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_machine_step(run->machine, &first, NULL, 0);
    if (error == TS_OK)
        error = wrap_init(&payload, run, &first);
    if (error == TS_OK) /* a person may be asked before the answer comes */
        error = ts_talk_step(&payload, run->enterprise->env, run->session, run->machine, TS_MESSAGE_KEYGEN_INIT,
            TS_MESSAGE_KEYGEN_INIT_REPLY, config->timeout.approval + config->timeout.step);
    if (error == TS_OK)
        error = ts_talk_step(&payload, run->enterprise->env, run->session, run->machine, TS_MESSAGE_KEYGEN_P1_COMMIT,
            TS_MESSAGE_KEYGEN_P2, config->timeout.step);
    if (error == TS_OK)
        error = note_run(run);
    if (error == TS_OK)
        error = ts_talk_step(&payload, run->enterprise->env, run->session, run->machine, TS_MESSAGE_KEYGEN_P1_OPEN,
            TS_MESSAGE_KEYGEN_CONFIRM, config->timeout.step);
    if (error == TS_OK)
        error = ts_keygen_take(&run->half, run->row.confirmation, run->machine);
    ts_buf_clear(&first);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
fill_new_key(struct ts_new_key *out, struct run *run)
{
    const struct ts_group *group = ts_mpc_group(run->enterprise->mpc, run->half->curve);

    memcpy(out->key, run->half->key, sizeof out->key);
    out->generation = run->half->generation;
    out->curve = run->half->curve;
    out->public_key_len = ts_group_point_bytes(group);
    return ts_point_encode(out->public_key, group, run->half->X);
}

/* Half and objects, whole or not at all. */
static enum ts_error
store_key(struct run *run, const struct ts_new_key *key)
{
    struct ts_store *store = run->enterprise->store;
    struct ts_buf bytes;

    run->row.generation = key->generation;
    memcpy(run->row.public_key, key->public_key, key->public_key_len);
    run->row.public_key_len = key->public_key_len;
    ts_buf_init_secret(&bytes, HALF_MAX_BYTES);
    enum ts_error error = ts_half_encode(&bytes, run->enterprise->mpc, run->half);
    if (error == TS_OK)
        error = ts_store_begin(store);
    if (error == TS_OK) {
        error = ts_half_put(store, run->keyring, &run->row, bytes.data, bytes.len);
        if (error == TS_OK)
            error = take_note_back(run);
        if (error == TS_OK && run->job->asker.temporary)
            error = ts_key_lend(run->enterprise, key->key);
        if (error == TS_OK && run->job->record)
            error = run->job->record(run->job->ctx, store, key);
        if (error == TS_OK)
            error = ts_store_commit(store);
        else
            ts_store_rollback(store);
    }
    ts_buf_clear(&bytes);
    return error;
}

/* Nobody works on this run any more: the peer is told now, or at the next connection. */
static void
give_up(struct run *run, const struct ts_peer_row *peer)
{
    (void)ts_key_keep(run->enterprise, run->row.key);
    if (run->connection && ts_link_alive(run->connection->link))
        ts_farewells_tell(run->enterprise, run->connection->link, peer);
}

/* After the connection is there: the commits that waited may bring newer ones. */
static enum ts_error
choose_parameters(struct run *run)
{
    enum ts_error error = ts_parameters_current(run->row.parameters, run->enterprise->store, run->row.pairing);

    if (error == TS_OK)
        error =
            ts_enterprise_pairing(&run->pairing, run->enterprise, run->keyring, run->row.pairing, run->row.parameters);
    return error;
}

static enum ts_error
begin_entry(struct run *run, const struct ts_peer_row *peer)
{
    const struct ts_asker *asker = &run->job->asker;
    const struct ts_journal_start start = {TS_JOURNAL_KEYGEN, run->job->session_id, run->row.key, asker->label,
        peer->name, asker->application, asker->host, asker->user};

    return ts_journal_begin(&run->entry, run->enterprise->journal, &start);
}

static enum ts_error
start(struct run *run, const struct ts_peer_row *peer)
{
    enum ts_curve curve = run->job->curve;
    bool fresh;

    memcpy(run->row.pairing, peer->pairing, TS_ID_BYTES);
    run->row.token = peer->token;
    run->row.state = TS_HALF_ACTIVE;
    run->row.created = (int64_t)time(NULL);
    (void)snprintf(run->row.curve, sizeof run->row.curve, "%s", ts_curve_name(curve));
    (void)snprintf(run->row.label, sizeof run->row.label, "%.64s", run->job->asker.label ? run->job->asker.label : "");
    enum ts_error error = ts_random(run->enterprise->env, run->row.key, sizeof run->row.key);
    if (error == TS_OK)
        error = begin_entry(run, peer);
    if (error == TS_OK)
        error = ts_connection_await(&run->connection, &fresh, run->enterprise, run->keyring, peer->pairing,
            run->job->wait_ms, run->entry, run->job->cancel);
    if (error == TS_OK)
        error = choose_parameters(run);
    if (error == TS_OK)
        error = ts_keygen_p1_new(&run->machine, run->enterprise->mpc, run->pairing, curve, run->row.key);
    if (error == TS_OK)
        error = ts_session_open(&run->session, run->connection->link);
    if (error == TS_OK) {
        ts_journal_attach(run->entry, run->session);
        ts_cancel_attach(run->job->cancel, run->session);
    }
    return error;
}

static void
explain(const struct run *run, const struct ts_peer_row *peer, enum ts_error error)
{
    const char *reason = run->session ? ts_session_reason(run->session) : "";

    ts_journal_words(run->entry, reason);
    ts_log(run->enterprise->env, TS_LOG_ERROR, "keygen with peer %s failed at %s: %s%s%s; no key was made", peer->name,
        run->machine ? ts_machine_state(run->machine) : "connect", ts_error_text(error), *reason ? ": " : "", reason);
}

static void
end_badly(struct run *run, const struct ts_peer_row *peer, enum ts_error error)
{
    bool told = run->session && *ts_session_reason(run->session); /* by the other side */

    explain(run, peer, error);
    if (run->session)
        (void)ts_session_fail(run->session, error, "keygen failed at the enterprise side");
    if (error == TS_FORMAT && run->session)
        ts_connection_malformed(run->enterprise, run->connection, run->session);
    if (error == TS_TIMEOUT && run->noted && !told && !ts_cancel_asked(run->job->cancel))
        ts_connection_silent(run->enterprise, run->connection);
    if (run->noted)
        give_up(run, peer);
}

enum ts_error
ts_keygen_enterprise(struct ts_new_key *out, struct ts_enterprise *enterprise, uint64_t token,
    const struct ts_keyring *keyring, const struct ts_keygen_job *job)
{
    struct run run = {.enterprise = enterprise, .keyring = keyring, .job = job};
    struct ts_peer_row row;
    enum ts_error error = choose_peer(&row, enterprise, token, job->peer);

    if (error == TS_OK && !ts_parameters_allowed(job->curve, row.bits)) {
        ts_log(enterprise->env, TS_LOG_ERROR, "keygen with peer %s: %s is not made with a modulus of %u bits", row.name,
            ts_curve_name(job->curve), (unsigned)row.bits);
        error = TS_USAGE;
    }
    if (error != TS_OK)
        return error;
    error = start(&run, &row);
    if (error == TS_OK)
        error = rounds(&run);
    if (error == TS_OK)
        error = fill_new_key(out, &run);
    if (error == TS_OK)
        error = store_key(&run, out);
    if (error == TS_OK) {
        ts_step(enterprise->env, "KEYGEN_STORED");
        (void)ts_commit_send(enterprise, run.session, &run.row);
    } else {
        end_badly(&run, &row, error);
    }
    if (error != TS_OK && ts_cancel_asked(job->cancel))
        ts_journal_cancel(run.entry, NULL);
    else
        ts_journal_end(run.entry, error, NULL);
    ts_cancel_attach(job->cancel, NULL);
    ts_session_close(run.session);
    ts_machine_free(run.machine);
    ts_half_free(run.half);
    ts_parameters_release(&enterprise->parameters, run.pairing);
    if (run.connection)
        ts_connection_release(enterprise, run.connection);
    return error;
}
