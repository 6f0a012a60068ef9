#include "base/secret.h"
#include "session/mechanism.h"
#include "session/mobile_internal.h"
#include "session/talk.h"

#include <string.h>

/* Presignatures and signatures at the mobile side (protocol.md 6 and 7): a batch alone, a batch of one with its request
   in one session, or a request for a presignature that waits. */
struct run {
    struct ts_conversation *conversation;
    uint64_t batch;
    uint32_t index;
    struct ts_half_row row;
    enum ts_curve curve;
    struct ts_half *half;
    const struct ts_pairing *pairing;
    struct ts_machine *machine;
    struct ts_presig_p2 *presig;
};

/* The key's active half, for exactly this partner and generation, not locked. */
static enum ts_error
find_half(struct run *run, const uint8_t key[TS_ID_BYTES], uint32_t generation)
{
    struct ts_conversation *conversation = run->conversation;
    enum ts_error error = ts_half_get(&run->row, conversation->mobile->options.store, key, false);

    if (error == TS_OK && memcmp(run->row.pairing, conversation->connection->peer.pairing, TS_ID_BYTES) != 0)
        error = TS_NOT_FOUND;
    if (error == TS_NOT_FOUND) {
        conversation->reason = "no such active key";
    } else if (error == TS_OK && run->row.locked) {
        conversation->reason = "the key is locked at the device";
        error = TS_LOCKED;
    } else if (error == TS_OK && run->row.generation != generation) {
        conversation->reason = "another generation is active";
        error = TS_NOT_FOUND;
    }
    return error;
}

static enum ts_error
load_half(struct run *run)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    const struct ts_parameters_source source = {mobile->mpc, mobile->options.store, mobile->options.keyring};
    enum ts_error error = ts_half_open(&run->half, &source, &run->row);

    if (error == TS_OK)
        error = ts_mobile_pairing(&run->pairing, mobile, run->row.pairing, run->row.parameters);
    run->curve = run->half ? run->half->curve : TS_CURVE_NONE;
    return error;
}

/* The batch that was prepared for this place, or a new one. */
static enum ts_error
begin_batch(struct run *run, const struct ts_sign_round1 *round)
{
    struct ts_mobile_connection *connection = run->conversation->connection;
    const struct ts_request_place where = {round->key, round->generation, round->batch, 0};
    struct ts_ahead ahead;

    if (ts_ahead_take(&ahead, connection, &where)) {
        run->machine = ahead.machine;
        run->half = ahead.half;
        run->pairing = ahead.pairing;
        run->curve = ahead.half->curve;
        return TS_OK;
    }
    enum ts_error error = load_half(run);
    const struct ts_presign_place place = {
        .mpc = run->conversation->mobile->mpc,
        .pairing = run->pairing,
        .half = run->half,
        .n1 = connection->n1,
        .n2 = connection->n2,
        .batch = round->batch,
    };
    return error == TS_OK ? ts_presign_p2_new(&run->machine, &place) : error;
}

static enum ts_error
begin(struct run *run, const struct ts_sign_round1 *round)
{
    struct ts_mobile_connection *connection = run->conversation->connection;
    enum ts_error error = find_half(run, round->key, round->generation);

    if (error == TS_OK && !ts_mobile_batch_use(connection, round->batch)) {
        run->conversation->reason = "this batch number was used before";
        error = TS_FORMAT;
    }
    if (error != TS_OK)
        return error;
    run->batch = round->batch;
    ts_journal_key(run->conversation->entry, run->row.key, run->row.label);
    return begin_batch(run, round);
}

static enum ts_error
round_1(struct run *run, const struct ts_message *first)
{
    struct ts_sign_round1 round = {0};
    struct ts_buf payload;

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_sign_round1_decode(&round, first->payload.data, first->payload.len);
    if (error == TS_OK)
        error = begin(run, &round);
    if (error == TS_OK)
        error = ts_machine_step(run->machine, &payload, round.payload, round.payload_len);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_SIGN_ROUND_1_REPLY, &payload, run->curve);
    ts_sign_round1_clear(&round);
    ts_buf_clear(&payload);
    return error;
}

/* What is signed is what is shown: the digest is computed here when there is a message. */
static enum ts_error
check_digest(struct run *run, const struct ts_sign_request *request)
{
    uint8_t digest[TS_DIGEST_ROOM];
    size_t len = 0;
    const char *hash = ts_mechanism_hash(request->mechanism);

    if (!hash || (*hash != 0) != request->has_message) {
        run->conversation->reason =
            hash ? "a mechanism that hashes comes with its message, plain ECDSA without" : "unknown mechanism";
        return TS_FORMAT;
    }
    if (!*hash)
        return TS_OK;
    enum ts_error error = ts_mechanism_digest(
        digest, &len, run->conversation->mobile->env, request->mechanism, request->message, request->message_len);
    if (error == TS_OK && (len != request->digest_len || memcmp(digest, request->digest, len) != 0)) {
        run->conversation->reason = "the digest is not that of the message";
        error = TS_FORMAT;
    }
    return error;
}

static enum ts_error
check_request(struct run *run, const struct ts_sign_request *request)
{
    if (request->batch != run->batch || request->index != run->index || request->generation != run->row.generation ||
        memcmp(request->key, run->row.key, sizeof request->key) != 0) {
        run->conversation->reason = "the request is for another presignature";
        return TS_FORMAT;
    }
    return check_digest(run, request);
}

static enum ts_error
ask(struct run *run, const struct ts_sign_request *request)
{
    const struct ts_question question = {
        .kind = TS_ASK_SIGN,
        .partner = run->conversation->connection->peer.name,
        .label = request->context.label,
        .application = request->context.application,
        .host = request->context.host,
        .user = request->context.user,
        .curve = run->row.curve,
        .mechanism = request->mechanism,
        .digest = request->digest,
        .digest_len = request->digest_len,
        .message = request->has_message ? request->message : NULL,
        .message_len = request->message_len,
        .key = run->row.key,
    };

    return ts_mobile_decide(run->conversation, &question);
}

static enum ts_error
still_unlocked(struct run *run)
{
    struct ts_half_row now;
    enum ts_error error = ts_half_get(&now, run->conversation->mobile->options.store, run->row.key, false);

    if (error == TS_OK && now.locked) {
        run->conversation->reason = "the key was locked meanwhile";
        error = TS_LOCKED;
    } else if (error == TS_OK && now.generation != run->row.generation) {
        run->conversation->reason = "the key was refreshed meanwhile";
        error = TS_NOT_FOUND;
    }
    return error;
}

static void
note_request(struct run *run, const struct ts_sign_request *request, const uint8_t *bytes, size_t len)
{
    const struct ts_mobile_connection *connection = run->conversation->connection;
    struct ts_journal_entry *entry = run->conversation->entry;
    uint8_t presignature[TS_ID_BYTES];

    ts_journal_presignature_id(presignature, run->conversation->mobile->env, run->row.key, run->row.generation,
        connection->n1, connection->n2, run->batch, request->index);
    ts_journal_presignature(entry, presignature, bytes, len);
    ts_journal_asker(entry, request->context.application, request->context.host, request->context.user);
}

/* The presignature is bound to the request before anybody is asked; whatever goes wrong, it is never used for anything
 * else. */
static enum ts_error
answer(struct ts_buf *out, struct run *run, const uint8_t *bytes, size_t len)
{
    struct ts_sign_request request = {0};
    enum ts_error error = ts_sign_request_decode(&request, bytes, len);

    if (error == TS_OK)
        note_request(run, &request, bytes, len);
    if (error == TS_OK)
        error = check_request(run, &request);
    if (error == TS_OK)
        error = ask(run, &request);
    if (error == TS_OK)
        error = still_unlocked(run);
    if (error == TS_OK)
        error = ts_presig_p2_answer(out, run->presig, request.digest, request.digest_len);
    if (error == TS_OK)
        ts_journal_answer(run->conversation->entry, out->data, out->len);
    if (error != TS_OK)
        ts_presig_p2_refuse(run->presig);
    ts_sign_request_clear(&request);
    return error;
}

static enum ts_error
reply_round_2(struct run *run, struct ts_buf *inner, struct ts_buf *ours)
{
    const struct ts_mobile_options *options = &run->conversation->mobile->options;
    struct ts_sign_round2_reply reply = {0};
    struct ts_buf payload;

    if (options->tamper) { /* the tests' cheating peer changes the parts inside */
        options->tamper(TS_MESSAGE_SIGN_ROUND_2_REPLY, inner, run->curve, run->pairing->bits);
        options->tamper(TS_MESSAGE_SIGN_ROUND_3, ours, run->curve, run->pairing->bits);
    }
    reply.payload = inner->data;
    reply.payload_len = inner->len;
    reply.answer = ours->data;
    reply.answer_len = ours->len;
    ts_buf_init(&payload, ts_message_max(TS_MESSAGE_SIGN_ROUND_2_REPLY));
    enum ts_error error = ts_sign_round2_reply_encode(&payload, &reply);
    if (error == TS_OK)
        error = ts_tell(run->conversation->mobile->env, run->conversation->session, TS_MESSAGE_SIGN_ROUND_2_REPLY,
            &payload, options->config->timeout.step);
    ts_buf_clear(&payload);
    return error;
}

static enum ts_error
answer_at_once(struct ts_buf *out, struct run *run, const struct ts_sign_round2 *round)
{
    enum ts_error error = ts_presign_p2_take(&run->presig, run->machine, 0);

    if (error == TS_OK)
        error = ts_presig_p2_bind(run->presig, round->request, round->request_len);
    return error == TS_OK ? answer(out, run, round->request, round->request_len) : error;
}

static enum ts_error
keep_batch(struct run *run)
{
    const struct ts_request_place place = {run->row.key, run->row.generation, run->batch, 0};

    ts_journal_change_kind(run->conversation->entry, TS_JOURNAL_PRESIGN);
    enum ts_error error = ts_waiting_add(run->conversation->connection, run->machine, &place);

    if (error == TS_USAGE)
        run->conversation->reason = "too many presignatures wait here";
    return error;
}

static enum ts_error
round_2(struct run *run)
{
    struct ts_message in = {0};
    struct ts_sign_round2 round = {0};
    struct ts_buf inner, ours;

    ts_buf_init(&inner, TS_ROUND_PAYLOAD_MAX_BYTES);
    ts_buf_init(&ours, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_hear(&in, run->conversation->mobile->env, run->conversation->session,
        TS_MESSAGE_SIGN_ROUND_2, run->conversation->mobile->options.config->timeout.step);
    if (error == TS_OK)
        error = ts_sign_round2_decode(&round, in.payload.data, in.payload.len);
    if (error == TS_OK && round.request_len > 0 && ts_presign_count(run->machine) != 1) {
        run->conversation->reason = "one presignature for one request";
        error = TS_FORMAT;
    }
    if (error == TS_OK)
        error = ts_machine_step(run->machine, &inner, round.payload, round.payload_len);
    if (error == TS_OK)
        error = round.request_len > 0 ? answer_at_once(&ours, run, &round) : keep_batch(run);
    if (error == TS_OK)
        error = reply_round_2(run, &inner, &ours);
    ts_sign_round2_clear(&round);
    ts_message_clear(&in);
    ts_buf_clear(&inner);
    ts_buf_clear(&ours);
    return error;
}

/* While the other side looks at the first answer: what the second will need. */
static enum ts_error
work_meanwhile(struct run *run)
{
    enum ts_error error = TS_OK;
    bool more = true;

    while (error == TS_OK && more && !ts_conversation_given_up(run->conversation))
        error = ts_presign_p2_idle(&more, run->machine, 0);
    return error;
}

static void
wish_next(struct run *run)
{
    struct ts_conversation *conversation = run->conversation;

    memcpy(conversation->next.key, run->row.key, sizeof conversation->next.key);
    conversation->next.generation = run->row.generation;
    conversation->next.count = ts_presign_count(run->machine);
}

enum ts_error
ts_sign_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct run run = {.conversation = conversation};
    enum ts_error error = round_1(&run, first);

    if (error == TS_OK)
        error = work_meanwhile(&run);
    if (error == TS_OK)
        error = round_2(&run);
    if (error == TS_OK)
        wish_next(&run);
    if (error == TS_CHEATED && !*ts_session_reason(conversation->session))
        ts_lock_own(conversation, &run.row, run.machine ? ts_machine_state(run.machine) : "SIGN_ROUND_1");
    ts_presig_p2_free(run.presig);
    ts_machine_free(run.machine);
    ts_half_free(run.half);
    ts_parameters_release(&conversation->mobile->parameters, run.pairing);
    return error;
}

/* --- a request for a presignature that waits --- */

static enum ts_error
take_waiting(struct run *run, const struct ts_sign_request *request, const struct ts_buf *bytes)
{
    struct ts_conversation *conversation = run->conversation;
    const struct ts_request_place place = {request->key, request->generation, request->batch, request->index};
    enum ts_error error = ts_waiting_bind(&run->presig, conversation->connection, &place, bytes->data, bytes->len);

    if (error == TS_NOT_FOUND)
        conversation->reason = "no such presignature waits";
    else if (error == TS_REFUSED)
        conversation->reason = "refused at the device";
    run->batch = request->batch;
    run->index = request->index;
    ts_journal_key(conversation->entry, run->row.key, run->row.label);
    return error;
}

/* The same bytes again get the same answer, without another question. */
static enum ts_error
answer_waiting(struct run *run, const struct ts_buf *bytes)
{
    struct ts_buf ours;

    ts_buf_init(&ours, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_presig_p2_answered(run->presig) ? ts_presig_p2_answer(&ours, run->presig, NULL, 0)
                                                             : answer(&ours, run, bytes->data, bytes->len);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_SIGN_ROUND_3, &ours, run->curve);
    ts_buf_clear(&ours);
    return error;
}

enum ts_error
ts_request_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct run run = {.conversation = conversation};
    struct ts_sign_request request = {0};
    enum ts_error error = ts_sign_request_decode(&request, first->payload.data, first->payload.len);

    if (error == TS_OK)
        error = find_half(&run, request.key, request.generation);
    if (error == TS_OK) {
        run.curve = ts_curve_by_name(run.row.curve, strlen(run.row.curve));
        error = take_waiting(&run, &request, &first->payload);
    }
    ts_sign_request_clear(&request);
    if (error == TS_OK)
        error = answer_waiting(&run, &first->payload);
    if (error == TS_CHEATED && !*ts_session_reason(conversation->session))
        ts_lock_own(conversation, &run.row, "SIGN_ROUND_3");
    if (run.presig)
        ts_waiting_release(conversation->connection, run.presig);
    return error;
}
