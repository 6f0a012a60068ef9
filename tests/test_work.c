#include "server/work.h"
#include "tests/check_main.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

/* A piece that says when a worker has it, and stays until it is let go. */
struct piece {
    struct ts_work work;
    sem_t *begun, *go; /**< NULL: it does not wait */
    atomic_uint *order;
    unsigned place, worker; /**< place 0: it was not run */
    bool blocked;           /**< SIGTERM was, in its thread */
};

static void
run(struct ts_work *work, unsigned worker)
{
    struct piece *piece = (struct piece *)work;
    sigset_t mask;

    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    piece->blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGHUP) == 1;
    piece->worker = worker;
    piece->place = atomic_fetch_add(piece->order, 1) + 1;
    if (piece->begun)
        (void)sem_post(piece->begun);
    if (piece->go)
        (void)sem_wait(piece->go);
}

static atomic_uint order;
static sem_t begun, go;

static void
set_up(void)
{
    atomic_store(&order, 0);
    ck_assert_int_eq(sem_init(&begun, 0, 0), 0);
    ck_assert_int_eq(sem_init(&go, 0, 0), 0);
}

static struct piece
plain(void)
{
    return (struct piece){.work = {.run = run}, .order = &order};
}

/* A pool of one thread that is busy with `holder` until `go` is posted. */
static struct ts_pool *
busy_pool(struct piece *holder, unsigned room)
{
    struct ts_pool *pool = ts_pool_new(1, room);

    ck_assert_ptr_nonnull(pool);
    *holder = plain();
    holder->begun = &begun;
    holder->go = &go;
    ck_assert(ts_pool_add(pool, &holder->work));
    (void)sem_wait(&begun);
    return pool;
}

START_TEST(runs_in_order_and_what_waits_before_it_ends)
{
    struct piece holder, pieces[5];
    struct ts_pool *pool = busy_pool(&holder, 5);

    for (unsigned i = 0; i < 5; i++) {
        pieces[i] = plain();
        ck_assert(ts_pool_add(pool, &pieces[i].work));
        ck_assert_uint_eq(ts_pool_waiting(pool), i + 1);
    }
    (void)sem_post(&go);
    ts_pool_free(pool);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(pieces[i].place, i + 2);
    ck_assert(pieces[0].blocked);
}
END_TEST

START_TEST(has_an_end_of_room)
{
    struct piece holder, one = plain(), two = plain(), three = plain();
    struct ts_pool *pool = busy_pool(&holder, 2);

    ck_assert(ts_pool_add(pool, &one.work));
    ck_assert(ts_pool_add(pool, &two.work));
    ck_assert(!ts_pool_add(pool, &three.work));
    (void)sem_post(&go);
    ts_pool_free(pool);
    ck_assert_uint_ne(two.place, 0);
    ck_assert_uint_eq(three.place, 0);
}
END_TEST

START_TEST(takes_back_what_waits)
{
    struct piece holder, pieces[3] = {plain(), plain(), plain()}, last = plain();
    struct ts_pool *pool = busy_pool(&holder, 3);

    for (unsigned i = 0; i < 3; i++)
        ck_assert(ts_pool_add(pool, &pieces[i].work));
    ck_assert(!ts_pool_take(pool, &holder.work)); /* a worker has it */
    ck_assert(ts_pool_take(pool, &pieces[2].work));
    ck_assert(!ts_pool_take(pool, &pieces[2].work));
    ck_assert(ts_pool_take(pool, &pieces[0].work));
    ck_assert(ts_pool_add(pool, &last.work)); /* the end of the queue is where it was left */
    ck_assert_uint_eq(ts_pool_waiting(pool), 2);
    (void)sem_post(&go);
    ts_pool_free(pool);
    ck_assert_uint_eq(pieces[0].place, 0);
    ck_assert_uint_eq(pieces[1].place, 2);
    ck_assert_uint_eq(pieces[2].place, 0);
    ck_assert_uint_eq(last.place, 3);
}
END_TEST

/* Each worker owns a PKCS#11 session by its number: two that run at once never have the same. */
START_TEST(workers_have_numbers_of_their_own)
{
    struct piece pieces[4];
    struct ts_pool *pool = ts_pool_new(4, 4);
    unsigned seen = 0;

    ck_assert_ptr_nonnull(pool);
    for (unsigned i = 0; i < 4; i++) {
        pieces[i] = plain();
        pieces[i].begun = &begun;
        pieces[i].go = &go;
        ck_assert(ts_pool_add(pool, &pieces[i].work));
    }
    for (unsigned i = 0; i < 4; i++)
        (void)sem_wait(&begun);
    for (unsigned i = 0; i < 4; i++)
        seen |= 1u << pieces[i].worker;
    ck_assert_uint_eq(seen, 15);
    for (unsigned i = 0; i < 4; i++)
        (void)sem_post(&go);
    ts_pool_free(pool);
    ts_pool_free(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("work");
    TCase *tests = tcase_create("pool");

    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, runs_in_order_and_what_waits_before_it_ends);
    tcase_add_test(tests, has_an_end_of_room);
    tcase_add_test(tests, takes_back_what_waits);
    tcase_add_test(tests, workers_have_numbers_of_their_own);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
