#include "mpc/machine.h"
#include "session/enterprise_internal.h"
#include "session/talk.h"

#include <string.h>

enum ts_error
ts_batch_begin(struct ts_batch *batch, uint32_t count)
{
    batch->number = ts_connection_batch(batch->enterprise, batch->connection);
    struct ts_presign_place place = {
        .mpc = batch->enterprise->mpc,
        .pairing = batch->pairing,
        .half = batch->half,
        .n1 = batch->connection->n1,
        .n2 = batch->connection->n2,
        .batch = batch->number,
    };
    enum ts_error error = ts_presign_p1_new(&batch->machine, &place, count);
    if (error == TS_OK)
        error = ts_session_open(&batch->session, batch->connection->link);
    return error;
}

enum ts_error
ts_batch_round_1(struct ts_batch *batch, struct ts_message *reply)
{
    struct ts_sign_round1 round = {.generation = batch->half->generation, .batch = batch->number};
    struct ts_buf inner, payload;

    memcpy(round.key, batch->half->key, sizeof round.key);
    ts_buf_init(&inner, TS_ROUND_PAYLOAD_MAX_BYTES);
    ts_buf_init(&payload, ts_message_max(TS_MESSAGE_SIGN_ROUND_1));
    enum ts_error error = ts_machine_step(batch->machine, &inner, NULL, 0);
    round.payload = inner.data;
    round.payload_len = inner.len;
    if (error == TS_OK)
        error = ts_sign_round1_encode(&payload, &round);
    if (error == TS_OK)
        error = ts_talk(reply, batch->enterprise->env, batch->session, TS_MESSAGE_SIGN_ROUND_1, &payload,
            TS_MESSAGE_SIGN_ROUND_1_REPLY, batch->enterprise->config->timeout.step);
    ts_buf_clear(&inner);
    ts_buf_clear(&payload);
    return error;
}

enum ts_error
ts_batch_open(struct ts_buf *inner, struct ts_batch *batch, const struct ts_message *previous)
{
    return ts_machine_step(batch->machine, inner, previous->payload.data, previous->payload.len);
}

enum ts_error
ts_batch_round_2(struct ts_message *reply, struct ts_batch *batch, const struct ts_buf *inner,
    const struct ts_buf *request, uint32_t timeout_ms)
{
    struct ts_sign_round2 round = {.payload = inner->data, .payload_len = inner->len};
    struct ts_buf payload;

    if (request) {
        round.request = request->data;
        round.request_len = request->len;
    }
    ts_buf_init(&payload, ts_message_max(TS_MESSAGE_SIGN_ROUND_2));
    enum ts_error error = ts_sign_round2_encode(&payload, &round);
    if (error == TS_OK)
        error = ts_talk(reply, batch->enterprise->env, batch->session, TS_MESSAGE_SIGN_ROUND_2, &payload,
            TS_MESSAGE_SIGN_ROUND_2_REPLY, timeout_ms);
    ts_buf_clear(&payload);
    return error;
}

enum ts_error
ts_batch_finish(struct ts_batch *batch, const struct ts_sign_round2_reply *round)
{
    struct ts_buf nothing;

    ts_buf_init(&nothing, 0);
    return ts_machine_step(batch->machine, &nothing, round->payload, round->payload_len);
}

void
ts_batch_end(struct ts_batch *batch)
{
    ts_session_close(batch->session);
    ts_machine_free(batch->machine);
    batch->session = NULL;
    batch->machine = NULL;
}
