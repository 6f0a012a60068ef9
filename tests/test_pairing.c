#include "session/enterprise_internal.h"
#include "session/identity_value.h"
#include "session/pair_primes.h"
#include "tests/check_main.h"
#include "tests/two_sides.h"
#include "transport/link.h"
#include "transport/message.h"
#include "transport/pair_code.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct two_sides both;

static void
set_up(void)
{
    two_sides_start(&both);
}

static void
tear_down(void)
{
    two_sides_stop(&both);
}

/* The enterprise's identity in the hands of a program that pairs by hand. */
struct caller {
    struct ts_pair_uri uri;
    struct ts_identity *identity;
    struct ts_link *link;
    struct ts_session *session;
    uint8_t exporter[32], nonce[TS_PAIR_NONCE_BYTES];
};

static void
call(struct caller *caller)
{
    struct ts_link_options options = {.env = &both.p1.env, .connect_ms = 10000, .max_sessions = 1};

    ck_assert_int_eq(ts_mobile_invite(&caller->uri, &both.p2.env, both.peer_store, both.p2.token, both.p2.keyring,
                         both.address, (int64_t)time(NULL) + 60),
        TS_OK);
    ck_assert_int_eq(ts_identity_load(&caller->identity, &both.p1.env, ts_enterprise_store(both.enterprise),
                         both.p1.token, both.p1.keyring),
        TS_OK);
    options.identity = caller->identity;
    ck_assert_int_eq(ts_link_dial(&caller->link, &options, both.address, caller->uri.key_hash), TS_OK);
    ck_assert_int_eq(ts_link_exporter(caller->link, TS_PAIR_EXPORTER, caller->exporter), TS_OK);
    ck_assert_int_eq(ts_session_open(&caller->session, caller->link), TS_OK);
}

static void
hang_up(struct caller *caller)
{
    ts_session_close(caller->session);
    ts_link_close(caller->link);
    ts_identity_free(caller->identity);
}

/* The secret is shown, a nonce promised, the other side's received. */
static void
prove(struct caller *caller)
{
    struct ts_pair_prove message = {.name = "office"};
    struct ts_message reply;
    struct ts_buf payload;
    uint8_t own[TS_KEY_HASH_BYTES];

    memset(caller->nonce, 5, sizeof caller->nonce);
    ts_identity_key_hash(caller->identity, own);
    ck_assert_int_eq(ts_pair_proof(message.proof, &both.p1.env, caller->uri.secret, TS_ROLE_P1, caller->exporter, own,
                         caller->uri.key_hash),
        TS_OK);
    ck_assert_int_eq(ts_pair_code_commit(message.code, &both.p1.env, caller->exporter, caller->nonce), TS_OK);
    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    ck_assert_int_eq(ts_pair_prove_encode(&payload, &message), TS_OK);
    ck_assert_int_eq(ts_session_send(caller->session, TS_MESSAGE_PAIR_PROVE, payload.data, payload.len, 10000), TS_OK);
    ck_assert_int_eq(ts_session_expect(caller->session, TS_MESSAGE_PAIR_PROVE_REPLY, &reply, 10000), TS_OK);
    ts_message_clear(&reply);
    ts_buf_clear(&payload);
}

static enum ts_error
open_nonce(struct caller *caller)
{
    struct ts_message reply;

    ck_assert_int_eq(
        ts_session_send(caller->session, TS_MESSAGE_PAIR_CODE, caller->nonce, sizeof caller->nonce, 10000), TS_OK);
    enum ts_error error = ts_session_expect(caller->session, TS_MESSAGE_PAIR_CODE_REPLY, &reply, 10000);
    ts_message_clear(&reply);
    return error;
}

START_TEST(the_promised_nonce_is_taken)
{
    struct caller caller;

    call(&caller);
    prove(&caller);
    ck_assert_int_eq(open_nonce(&caller), TS_OK);
    ck_assert_uint_eq(both.asked, 1);
    hang_up(&caller);
}
END_TEST

/* Else whoever sees the other nonce first could choose the digits. */
START_TEST(another_nonce_than_promised_is_cheating)
{
    struct caller caller;

    call(&caller);
    prove(&caller);
    caller.nonce[31] ^= 1;
    ck_assert_int_eq(open_nonce(&caller), TS_CHEATED);
    ck_assert_uint_eq(both.asked, 0); /* nobody was shown digits */
    hang_up(&caller);
}
END_TEST

/* Also by a connection that was there before. */
START_TEST(an_unpaired_partner_is_refused_at_once)
{
    const struct ts_keygen_job job = {.curve = TS_CURVE_P256, .asker = {.label = "k"}};
    struct ts_peer_row *rows = NULL;
    struct ts_new_key key;
    size_t count = 0;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(ts_peer_list(&rows, &count, both.peer_store, both.p2.token), TS_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(ts_peer_ping(both.enterprise, both.p1.token, both.p1.keyring, rows[0].pairing), TS_OK);
    ck_assert_int_eq(ts_peer_delete(both.peer_store, rows[0].pairing), TS_OK);
    free(rows);
    unsigned asked = both.asked;
    ck_assert_int_eq(ts_keygen_enterprise(&key, both.enterprise, both.p1.token, both.p1.keyring, &job), TS_REFUSED);
    ck_assert_uint_eq(both.asked, asked);
}
END_TEST

static void
begin_wrongly(struct ts_link *link, int type)
{
    struct ts_session *session = NULL;
    struct ts_message message;

    ck_assert_int_eq(ts_session_open(&session, link), TS_OK);
    ck_assert_int_eq(ts_session_send(session, type, NULL, 0, 10000), TS_OK);
    ck_assert_int_eq(ts_session_receive(session, &message, 10000), TS_FORMAT);
    const char *words = ts_session_reason(session);
    ck_assert_msg(
        strstr(words, ts_message_name(type)) == words && strstr(words, "came to begin a session"), "%s", words);
    ts_session_close(session);
}

/* Each that no session starts with; the connection goes on. */
START_TEST(a_message_that_begins_nothing_ends_its_session_alone)
{
    struct ts_connection *connection = NULL;
    struct ts_peer_row *rows = NULL;
    size_t count = 0;
    bool fresh;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(ts_peer_list(&rows, &count, ts_enterprise_store(both.enterprise), both.p1.token), TS_OK);
    ck_assert_int_eq(
        ts_connection_acquire(&connection, &fresh, both.enterprise, both.p1.keyring, rows[0].pairing), TS_OK);
    for (int type = TS_MESSAGE_FAILURE + 1; type < 100; type++)
        if ((ts_message_sender(type) & TS_FROM_BOTH) && !ts_message_is_due(TS_MESSAGE_NONE, type))
            begin_wrongly(connection->link, type);
    ck_assert(ts_link_connected(connection->link));
    ts_connection_release(both.enterprise, connection);
    ck_assert_int_eq(
        ts_connection_acquire(&connection, &fresh, both.enterprise, both.p1.keyring, rows[0].pairing), TS_OK);
    ck_assert(!fresh);
    ts_connection_release(both.enterprise, connection);
    free(rows);
}
END_TEST

START_TEST(unpairing_ends_the_connection)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(ts_peer_list(&rows, &count, ts_enterprise_store(both.enterprise), both.p1.token), TS_OK);
    ck_assert_int_eq(ts_peer_ping(both.enterprise, both.p1.token, both.p1.keyring, rows[0].pairing), TS_OK);
    ck_assert(ts_partner_present(both.enterprise, rows[0].pairing));
    ck_assert_int_eq(ts_peer_unpair(both.enterprise, both.p1.token, rows[0].name), TS_OK);
    ck_assert(!ts_partner_present(both.enterprise, rows[0].pairing));
    free(rows);
}
END_TEST

static void *
watch(void *mobile)
{
    ts_mobile_watch(mobile, NULL);
    return NULL;
}

/* Nothing is asked on it: who is unpaired has no connection any more. */
START_TEST(an_unpaired_partner_loses_its_connection)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;
    pthread_t watcher;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(ts_peer_list(&rows, &count, both.peer_store, both.p2.token), TS_OK);
    ck_assert_int_eq(ts_peer_ping(both.enterprise, both.p1.token, both.p1.keyring, rows[0].pairing), TS_OK);
    ck_assert(ts_partner_present(both.enterprise, rows[0].pairing));
    ck_assert_int_eq(pthread_create(&watcher, NULL, watch, both.mobile), 0);
    ck_assert_int_eq(ts_peer_delete(both.peer_store, rows[0].pairing), TS_OK);
    while (ts_partner_present(both.enterprise, rows[0].pairing)) /* the test's own time limit is the deadline */
        (void)sched_yield();
    ts_mobile_shutdown(both.mobile);
    ck_assert_int_eq(pthread_join(watcher, NULL), 0);
    free(rows);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pairing");
    TCase *tests = tcase_create("pairing");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_promised_nonce_is_taken);
    tcase_add_test(tests, another_nonce_than_promised_is_cheating);
    tcase_add_test(tests, an_unpaired_partner_is_refused_at_once);
    tcase_add_test(tests, an_unpaired_partner_loses_its_connection);
    tcase_add_test(tests, a_message_that_begins_nothing_ends_its_session_alone);
    tcase_add_test(tests, unpairing_ends_the_connection);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
