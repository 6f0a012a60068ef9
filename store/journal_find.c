#include "store/journal_db.h"

#include <stdlib.h>

#define SELECT_SESSION "SELECT " TS_JOURNAL_COLUMNS " FROM session"

/* --- those whose process has ended --- */

static enum ts_error
list_holders(uint64_t **out, size_t *count, struct ts_store *db)
{
    struct ts_query query;
    void *list = NULL;
    enum ts_error error = TS_OK;

    *count = 0;
    ts_query_start(&query, db, "SELECT DISTINCT holder FROM session WHERE status < 3");
    while (error == TS_OK && ts_query_row(&query)) {
        uint64_t holder = (uint64_t)ts_query_get_int(&query, 0);
        error = ts_list_append(&list, count, &holder, sizeof holder);
    }
    enum ts_error ended = ts_query_end(&query);
    *out = list;
    return error == TS_OK ? ended : error;
}

static enum ts_error
interrupt(struct ts_store *db, uint64_t holder, int64_t now_ms)
{
    static const char *const statements[] = {
        "INSERT INTO event(id, status, step, at) SELECT id, 8, 'INTERRUPTED', ?2 FROM session"
        " WHERE status < 3 AND holder = ?1 ORDER BY number",
        "UPDATE session SET status = 8, updated = ?2, words = 'its process ended' WHERE status < 3 AND holder = ?1",
    };
    enum ts_error error = ts_store_begin(db);

    if (error != TS_OK)
        return error;
    for (size_t i = 0; error == TS_OK && i < sizeof statements / sizeof *statements; i++) {
        struct ts_query query;
        ts_query_start(&query, db, statements[i]);
        ts_query_int(&query, (int64_t)holder);
        ts_query_int(&query, now_ms);
        error = ts_query_run(&query);
    }
    return ts_store_finish(db, error);
}

enum ts_error
ts_journal_rows_settle(struct ts_journal_rows *rows, const struct ts_holder *holder, int64_t now_ms)
{
    uint64_t *holders = NULL;
    size_t count = 0;
    enum ts_error error = list_holders(&holders, &count, rows->db);

    for (size_t i = 0; error == TS_OK && i < count; i++)
        if (!ts_holder_alive(holder, holders[i]))
            error = interrupt(rows->db, holders[i], now_ms);
    free(holders);
    return error;
}

/* --- reading --- */

static void
read_key(struct ts_journal_row *row, struct ts_query *query)
{
    struct ts_buf key;

    ts_buf_init(&key, sizeof row->key);
    ts_query_get_bytes(query, 4, &key);
    row->has_key = key.len == sizeof row->key;
    for (size_t i = 0; row->has_key && i < key.len; i++)
        row->key[i] = key.data[i];
    ts_buf_clear(&key);
}

static void
read_row(struct ts_journal_row *row, struct ts_query *query)
{
    *row = (struct ts_journal_row){
        .kind = (enum ts_journal_kind)ts_query_get_int(query, 2),
        .status = (enum ts_journal_status)ts_query_get_int(query, 3),
        .error = (enum ts_error)ts_query_get_int(query, 8),
        .started_ms = ts_query_get_int(query, 10),
        .updated_ms = ts_query_get_int(query, 11),
        .holder = (uint64_t)ts_query_get_int(query, 18),
    };
    ts_query_get_blob(query, 0, row->id, sizeof row->id);
    ts_query_get_blob(query, 1, row->conversation, sizeof row->conversation);
    read_key(row, query);
    ts_query_get_text(query, 5, row->label, sizeof row->label);
    ts_query_get_text(query, 6, row->partner, sizeof row->partner);
    ts_query_get_text(query, 7, row->step, sizeof row->step);
    ts_query_get_text(query, 9, row->words, sizeof row->words);
    ts_query_get_text(query, 12, row->application, sizeof row->application);
    ts_query_get_text(query, 13, row->host, sizeof row->host);
    ts_query_get_text(query, 14, row->user, sizeof row->user);
    ts_query_get_blob(query, 15, row->presignature, sizeof row->presignature);
    ts_query_get_blob(query, 16, row->request, sizeof row->request);
    ts_query_get_blob(query, 17, row->answer, sizeof row->answer);
}

static enum ts_error
number_of(int64_t *out, struct ts_store *db, const uint8_t id[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, db, "SELECT number FROM session WHERE id = ?");
    ts_query_blob(&query, id, TS_ID_BYTES);
    bool found = ts_query_row(&query);
    *out = ts_query_get_int(&query, 0);
    return ts_query_end_found(&query, found);
}

static void
bind_filter(struct ts_query *query, const struct ts_journal_filter *filter, int64_t before)
{
    bool limited = filter->limit >= 1 && filter->limit <= TS_JOURNAL_LIMIT_MAX;

    ts_query_int(query, filter->status);
    ts_query_int(query, filter->kind);
    ts_query_text(query, filter->partner);
    ts_query_blob(query, filter->key, filter->key ? TS_ID_BYTES : 0);
    ts_query_int(query, before);
    ts_query_int(query, limited ? filter->limit : TS_JOURNAL_LIMIT_MAX);
}

/* Take all rows of a query. */
static enum ts_error
collect_rows(void **list, size_t *count, struct ts_query *query)
{
    enum ts_error error = TS_OK;

    while (error == TS_OK && ts_query_row(query)) {
        struct ts_journal_row row;
        read_row(&row, query);
        error = ts_list_append(list, count, &row, sizeof row);
    }
    enum ts_error ended = ts_query_end(query);
    return error == TS_OK ? ended : error;
}

enum ts_error
ts_journal_rows_list(
    struct ts_journal_row **out, size_t *count, struct ts_journal_rows *rows, const struct ts_journal_filter *filter)
{
    struct ts_query query;
    int64_t before = INT64_MAX;
    void *list = NULL;

    *out = NULL;
    *count = 0;
    enum ts_error error = filter->after ? number_of(&before, rows->db, filter->after) : TS_OK;
    if (error != TS_OK)
        return error;
    ts_query_start(&query, rows->db,
        SELECT_SESSION " WHERE (?1 = 0 OR status = ?1) AND (?2 = 0 OR kind = ?2) AND (?3 IS NULL OR partner = ?3)"
                       " AND (?4 = x'' OR key = ?4) AND number < ?5 ORDER BY number DESC LIMIT ?6");
    bind_filter(&query, filter, before);
    error = collect_rows(&list, count, &query);
    if (error != TS_OK) {
        free(list);
        *count = 0;
        return error;
    }
    *out = list;
    return TS_OK;
}

enum ts_error
ts_journal_rows_get(struct ts_journal_row *out, struct ts_journal_rows *rows, const uint8_t id[TS_ID_BYTES])
{
    struct ts_query query;

    ts_query_start(&query, rows->db, SELECT_SESSION " WHERE id = ?");
    ts_query_blob(&query, id, TS_ID_BYTES);
    bool found = ts_query_row(&query);
    if (found)
        read_row(out, &query);
    return ts_query_end_found(&query, found);
}

static enum ts_error
collect_events(void **list, size_t *count, struct ts_query *query)
{
    enum ts_error error = TS_OK;

    while (error == TS_OK && ts_query_row(query)) {
        struct ts_journal_event event = {
            .number = (uint64_t)ts_query_get_int(query, 0),
            .status = (enum ts_journal_status)ts_query_get_int(query, 2),
            .at_ms = ts_query_get_int(query, 4),
        };
        ts_query_get_blob(query, 1, event.id, sizeof event.id);
        ts_query_get_text(query, 3, event.step, sizeof event.step);
        error = ts_list_append(list, count, &event, sizeof event);
    }
    enum ts_error ended = ts_query_end(query);
    return error == TS_OK ? ended : error;
}

enum ts_error
ts_journal_rows_events(
    struct ts_journal_event **out, size_t *count, struct ts_journal_rows *rows, uint64_t cursor, unsigned limit)
{
    struct ts_query query;
    void *list = NULL;

    *out = NULL;
    *count = 0;
    ts_query_start(&query, rows->db,
        "SELECT number, id, status, step, at FROM event WHERE number > CASE"
        " WHEN ?1 > (SELECT seq FROM sqlite_sequence WHERE name = 'event') THEN 0 ELSE ?1 END ORDER BY number LIMIT "
        "?2");
    ts_query_int(&query, cursor > INT64_MAX ? INT64_MAX : (int64_t)cursor);
    ts_query_int(&query, limit >= 1 && limit <= TS_JOURNAL_LIMIT_MAX ? limit : TS_JOURNAL_LIMIT_MAX);
    enum ts_error error = collect_events(&list, count, &query);
    if (error != TS_OK) {
        free(list);
        *count = 0;
        return error;
    }
    *out = list;
    return TS_OK;
}

enum ts_error
ts_journal_rows_cursor(uint64_t *out, struct ts_journal_rows *rows)
{
    struct ts_query query;

    ts_query_start(&query, rows->db, "SELECT coalesce(max(number), 0) FROM event");
    bool found = ts_query_row(&query);
    *out = (uint64_t)ts_query_get_int(&query, 0);
    return ts_query_end_found(&query, found);
}
