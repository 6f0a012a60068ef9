#include "tests/check_main.h"
#include "tests/link_pair.h"
#include "transport/message.h"

/* Every message in every state of a session, over a real link: what is due is taken, anything else ends that session
   alone, with an error that names both. */

#define TYPE_END 100

static struct pair pair;
/* One session that goes on beside all the others. */
static struct ts_session *beside, *beside_there;

static void
send_empty(struct ts_session *session, int type)
{
    ck_assert_int_eq(ts_session_send(session, type, NULL, 0, WAIT_MS), TS_OK);
}

static void
set_up(void)
{
    pair_connect(&pair);
    ck_assert_int_eq(ts_session_open(&beside, pair.dialled), TS_OK);
    send_empty(beside, TS_MESSAGE_SESSION_HELLO);
    ck_assert_int_eq(ts_session_accept(&beside_there, pair.accepted, WAIT_MS), TS_OK);
}

static void
tear_down(void)
{
    ts_session_close(beside);
    ts_session_close(beside_there);
    pair_clear(&pair);
}

/* A session whose accepting side is in this state. */
static void
begin(struct ts_session **here, struct ts_session **there, int state)
{
    struct ts_message message;

    ck_assert_int_eq(ts_session_open(here, pair.dialled), TS_OK);
    if (state == TS_MESSAGE_NONE)
        return;
    send_empty(*here, state);
    ck_assert_int_eq(ts_session_accept(there, pair.accepted, WAIT_MS), TS_OK);
    ck_assert_int_eq(ts_session_receive(*there, &message, WAIT_MS), TS_OK);
    ts_message_clear(&message);
    ck_assert_int_eq(ts_session_state(*there), state);
}

static void
check_refused(struct ts_session *here, struct ts_session *there, int state, int type)
{
    struct ts_message message;

    ck_assert_int_eq(ts_session_receive(here, &message, WAIT_MS), TS_FORMAT);
    for (unsigned i = 0; i < 2; i++) {
        const char *words = ts_session_reason(i == 0 ? here : there);
        ck_assert_msg(strstr(words, ts_message_name(type)) == words, "%s: no %s", words, ts_message_name(type));
        const char *place = state == TS_MESSAGE_NONE ? "to begin a session" : ts_message_name(state);
        ck_assert_msg(strstr(words + strlen(ts_message_name(type)), place), "%s: no %s", words, place);
    }
}

/* Returns: was it taken? */
static bool
try(int state, int type)
{
    struct ts_session *here = NULL, *there = NULL;
    struct ts_message message = {0};

    begin(&here, &there, state);
    send_empty(here, type);
    if (!there)
        ck_assert_int_eq(ts_session_accept(&there, pair.accepted, WAIT_MS), TS_OK);
    enum ts_error error = ts_session_next(there, &message, WAIT_MS);
    ck_assert(error == TS_OK || error == TS_FORMAT);
    ck_assert(error != TS_OK || message.type == type);
    if (error != TS_OK)
        check_refused(here, there, state, type);
    ts_message_clear(&message);
    ts_session_close(here);
    ts_session_close(there);
    return error == TS_OK;
}

static bool
is_of_session(int type)
{
    return type == TS_MESSAGE_NONE ||
           (type != TS_MESSAGE_FAILURE && (ts_message_sender(type) & TS_FROM_BOTH) != TS_FROM_NOBODY);
}

static unsigned
try_all_types(int state)
{
    unsigned taken = 0;

    for (int type = 1; type < TYPE_END; type++) {
        if (!is_of_session(type))
            continue;
        bool due = state == TS_MESSAGE_NONE ? ts_message_is_due(TS_MESSAGE_NONE, type) : ts_message_next(state) == type;
        ck_assert_msg(try(state, type) == due, "%s after %s", ts_message_name(type), ts_message_name(state));
        taken += due;
    }
    return taken;
}

START_TEST(a_state_takes_what_is_due_and_nothing_else)
{
    struct ts_message message;
    unsigned taken = 0;

    for (int state = TS_MESSAGE_NONE; state < TYPE_END; state++)
        if (is_of_session(state))
            taken += try_all_types(state);
    ck_assert_uint_eq(taken, 10 + 33); /* first messages, and those that follow another */
    ck_assert_int_eq(ts_session_next(beside_there, &message, WAIT_MS), TS_OK); /* the link does not mind */
    ck_assert_int_eq(message.type, TS_MESSAGE_SESSION_HELLO);
    ts_message_clear(&message);
    ck_assert(ts_link_alive(pair.dialled) && ts_link_alive(pair.accepted));
    ck_assert(device_logged(&pair.listener, "broke a session: SESSION_HELLO came after SESSION_HELLO, where "
                                            "SESSION_HELLO_REPLY was due"));
}
END_TEST

/* The table as a list of conversations: who reads it sees each in one line. */
START_TEST(each_conversation_comes_to_its_end)
{
    static const struct {
        int first, last, steps;
    } conversations[] = {
        {TS_MESSAGE_SESSION_HELLO, TS_MESSAGE_SESSION_HELLO_REPLY, 2},
        {TS_MESSAGE_KEYGEN_INIT, TS_MESSAGE_COMMIT_DONE, 8},
        {TS_MESSAGE_SIGN_ROUND_1, TS_MESSAGE_SIGN_ROUND_2_REPLY, 4},
        {TS_MESSAGE_SIGN_REQUEST, TS_MESSAGE_SIGN_ROUND_3, 2},
        {TS_MESSAGE_REFRESH_ASK, TS_MESSAGE_COMMIT_DONE, 16},
        {TS_MESSAGE_PAIR_PROVE, TS_MESSAGE_COMMIT_DONE, 18}, /* ends at PRE_PARAMS_DONE, its tenth */
        {TS_MESSAGE_COMMIT, TS_MESSAGE_COMMIT_DONE, 2},
        {TS_MESSAGE_ABORT, TS_MESSAGE_ABORT_DONE, 2},
        {TS_MESSAGE_DESTROY, TS_MESSAGE_DESTROY_DONE, 2},
        {TS_MESSAGE_LOCK, TS_MESSAGE_LOCK_DONE, 2},
    };

    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        int state = conversations[i].first, steps = 1;
        ck_assert(ts_message_is_due(TS_MESSAGE_NONE, state));
        for (; ts_message_next(state) != TS_MESSAGE_NONE; steps++) {
            ck_assert(ts_message_is_due(state, ts_message_next(state)));
            state = ts_message_next(state);
        }
        ck_assert_int_eq(state, conversations[i].last);
        ck_assert_int_eq(steps, conversations[i].steps);
    }
}
END_TEST

START_TEST(a_failure_may_come_in_every_state)
{
    for (int state = 1; state < TYPE_END; state++) {
        struct ts_session *here, *there;
        struct ts_message message;
        if (!is_of_session(state))
            continue;
        begin(&here, &there, state);
        ck_assert_int_eq(ts_session_fail(here, TS_REFUSED, "no"), TS_OK);
        ck_assert_int_eq(ts_session_next(there, &message, WAIT_MS), TS_REFUSED);
        ck_assert_str_eq(ts_session_reason(there), "no");
        ts_session_close(here);
        ts_session_close(there);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("link_states");
    TCase *tests = tcase_create("link_states");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_state_takes_what_is_due_and_nothing_else);
    tcase_add_test(tests, each_conversation_comes_to_its_end);
    tcase_add_test(tests, a_failure_may_come_in_every_state);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
