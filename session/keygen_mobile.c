#include "session/mobile_internal.h"
#include "session/talk.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HALF_MAX_BYTES 16384

/* One run of keygen at the mobile side (protocol.md 5). */
struct run {
    struct ts_conversation *conversation;
    struct ts_machine *machine;
    const struct ts_pairing *pairing;
    struct ts_context context;
    enum ts_curve curve;
    bool temporary;
    struct ts_half_row row;
    struct ts_half *half;
};

static enum ts_error
ask(struct run *run)
{
    const struct ts_question question = {
        .kind = TS_ASK_KEYGEN,
        .partner = run->conversation->connection->peer.name,
        .label = run->context.label,
        .application = run->context.application,
        .host = run->context.host,
        .user = run->context.user,
        .curve = ts_curve_name(run->curve),
        .mechanism = "",
        .key = run->row.key,
    };

    return ts_mobile_decide(run->conversation, &question);
}

/* The first message: what is wanted, by whom; then the question; then our nonce. */
static enum ts_error
open_run(struct run *run, struct ts_buf *payload, const struct ts_message *first)
{
    struct ts_keygen_init init = {0};
    enum ts_error error = ts_keygen_init_decode(&init, first->payload.data, first->payload.len);

    run->context = init.context;
    run->temporary = init.temporary;
    if (error == TS_OK)
        error = ts_machine_step(run->machine, payload, init.payload, init.payload_len);
    if (error == TS_OK)
        error = ts_keygen_p2_asked(&run->curve, run->row.key, run->machine);
    ts_keygen_init_clear(&init);
    if (error == TS_OK) {
        ts_journal_key(run->conversation->entry, run->row.key, run->context.label);
        ts_journal_asker(run->conversation->entry, run->context.application, run->context.host, run->context.user);
        error = ask(run);
    }
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_KEYGEN_INIT_REPLY, payload, run->curve);
    return error;
}

static enum ts_error
take_step(struct run *run, struct ts_buf *payload, int type)
{
    return ts_hear_step(payload, run->conversation->mobile->env, run->conversation->session, run->machine, type,
        run->conversation->mobile->options.config->timeout.step);
}

static enum ts_error
fill_row(struct run *run)
{
    const struct ts_group *group = ts_mpc_group(run->conversation->mobile->mpc, run->half->curve);
    struct ts_half_row *row = &run->row;

    row->generation = run->half->generation;
    row->token = run->conversation->mobile->options.token;
    memcpy(row->pairing, run->pairing->id, sizeof row->pairing);
    (void)snprintf(row->curve, sizeof row->curve, "%s", ts_curve_name(run->half->curve));
    memcpy(row->label, run->context.label, sizeof row->label);
    row->public_key_len = ts_group_point_bytes(group);
    row->state = TS_HALF_PENDING;
    row->created = (int64_t)time(NULL);
    return ts_point_encode(row->public_key, group, run->half->X);
}

static enum ts_error
put_half(struct run *run, const struct ts_buf *bytes)
{
    const struct ts_mobile_options *options = &run->conversation->mobile->options;
    enum ts_error error = ts_store_begin(options->store);

    if (error != TS_OK)
        return error;
    error = ts_half_put(options->store, options->keyring, &run->row, bytes->data, bytes->len);
    if (error == TS_OK && run->temporary)
        error = ts_temporary_put(options->store, run->row.key, 0);
    if (error == TS_OK)
        return ts_store_commit(options->store);
    ts_store_rollback(options->store);
    return error;
}

/* Pending and durable before the confirmation leaves: from then on the enterprise side may call the key active. */
static enum ts_error
store_half(struct run *run)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, HALF_MAX_BYTES);
    enum ts_error error = ts_keygen_take(&run->half, run->row.confirmation, run->machine);
    if (error == TS_OK)
        error = fill_row(run);
    if (error == TS_OK)
        error = ts_half_encode(&bytes, mobile->mpc, run->half);
    if (error == TS_OK)
        error = put_half(run, &bytes);
    ts_buf_clear(&bytes);
    if (error == TS_OK)
        ts_step(mobile->env, "KEYGEN_PENDING");
    return error;
}

static enum ts_error
rounds(struct run *run, const struct ts_message *first)
{
    struct ts_buf payload;

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    enum ts_error error = open_run(run, &payload, first);
    if (error == TS_OK)
        error = take_step(run, &payload, TS_MESSAGE_KEYGEN_P1_COMMIT);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_KEYGEN_P2, &payload, run->curve);
    if (error == TS_OK)
        error = take_step(run, &payload, TS_MESSAGE_KEYGEN_P1_OPEN);
    if (error == TS_OK)
        error = store_half(run);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_KEYGEN_CONFIRM, &payload, run->curve);
    ts_buf_clear(&payload);
    return error;
}

/* The commit usually follows in the same session; when it does not, it comes at the next connection. */
static enum ts_error
wait_for_commit(struct ts_conversation *conversation)
{
    struct ts_message commit = {0};
    enum ts_error error = ts_hear(&commit, conversation->mobile->env, conversation->session, TS_MESSAGE_COMMIT,
        conversation->mobile->options.config->timeout.step);

    if (error == TS_OK)
        error = ts_commit_mobile(conversation, &commit);
    else
        conversation->reason = "no commit came; the half stays pending";
    ts_message_clear(&commit);
    return error;
}

enum ts_error
ts_keygen_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct run run = {.conversation = conversation};
    enum ts_error error = ts_mobile_pairing(&run.pairing, conversation->mobile, conversation->connection->peer.pairing);

    if (error == TS_OK)
        error = ts_keygen_p2_new(&run.machine, conversation->mobile->mpc, run.pairing);
    if (error == TS_OK)
        error = rounds(&run, first);
    ts_machine_free(run.machine);
    ts_half_free(run.half);
    if (error == TS_OK)
        error = wait_for_commit(conversation);
    return error;
}
