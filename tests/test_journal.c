#include "session/journal.h"
#include "tests/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ts_env env;
static char folder[128], store[160], file[200];
static uint64_t now_ns;
static struct ts_journal *journal;

static uint64_t
told_time(void *ctx)
{
    (void)ctx;
    return now_ns;
}

static void
set_up(void)
{
    const char *base = getenv("TMPDIR");

    (void)snprintf(folder, sizeof folder, "%s/tallystick-test-XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(store, sizeof store, "%s/token.db", folder);
    (void)snprintf(file, sizeof file, "%s-sessions", store);
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    env.clock.realtime_ns = told_time;
    now_ns = 1700000000000000000u;
    ck_assert_int_eq(ts_journal_open(&journal, &env, store, 3600, NULL), TS_OK);
}

static void
tear_down(void)
{
    char command[200];

    ts_journal_close(journal);
    ts_env_clear(&env);
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct ts_journal_entry *
begin(uint8_t id, enum ts_journal_kind kind, const char *partner)
{
    uint8_t bytes[TS_ID_BYTES];
    struct ts_journal_entry *entry = NULL;

    memset(bytes, id, sizeof bytes);
    const struct ts_journal_start start = {.kind = kind, .id = bytes, .partner = partner};
    ck_assert_int_eq(ts_journal_begin(&entry, journal, &start), TS_OK);
    ck_assert_ptr_nonnull(entry);
    return entry;
}

static struct ts_journal_row
get(uint8_t id)
{
    uint8_t bytes[TS_ID_BYTES];
    struct ts_journal_row row;

    memset(bytes, id, sizeof bytes);
    ck_assert_int_eq(ts_journal_get(&row, journal, bytes), TS_OK);
    return row;
}

/* The ids of a list as one text. */
static void
check_list(const struct ts_journal_filter *filter, const char *expected)
{
    struct ts_journal_row *rows = NULL;
    size_t count = 0;
    char ids[100] = "";

    ck_assert_int_eq(ts_journal_list(&rows, &count, journal, filter), TS_OK);
    for (size_t i = 0; i < count; i++)
        (void)snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%u ", rows[i].id[0]);
    free(rows);
    ck_assert_str_eq(ids, expected);
}

START_TEST(a_record_goes_through_its_steps)
{
    const uint8_t key[TS_ID_BYTES] = {9}, presignature[TS_ID_BYTES] = {7};
    struct ts_journal_entry *entry = begin(1, TS_JOURNAL_SIGN, "phone");
    struct ts_journal_row row = get(1);

    ck_assert_int_eq(row.status, TS_JOURNAL_RUNNING);
    ck_assert_str_eq(row.step, "STARTED");
    ck_assert_str_eq(row.partner, "phone");
    ck_assert(!row.has_key);
    ck_assert_int_eq(row.started_ms, 1700000000000);
    now_ns += 5000000;
    ts_journal_key(entry, key, "a\nlabel");
    ts_journal_asker(entry, "nginx", "host", NULL);
    ts_journal_wait(entry, true);
    row = get(1);
    ck_assert_int_eq(row.status, TS_JOURNAL_WAITING);
    ck_assert(row.has_key && memcmp(row.key, key, sizeof key) == 0);
    ck_assert_str_eq(row.label, "a?label");
    ck_assert_str_eq(row.application, "nginx");
    ck_assert_str_eq(row.user, "");
    ck_assert_int_eq(row.updated_ms, 1700000000005);
    ts_journal_step(entry, "SIGN_ROUND_1");
    ts_journal_presignature(entry, presignature, (const uint8_t *)"request", 7);
    ts_journal_answer(entry, (const uint8_t *)"answer", 6);
    ck_assert_int_eq(get(1).status, TS_JOURNAL_RUNNING);
    ts_journal_end(entry, TS_OK, NULL);
    row = get(1);
    ck_assert_int_eq(row.status, TS_JOURNAL_COMPLETED);
    ck_assert_str_eq(row.step, "COMPLETED");
    ck_assert_mem_eq(row.presignature, presignature, sizeof presignature);
    /* printf answer | sha256sum */
    ck_assert_mem_eq(row.answer, "\x0d\xb5\x2f\x40\x76\xc0\x82\x51\x84\x12\xaf\xd3\xdd\x35\x76\xe2", 16);
    ck_assert_mem_ne(row.answer, row.request, sizeof row.answer);
}
END_TEST

START_TEST(an_end_has_its_status)
{
    static const struct {
        enum ts_error error;
        enum ts_journal_status status;
    } ends[] = {{TS_OK, TS_JOURNAL_COMPLETED}, {TS_REFUSED, TS_JOURNAL_REFUSED}, {TS_TIMEOUT, TS_JOURNAL_TIMED_OUT},
        {TS_IO, TS_JOURNAL_FAILED}, {TS_CHEATED, TS_JOURNAL_FAILED}};

    for (uint8_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct ts_journal_entry *entry = begin(i, TS_JOURNAL_KEYGEN, "phone");
        ts_journal_step(entry, "KEYGEN_P2");
        ts_journal_end(entry, ends[i].error, "so it is");
        struct ts_journal_row row = get(i);
        ck_assert_int_eq(row.status, ends[i].status);
        ck_assert_int_eq(row.error, ends[i].error);
        ck_assert_str_eq(row.words, "so it is");
        ck_assert_str_eq(row.step, ends[i].error == TS_OK ? "COMPLETED" : "KEYGEN_P2");
    }
    ts_journal_cancel(begin(20, TS_JOURNAL_SIGN, "phone"), "gone");
    ck_assert_int_eq(get(20).status, TS_JOURNAL_CANCELLED);
}
END_TEST

START_TEST(an_id_is_used_once)
{
    const uint8_t id[TS_ID_BYTES] = {1};
    const struct ts_journal_start start = {.kind = TS_JOURNAL_SIGN, .id = id};
    const struct ts_journal_start any = {.kind = TS_JOURNAL_SIGN};
    struct ts_journal_entry *entry = NULL, *other = NULL;

    ck_assert_int_eq(ts_journal_begin(&entry, journal, &start), TS_OK);
    ck_assert_int_eq(ts_journal_begin(&other, journal, &start), TS_EXISTS);
    ck_assert_ptr_null(other);
    ts_journal_end(entry, TS_OK, NULL);
    ck_assert_int_eq(ts_journal_begin(&other, journal, &start), TS_EXISTS);
    ck_assert_int_eq(ts_journal_begin(&entry, journal, &any), TS_OK);
    ck_assert_int_eq(ts_journal_begin(&other, journal, &any), TS_OK);
    ts_journal_end(entry, TS_OK, NULL);
    ts_journal_end(other, TS_OK, NULL);
}
END_TEST

START_TEST(lists_are_filtered_and_paged)
{
    const uint8_t key[TS_ID_BYTES] = {9}, second[TS_ID_BYTES] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    const uint8_t unknown[TS_ID_BYTES] = {99};
    struct ts_journal_row *rows;
    size_t count;

    for (uint8_t i = 1; i <= 4; i++) {
        struct ts_journal_entry *entry =
            begin(i, i == 3 ? TS_JOURNAL_KEYGEN : TS_JOURNAL_SIGN, i == 4 ? "tablet" : "phone");
        if (i >= 3)
            ts_journal_key(entry, key, NULL);
        ts_journal_end(entry, i == 1 ? TS_REFUSED : TS_OK, NULL);
    }
    check_list(&(struct ts_journal_filter){0}, "4 3 2 1 ");
    check_list(&(struct ts_journal_filter){.limit = 2}, "4 3 ");
    check_list(&(struct ts_journal_filter){.after = second}, "1 ");
    check_list(&(struct ts_journal_filter){.partner = "phone"}, "3 2 1 ");
    check_list(&(struct ts_journal_filter){.partner = "nobody"}, "");
    check_list(&(struct ts_journal_filter){.key = key}, "4 3 ");
    check_list(&(struct ts_journal_filter){.kind = TS_JOURNAL_SIGN, .status = TS_JOURNAL_COMPLETED}, "4 2 ");
    check_list(&(struct ts_journal_filter){.kind = TS_JOURNAL_SIGN, .partner = "phone", .limit = 1}, "2 ");
    ck_assert_int_eq(
        ts_journal_list(&rows, &count, journal, &(struct ts_journal_filter){.after = unknown}), TS_NOT_FOUND);
}
END_TEST

/* Each step once and in order, however often one asks. */
START_TEST(changes_come_in_order)
{
    static const char *const steps[] = {"STARTED", "SIGN_ROUND_1", "SIGN_ROUND_1_REPLY", "REFUSED"};
    struct ts_journal_event *events;
    uint64_t cursor;
    size_t count;

    ts_journal_end(begin(1, TS_JOURNAL_SIGN, "phone"), TS_OK, NULL);
    ck_assert_int_eq(ts_journal_cursor(&cursor, journal), TS_OK);
    struct ts_journal_entry *entry = begin(2, TS_JOURNAL_SIGN, "phone");
    ts_journal_step(entry, steps[1]);
    ts_journal_step(entry, steps[2]);
    ts_journal_end(entry, TS_REFUSED, NULL);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        ck_assert_int_eq(ts_journal_changes(&events, &count, journal, cursor, 1), TS_OK);
        ck_assert_uint_eq(count, 1);
        ck_assert_str_eq(events[0].step, steps[i]);
        ck_assert_uint_eq(events[0].id[0], 2);
        ck_assert_uint_gt(events[0].number, cursor);
        cursor = events[0].number;
        free(events);
    }
    ck_assert_int_eq(ts_journal_changes(&events, &count, journal, cursor, 0), TS_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(events);
    ck_assert_int_eq(ts_journal_changes(&events, &count, journal, cursor + 1000, 0), TS_OK);
    ck_assert_uint_eq(count, 6); /* of a journal that was begun anew */
    free(events);
}
END_TEST

/* A process that dies leaves records that no longer go on; those of a living one do. */
START_TEST(the_dead_are_interrupted)
{
    struct ts_journal_entry *own = begin(1, TS_JOURNAL_SIGN, "phone");
    struct ts_journal_event *events;
    uint64_t cursor;
    size_t count;

    ck_assert_int_eq(ts_journal_cursor(&cursor, journal), TS_OK);
    pid_t child = fork();
    if (child == 0) {
        struct ts_journal *theirs;
        struct ts_journal_entry *entry;
        const uint8_t id[TS_ID_BYTES] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
        const struct ts_journal_start start = {.kind = TS_JOURNAL_KEYGEN, .id = id, .partner = "phone"};
        if (ts_journal_open(&theirs, &env, store, 3600, NULL) == TS_OK)
            (void)ts_journal_begin(&entry, theirs, &start);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    check_list(&(struct ts_journal_filter){.status = TS_JOURNAL_INTERRUPTED}, "2 ");
    check_list(&(struct ts_journal_filter){.status = TS_JOURNAL_RUNNING}, "1 ");
    ck_assert_int_eq(ts_journal_changes(&events, &count, journal, cursor, 0), TS_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(events[1].step, "INTERRUPTED");
    ck_assert_int_eq(events[1].status, TS_JOURNAL_INTERRUPTED);
    free(events);
    ts_journal_end(own, TS_OK, NULL);
}
END_TEST

START_TEST(old_records_are_forgotten)
{
    struct ts_journal_event *events;
    size_t count;

    ts_journal_end(begin(1, TS_JOURNAL_SIGN, "phone"), TS_OK, NULL);
    struct ts_journal_entry *going_on = begin(2, TS_JOURNAL_SIGN, "phone");
    now_ns += 3000 * UINT64_C(1000000000);
    ts_journal_end(begin(3, TS_JOURNAL_SIGN, "phone"), TS_OK, NULL);
    now_ns += 1000 * UINT64_C(1000000000);
    /* Another process comes; it is the first use that clears up. */
    struct ts_journal *later;
    struct ts_journal_entry *entry;
    ck_assert_int_eq(ts_journal_open(&later, &env, store, 3600, NULL), TS_OK);
    const struct ts_journal_start start = {.kind = TS_JOURNAL_SIGN};
    ck_assert_int_eq(ts_journal_begin(&entry, later, &start), TS_OK);
    check_list(&(struct ts_journal_filter){.status = TS_JOURNAL_COMPLETED}, "3 ");
    check_list(&(struct ts_journal_filter){.after = (const uint8_t[TS_ID_BYTES]){3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
                                               3, 3, 3}},
        "2 ");
    ck_assert_int_eq(ts_journal_changes(&events, &count, journal, 0, 1), TS_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(events[0].id[0], 3);
    free(events);
    ts_journal_end(entry, TS_OK, NULL);
    ts_journal_close(later);
    ts_journal_end(going_on, TS_OK, NULL);
}
END_TEST

START_TEST(a_damaged_file_is_put_aside)
{
    char other[220];
    struct stat status;
    FILE *out = fopen(file, "w");

    ck_assert_ptr_nonnull(out);
    for (int i = 0; i < 5000; i++)
        (void)fputs("no database", out);
    ck_assert_int_eq(fclose(out), 0);
    ts_journal_end(begin(1, TS_JOURNAL_SIGN, "phone"), TS_OK, NULL);
    check_list(&(struct ts_journal_filter){0}, "1 ");
    (void)snprintf(other, sizeof other, "%s.damaged", file);
    ck_assert_int_eq(stat(other, &status), 0);
    ck_assert_int_eq(stat(file, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

/* Nothing that matters depends on the journal. */
START_TEST(without_a_place_nothing_is_recorded)
{
    struct ts_journal *nowhere;
    struct ts_journal_entry *entry;
    const struct ts_journal_start start = {.kind = TS_JOURNAL_SIGN};
    uint8_t id[TS_ID_BYTES];

    ck_assert_int_eq(ts_journal_open(&nowhere, &env, "/nonexistent/token.db", 60, NULL), TS_OK);
    ck_assert_int_eq(ts_journal_begin(&entry, nowhere, &start), TS_OK);
    ck_assert_ptr_null(entry);
    ts_journal_step(entry, "SIGN_ROUND_1");
    ts_journal_wait(entry, true);
    ts_journal_key(entry, id, NULL);
    ts_journal_partner(entry, "x");
    ts_journal_asker(entry, "x", "x", "x");
    ts_journal_presignature(entry, id, id, sizeof id);
    ts_journal_answer(entry, id, sizeof id);
    ts_journal_change_kind(entry, TS_JOURNAL_PRESIGN);
    ts_journal_end(entry, TS_OK, NULL);
    ts_journal_close(nowhere);
    ck_assert_int_eq(ts_journal_begin(&entry, NULL, &start), TS_OK);
    ck_assert_ptr_null(entry);
}
END_TEST

/* One who only reads makes no file, which might belong to another user than the writer's. */
START_TEST(reading_makes_nothing)
{
    struct ts_journal_row row;
    struct ts_journal_event *events;
    uint64_t cursor;
    size_t count;

    check_list(&(struct ts_journal_filter){0}, "");
    ck_assert_int_eq(ts_journal_get(&row, journal, (const uint8_t[TS_ID_BYTES]){1}), TS_NOT_FOUND);
    ck_assert_int_eq(ts_journal_cursor(&cursor, journal), TS_OK);
    ck_assert_uint_eq(cursor, 0);
    ck_assert_int_eq(ts_journal_changes(&events, &count, journal, 0, 0), TS_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

START_TEST(names_are_found)
{
    for (int status = TS_JOURNAL_RUNNING; status <= TS_JOURNAL_INTERRUPTED; status++)
        ck_assert_int_eq(ts_journal_status_find(ts_journal_status_name((enum ts_journal_status)status)), status);
    for (int kind = TS_JOURNAL_PAIRING; kind <= TS_JOURNAL_REFRESH; kind++)
        ck_assert_int_eq(ts_journal_kind_find(ts_journal_kind_name((enum ts_journal_kind)kind)), kind);
    ck_assert_int_eq(ts_journal_status_find("waiting_for_partner"), TS_JOURNAL_WAITING);
    ck_assert_int_eq(ts_journal_status_find("nonsense"), 0);
    ck_assert_str_eq(ts_journal_status_name((enum ts_journal_status)99), "?");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_record_goes_through_its_steps);
    tcase_add_test(tests, an_end_has_its_status);
    tcase_add_test(tests, an_id_is_used_once);
    tcase_add_test(tests, lists_are_filtered_and_paged);
    tcase_add_test(tests, changes_come_in_order);
    tcase_add_test(tests, the_dead_are_interrupted);
    tcase_add_test(tests, old_records_are_forgotten);
    tcase_add_test(tests, a_damaged_file_is_put_aside);
    tcase_add_test(tests, without_a_place_nothing_is_recorded);
    tcase_add_test(tests, reading_makes_nothing);
    tcase_add_test(tests, names_are_found);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
