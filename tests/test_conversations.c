#include "transport/message.h"
#include "tests/check_main.h"
#include "tests/two_sides.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static enum ts_half_state
peer_half_state(const struct ts_new_key *key)
{
    struct ts_half_row row;

    ck_assert_int_eq(ts_half_get(&row, both.peer_store, key->key, true), TS_OK);
    return row.state;
}

START_TEST(pair_keygen_sign)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_NOT_FOUND); /* nobody is paired */
    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_pair(&both), TS_EXISTS);
    for (enum ts_curve curve = TS_CURVE_P256; curve <= TS_CURVE_SECP256K1; curve++) {
        ck_assert_int_eq(two_sides_make_key(&both, &key, curve), TS_OK);
        ck_assert_int_eq(peer_half_state(&key), TS_HALF_ACTIVE);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(two_sides_sign(&both, &key, "a message to sign"), TS_OK);
    }
    ck_assert_str_eq(both.shown_label, "signing key");
    ck_assert_str_eq(both.shown_mechanism, "ECDSA-SHA256");
    ck_assert_mem_eq(both.shown_message, "a message to sign", 17);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P384), TS_USAGE); /* not with 2048 bits */
}
END_TEST

static size_t
farewells_left(void)
{
    struct ts_peer_row *peers = NULL;
    struct ts_farewell_row *rows = NULL;
    size_t count = 0;

    ck_assert_int_eq(ts_peer_list(&peers, &count, ts_enterprise_store(both.enterprise), both.p1.token), TS_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(ts_farewell_list(&rows, &count, ts_enterprise_store(both.enterprise), peers[0].pairing), TS_OK);
    free(rows);
    free(peers);
    return count;
}

static enum ts_error
make_temporary_key(struct ts_new_key *key)
{
    const struct ts_keygen_job job = {
        .curve = TS_CURVE_P256, .asker = {.label = "of a session", .application = "test", .temporary = true}};

    return ts_keygen_enterprise(key, both.enterprise, both.p1.token, both.p1.keyring, &job);
}

START_TEST(a_temporary_key_ends_on_both_sides)
{
    struct ts_new_key key, away;
    struct ts_half_row row;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(make_temporary_key(&key), TS_OK);
    ck_assert_int_eq(make_temporary_key(&away), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &key, "while it lasts"), TS_OK);
    ck_assert_int_eq(ts_key_destroy(both.enterprise, key.key), TS_OK);
    ck_assert_int_eq(peer_half_state(&key), TS_HALF_ACTIVE); /* no network so far */
    ts_enterprise_farewell(both.enterprise, both.p1.token);
    ck_assert_int_eq(ts_half_get(&row, both.peer_store, key.key, true), TS_NOT_FOUND);
    ck_assert_uint_eq(farewells_left(), 0);
    /* The peer is away: it hears of it when it is back. */
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    two_sides_stop_peer(&both);
    ck_assert_int_eq(ts_key_destroy(both.enterprise, away.key), TS_OK);
    ts_enterprise_farewell(both.enterprise, both.p1.token);
    ck_assert_uint_eq(farewells_left(), 1);
    two_sides_start_peer(&both);
    ck_assert_int_eq(peer_half_state(&away), TS_HALF_ACTIVE);
    ck_assert_int_eq(two_sides_sign(&both, &key, "back"), TS_OK);
    ck_assert_int_eq(ts_half_get(&row, both.peer_store, away.key, true), TS_NOT_FOUND);
    ck_assert_uint_eq(farewells_left(), 0);
}
END_TEST

/* What was made to last cannot be ended from afar, whatever the enterprise's store says. */
START_TEST(a_lasting_key_is_not_ended_from_afar)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    ck_assert_int_eq(ts_key_lend(both.enterprise, key.key), TS_OK);
    ck_assert_int_eq(ts_key_destroy(both.enterprise, key.key), TS_OK);
    ck_assert_uint_eq(farewells_left(), 1);
    ts_enterprise_farewell(both.enterprise, both.p1.token);
    ck_assert_int_eq(peer_half_state(&key), TS_HALF_ACTIVE);
    ck_assert_uint_eq(farewells_left(), 0); /* it was answered */
}
END_TEST

START_TEST(the_living_are_not_buried)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(make_temporary_key(&key), TS_OK);
    ck_assert_int_eq(ts_keys_bury(both.enterprise, both.p1.token), TS_OK);
    ck_assert_int_eq(two_sides_sign(&both, &key, "alive"), TS_OK);
    two_sides_restart_enterprise(&both); /* as if the process ended and another came */
    ck_assert_int_eq(ts_keys_bury(both.enterprise, both.p1.token), TS_OK);
    ck_assert_int_eq(ts_key_usable(both.enterprise, key.key), TS_NOT_FOUND);
    ck_assert_uint_eq(farewells_left(), 1);
}
END_TEST

START_TEST(refusal_and_silence_do_not_lock)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    both.verdict = TS_REFUSED;
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_REFUSED);
    both.verdict = TS_OK;
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    both.verdict = TS_REFUSED;
    ck_assert_int_eq(two_sides_sign(&both, &key, "no"), TS_REFUSED);
    both.verdict = TS_TIMEOUT;
    both.p1.config.timeout.approval = 300; /* P1 gives up first, and cancels the question */
    ck_assert_int_eq(two_sides_sign(&both, &key, "silence"), TS_TIMEOUT);
    both.p1.config.timeout.approval = 10000;
    both.p2.config.timeout.approval = 300; /* P2 gives up first */
    ck_assert_int_eq(two_sides_sign(&both, &key, "silence"), TS_TIMEOUT);
    both.verdict = TS_OK;
    ck_assert_int_eq(two_sides_sign(&both, &key, "yes"), TS_OK);
    ck_assert_int_eq(ts_key_usable(both.enterprise, key.key), TS_OK);
}
END_TEST

START_TEST(the_peer_goes_and_comes_back)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    two_sides_stop_peer(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "nobody there"), TS_IO);
    two_sides_start_peer(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "back"), TS_OK);
    two_sides_stop_peer(&both); /* the kept connection is stale now */
    two_sides_start_peer(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "back again"), TS_OK);
    two_sides_restart_enterprise(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "both again"), TS_OK);
}
END_TEST

static void
corrupt_sigma(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits)
{
    (void)curve;
    (void)bits;
    if (type == TS_MESSAGE_SIGN_ROUND_3 && payload->len)
        payload->data[payload->len - 1] ^= 1; /* the last byte of sigma, the last item */
}

START_TEST(a_wrong_answer_locks_for_good)
{
    struct ts_new_key key;
    struct ts_half_row row;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    two_sides_stop_peer(&both);
    both.tamper = corrupt_sigma;
    two_sides_start_peer(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "cheated"), TS_CHEATED);
    ck_assert_int_eq(ts_key_usable(both.enterprise, key.key), TS_LOCKED);
    ck_assert_int_eq(ts_half_get(&row, both.peer_store, key.key, false), TS_OK);
    ck_assert(row.locked); /* the other side was told */
    two_sides_stop_peer(&both);
    both.tamper = NULL;
    two_sides_start_peer(&both);
    two_sides_restart_enterprise(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "honest again"), TS_LOCKED);
}
END_TEST

static void
truncate_answer(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits)
{
    (void)curve;
    (void)bits;
    if (type == TS_MESSAGE_SIGN_ROUND_3 && payload->len)
        payload->len--;
}

START_TEST(what_does_not_parse_closes_the_connection_but_locks_nothing)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    two_sides_stop_peer(&both);
    both.tamper = truncate_answer;
    two_sides_start_peer(&both);
    ck_assert_int_eq(two_sides_sign(&both, &key, "garbage"), TS_FORMAT);
    ck_assert_int_eq(two_sides_sign(&both, &key, "garbage"), TS_FORMAT);
    ck_assert_uint_eq(both.server_count, 2); /* each on a connection of its own */
    ck_assert_int_eq(ts_key_usable(both.enterprise, key.key), TS_OK);
}
END_TEST

/* What both sides know of one conversation fits together. */
static void
check_journals(enum ts_journal_kind kind, enum ts_journal_status status)
{
    struct ts_journal *theirs;

    ck_assert_int_eq(ts_journal_open(&theirs, &both.p2.env, both.p2.path, 3600, NULL), TS_OK);
    struct ts_journal_row ours = two_sides_newest(ts_enterprise_journal(both.enterprise), kind),
                          peer = two_sides_newest(theirs, kind);
    ts_journal_close(theirs);
    ck_assert_int_eq(ours.status, status);
    ck_assert_mem_eq(ours.conversation, peer.conversation, TS_ID_BYTES);
    ck_assert_mem_eq(peer.id, peer.conversation, TS_ID_BYTES);
    ck_assert_str_eq(ours.partner, "phone");
    ck_assert_str_eq(peer.partner, "token");
    ck_assert(ours.has_key == peer.has_key);
    ck_assert_mem_eq(ours.key, peer.key, TS_ID_BYTES);
    ck_assert_str_eq(ours.label, peer.label);
    ck_assert_mem_eq(ours.presignature, peer.presignature, TS_ID_BYTES);
    ck_assert_mem_eq(ours.request, peer.request, TS_ID_BYTES);
    ck_assert_mem_eq(ours.answer, peer.answer, TS_ID_BYTES);
    if (kind != TS_JOURNAL_PAIRING)
        ck_assert_str_eq(peer.application, "test");
}

START_TEST(both_sides_keep_a_journal)
{
    static const uint8_t none[TS_ID_BYTES];
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    check_journals(TS_JOURNAL_PAIRING, TS_JOURNAL_COMPLETED);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    check_journals(TS_JOURNAL_KEYGEN, TS_JOURNAL_COMPLETED);
    ck_assert_mem_eq(
        two_sides_newest(ts_enterprise_journal(both.enterprise), TS_JOURNAL_KEYGEN).key, key.key, TS_ID_BYTES);
    ck_assert_int_eq(two_sides_sign(&both, &key, "a message"), TS_OK);
    check_journals(TS_JOURNAL_SIGN, TS_JOURNAL_COMPLETED);
    struct ts_journal_row first = two_sides_newest(ts_enterprise_journal(both.enterprise), TS_JOURNAL_SIGN);
    ck_assert_mem_ne(first.presignature, none, TS_ID_BYTES);
    ck_assert_mem_ne(first.answer, none, TS_ID_BYTES);
    both.verdict = TS_REFUSED;
    ck_assert_int_eq(two_sides_sign(&both, &key, "a message"), TS_REFUSED);
    check_journals(TS_JOURNAL_SIGN, TS_JOURNAL_REFUSED);
    struct ts_journal_row second = two_sides_newest(ts_enterprise_journal(both.enterprise), TS_JOURNAL_SIGN);
    ck_assert_str_eq(second.step, "SIGN_ROUND_2");
    ck_assert_str_eq(second.words, "refused at the device");
    ck_assert_mem_ne(second.presignature, first.presignature, TS_ID_BYTES);
    ck_assert_mem_eq(second.answer, none, TS_ID_BYTES);
}
END_TEST

START_TEST(the_digest_is_recomputed)
{
    struct ts_new_key key;
    uint8_t digest[32] = {1}, signature[132];
    size_t len = sizeof signature;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    struct ts_sign_job job = {.mechanism = "ECDSA-SHA256",
        .digest = digest,
        .digest_len = 32,
        .message = (const uint8_t *)"harmless",
        .message_len = 8};
    memcpy(job.key, key.key, sizeof job.key);
    unsigned asked = both.asked;
    ck_assert_int_eq(
        ts_sign_enterprise(signature, &len, both.enterprise, both.p1.token, both.p1.keyring, &job), TS_FORMAT);
    job.message = NULL;
    job.message_len = 0; /* a mechanism that hashes without its message hides what is signed */
    ck_assert_int_eq(
        ts_sign_enterprise(signature, &len, both.enterprise, both.p1.token, both.p1.keyring, &job), TS_FORMAT);
    job.mechanism = "ECDSA-ROT13";
    ck_assert_int_eq(
        ts_sign_enterprise(signature, &len, both.enterprise, both.p1.token, both.p1.keyring, &job), TS_FORMAT);
    ck_assert_uint_eq(both.asked, asked); /* nobody was shown any of it */
    job.mechanism = "ECDSA";
    ck_assert_int_eq(ts_sign_enterprise(signature, &len, both.enterprise, both.p1.token, both.p1.keyring, &job), TS_OK);
}
END_TEST

static struct ts_new_key shared_key;

static void *
sign_some(void *argument)
{
    (void)argument;
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(two_sides_sign(&both, &shared_key, "at once"), TS_OK);
    return NULL;
}

START_TEST(threads_share_one_connection)
{
    pthread_t threads[6];

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_int_eq(two_sides_make_key(&both, &shared_key, TS_CURVE_P256), TS_OK);
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_some, NULL), 0);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_le(both.server_count, 2); /* pairing, and one connection for all */
}
END_TEST

static void
wrong_confirmation(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits)
{
    (void)curve;
    (void)bits;
    if (type == TS_MESSAGE_KEYGEN_CONFIRM)
        payload->data[0] ^= 1;
}

static size_t
halves_of_peer(void)
{
    struct ts_half_row *rows = NULL;
    size_t count = 0;

    ck_assert_int_eq(ts_half_list(&rows, &count, both.peer_store, both.p2.token), TS_OK);
    free(rows);
    return count;
}

/* The peer has stored its half as pending, and its answer is lost or wrong: it is told that no key was made, now or when
   it is there again. */
START_TEST(a_run_that_fails_at_the_end_leaves_nothing)
{
    struct ts_new_key key;

    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    two_sides_stop_peer(&both);
    both.tamper = wrong_confirmation;
    two_sides_start_peer(&both);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_CHEATED);
    ck_assert_uint_eq(halves_of_peer(), 0);
    ck_assert_uint_eq(farewells_left(), 0);
    two_sides_stop_peer(&both);
    both.tamper = NULL;
    two_sides_start_peer(&both);
    ck_assert_int_eq(two_sides_make_key(&both, &key, TS_CURVE_P256), TS_OK);
    ck_assert_uint_eq(farewells_left(), 0);
    ck_assert_int_eq(peer_half_state(&key), TS_HALF_ACTIVE);
}
END_TEST

/* The digits are the same on both sides, others each time, and either person can stop it. */
START_TEST(both_people_compare_the_code)
{
    char first[8];

    both.own_verdict = TS_REFUSED;
    ck_assert_int_eq(two_sides_pair(&both), TS_REFUSED);
    ck_assert_uint_eq(strlen(both.own_code), 6);
    ck_assert_uint_eq(strspn(both.own_code, "0123456789"), 6);
    (void)snprintf(first, sizeof first, "%s", both.own_code);
    both.own_verdict = TS_OK;
    both.verdict = TS_REFUSED;
    ck_assert_int_eq(two_sides_pair(&both), TS_REFUSED);
    both.verdict = TS_OK;
    ck_assert_int_eq(two_sides_pair(&both), TS_OK);
    ck_assert_str_eq(both.own_code, both.shown_code);
    ck_assert_str_ne(both.own_code, first);
}
END_TEST

START_TEST(an_invitation_is_for_one_pairing_and_three_tries)
{
    struct ts_pair_uri uri;
    struct ts_peer_row row;
    char text[512];

    ck_assert_int_eq(
        ts_mobile_invite(&uri, &both.p2.env, both.peer_store, both.p2.token, both.p2.keyring, both.address, INT64_MAX),
        TS_OK);
    uri.secret[0] ^= 1;
    ck_assert_int_eq(ts_pair_uri_encode(text, sizeof text, &uri), TS_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ts_pair_enterprise(
                             &row, both.enterprise, both.p1.token, both.p1.keyring, &(struct ts_pair_job){.uri = text}),
            TS_REFUSED);
    uri.secret[0] ^= 1; /* right, too late: with no invitation open the unknown caller is not let in */
    ck_assert_int_eq(ts_pair_uri_encode(text, sizeof text, &uri), TS_OK);
    ck_assert_int_ne(
        ts_pair_enterprise(&row, both.enterprise, both.p1.token, both.p1.keyring, &(struct ts_pair_job){.uri = text}),
        TS_OK);
    ck_assert_int_eq(two_sides_pair(&both), TS_OK); /* the primes were not lost on the way */
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conversations");
    TCase *tests = tcase_create("conversations");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, pair_keygen_sign);
    tcase_add_test(tests, a_temporary_key_ends_on_both_sides);
    tcase_add_test(tests, a_lasting_key_is_not_ended_from_afar);
    tcase_add_test(tests, the_living_are_not_buried);
    tcase_add_test(tests, refusal_and_silence_do_not_lock);
    tcase_add_test(tests, the_peer_goes_and_comes_back);
    tcase_add_test(tests, a_wrong_answer_locks_for_good);
    tcase_add_test(tests, what_does_not_parse_closes_the_connection_but_locks_nothing);
    tcase_add_test(tests, both_sides_keep_a_journal);
    tcase_add_test(tests, the_digest_is_recomputed);
    tcase_add_test(tests, threads_share_one_connection);
    tcase_add_test(tests, a_run_that_fails_at_the_end_leaves_nothing);
    tcase_add_test(tests, both_people_compare_the_code);
    tcase_add_test(tests, an_invitation_is_for_one_pairing_and_three_tries);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
