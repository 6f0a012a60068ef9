#include "base/secret.h"
#include "session/mobile_internal.h"
#include "session/pair_primes.h"
#include "session/talk.h"
#include "transport/pair_code.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAIRING_MAX_BYTES 65536

/* One pairing at the mobile side (protocol.md 4). */
struct run {
    struct ts_conversation *conversation;
    uint8_t own_proof[32], their_proof[32];
    uint8_t exporter[32], their_commitment[32], nonce[TS_PAIR_NONCE_BYTES];
    char code[TS_PAIR_CODE_BYTES];
    struct ts_buf primes;
    struct ts_machine *machine;
    struct ts_pairing *pairing;
    struct ts_peer_row row;
};

static enum ts_error
compute_proofs(struct run *run, const uint8_t secret[TS_PAIR_SECRET_BYTES])
{
    struct ts_mobile *mobile = run->conversation->mobile;
    const uint8_t *dialler = run->conversation->connection->key_hash;
    uint8_t own[TS_KEY_HASH_BYTES];
    enum ts_error error = ts_link_exporter(run->conversation->connection->link, TS_PAIR_EXPORTER, run->exporter);

    ts_identity_key_hash(mobile->identity, own);
    if (error == TS_OK)
        error = ts_pair_proof(run->their_proof, mobile->env, secret, TS_ROLE_P1, run->exporter, dialler, own);
    if (error == TS_OK)
        error = ts_pair_proof(run->own_proof, mobile->env, secret, TS_ROLE_P2, run->exporter, dialler, own);
    return error;
}

/* The try is counted before the proof is looked at; only a good one closes the invitation. */
static enum ts_error
check_secret(struct run *run, const struct ts_message *first)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    uint8_t secret[TS_PAIR_SECRET_BYTES] = {0};
    struct ts_pair_prove prove = {0};
    enum ts_error error = ts_pair_prove_decode(&prove, first->payload.data, first->payload.len);

    if (error == TS_OK) {
        error = ts_invitation_try(secret, mobile);
        if (error == TS_REFUSED)
            run->conversation->reason = "no invitation is open: make one with `tallystick-peer uri`";
    }
    if (error == TS_OK)
        error = compute_proofs(run, secret);
    if (error == TS_OK && !ts_equal(prove.proof, run->their_proof, sizeof prove.proof)) {
        run->conversation->reason = "the one-time secret is wrong";
        error = TS_REFUSED;
    }
    if (error == TS_OK)
        error = ts_invitation_close(mobile);
    memcpy(run->row.name, prove.name, sizeof run->row.name);
    memcpy(run->their_commitment, prove.code, sizeof run->their_commitment);
    ts_journal_partner(run->conversation->entry, prove.name);
    ts_wipe(secret, sizeof secret);
    return error;
}

static enum ts_error
ask(struct run *run)
{
    const struct ts_question question = {.kind = TS_ASK_PAIR,
        .partner = run->row.name,
        .label = "",
        .application = "",
        .host = "",
        .user = "",
        .curve = "",
        .mechanism = "",
        .code = run->code};

    return ts_mobile_decide(run->conversation, &question);
}

static enum ts_error
answer_proof(struct run *run)
{
    struct ts_pair_prove prove = {0};
    struct ts_buf payload;

    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    memcpy(prove.proof, run->own_proof, sizeof prove.proof);
    (void)snprintf(prove.name, sizeof prove.name, "%.64s", run->conversation->mobile->options.config->peer.name);
    enum ts_error error = ts_random(run->conversation->mobile->env, run->nonce, sizeof run->nonce);
    memcpy(prove.code, run->nonce, sizeof prove.code);
    if (error == TS_OK)
        error = ts_pair_prove_encode(&payload, &prove);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_PAIR_PROVE_REPLY, &payload, TS_CURVE_NONE);
    ts_buf_clear(&payload);
    return error;
}

/* Our nonce was told when theirs was fixed: nobody chose the digits. */
static enum ts_error
open_code(struct run *run, const struct ts_message *opening)
{
    const struct ts_env *env = run->conversation->mobile->env;
    uint8_t commitment[32];

    if (opening->payload.len != TS_PAIR_NONCE_BYTES)
        return TS_FORMAT;
    enum ts_error error = ts_pair_code_commit(commitment, env, run->exporter, opening->payload.data);
    if (error == TS_OK && !ts_equal(commitment, run->their_commitment, sizeof commitment)) {
        run->conversation->reason = "the nonce of the code is another than was promised";
        error = TS_CHEATED;
    }
    if (error == TS_OK)
        error = ts_pair_code(run->code, env, run->exporter, opening->payload.data, run->nonce);
    return error;
}

static enum ts_error
compare_codes(struct run *run)
{
    const struct ts_conversation *conversation = run->conversation;
    struct ts_message opening = {0};
    struct ts_buf nothing;

    ts_buf_init(&nothing, 0);
    enum ts_error error = ts_hear(&opening, conversation->mobile->env, conversation->session, TS_MESSAGE_PAIR_CODE,
        conversation->mobile->options.config->timeout.step);
    if (error == TS_OK)
        error = open_code(run, &opening);
    if (error == TS_OK)
        error = ask(run);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_PAIR_CODE_REPLY, &nothing, TS_CURVE_NONE);
    ts_message_clear(&opening);
    return error;
}

static enum ts_error
take_step(struct run *run, struct ts_buf *payload, int type)
{
    return ts_hear_step(
        payload, run->conversation->mobile->env, run->conversation->session, run->machine, type, TS_PAIR_PARAMETERS_MS);
}

static enum ts_error
rounds(struct run *run)
{
    struct ts_buf payload;

    ts_buf_init(&payload, TS_ROUND_PAYLOAD_MAX_BYTES);
    enum ts_error error = take_step(run, &payload, TS_MESSAGE_PAIR_INIT);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_PRE_PARAMS_P2, &payload, TS_CURVE_NONE);
    if (error == TS_OK)
        error = take_step(run, &payload, TS_MESSAGE_PRE_PARAMS_P1);
    if (error == TS_OK)
        error = ts_mobile_tell(run->conversation, TS_MESSAGE_PRE_PARAMS_CONFIRM, &payload, TS_CURVE_NONE);
    if (error == TS_OK)
        error = take_step(run, &payload, TS_MESSAGE_PRE_PARAMS_COMMIT);
    if (error == TS_OK)
        error = ts_pair_take(&run->pairing, run->row.confirmation, run->machine);
    ts_buf_clear(&payload);
    return error;
}

/* Several tokens of one enterprise host pair under the same name: count them. */
static enum ts_error
put_under_free_name(struct run *run, const struct ts_buf *bytes)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    char given[TS_NAME_MAX];
    enum ts_error error = TS_EXISTS;

    memcpy(given, run->row.name, sizeof given);
    for (unsigned number = 1; error == TS_EXISTS && number < 100; number++) {
        if (number > 1)
            (void)snprintf(run->row.name, sizeof run->row.name, "%.60s-%u", given, number);
        error = ts_peer_put(mobile->options.store, mobile->options.keyring, &run->row, bytes->data, bytes->len);
    }
    return error;
}

static enum ts_error
store_pairing(struct run *run)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    struct ts_buf bytes;

    memcpy(run->row.pairing, run->pairing->id, sizeof run->row.pairing);
    memcpy(run->row.key_hash, run->conversation->connection->key_hash, sizeof run->row.key_hash);
    run->row.token = mobile->options.token;
    run->row.bits = run->pairing->bits;
    run->row.state = TS_PEER_ACTIVE;
    run->row.acknowledged = true;
    run->row.created = (int64_t)time(NULL);
    ts_buf_init_secret(&bytes, PAIRING_MAX_BYTES);
    enum ts_error error = ts_pairing_encode(&bytes, run->pairing);
    if (error == TS_OK)
        error = put_under_free_name(run, &bytes);
    ts_buf_clear(&bytes);
    return error;
}

static enum ts_error
say_done(struct run *run)
{
    struct ts_buf nothing;

    ts_buf_init(&nothing, 0);
    return ts_mobile_tell(run->conversation, TS_MESSAGE_PRE_PARAMS_DONE, &nothing, TS_CURVE_NONE);
}

static enum ts_error
agree(struct run *run)
{
    struct ts_mobile *mobile = run->conversation->mobile;
    uint32_t bits = mobile->options.config->modulus_bits;
    enum ts_error error = ts_pair_primes(&run->primes, mobile->env, mobile->options.store, mobile->options.token,
        mobile->options.keyring, bits, mobile->options.config->threads, NULL);

    if (error == TS_OK)
        error = ts_pair_p2_new(&run->machine, mobile->mpc, bits, run->primes.data, run->primes.len, mobile->hk);
    if (error == TS_OK)
        error = rounds(run);
    if (error == TS_OK)
        error = store_pairing(run);
    if (error == TS_OK)
        error = say_done(run);
    return error;
}

enum ts_error
ts_pair_mobile(struct ts_conversation *conversation, const struct ts_message *first)
{
    struct run run = {.conversation = conversation};

    ts_buf_init_secret(&run.primes, PAIRING_MAX_BYTES);
    enum ts_error error = check_secret(&run, first);
    if (error == TS_OK)
        error = answer_proof(&run);
    if (error == TS_OK)
        error = compare_codes(&run);
    if (error == TS_OK)
        error = agree(&run);
    if (error == TS_OK)
        ts_log(conversation->mobile->env, TS_LOG_INFO, "paired with %s", run.row.name);
    ts_machine_free(run.machine);
    ts_pairing_free(run.pairing);
    ts_buf_clear(&run.primes);
    ts_wipe(run.own_proof, sizeof run.own_proof);
    ts_wipe(run.exporter, sizeof run.exporter);
    return error;
}
