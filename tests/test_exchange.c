#include "server/exchange.h"
#include "server/route.h"
#include "server/server.h"
#include "tests/check_main.h"
#include "tests/config_text.h"

static struct ts_server server;
static struct ts_policy *policy;
static struct ts_exchange *exchange;

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void
set_up(void)
{
    char message[256];

    ck_assert_int_eq(ts_env_init(&server.env), TS_OK);
    policy = ts_policy_new(
        config_from("server: {callers: [{name: alice, token: " DIGITS ", allow: ['sign:web']}]}\n", message), 0);
    ck_assert_ptr_nonnull(policy);
    exchange = ts_exchange_new(&server, policy);
    ck_assert_ptr_nonnull(exchange);
}

static void
tear_down(void)
{
    ts_exchange_release(exchange);
    ts_policy_release(policy);
    ts_env_clear(&server.env);
}

/* --- ids --- */

#define ID "00112233445566778899AABBCCDDEEFF"
static const struct {
    const char *text;
    bool good;
} ids[] = {
    {ID, true},
    {"00112233-4455-6677-8899-aabbccddeeff", true},
    {"", false},
    {"00112233445566778899aabbccddee", false},
    {"00112233445566778899aabbccddeef", false},
    {ID "0", false},
    {ID "00", false},
    {"-" ID, false},
    {"00112233445566778899aabbccddeefg", false},
    {"00112233445566778899aabbccddee%6", false},
    {"../../../../../../../etc/passwd0", false},
    {"00112233445566778899aabbccddee\n0", false},
    {"' OR 1=1 --0000000000000000000000", false},
};

START_TEST(reads_an_id)
{
    static const uint8_t expected[TS_ID_BYTES] = {
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    uint8_t id[TS_ID_BYTES];

    ck_assert_int_eq(ts_id_read(id, ids[_i].text), ids[_i].good);
    if (ids[_i].good)
        ck_assert_mem_eq(id, expected, sizeof id);
}
END_TEST

/* --- paths --- */

static const struct {
    const char *method, *path;
    int status; /* of the answer; 0: there is a route */
    const char *id;
} paths[] = {
    {"GET", "/api/v1/keys", 0, ""},
    {"GET", "/api/v1/keys/" ID, 0, ID},
    {"POST", "/api/v1/sessions/x/cancel", 0, "x"},
    {"GET", "/api/v1/sessions/..", 0, ".."}, /* an id like any other: it names nothing */
    {"GET", "/api/v1/sessions/../keys", 404, ""},
    {"GET", "/api/v1/sessions/x/../../keys", 404, ""},
    {"POST", "/api/v1/sessions/x/y/cancel", 404, ""},
    {"GET", "/api/v1/sessions/", 404, ""},
    {"GET", "/api/v1/sessions//", 404, ""},
    {"GET", "/api/v1/sessions/x/", 404, ""},
    {"GET", "/api/v1/keys/0000000000000000000000000000000000000000", 404, ""}, /* longer than an id has room */
    {"GET", "//api/v1/keys", 404, ""},
    {"GET", "/API/v1/keys", 404, ""},
    {"GET", "/api/v1/keys ", 404, ""},
    {"GET", "", 404, ""},
    {"POST", "/api/v1/keys", 405, ""},
    {"HEAD", "/api/v1/keys", 405, ""},
    {"get", "/api/v1/keys", 405, ""},
    {"GET", "/api/v1/sessions/x/cancel", 405, "x"},
};

START_TEST(finds_a_route_or_says_no)
{
    (void)snprintf(exchange->method, sizeof exchange->method, "%s", paths[_i].method);
    (void)snprintf(exchange->path, sizeof exchange->path, "%s", paths[_i].path);
    const struct ts_route *route = ts_route_find(exchange);

    ck_assert_int_eq(route != NULL, paths[_i].status == 0);
    ck_assert_int_eq(exchange->answer.status, paths[_i].status);
    if (paths[_i].status != 405)
        ck_assert_str_eq(exchange->id, paths[_i].id);
    ck_assert_int_eq(*exchange->answer.allow != 0, paths[_i].status == 405);
}
END_TEST

/* Whatever is not open needs a caller; nothing that is open has a method that changes something. */
START_TEST(only_health_is_open)
{
    static const char *const open[] = {"/healthz", "/readyz"};

    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(exchange->method, sizeof exchange->method, "GET");
        (void)snprintf(exchange->path, sizeof exchange->path, "%s", open[i]);
        ck_assert(ts_route_find(exchange)->open);
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (paths[i].status != 0)
            continue;
        (void)snprintf(exchange->method, sizeof exchange->method, "%s", paths[i].method);
        (void)snprintf(exchange->path, sizeof exchange->path, "%s", paths[i].path);
        ck_assert(!ts_route_find(exchange)->open);
    }
}
END_TEST

/* --- queries --- */

static const struct {
    const char *query, *name, *value; /* value NULL: not there */
} queries[] = {
    {"a=1", "a", "1"},
    {"b=2&a=1", "a", "1"},
    {"a=1&a=2", "a", "1"},
    {"aa=2", "a", NULL},
    {"a", "a", NULL},
    {"a=", "a", ""},
    {"a=x%20y+z", "a", "x y z"},
    {"a=%2e%2E%2f", "a", "../"},
    {"a=%00", "a", NULL},
    {"a=%4", "a", NULL},
    {"a=%zz", "a", NULL},
    {"a=%", "a", NULL},
    {"a=0123456", "a", "0123456"},
    {"a=01234567", "a", NULL}, /* does not fit */
    {"", "a", NULL},
    {"&&=&a=1", "a", "1"},
};

START_TEST(reads_a_query)
{
    char value[8];

    (void)snprintf(exchange->query, sizeof exchange->query, "%s", queries[_i].query);
    ck_assert_int_eq(ts_exchange_query(exchange, queries[_i].name, value, sizeof value), queries[_i].value != NULL);
    if (queries[_i].value)
        ck_assert_str_eq(value, queries[_i].value);
}
END_TEST

/* --- answers --- */

START_TEST(denies_by_default)
{
    ck_assert(!ts_exchange_may(exchange, "sign", "web")); /* nobody */
    ck_assert_int_eq(exchange->answer.status, 403);
    ck_assert_ptr_nonnull(strstr(exchange->answer.body, "urn:tallystick:problem:forbidden"));
    tear_down();
    set_up();
    exchange->caller = &policy->callers[0];
    ck_assert(ts_exchange_may(exchange, "sign", "web"));
    ck_assert_int_eq(exchange->answer.status, 0);
    ck_assert_str_eq(exchange->label, "web"); /* for the audit record */
    ck_assert(!ts_exchange_may(exchange, "sign", "bank"));
    ck_assert_int_eq(exchange->answer.status, 403);
    ck_assert_str_eq(exchange->label, "bank");
}
END_TEST

START_TEST(answers_once)
{
    ts_answer_problem(exchange, TS_PROBLEM_BUSY, "later");
    ts_answer_problem(exchange, TS_PROBLEM_INTERNAL, NULL);
    ts_answer_json(exchange, 200, json_pack("{s:s}", "a", "b"));
    ck_assert_int_eq(exchange->answer.status, 503);
    ck_assert_uint_gt(exchange->answer.retry_s, 0);
    ck_assert_str_eq(exchange->answer.type, "application/problem+json");
}
END_TEST

/* What a caller sent stands in problems as JSON, and in no header. */
START_TEST(a_problem_is_json_whatever_was_sent)
{
    json_error_t fault;

    exchange->caller = &policy->callers[0];
    ck_assert(!ts_exchange_may(exchange, "sign", "\"}\r\nSet-Cookie: a=b\r\n\r\n<script>"));
    json_t *body = json_loads(exchange->answer.body, 0, &fault);
    ck_assert_ptr_nonnull(body);
    ck_assert_ptr_null(strpbrk(exchange->answer.body, "\r\n"));
    ck_assert_int_eq(json_integer_value(json_object_get(body, "status")), 403);
    ck_assert_str_eq(json_string_value(json_object_get(body, "type")), "urn:tallystick:problem:forbidden");
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(body, "detail")), "Set-Cookie"));
    json_decref(body);
    ck_assert_str_eq(exchange->answer.location, "");
    ck_assert_str_eq(exchange->answer.allow, "");
}
END_TEST

START_TEST(every_problem_has_a_type_and_a_status_of_an_error)
{
    for (int problem = 0; problem < TS_PROBLEMS; problem++) {
        int status = ts_problem_status((enum ts_problem)problem);
        ck_assert(status >= 400 && status < 600);
        for (int other = 0; other < problem; other++)
            ck_assert_str_ne(ts_problem_name((enum ts_problem)problem), ts_problem_name((enum ts_problem)other));
        ck_assert_ptr_nonnull(ts_problem_title((enum ts_problem)problem));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("exchange");
    TCase *tests = tcase_create("exchange");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, reads_an_id, 0, sizeof ids / sizeof *ids);
    tcase_add_loop_test(tests, finds_a_route_or_says_no, 0, sizeof paths / sizeof *paths);
    tcase_add_test(tests, only_health_is_open);
    tcase_add_loop_test(tests, reads_a_query, 0, sizeof queries / sizeof *queries);
    tcase_add_test(tests, denies_by_default);
    tcase_add_test(tests, answers_once);
    tcase_add_test(tests, a_problem_is_json_whatever_was_sent);
    tcase_add_test(tests, every_problem_has_a_type_and_a_status_of_an_error);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
