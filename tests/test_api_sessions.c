#include "base/text.h"
#include "server/route.h"
#include "server/server.h"
#include "tests/check_main.h"
#include "tests/config_text.h"
#include "tests/store_fixture.h"

#include <stdio.h>
#include <string.h>

/* What a session looks like between the moments when the journal, the ledger and the list of operations hear of it. */

static struct fixture fixture;
static struct ts_server server;
static struct ts_policy *policy;
static struct ts_exchange *exchange;
static struct ts_operation operation = {.kind = TS_JOURNAL_SIGN, .label = "web", .running = true};

static void
set_up(void)
{
    char message[256], path[160];

    fixture_open(&fixture);
    memset(&server, 0, sizeof server);
    server.env = fixture.env;
    policy = ts_policy_new(config_from("server: {callers: [{name: alice, token: "
                                       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff,"
                                       " allow: ['read:*']}]}\n",
                               message),
        0);
    ck_assert_msg(policy != NULL, "%s", message);
    ck_assert_int_eq(ts_journal_open(&server.journal, &server.env, fixture.path, 3600, NULL), TS_OK);
    (void)snprintf(path, sizeof path, "%s/server.db", fixture.dir);
    ck_assert_int_eq(ts_ledger_open(&server.ledger, &server.env, path), TS_OK);
    ts_operations_init(&server.operations);
    memset(operation.session, 0x5a, sizeof operation.session);
    operation.next = NULL;
}

static void
tear_down(void)
{
    ts_operations_clear(&server.operations);
    ts_ledger_close(server.ledger);
    ts_journal_close(server.journal);
    ts_policy_release(policy);
    fixture_close(&fixture);
}

static void
begin(void)
{
    struct ts_ledger_call before, call = {.kind = TS_JOURNAL_SIGN, .started_ms = 1000, .label = "web"};

    memcpy(call.session, operation.session, sizeof call.session);
    ts_text_copy(call.caller, sizeof call.caller, "alice");
    ck_assert_int_eq(ts_ledger_begin(&before, server.ledger, &call), TS_OK);
    server.operations.list = &operation;
    server.operations.count = 1;
}

static void
write_journal(enum ts_error end)
{
    const struct ts_journal_start start = {.kind = TS_JOURNAL_SIGN, .id = operation.session, .label = "web"};
    struct ts_journal_entry *entry = NULL;

    ck_assert_int_eq(ts_journal_begin(&entry, server.journal, &start), TS_OK);
    ck_assert_ptr_nonnull(entry);
    ts_journal_end(entry, end, end == TS_OK ? NULL : "the person said no");
}

static void
keep_answer(int status, const char *body)
{
    ck_assert_int_eq(ts_ledger_end(server.ledger, operation.session, 2000, status, body, strlen(body)), TS_OK);
}

static void
finish(void)
{
    server.operations.list = NULL;
    server.operations.count = 0;
}

/* Ask for the session; the answer must have each of the words, and none of the others. NULL ends a list. */
static void
expect(const char *status, const char *with, const char *without)
{
    char expected[64];

    exchange = ts_exchange_new(&server, policy);
    ck_assert_ptr_nonnull(exchange);
    exchange->caller = &policy->callers[0];
    ts_text_hex(exchange->id, operation.session, sizeof operation.session);
    ts_api_session(exchange);
    ck_assert_int_eq(exchange->answer.status, 200);
    (void)snprintf(expected, sizeof expected, "\"status\":\"%s\"", status);
    ck_assert_msg(strstr(exchange->answer.body, expected) != NULL, "%s", exchange->answer.body);
    if (with)
        ck_assert_msg(strstr(exchange->answer.body, with) != NULL, "%s", exchange->answer.body);
    if (without)
        ck_assert_msg(strstr(exchange->answer.body, without) == NULL, "%s", exchange->answer.body);
    ts_exchange_release(exchange);
}

START_TEST(an_end_comes_with_its_result)
{
    begin();
    expect("RUNNING", NULL, "result");
    write_journal(TS_OK);
    expect("RUNNING", NULL, "result"); /* the journal has heard of it, but the answer is not kept yet */
    keep_answer(201, "{\"signature\":7}");
    expect("COMPLETED", "\"result\":{\"signature\":7}", NULL);
    finish();
    expect("COMPLETED", "\"result\":{\"signature\":7}", NULL);
}
END_TEST

START_TEST(a_failure_comes_with_its_problem)
{
    begin();
    write_journal(TS_REFUSED);
    expect("RUNNING", NULL, "error");
    expect("RUNNING", NULL, "said no");
    keep_answer(403, "{\"type\":\"urn:tallystick:problem:refused\"}");
    expect("REFUSED", "\"problem\":{\"type\":", NULL);
    expect("REFUSED", "said no", NULL);
    finish();
    expect("REFUSED", "\"problem\":{\"type\":", NULL);
}
END_TEST

/* The server ended in between: the journal knows more than the ledger. */
START_TEST(an_end_without_an_answer_is_told)
{
    begin();
    write_journal(TS_OK);
    finish();
    expect("COMPLETED", NULL, "result");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("api_sessions");
    TCase *tests = tcase_create("api_sessions");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_end_comes_with_its_result);
    tcase_add_test(tests, a_failure_comes_with_its_problem);
    tcase_add_test(tests, an_end_without_an_answer_is_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
