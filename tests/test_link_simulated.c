#include "tests/check_main.h"
#include "tests/simulated_net.h"
#include "transport/mux_internal.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Thousands of calls over bad networks. The answerer plays a device whose answers must not be given twice: each
 * answer has random bytes, so that a second one for the same index would differ. SIMULATED_SESSIONS sets how many. */

#define AT_ONCE 24
#define ROUNDS_MAX 3
#define WORDS 64 /* longest payload in numbers of eight bytes */

static const struct net_faults kinds[] = {
    {.delay_ms = 5},
    {.lost = 100, .delay_ms = 20},
    {.doubled = 200, .delay_ms = 300},
    {.lost = 300, .doubled = 100, .delay_ms = 1000},
    {.delay_ms = 30, .cut_ms = 800, .repair_ms = 3000},
    {.delay_ms = 30, .restart_ms = 4000},
    {.lost = 100, .doubled = 100, .delay_ms = 200, .cut_ms = 2000, .repair_ms = 20000, .restart_ms = 30000},
    {.lost = 20, .doubled = 20, .delay_ms = 2000, .cut_ms = 5000, .repair_ms = 500},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

struct answer {
    uint64_t words[WORDS];
    size_t count;
};

struct call {
    struct ts_lane *lane; /* NULL: none runs here */
    uint64_t index, deadline_ms, cancel_ms;
    unsigned round, rounds;
};

struct job { /* of the answerer */
    struct ts_lane *lane;
    uint64_t index, ready_ms; /* TS_NEVER: waits for the next request, */
    uint64_t give_up_ms;      /* and not for ever */
};

struct world {
    struct net net;
    struct call calls[AT_ONCE];
    struct job jobs[NET_SESSIONS];
    struct answer *answers; /* by index and round; count 0: not answered */
    uint64_t sessions, started;
    uint64_t good, cancelled, ended[16];
};

static struct answer *
answer_of(const struct world *world, uint64_t index, unsigned round)
{
    return &world->answers[index * ROUNDS_MAX + round];
}

static void
make_id(uint8_t id[TS_SESSION_ID_BYTES], uint64_t index)
{
    memset(id, 0x5a, TS_SESSION_ID_BYTES);
    memcpy(id, &index, sizeof index);
}

static void
ask(struct world *world, struct call *call)
{
    uint64_t words[WORDS] = {call->index, call->round};
    size_t count = 1 + net_between(&world->net, WORDS - 1);

    ck_assert_int_eq(ts_lane_send(world->net.sides[0], call->lane, TS_MESSAGE_SIGN_REQUEST, (uint8_t *)words,
                         (count < 2 ? 2 : count) * sizeof words[0], world->net.now),
        TS_OK);
}

static void
start(struct world *world, struct call *call)
{
    uint8_t id[TS_SESSION_ID_BYTES];
    struct net *net = &world->net;

    *call = (struct call){.index = world->started++, .rounds = (unsigned)net_between(net, ROUNDS_MAX)};
    call->deadline_ms = net->now + 1000 + net_between(net, 30000);
    call->cancel_ms = net_draw(net) % 20 == 0 ? net->now + net_between(net, 2000) : TS_NEVER;
    make_id(id, call->index);
    ck_assert_int_eq(ts_lane_open(&call->lane, net->sides[0], id), TS_OK);
    ts_lane_extend(call->lane, call->deadline_ms);
    ask(world, call);
}

static void
end(struct world *world, struct call *call, enum ts_error error)
{
    world->ended[error]++;
    ts_lane_close(world->net.sides[0], call->lane, world->net.now);
    call->lane = NULL;
}

static void
check_answer(struct world *world, struct call *call, const struct ts_message *message)
{
    const struct answer *answer = answer_of(world, call->index, call->round);

    ck_assert_int_eq(message->type, TS_MESSAGE_SIGN_ROUND_3);
    ck_assert_uint_gt(answer->count, 0);
    ck_assert_uint_eq(message->payload.len, answer->count * sizeof answer->words[0]);
    ck_assert_mem_eq(message->payload.data, answer->words, message->payload.len);
}

static void
cancel(struct world *world, struct call *call, enum ts_error error)
{
    const struct ts_failure failure = {error, "the caller gave up"};
    struct ts_buf payload;

    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    ck_assert_int_eq(ts_failure_encode(&payload, &failure), TS_OK);
    ck_assert_int_eq(
        ts_lane_send(world->net.sides[0], call->lane, TS_MESSAGE_FAILURE, payload.data, payload.len, world->net.now),
        TS_OK);
    ts_buf_clear(&payload);
    end(world, call, error);
}

static void
go_on_calling(struct world *world, struct call *call)
{
    struct ts_message message = {0};

    enum ts_error error = ts_lane_take(world->net.sides[0], call->lane, &message);
    if (error == TS_OK) {
        check_answer(world, call, &message);
        ts_message_clear(&message);
        if (++call->round == call->rounds)
            end(world, call, TS_OK);
        else
            ask(world, call);
    } else if (error != TS_NOT_FOUND) {
        end(world, call, error);
    } else if (world->net.now >= call->deadline_ms) {
        cancel(world, call, TS_TIMEOUT);
    } else if (world->net.now >= call->cancel_ms) {
        world->cancelled++;
        cancel(world, call, TS_REFUSED);
    }
}

/* The device: one answer for an index, ever. */
static void
answer(struct world *world, struct job *job, unsigned round)
{
    struct answer *answer = answer_of(world, job->index, round);

    ck_assert_msg(
        answer->count == 0, "index %llu, round %u is answered a second time", (unsigned long long)job->index, round);
    answer->count = (size_t)net_between(&world->net, WORDS);
    for (size_t i = 0; i < answer->count; i++)
        answer->words[i] = net_draw(&world->net);
    ck_assert_int_eq(ts_lane_send(world->net.sides[1], job->lane, TS_MESSAGE_SIGN_ROUND_3,
                         (const uint8_t *)answer->words, answer->count * sizeof answer->words[0], world->net.now),
        TS_OK);
}

static void
go_on_answering(struct world *world, struct job *job)
{
    struct ts_message message = {0};
    uint64_t words[2];

    if (job->ready_ms == TS_NEVER && ts_lane_ready(job->lane)) /* takes its time, and is not interrupted */
        job->ready_ms = world->net.now + net_between(&world->net, 200) - 1;
    if (job->ready_ms > world->net.now && world->net.now < job->give_up_ms)
        return;
    enum ts_error error = ts_lane_take(world->net.sides[1], job->lane, &message);
    if (error == TS_OK) {
        memcpy(words, message.payload.data, sizeof words);
        ts_message_clear(&message);
        job->index = words[0];
        job->ready_ms = TS_NEVER;
        answer(world, job, (unsigned)words[1]);
        if (net_draw(&world->net) % 4 > 0)
            return; /* else it closes: more will not be answered */
    }
    ts_lane_close(world->net.sides[1], job->lane, world->net.now);
    job->lane = NULL;
}

static void
accept_all(struct world *world)
{
    struct ts_lane *lane = NULL;

    for (unsigned i = 0; i < NET_SESSIONS; i++) {
        if (world->jobs[i].lane)
            continue;
        if (!(lane = ts_mux_offered(world->net.sides[1])))
            return;
        lane->accepted = true;
        ts_lane_extend(lane, world->net.now + 30000);
        world->jobs[i] = (struct job){.lane = lane, .ready_ms = TS_NEVER, .give_up_ms = world->net.now + 40000};
    }
}

static void
restarted(void *ctx)
{
    struct world *world = ctx;

    for (unsigned i = 0; i < AT_ONCE; i++)
        if (world->calls[i].lane)
            end(world, &world->calls[i], TS_IO);
    memset(world->jobs, 0, sizeof world->jobs);
}

static uint64_t
next_moment(const struct world *world)
{
    uint64_t next = world->net.now + 1000;

    for (unsigned i = 0; i < AT_ONCE; i++) {
        const struct call *call = &world->calls[i];
        uint64_t due = call->cancel_ms < call->deadline_ms ? call->cancel_ms : call->deadline_ms;
        if (call->lane && due < next)
            next = due;
    }
    for (unsigned i = 0; i < NET_SESSIONS; i++) {
        const struct job *job = &world->jobs[i];
        uint64_t due = job->ready_ms < job->give_up_ms ? job->ready_ms : job->give_up_ms;
        if (job->lane && due < next)
            next = due;
    }
    return next;
}

/* Returns: false when every call has ended. */
static bool
turn(struct world *world)
{
    bool running = false;

    accept_all(world);
    for (unsigned i = 0; i < NET_SESSIONS; i++)
        if (world->jobs[i].lane)
            go_on_answering(world, &world->jobs[i]);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        struct call *call = &world->calls[i];
        if (call->lane)
            go_on_calling(world, call);
        if (!call->lane && world->started < world->sessions)
            start(world, call);
        running = running || call->lane;
    }
    return running;
}

/* Nothing is kept for what is over: the last sessions go when their time is up, here after a minute without calls. */
static void
drain(struct world *world)
{
    uint64_t until = world->net.now + 200000;

    while (world->net.now < until) {
        uint64_t next = next_moment(world);
        net_step(&world->net, next < until ? next : until);
        (void)turn(world);
    }
    for (int side = 0; side < 2; side++) {
        ck_assert_ptr_null(world->net.sides[side]->lanes);
        ck_assert_uint_eq(world->net.sides[side]->queued_bytes, 0);
        ck_assert_uint_eq(world->net.sides[side]->unacked_bytes, 0);
        ck_assert_uint_eq(world->net.sides[side]->open, 0);
    }
}

static void
run(struct world *world, struct ts_env *env, const struct net_faults *faults, uint64_t seed, uint64_t sessions)
{
    memset(world, 0, sizeof *world);
    world->sessions = sessions;
    world->answers = calloc(sessions * ROUNDS_MAX, sizeof *world->answers);
    ck_assert_ptr_nonnull(world->answers);
    net_init(&world->net, env, faults, seed);
    world->net.restarted = restarted;
    world->net.ctx = world;
    while (turn(world))
        net_step(&world->net, next_moment(world));
    drain(world);
    ck_assert_uint_eq(world->net.violations, 0);
    uint64_t sum = 0;
    for (unsigned i = 0; i < 16; i++)
        sum += world->ended[i];
    ck_assert_uint_eq(sum, sessions);
    ck_assert_uint_eq(
        world->ended[TS_OK] + world->ended[TS_IO] + world->ended[TS_TIMEOUT] + world->ended[TS_REFUSED], sessions);
    ck_assert_uint_eq(world->ended[TS_REFUSED], world->cancelled);
    net_clear(&world->net);
    free(world->answers);
}

static uint64_t
sessions_wanted(void)
{
    const char *text = getenv("SIMULATED_SESSIONS");
    return text ? strtoull(text, NULL, 10) : 4000;
}

static uint64_t
first_seed(void)
{
    const char *text = getenv("SIMULATED_SEED");
    return text ? strtoull(text, NULL, 10) : 1;
}

START_TEST(every_call_ends_and_nothing_is_answered_twice)
{
    static struct world world;
    struct ts_env env;
    uint64_t sessions = sessions_wanted() / KINDS + 1, seed = first_seed() + (uint64_t)_i;

    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    run(&world, &env, &kinds[_i], seed, 500); /* whatever is made once, or kept by malloc, is made now */
    size_t before = mallinfo2().uordblks;
    run(&world, &env, &kinds[_i], seed, sessions);
    size_t after = mallinfo2().uordblks;
    fprintf(stderr,
        "# kind %d, seed %llu: %llu sessions in %llu s: %llu good, %llu io, %llu timeout, %llu cancelled; %u cuts, "
        "%u restarts; memory %zu before, %zu after\n",
        _i, (unsigned long long)seed, (unsigned long long)sessions, (unsigned long long)world.net.now / 1000,
        (unsigned long long)world.ended[TS_OK], (unsigned long long)world.ended[TS_IO],
        (unsigned long long)world.ended[TS_TIMEOUT], (unsigned long long)world.cancelled, world.net.cuts,
        world.net.restarts, before, after);
    ck_assert_uint_le(after, before + before / 20 + 8192);
    if (!kinds[_i].lost && !kinds[_i].cut_ms && !kinds[_i].restart_ms) /* nothing is in the way */
        ck_assert_uint_ge(world.ended[TS_OK] * 2, sessions);
    ts_env_clear(&env);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("link_simulated");
    TCase *tests = tcase_create("link_simulated");

    tcase_set_timeout(tests, 3600);
    tcase_add_loop_test(tests, every_call_ends_and_nothing_is_answered_twice, 0, (int)KINDS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
