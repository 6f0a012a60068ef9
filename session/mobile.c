#include "base/secret.h"
#include "session/identity_value.h"
#include "session/mobile_internal.h"
#include "session/talk.h"
#include "transport/lookup.h"

#include <stdlib.h>
#include <string.h>

enum ts_error
ts_mobile_prepare(const struct ts_env *env, struct ts_store *store, uint64_t token, const struct ts_keyring *keyring,
    const char *name)
{
    return ts_identity_prepare(env, store, token, keyring, name);
}

static enum ts_error
init_locks(struct ts_mobile *mobile)
{
    pthread_condattr_t monotonic;

    if (pthread_mutex_init(&mobile->lock, NULL) != 0)
        return TS_INTERNAL;
    enum ts_error error = ts_parameters_init(&mobile->parameters);
    if (error == TS_OK) {
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        if (pthread_cond_init(&mobile->ended, &monotonic) != 0) {
            ts_parameters_clear(&mobile->parameters);
            error = TS_INTERNAL;
        }
        pthread_condattr_destroy(&monotonic);
    }
    if (error != TS_OK)
        pthread_mutex_destroy(&mobile->lock);
    return error;
}

enum ts_error
ts_mobile_open(struct ts_mobile **out, const struct ts_mobile_options *options)
{
    *out = NULL;
    struct ts_mobile *mobile = calloc(1, sizeof *mobile);
    if (!mobile)
        return TS_INTERNAL;
    mobile->options = *options;
    mobile->env = options->env;
    enum ts_error error = init_locks(mobile);
    if (error != TS_OK) {
        free(mobile);
        return error;
    }
    error = ts_mpc_new(&mobile->mpc, mobile->env);
    if (error == TS_OK)
        error = ts_links_new(&mobile->links);
    if (error == TS_OK)
        error = ts_lookups_new(&mobile->lookups, mobile->env);
    if (error == TS_OK)
        error = ts_identity_load(&mobile->identity, mobile->env, options->store, options->token, options->keyring);
    if (error == TS_OK)
        error = ts_journal_open(
            &mobile->journal, mobile->env, options->config->peer.store, options->config->sessions.keep, NULL);
    if (error == TS_OK)
        error = ts_hedge_key_load(mobile->hk, options->store, options->token, options->keyring);
    if (error != TS_OK)
        ts_mobile_close(mobile);
    else
        *out = mobile;
    return error;
}

void
ts_mobile_shutdown(struct ts_mobile *mobile)
{
    pthread_mutex_lock(&mobile->lock);
    mobile->stopping = true;
    for (struct ts_mobile_connection *connection = mobile->connections; connection; connection = connection->next)
        ts_link_shutdown(connection->link);
    pthread_cond_broadcast(&mobile->ended);
    pthread_mutex_unlock(&mobile->lock);
}

void
ts_mobile_close(struct ts_mobile *mobile)
{
    if (!mobile)
        return;
    ts_parameters_clear(&mobile->parameters);
    ts_journal_close(mobile->journal);
    ts_links_free(mobile->links);
    ts_lookups_free(mobile->lookups);
    if (mobile->identity)
        ts_identity_free(mobile->identity);
    if (mobile->mpc)
        ts_mpc_free(mobile->mpc);
    pthread_cond_destroy(&mobile->ended);
    pthread_mutex_destroy(&mobile->lock);
    ts_wipe(mobile->hk, sizeof mobile->hk);
    free(mobile);
}

/* --- what the conversations share --- */

enum ts_error
ts_mobile_pairing(const struct ts_pairing **out, struct ts_mobile *mobile, const uint8_t pairing[TS_ID_BYTES],
    const uint8_t aux[TS_AUX_BYTES])
{
    const struct ts_parameters_source source = {mobile->mpc, mobile->options.store, mobile->options.keyring};

    return ts_parameters_use(out, &mobile->parameters, &source, pairing, aux);
}

bool
ts_mobile_batch_use(struct ts_mobile_connection *connection, uint64_t batch)
{
    bool fine = false;

    pthread_mutex_lock(&connection->mobile->lock);
    if (batch == UINT64_MAX) {
        fine = false;
    } else if (batch >= connection->batch_next) {
        uint64_t ahead = batch + 1 - connection->batch_next;
        connection->batches_seen = ahead >= 64 ? 1 : connection->batches_seen << ahead | 1;
        connection->batch_next = batch + 1;
        fine = true;
    } else {
        uint64_t behind = connection->batch_next - 1 - batch;
        fine = behind < 64 && !(connection->batches_seen >> behind & 1);
        if (fine)
            connection->batches_seen |= (uint64_t)1 << behind;
    }
    pthread_mutex_unlock(&connection->mobile->lock);
    return fine;
}

enum ts_error
ts_mobile_tell(struct ts_conversation *conversation, int type, struct ts_buf *payload, enum ts_curve curve)
{
    const struct ts_mobile_options *options = &conversation->mobile->options;

    if (options->tamper && ts_buf_error(payload) == TS_OK)
        options->tamper(type, payload, curve, conversation->connection->peer.bits);
    return ts_tell(conversation->mobile->env, conversation->session, type, payload, options->config->timeout.step);
}

bool
ts_conversation_given_up(const struct ts_conversation *conversation)
{
    return ts_session_cancelled(conversation->session) || !ts_link_alive(conversation->connection->link);
}

static bool
gave_up(void *ctx)
{
    return ts_conversation_given_up(ctx);
}

/* What this device does not do at all, or not for this partner, is nobody's question. */
static enum ts_error
object(const char **reason, const struct ts_config *config, const struct ts_question *question)
{
    *reason = NULL;
    if (question->kind == TS_ASK_KEYGEN && !ts_config_capable(config, "keygen"))
        *reason = "no capability \"keygen\" at the device";
    else if (question->kind == TS_ASK_SIGN && !ts_config_capable(config, "sign"))
        *reason = "no capability \"sign\" at the device";
    if (*reason)
        return TS_INCAPABLE;
    if (ts_config_partner(config, question->partner))
        return TS_OK;
    *reason = "not among the partners of the device";
    return TS_REFUSED;
}

enum ts_error
ts_mobile_decide(struct ts_conversation *conversation, const struct ts_question *question)
{
    const struct ts_mobile_options *options = &conversation->mobile->options;
    enum ts_error error = object(&conversation->reason, options->config, question);

    if (error != TS_OK)
        return error;
    uint64_t deadline = ts_now_ms(conversation->mobile->env) + options->config->timeout.approval;
    ts_journal_step(conversation->entry, "APPROVAL"); /* the record shows whom and what it is about while they think */
    error = options->decide(options->ctx, question, deadline, gave_up, conversation);

    if (error == TS_OK && ts_conversation_given_up(conversation))
        error = TS_IO;
    if (error == TS_REFUSED)
        conversation->reason = "refused at the device";
    else if (error == TS_TIMEOUT)
        conversation->reason = "nobody decided at the device in time";
    return error;
}

enum ts_error
ts_hello_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct ts_mobile_connection *connection = conversation->connection;
    struct ts_session_hello hello;
    struct ts_buf payload;
    uint8_t n2[TS_NONCE_BYTES];

    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_session_hello_decode(&hello, first->payload.data, first->payload.len);
    if (error == TS_OK)
        error = ts_random(conversation->mobile->env, n2, sizeof n2);
    if (error == TS_OK) {
        /* Once per connection: with the nonces fixed a used batch number can never come back. */
        pthread_mutex_lock(&conversation->mobile->lock);
        if (connection->greeted) {
            error = TS_FORMAT;
            conversation->reason = "hello twice";
        } else {
            memcpy(connection->n1, hello.nonce, sizeof connection->n1);
            memcpy(connection->n2, n2, sizeof connection->n2);
            connection->greeted = true;
        }
        pthread_mutex_unlock(&conversation->mobile->lock);
    }
    memcpy(hello.nonce, n2, sizeof hello.nonce);
    if (error == TS_OK)
        error = ts_session_hello_encode(&payload, &hello);
    if (error == TS_OK)
        error = ts_mobile_tell(conversation, TS_MESSAGE_SESSION_HELLO_REPLY, &payload, TS_CURVE_NONE);
    ts_buf_clear(&payload);
    return error;
}
