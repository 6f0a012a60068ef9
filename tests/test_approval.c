#include "peer/approval.h"
#include "tests/check_main.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define SOON_MS 200
#define LONG_MS 3600000u

static struct ts_env env;
static int keys[2];   /* what the person types */
static int screen[2]; /* what the person sees */
static struct ts_approval *approval;

static const struct ts_question question = {.kind = TS_ASK_KEYGEN,
    .partner = "office",
    .label = "k",
    .application = "",
    .host = "",
    .user = "",
    .curve = "P-256"};

static void
set_up(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(pipe(keys), 0);
    ck_assert_int_eq(pipe(screen), 0);
}

static void
tear_down(void)
{
    ts_approval_free(approval);
    approval = NULL;
    for (int i = 0; i < 2; i++) {
        (void)close(keys[i]);
        (void)close(screen[i]);
    }
    ts_env_clear(&env);
}

static void
make(enum ts_approval_mode mode)
{
    const struct ts_approval_options options = {&env, mode, keys[0], screen[1]};
    ck_assert_int_eq(ts_approval_new(&approval, &options), TS_OK);
}

static void
type(const char *text)
{
    ck_assert_int_eq(write(keys[1], text, strlen(text)), (ssize_t)strlen(text));
}

/* Read the screen until `words` were seen. */
static void
wait_for(const char *words)
{
    static char seen[16384];
    size_t len = 0;

    do {
        ssize_t got = read(screen[0], seen + len, 1);
        ck_assert_int_eq(got, 1);
        seen[++len] = 0;
    } while (!strstr(seen, words) && len < sizeof seen - 1);
    ck_assert_ptr_nonnull(strstr(seen, words));
}

static enum ts_error
decide(uint32_t ms)
{
    return ts_approval_decide(approval, &question, ts_now_ms(&env) + ms, NULL, NULL);
}

static bool
read_flag(void *ctx)
{
    return atomic_load((atomic_bool *)ctx);
}

START_TEST(modes_have_names)
{
    enum ts_approval_mode mode;

    ck_assert_int_eq(ts_approval_mode_parse(&mode, "ask"), TS_OK);
    ck_assert_int_eq(mode, TS_APPROVAL_ASK);
    ck_assert_int_eq(ts_approval_mode_parse(&mode, "never"), TS_OK);
    ck_assert_int_eq(mode, TS_APPROVAL_NEVER);
    ck_assert_int_eq(ts_approval_mode_parse(&mode, "yes"), TS_USAGE);
}
END_TEST

START_TEST(fixed_answers)
{
    struct ts_question refresh = question;

    refresh.kind = TS_ASK_REFRESH;
    make(TS_APPROVAL_AUTO);
    ck_assert_int_eq(decide(LONG_MS), TS_OK);
    ck_assert_int_eq(ts_approval_decide(approval, &refresh, ts_now_ms(&env) + LONG_MS, NULL, NULL), TS_OK);
    refresh.locked = true; /* that is for a person to allow */
    ck_assert_int_eq(ts_approval_decide(approval, &refresh, ts_now_ms(&env) + LONG_MS, NULL, NULL), TS_REFUSED);
    ts_approval_free(approval);
    make(TS_APPROVAL_REFUSE);
    ck_assert_int_eq(decide(LONG_MS), TS_REFUSED);
    ts_approval_free(approval);
    make(TS_APPROVAL_NEVER);
    ck_assert_int_eq(decide(SOON_MS), TS_TIMEOUT);
}
END_TEST

static const struct {
    const char *typed;
    enum ts_error answer;
} answers[] = {
    {"y\n", TS_OK},
    {"yes\n", TS_OK},
    {"n\n", TS_REFUSED},
    {"\n", TS_REFUSED},
    {"Y\n", TS_REFUSED},
    {"yy\n", TS_REFUSED},
    {"yes please\n", TS_REFUSED},
    {"y                                        \n", TS_REFUSED},
    {"yesyesyesyesyesyesyesyes\n", TS_REFUSED},
};

START_TEST(only_yes_is_yes)
{
    make(TS_APPROVAL_ASK);
    type(answers[_i].typed);
    ck_assert_int_eq(decide(LONG_MS), answers[_i].answer);
}
END_TEST

START_TEST(one_line_answers_one_question)
{
    make(TS_APPROVAL_ASK);
    type("y\nn\ny\n");
    ck_assert_int_eq(decide(LONG_MS), TS_OK);
    ck_assert_int_eq(decide(LONG_MS), TS_REFUSED);
    ck_assert_int_eq(decide(LONG_MS), TS_OK);
}
END_TEST

START_TEST(end_of_input_is_no)
{
    make(TS_APPROVAL_ASK);
    (void)close(keys[1]);
    ck_assert_int_eq(decide(LONG_MS), TS_REFUSED);
    ck_assert_int_eq(decide(LONG_MS), TS_REFUSED);
}
END_TEST

START_TEST(has_a_deadline)
{
    make(TS_APPROVAL_ASK);
    ck_assert_int_eq(decide(SOON_MS), TS_TIMEOUT);
    type("y"); /* without Enter it is no answer */
    ck_assert_int_eq(decide(SOON_MS), TS_TIMEOUT);
}
END_TEST

struct asker {
    pthread_t thread;
    uint32_t ms;
    atomic_bool cancelled;
    enum ts_error answer;
};

static void *
ask_in_thread(void *argument)
{
    struct asker *asker = argument;

    asker->answer = ts_approval_decide(approval, &question, ts_now_ms(&env) + asker->ms, read_flag, &asker->cancelled);
    return NULL;
}

static void
start(struct asker *asker)
{
    ck_assert_int_eq(pthread_create(&asker->thread, NULL, ask_in_thread, asker), 0);
}

static enum ts_error
end(struct asker *asker)
{
    ck_assert_int_eq(pthread_join(asker->thread, NULL), 0);
    return asker->answer;
}

START_TEST(a_withdrawn_question_goes_away)
{
    struct asker asker = {.ms = LONG_MS};

    make(TS_APPROVAL_ASK);
    start(&asker);
    wait_for("[y/N] ");
    atomic_store(&asker.cancelled, true);
    ck_assert_int_eq(end(&asker), TS_TIMEOUT);
    wait_for("Too late");
}
END_TEST

START_TEST(others_wait_with_their_own_deadlines)
{
    struct asker first = {.ms = LONG_MS}, second = {.ms = SOON_MS}, third = {.ms = LONG_MS};

    make(TS_APPROVAL_ASK);
    start(&first);
    wait_for("[y/N] ");
    start(&second);
    ck_assert_int_eq(end(&second), TS_TIMEOUT); /* never shown */
    start(&third);
    type("y\n");
    ck_assert_int_eq(end(&first), TS_OK);
    wait_for("Allowed.");
    wait_for("[y/N] ");
    type("n\n");
    ck_assert_int_eq(end(&third), TS_REFUSED);
}
END_TEST

START_TEST(stopping_refuses_all)
{
    struct asker first = {.ms = LONG_MS}, second = {.ms = LONG_MS};

    make(TS_APPROVAL_ASK);
    start(&first);
    wait_for("[y/N] ");
    start(&second);
    ts_approval_stop(approval);
    ck_assert_int_eq(end(&first), TS_REFUSED);
    ck_assert_int_eq(end(&second), TS_REFUSED);
    type("y\n");
    ck_assert_int_eq(decide(LONG_MS), TS_REFUSED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("approval");
    TCase *tests = tcase_create("approval");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, modes_have_names);
    tcase_add_test(tests, fixed_answers);
    tcase_add_loop_test(tests, only_yes_is_yes, 0, sizeof answers / sizeof *answers);
    tcase_add_test(tests, one_line_answers_one_question);
    tcase_add_test(tests, end_of_input_is_no);
    tcase_add_test(tests, has_a_deadline);
    tcase_add_test(tests, a_withdrawn_question_goes_away);
    tcase_add_test(tests, others_wait_with_their_own_deadlines);
    tcase_add_test(tests, stopping_refuses_all);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
