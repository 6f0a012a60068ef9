#include "mpc/machine.h"
#include "session/enterprise_internal.h"
#include "session/talk.h"
#include "tests/check_main.h"
#include "tests/two_sides.h"

#include <semaphore.h>
#include <string.h>

/* Presignatures made ahead: that they are used, and that each serves one request with one answer. */

static struct two_sides both;
static struct ts_new_key key;
static atomic_uint requests; /* that came to the peer alone */
static atomic_uint prepared; /* batches that the peer had prepared before they were asked for */

static void
reached(void *ctx, const char *step)
{
    (void)ctx;
    if (strcmp(step, "SIGN_REQUEST") == 0)
        requests++;
    else if (strcmp(step, "SIGN_PREPARED") == 0)
        prepared++;
}

static void
set_up(void)
{
    requests = 0;
    prepared = 0;
    two_sides_start(&both);
    both.p2.env.steps.reached = reached;
    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
}

static void
tear_down(void)
{
    two_sides_stop(&both);
}

static struct ts_half_row
row_of(struct ts_store *store)
{
    struct ts_half_row row;

    ck_assert_int_eq(ts_half_get(&row, store, key.key, false), TS_OK);
    return row;
}

START_TEST(a_key_that_signs_often_signs_in_one_round_trip)
{
    ts_enterprise_allow_threads(both.enterprise);
    for (int i = 0; i < 1000 && requests < 10; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "again and again"), TS_OK);
    ck_assert_uint_ge(requests, 10);
}
END_TEST

START_TEST(without_threads_or_with_none_wanted_there_is_no_pool)
{
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "again and again"), TS_OK);
    ck_assert(!both.enterprise->filling);
    both.p1.config.presignatures = 0;
    ts_enterprise_allow_threads(both.enterprise);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "again and again"), TS_OK);
    ck_assert(!both.enterprise->filling);
    ck_assert_uint_eq(requests, 0);
}
END_TEST

START_TEST(the_device_prepares_the_next_batch)
{
    for (int i = 0; i < 1000 && prepared < 10; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "again and again"), TS_OK);
    ck_assert_uint_ge(prepared, 10);
}
END_TEST

START_TEST(the_device_prepares_nothing_when_told_so)
{
    both.p2.config.presignatures = 0;
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "again and again"), TS_OK);
    ck_assert_uint_eq(prepared, 0);
}
END_TEST

/* What was prepared for one key is nothing for another, and nothing for the same one with other halves. */
START_TEST(what_is_prepared_fits_one_place)
{
    const struct ts_keygen_job job = {.curve = TS_CURVE_P256, .asker = {.label = "another key"}};
    struct ts_refresh_job refresh = {.key = {0}};
    struct ts_new_key other;
    uint32_t generation;

    ck_assert_int_eq(ts_keygen_enterprise(&other, both.enterprise, both.p1.token, both.p1.keyring, &job), TS_OK);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(two_sides_sign(&both, i % 2 ? &other : &key, "in turn"), TS_OK);
    memcpy(refresh.key, key.key, sizeof refresh.key);
    two_sides_give_primes(&both, "4", "6");
    ck_assert_int_eq(
        ts_refresh_enterprise(&generation, both.enterprise, both.p1.token, both.p1.keyring, &refresh), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &key, "with the new halves"), TS_OK);
    ck_assert(!row_of(both.peer_store).locked);
}
END_TEST

static void *
sign_some(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "at once"), TS_OK);
    return NULL;
}

static sem_t came, go_on;

/* The peer does not answer the batch that comes after two signatures. */
static void
keep_waiting(void *ctx, const char *step)
{
    static atomic_uint begun;

    (void)ctx;
    if (strcmp(step, "SIGN_ROUND_1") != 0 || ++begun != 3)
        return;
    sem_post(&came);
    sem_wait(&go_on);
}

START_TEST(the_thread_ends_although_the_peer_does_not_answer)
{
    sem_init(&came, 0, 0);
    sem_init(&go_on, 0, 0);
    both.p1.config.timeout.step = 3600000;
    both.p2.env.steps.reached = keep_waiting;
    ts_enterprise_allow_threads(both.enterprise);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "again"), TS_OK);
    sem_wait(&came);
    ck_assert(both.enterprise->filling);
    ts_pool_join(both.enterprise);
    sem_post(&go_on);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(two_sides_sign(&both, &key, "without a thread"), TS_OK);
    ck_assert(!both.enterprise->filling);
}
END_TEST

START_TEST(threads_share_the_pool)
{
    pthread_t threads[4];

    ts_enterprise_allow_threads(both.enterprise);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_some, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_gt(requests, 0);
}
END_TEST

/* --- one presignature, one request, one answer: an enterprise side that does as it likes --- */

static struct ts_connection *connection;
static struct ts_ready ready[4];

/* A batch of four by hand. */
static void
make_batch(void)
{
    const struct ts_half_row row = row_of(ts_enterprise_store(both.enterprise));
    const struct ts_parameters_source source = {
        both.enterprise->mpc, ts_enterprise_store(both.enterprise), both.p1.keyring};
    struct ts_batch batch = {.enterprise = both.enterprise, .connection = connection};
    struct ts_message first = {0}, second = {0};
    struct ts_sign_round2_reply round;
    struct ts_half *half;
    struct ts_buf inner;

    ts_buf_init(&inner, TS_ROUND_PAYLOAD_MAX_BYTES);
    ck_assert_int_eq(ts_half_open(&half, &source, &row), TS_OK);
    batch.half = half;
    ck_assert_int_eq(
        ts_enterprise_pairing(&batch.pairing, both.enterprise, both.p1.keyring, row.pairing, row.parameters), TS_OK);
    ck_assert_int_eq(ts_batch_begin(&batch, 4), TS_OK);
    ck_assert_int_eq(ts_batch_round_1(&batch, &first), TS_OK);
    ck_assert_int_eq(ts_batch_open(&inner, &batch, &first), TS_OK);
    ck_assert_int_eq(ts_batch_round_2(&second, &batch, &inner, NULL, 10000), TS_OK);
    ck_assert_int_eq(ts_sign_round2_reply_decode(&round, second.payload.data, second.payload.len), TS_OK);
    ck_assert_uint_eq(round.answer_len, 0);
    ck_assert_int_eq(ts_batch_finish(&batch, &round), TS_OK);
    for (uint32_t i = 0; i < 4; i++) {
        ready[i] = (struct ts_ready){.batch = batch.number, .index = i};
        ck_assert_int_eq(ts_presign_p1_take(&ready[i].presig, batch.machine, i), TS_OK);
    }
    ts_sign_round2_reply_clear(&round);
    ts_message_clear(&first);
    ts_message_clear(&second);
    ts_buf_clear(&inner);
    ts_batch_end(&batch);
    ts_parameters_release(&both.enterprise->parameters, batch.pairing);
    ts_half_free(half);
}

static void
set_up_batch(void)
{
    bool fresh;

    set_up();
    ck_assert_int_eq(ts_connection_acquire(&connection, &fresh, both.enterprise, both.p1.keyring,
                         row_of(ts_enterprise_store(both.enterprise)).pairing),
        TS_OK);
    make_batch();
}

static void
tear_down_batch(void)
{
    for (size_t i = 0; i < 4; i++)
        ts_presig_p1_free(ready[i].presig);
    ts_connection_release(both.enterprise, connection);
    tear_down();
}

static const uint8_t digests[2][32] = {{1}, {2}};

static void
encode(struct ts_buf *out, const struct ts_ready *which, const uint8_t digest[32], uint32_t index)
{
    struct ts_sign_request request = {
        .batch = which->batch, .index = index, .mechanism = "ECDSA", .digest = digest, .digest_len = 32};

    memcpy(request.key, key.key, sizeof request.key);
    ts_buf_init(out, TS_SIGN_REQUEST_MAX_BYTES);
    ck_assert_int_eq(ts_sign_request_encode(out, &request), TS_OK);
}

/* The answer, or the error that the peer gives. */
static enum ts_error
ask(struct ts_buf *answer, const struct ts_buf *request)
{
    struct ts_message reply = {0};
    struct ts_session *session;

    ck_assert_int_eq(ts_session_open(&session, connection->link), TS_OK);
    enum ts_error error =
        ts_talk(&reply, &both.p1.env, session, TS_MESSAGE_SIGN_REQUEST, request, TS_MESSAGE_SIGN_ROUND_3, 20000);
    if (error == TS_OK && answer) {
        ts_buf_init(answer, 4096);
        ck_assert_int_eq(ts_buf_put(answer, reply.payload.data, reply.payload.len), TS_OK);
    }
    ts_message_clear(&reply);
    ts_session_close(session);
    return error;
}

START_TEST(the_same_bytes_get_the_same_answer)
{
    struct ts_buf request, once, twice;
    uint8_t signature[64];

    encode(&request, &ready[2], digests[0], 2);
    unsigned asked = both.asked;
    ck_assert_int_eq(ask(&once, &request), TS_OK);
    ck_assert_int_eq(ask(&twice, &request), TS_OK);
    ck_assert_uint_eq(both.asked, asked + 1); /* and no second question */
    ck_assert_uint_eq(once.len, twice.len);
    ck_assert_mem_eq(once.data, twice.data, once.len);
    ck_assert_int_eq(
        ts_presig_p1_finish(signature, ready[2].presig, request.data, request.len, digests[0], 32, once.data, once.len),
        TS_OK);
    ck_assert_int_eq(
        ts_presig_p1_finish(signature, ready[2].presig, request.data, request.len, digests[0], 32, once.data, once.len),
        TS_USAGE);
    ts_buf_clear(&once);
    ts_buf_clear(&twice);
    ts_buf_clear(&request);
}
END_TEST

START_TEST(other_bytes_lock_the_key)
{
    struct ts_buf request, other;

    encode(&request, &ready[1], digests[0], 1);
    encode(&other, &ready[1], digests[1], 1);
    ck_assert_int_eq(ask(NULL, &request), TS_OK);
    ck_assert(!row_of(both.peer_store).locked);
    ck_assert_int_eq(ask(NULL, &other), TS_CHEATED);
    ck_assert(row_of(both.peer_store).locked);
    ck_assert_int_eq(ask(NULL, &request), TS_LOCKED); /* nothing more comes out */
    ts_buf_clear(&other);
    encode(&other, &ready[0], digests[1], 0);
    ck_assert_int_eq(ask(NULL, &other), TS_LOCKED);
    ts_buf_clear(&other);
    ts_buf_clear(&request);
}
END_TEST

START_TEST(a_refusal_is_final)
{
    struct ts_buf request, other;

    encode(&request, &ready[3], digests[0], 3);
    both.verdict = TS_REFUSED;
    ck_assert_int_eq(ask(NULL, &request), TS_REFUSED);
    both.verdict = TS_OK;
    unsigned asked = both.asked;
    ck_assert_int_eq(ask(NULL, &request), TS_REFUSED);
    ck_assert(!row_of(both.peer_store).locked); /* a person's no is no violation */
    encode(&other, &ready[3], digests[1], 3);
    ck_assert_int_eq(ask(NULL, &other), TS_CHEATED); /* but other bytes are */
    ck_assert(row_of(both.peer_store).locked);
    ck_assert_uint_eq(both.asked, asked);
    ts_buf_clear(&other);
    ts_buf_clear(&request);
}
END_TEST

START_TEST(what_is_not_there_is_not_answered)
{
    struct ts_buf request;
    struct ts_ready away = ready[0];

    encode(&request, &ready[0], digests[0], 4); /* of a batch of four */
    ck_assert_int_eq(ask(NULL, &request), TS_NOT_FOUND);
    ts_buf_clear(&request);
    away.batch += 7;
    encode(&request, &away, digests[0], 0);
    ck_assert_int_eq(ask(NULL, &request), TS_NOT_FOUND);
    ts_buf_clear(&request);
    ck_assert(!row_of(both.peer_store).locked);
    ck_assert(ts_link_alive(connection->link));
}
END_TEST

START_TEST(a_refresh_erases_them)
{
    const struct ts_refresh_job job = {.key = {0}};
    struct ts_refresh_job mine = job;
    struct ts_buf request;
    uint32_t generation;

    memcpy(mine.key, key.key, sizeof mine.key);
    two_sides_give_primes(&both, "4", "6");
    ck_assert_int_eq(ts_refresh_enterprise(&generation, both.enterprise, both.p1.token, both.p1.keyring, &mine), TS_OK);
    encode(&request, &ready[0], digests[0], 0);
    ck_assert_int_eq(ask(NULL, &request), TS_NOT_FOUND); /* of generation 0 */
    ts_buf_clear(&request);
    ck_assert_int_eq(two_sides_sign(&both, &key, "with the new halves"), TS_OK);
}
END_TEST

START_TEST(they_do_not_outlive_their_connection)
{
    struct ts_buf request;
    bool fresh;
    const struct ts_half_row row = row_of(ts_enterprise_store(both.enterprise));

    ts_connection_release(both.enterprise, connection);
    ts_enterprise_logout(both.enterprise, both.p1.token);
    ck_assert_int_eq(ts_connection_acquire(&connection, &fresh, both.enterprise, both.p1.keyring, row.pairing), TS_OK);
    ck_assert(fresh);
    encode(&request, &ready[0], digests[0], 0);
    ck_assert_int_eq(ask(NULL, &request), TS_NOT_FOUND);
    ts_buf_clear(&request);
}
END_TEST

static enum ts_error answers[2];

static void *
ask_thread(void *argument)
{
    struct ts_buf request;
    size_t which = (size_t)argument;

    encode(&request, &ready[0], digests[which], 0);
    answers[which] = ask(NULL, &request);
    ts_buf_clear(&request);
    return NULL;
}

START_TEST(two_requests_at_once_get_one_answer)
{
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_thread, (void *)i), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_le((answers[0] == TS_OK) + (answers[1] == TS_OK), 1);
    ck_assert(row_of(both.peer_store).locked);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pool");
    TCase *tests = tcase_create("pool"), *once = tcase_create("once");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, a_key_that_signs_often_signs_in_one_round_trip);
    tcase_add_test(tests, without_threads_or_with_none_wanted_there_is_no_pool);
    tcase_add_test(tests, the_device_prepares_the_next_batch);
    tcase_add_test(tests, the_device_prepares_nothing_when_told_so);
    tcase_add_test(tests, what_is_prepared_fits_one_place);
    tcase_add_test(tests, the_thread_ends_although_the_peer_does_not_answer);
    tcase_add_test(tests, threads_share_the_pool);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(once, set_up_batch, tear_down_batch);
    tcase_set_timeout(once, 240);
    tcase_add_test(once, the_same_bytes_get_the_same_answer);
    tcase_add_test(once, other_bytes_lock_the_key);
    tcase_add_test(once, a_refusal_is_final);
    tcase_add_test(once, what_is_not_there_is_not_answered);
    tcase_add_test(once, a_refresh_erases_them);
    tcase_add_test(once, they_do_not_outlive_their_connection);
    tcase_add_test(once, two_requests_at_once_get_one_answer);
    suite_add_tcase(suite, once);
    return run_suite(suite);
}
