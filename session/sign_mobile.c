#include "base/secret.h"
#include "session/mechanism.h"
#include "session/mobile_internal.h"
#include "session/talk.h"

#include <stdio.h>
#include <string.h>

#define HALF_MAX_BYTES 16384

/* One signature at the mobile side, presignature and request in one session (protocol.md 6 and 7). */
struct run {
    struct ts_conversation *conversation;
    uint64_t batch;
    struct ts_half_row row;
    enum ts_curve curve;
    struct ts_half *half;
    const struct ts_pairing *pairing;
    struct ts_machine *machine;
    struct ts_presig_p2 *presig;
};

/* The key's active half, for exactly this partner and generation, not locked. */
static enum ts_error
find_half(struct run *run, const struct ts_sign_round1 *round)
{
    struct ts_conversation *conversation = run->conversation;
    enum ts_error error = ts_half_get(&run->row, conversation->mobile->options.store, round->key, false);

    if (error == TS_OK && memcmp(run->row.pairing, conversation->connection->peer.pairing, TS_ID_BYTES) != 0)
        error = TS_NOT_FOUND;
    if (error == TS_NOT_FOUND) {
        conversation->reason = "no such active key";
    } else if (error == TS_OK && run->row.locked) {
        conversation->reason = "the key is locked at the device";
        error = TS_LOCKED;
    } else if (error == TS_OK && run->row.generation != round->generation) {
        conversation->reason = "another generation is active";
        error = TS_NOT_FOUND;
    }
    return error;
}

static enum ts_error
load_half(struct run *run)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, HALF_MAX_BYTES);
    enum ts_error error =
        ts_half_data(&bytes, mobile->options.store, mobile->options.keyring, run->row.key, run->row.generation);
    if (error == TS_OK) {
        error = ts_half_decode(&run->half, mobile->mpc, bytes.data, bytes.len);
        error = error == TS_FORMAT ? TS_STORAGE : error;
    }
    ts_buf_clear(&bytes);
    if (error == TS_OK)
        error = ts_mobile_pairing(&run->pairing, mobile, run->row.pairing);
    run->curve = run->half ? run->half->curve : TS_CURVE_NONE;
    return error;
}

static enum ts_error
begin(struct run *run, const struct ts_sign_round1 *round)
{
    struct ts_mobile_connection *connection = run->conversation->connection;
    enum ts_error error = find_half(run, round);

    if (error == TS_OK && !ts_mobile_batch_use(connection, round->batch)) {
        run->conversation->reason = "this batch number was used before";
        error = TS_FORMAT;
    }
    if (error == TS_OK)
        error = load_half(run);
    if (error != TS_OK)
        return error;
    struct ts_presign_place place = {
        .mpc = run->conversation->mobile->mpc,
        .pairing = run->pairing,
        .half = run->half,
        .n1 = connection->n1,
        .n2 = connection->n2,
        .batch = round->batch,
    };
    run->batch = round->batch;
    ts_journal_key(run->conversation->entry, run->row.key, run->row.label);
    return ts_presign_p2_new(&run->machine, &place);
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
    if (error == TS_OK && ts_presign_count(run->machine) != 1) {
        run->conversation->reason = "one presignature for one request";
        error = TS_FORMAT;
    }
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
    if (request->batch != run->batch || request->index != 0 || request->generation != run->row.generation ||
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

    if (error == TS_OK && (now.locked || now.generation != run->row.generation)) {
        run->conversation->reason = "the key was locked or refreshed meanwhile";
        error = TS_LOCKED;
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

/* Bound to the request before anybody is asked; whatever goes wrong afterwards, the presignature is never used for
 * anything else. */
static enum ts_error
answer(struct ts_buf *out, struct run *run, const uint8_t *bytes, size_t len)
{
    struct ts_sign_request request = {0};
    enum ts_error error = ts_presig_p2_bind(run->presig, bytes, len);

    if (error == TS_OK)
        error = ts_sign_request_decode(&request, bytes, len);
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
    if (error == TS_OK && round.request_len == 0) {
        run->conversation->reason = "no request in round 2";
        error = TS_FORMAT;
    }
    if (error == TS_OK)
        error = ts_machine_step(run->machine, &inner, round.payload, round.payload_len);
    if (error == TS_OK)
        error = ts_presign_p2_take(&run->presig, run->machine, 0);
    if (error == TS_OK)
        error = answer(&ours, run, round.request, round.request_len);
    if (error == TS_OK)
        error = reply_round_2(run, &inner, &ours);
    ts_sign_round2_clear(&round);
    ts_message_clear(&in);
    ts_buf_clear(&inner);
    ts_buf_clear(&ours);
    return error;
}

/* Durable before the other side hears of it. */
static void
lock_key(struct run *run)
{
    char reason[160];

    (void)snprintf(reason, sizeof reason, "the enterprise's proof or opening is wrong at %s",
        run->machine ? ts_machine_state(run->machine) : "SIGN_ROUND_1");
    enum ts_error stored = ts_half_lock(run->conversation->mobile->options.store, run->row.key, reason);
    ts_log(run->conversation->mobile->env, TS_LOG_ERROR,
        "key %s is locked (%s): partner %s: %s; every use is refused until an administrator refreshes the key",
        run->row.label, stored == TS_OK ? "durably" : "BUT THE LOCK COULD NOT BE STORED",
        run->conversation->connection->peer.name, reason);
    run->conversation->reason = "your proof or opening is wrong: the key is locked at the device";
}

enum ts_error
ts_sign_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct run run = {.conversation = conversation};
    enum ts_error error = round_1(&run, first);

    if (error == TS_OK)
        error = round_2(&run);
    if (error == TS_CHEATED && !*ts_session_reason(conversation->session))
        lock_key(&run);
    ts_presig_p2_free(run.presig);
    ts_machine_free(run.machine);
    ts_half_free(run.half);
    return error;
}
