#include "tests/fuzz/fuzz.h"
#include "transport/envelope.h"
#include "transport/mux_internal.h"

#include <string.h>

/* The sessions of a link against any order of messages, times and calls. Each step is four bytes: what, and three
 * numbers. What is made is sent back now and then, as if the other side were a mirror. */

#define LANES 8

struct world {
    struct ts_mux *mux;
    struct ts_lane *lanes[LANES];
    uint64_t now;
    struct ts_buf last; /* what went out */
};

static enum ts_error
receive(struct world *world, const uint8_t step[4])
{
    static const int types[] = {TS_MESSAGE_FAILURE, TS_MESSAGE_ACKNOWLEDGE, TS_MESSAGE_SESSION_OVER,
        TS_MESSAGE_SIGN_REQUEST, TS_MESSAGE_KEYGEN_P2};
    struct ts_envelope envelope = {.session = {step[1] % 4},
        .sequence = step[2] % 8,
        .acknowledge = step[2] / 8 % 4,
        .serial = step[2] & 0x80 ? step[1] % 4 : 0,
        .type = types[step[3] % 5],
        .payload = step,
        .payload_len = step[3] % 5 > 2 ? step[3] % 4 : 0};
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_ENVELOPE_MAX_BYTES);
    enum ts_error error = ts_envelope_encode(&bytes, &envelope);
    error = error == TS_OK ? ts_mux_in(world->mux, bytes.data, bytes.len, world->now) : TS_OK;
    ts_buf_clear(&bytes);
    return error;
}

static void
send_all(struct world *world)
{
    struct ts_lane *lane = NULL;

    for (int i = 0; i < 1000; i++) {
        world->last.len = 0;
        enum ts_error error = ts_mux_out(&world->last, &lane, world->mux, world->now);
        if (error == TS_NOT_FOUND)
            return;
        fuzz_need(error == TS_OK);
    }
    fuzz_need(0); /* it never ends */
}

static void
use_lane(struct world *world, const uint8_t step[4])
{
    struct ts_lane **lane = &world->lanes[step[1] % LANES];
    struct ts_message message = {0};
    uint8_t id[TS_SESSION_ID_BYTES] = {step[1] % LANES};

    if (!*lane && step[2] % 2)
        fuzz_need(ts_lane_open(lane, world->mux, id) == TS_OK);
    else if (!*lane && (*lane = ts_mux_offered(world->mux)))
        (*lane)->accepted = true;
    else if (*lane && step[2] % 4 == 0)
        (void)ts_lane_send(world->mux, *lane, TS_MESSAGE_SIGN_REQUEST, step, step[3] % 4, world->now);
    else if (*lane && step[2] % 4 == 1)
        ts_lane_extend(*lane, world->now + step[3] * 100);
    else if (*lane && step[2] % 4 == 2 && ts_lane_take(world->mux, *lane, &message) == TS_OK)
        ts_message_clear(&message);
    else if (*lane && step[2] % 4 == 3) {
        ts_lane_close(world->mux, *lane, world->now);
        *lane = NULL;
    }
}

static void
check(const struct world *world)
{
    size_t queued = 0, unacked = 0, open = 0, closed = 0;

    for (const struct ts_lane *lane = world->mux->lanes; lane; lane = lane->next) {
        for (const struct ts_queued *item = lane->queue; item; item = item->next)
            queued += item->message.payload.len;
        unacked += lane->reliable.unacked_bytes;
        open += !lane->closed;
        closed += lane->closed;
    }
    fuzz_need(queued == world->mux->queued_bytes && unacked == world->mux->unacked_bytes);
    fuzz_need(open == world->mux->open && closed == world->mux->closed && closed <= TS_MUX_CLOSED_MAX);
}

static enum ts_error
step_once(struct world *world, const uint8_t step[4])
{
    switch (step[0] % 6) {
    case 0:
        return receive(world, step);
    case 1:
        send_all(world);
        return TS_OK;
    case 2:
        world->now += step[1] * 50;
        return TS_OK;
    case 3:
        ts_mux_reconnect(world->mux, world->now);
        return TS_OK;
    case 4:
        return world->last.len ? ts_mux_in(world->mux, world->last.data, world->last.len, world->now) : TS_OK;
    default:
        use_lane(world, step);
        return TS_OK;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ts_env env;
    const struct ts_mux_options options = {
        .env = &env, .name = "fuzz", .seed = 1, .max_sessions = 3, .linger_ms = 5000};
    struct world world = {.now = 1000};
    enum ts_error error = TS_OK;

    if (!env.libctx)
        fuzz_need(ts_env_init(&env) == TS_OK);
    fuzz_need(ts_mux_new(&world.mux, &options) == TS_OK);
    ts_buf_init(&world.last, TS_ENVELOPE_MAX_BYTES);
    for (size_t at = 0; at + 4 <= size && error == TS_OK; at += 4) {
        error = step_once(&world, data + at);
        check(&world);
    }
    ts_buf_clear(&world.last);
    ts_mux_free(world.mux);
    return 0;
}
