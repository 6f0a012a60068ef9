#include "base/secret.h"
#include "session/mobile_internal.h"
#include "session/pair_primes.h"
#include "session/talk.h"

#include <string.h>
#include <time.h>

#define HALF_MAX_BYTES 16384
#define PAIRING_MAX_BYTES 65536

/* One refresh at the mobile side (protocol.md 8). */
struct run {
    struct ts_conversation *conversation;
    struct ts_context context;
    struct ts_half_row row, next;
    struct ts_half_row left; /* a pending generation of a run before that never came to its end */
    bool is_left;
    struct ts_half *half, *fresh_half;
    struct ts_buf primes;
    struct ts_machine *machine; /* of the parameters, then of the shares */
    struct ts_pairing *fresh;
};

/* Only the generation after the active one, of a key of this very partner. */
static enum ts_error
find_half(struct run *run, const struct ts_refresh_ask *ask)
{
    struct ts_conversation *conversation = run->conversation;
    struct ts_store *store = conversation->mobile->options.store;
    enum ts_error error = ts_half_get(&run->row, store, ask->key, false);

    if (error == TS_OK && memcmp(run->row.pairing, conversation->connection->peer.pairing, TS_ID_BYTES) != 0)
        error = TS_NOT_FOUND;
    if (error == TS_NOT_FOUND)
        conversation->reason = "no such active key";
    if (error == TS_OK && (run->row.generation == UINT32_MAX || ask->generation != run->row.generation + 1)) {
        conversation->reason = "another generation is active";
        error = TS_NOT_FOUND;
    }
    if (error != TS_OK)
        return error;
    error = ts_half_get_generation(&run->left, store, ask->key, ask->generation);
    run->is_left = error == TS_OK;
    return error == TS_NOT_FOUND ? TS_OK : error;
}

static enum ts_error
ask_person(struct run *run)
{
    const struct ts_question question = {
        .kind = TS_ASK_REFRESH,
        .partner = run->conversation->connection->peer.name,
        .label = run->row.label,
        .application = run->context.application,
        .host = run->context.host,
        .user = run->context.user,
        .curve = run->row.curve,
        .mechanism = "",
        .key = run->row.key,
        .locked = run->row.locked,
    };

    return ts_mobile_decide(run->conversation, &question);
}

static enum ts_error
grant(struct run *run, const struct ts_refresh_ask *ask)
{
    struct ts_refresh_ask granted = {.generation = ask->generation};
    struct ts_buf payload;

    memcpy(granted.key, ask->key, sizeof granted.key);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_refresh_ask_encode(&payload, &granted);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_REFRESH_GRANTED, &payload, TS_CURVE_NONE);
    ts_buf_clear(&payload);
    return error;
}

/* What the person agrees to is fixed at this moment: a lock that comes later is not lifted by it. */
static enum ts_error
begin(struct run *run, const struct ts_message *first)
{
    struct ts_refresh_ask ask;
    enum ts_error error = ts_refresh_ask_decode(&ask, first->payload.data, first->payload.len);

    run->context = ask.context;
    if (error == TS_OK)
        error = find_half(run, &ask);
    run->next = run->row;
    run->next.generation++;
    run->next.state = TS_HALF_PENDING;
    run->next.acknowledged = false;
    run->next.created = (int64_t)time(NULL);
    ts_journal_asker(run->conversation->entry, ask.context.application, ask.context.host, ask.context.user);
    if (error == TS_OK)
        ts_journal_key(run->conversation->entry, run->row.key, run->row.label);
    if (error == TS_OK)
        error = ask_person(run);
    if (error == TS_OK)
        error = grant(run, &ask);
    return error;
}

static enum ts_error
take_step(struct run *run, struct ts_buf *payload, int type, uint32_t timeout_ms)
{
    return ts_hear_step(
        payload, run->conversation->mobile->env, run->conversation->session, run->machine, type, timeout_ms);
}

static enum ts_error
parameter_rounds(struct run *run)
{
    struct ts_buf payload;
    uint8_t confirmation[TS_HASH_BYTES];

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    enum ts_error error = take_step(run, &payload, TS_MESSAGE_PAIR_INIT, TS_PAIR_PARAMETERS_MS);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_PRE_PARAMS_P2, &payload, TS_CURVE_NONE);
    if (error == TS_OK)
        error = take_step(run, &payload, TS_MESSAGE_PRE_PARAMS_P1, TS_PAIR_PARAMETERS_MS);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_PRE_PARAMS_CONFIRM, &payload, TS_CURVE_NONE);
    if (error == TS_OK)
        error = take_step(run, &payload, TS_MESSAGE_PRE_PARAMS_COMMIT, TS_PAIR_PARAMETERS_MS);
    if (error == TS_OK)
        error = ts_pair_take(&run->fresh, confirmation, run->machine);
    ts_buf_clear(&payload);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_PRE_PARAMS_DONE, &payload, TS_CURVE_NONE);
    return error;
}

static enum ts_error
renew_parameters(struct run *run)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    uint32_t bits = run->conversation->connection->peer.bits;
    enum ts_error error = ts_pair_primes(&run->primes, mobile->env, mobile->options.store, mobile->options.token,
        mobile->options.keyring, bits, mobile->options.config->threads, NULL);

    if (error == TS_OK)
        error = ts_pair_p2_renew(
            &run->machine, mobile->mpc, bits, run->primes.data, run->primes.len, mobile->hk, run->row.pairing);
    return error == TS_OK ? parameter_rounds(run) : error;
}

static enum ts_error
take_init(struct run *run, struct ts_buf *payload)
{
    struct ts_message in = {0};
    struct ts_refresh_init init = {0};
    enum ts_error error = ts_hear(&in, run->conversation->mobile->env, run->conversation->session,
        TS_MESSAGE_REFRESH_INIT, run->conversation->mobile->options.config->timeout.step);

    if (error == TS_OK)
        error = ts_refresh_init_decode(&init, in.payload.data, in.payload.len);
    if (error == TS_OK &&
        (memcmp(init.key, run->next.key, sizeof init.key) != 0 || init.generation != run->next.generation)) {
        run->conversation->reason = "another refresh was allowed";
        error = TS_FORMAT;
    }
    if (error == TS_OK)
        error = ts_machine_step(run->machine, payload, init.payload, init.payload_len);
    ts_refresh_init_clear(&init);
    ts_message_clear(&in);
    return error;
}

/* A generation that was left pending makes room only for a run that began when it was there: of two runs at once the
   second to come here ends. */
static enum ts_error
make_room(struct run *run)
{
    struct ts_store *store = run->conversation->mobile->options.store;
    struct ts_half_row now;
    enum ts_error error = ts_half_get_generation(&now, store, run->next.key, run->next.generation);

    if (error == TS_NOT_FOUND)
        return TS_OK;
    if (error == TS_OK && run->is_left)
        error = ts_half_withdraw(store, run->next.key, run->next.generation, run->left.confirmation);
    else if (error == TS_OK)
        error = TS_NOT_FOUND;
    if (error == TS_NOT_FOUND)
        run->conversation->reason = "another refresh of the key came first";
    return error;
}

static enum ts_error
put_generation(struct run *run, const struct ts_buf *parameters, const struct ts_buf *half)
{
    const struct ts_mobile_options *options = &run->conversation->mobile->options;
    enum ts_error error = ts_store_begin(options->store);

    if (error != TS_OK)
        return error;
    error = make_room(run);
    if (error == TS_OK)
        error = ts_parameters_put(
            options->store, options->keyring, run->row.pairing, run->fresh->aux, parameters->data, parameters->len);
    if (error == TS_OK)
        error = ts_half_put(options->store, options->keyring, &run->next, half->data, half->len);
    if (error == TS_OK)
        return ts_store_commit(options->store);
    ts_store_rollback(options->store);
    return error;
}

/* Pending and durable before the confirmation leaves: from then on the enterprise side may call it active. */
static enum ts_error
store_generation(struct run *run)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    struct ts_buf parameters, half;

    ts_buf_init_secret(&parameters, PAIRING_MAX_BYTES);
    ts_buf_init_secret(&half, HALF_MAX_BYTES);
    memcpy(run->next.parameters, run->fresh->aux, sizeof run->next.parameters);
    enum ts_error error = ts_refresh_take(&run->fresh_half, run->next.confirmation, run->machine);
    if (error == TS_OK)
        error = ts_pairing_encode(&parameters, run->fresh);
    if (error == TS_OK)
        error = ts_half_encode(&half, mobile->mpc, run->fresh_half);
    if (error == TS_OK)
        error = put_generation(run, &parameters, &half);
    ts_buf_clear(&parameters);
    ts_buf_clear(&half);
    if (error == TS_OK)
        ts_step(mobile->env, "REFRESH_PENDING");
    return error;
}

static enum ts_error
share_rounds(struct run *run, struct ts_buf *payload)
{
    uint32_t step = run->conversation->mobile->options.config->timeout.step;
    enum ts_error error = take_init(run, payload);

    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_REFRESH_INIT_REPLY, payload, run->half->curve);
    if (error == TS_OK)
        error = take_step(run, payload, TS_MESSAGE_REFRESH_P1_COMMIT, step);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_REFRESH_P2, payload, run->half->curve);
    if (error == TS_OK)
        error = take_step(run, payload, TS_MESSAGE_REFRESH_P1_OPEN, step);
    if (error == TS_OK)
        error = store_generation(run);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_REFRESH_CONFIRM, payload, run->half->curve);
    return error;
}

static enum ts_error
renew_shares(struct run *run)
{
    struct ts_buf payload;
    const struct ts_mobile *mobile = run->conversation->mobile;
    const struct ts_parameters_source source = {mobile->mpc, mobile->options.store, mobile->options.keyring};

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    ts_machine_free(run->machine);
    run->machine = NULL;
    enum ts_error error = ts_half_open(&run->half, &source, &run->row);
    if (error == TS_OK)
        error = ts_refresh_p2_new(&run->machine, mobile->mpc, run->fresh, run->half);
    if (error == TS_OK)
        error = share_rounds(run, &payload);
    ts_buf_clear(&payload);
    return error;
}

enum ts_error
ts_refresh_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct run run = {.conversation = conversation};

    ts_buf_init_secret(&run.primes, PAIRING_MAX_BYTES);
    enum ts_error error = begin(&run, first);
    if (error == TS_OK)
        error = renew_parameters(&run);
    if (error == TS_OK)
        error = renew_shares(&run);
    if (error == TS_CHEATED && !*ts_session_reason(conversation->session))
        ts_lock_own(conversation, &run.row, run.machine ? ts_machine_state(run.machine) : "REFRESH");
    ts_machine_free(run.machine);
    ts_half_free(run.half);
    ts_half_free(run.fresh_half);
    ts_pairing_free(run.fresh);
    ts_buf_clear(&run.primes);
    if (error == TS_OK)
        error = ts_commit_wait(conversation);
    return error;
}
