#include "session/sessions_show.h"

#include "base/command.h"
#include "base/text.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 20
#define TIME_BYTES 32

struct arguments {
    struct ts_journal_filter filter;
    uint8_t id[TS_ID_BYTES], after[TS_ID_BYTES];
    bool one, json;
};

static bool
read_id(uint8_t out[TS_ID_BYTES], const char *text)
{
    char check[2 * TS_ID_BYTES + 1];

    if (strlen(text) != 2 * TS_ID_BYTES)
        return false;
    for (size_t i = 0; i < TS_ID_BYTES; i++) {
        const char pair[3] = {text[2 * i], text[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    ts_text_hex(check, out, TS_ID_BYTES);
    return strcmp(check, text) == 0;
}

static const char *
read_option(struct arguments *out, int option, const char *value)
{
    char *end;

    switch (option) {
    case 's':
        out->filter.status = ts_journal_status_find(value);
        return out->filter.status ? NULL : "--status must be one of those that --help names";
    case 'k':
        out->filter.kind = ts_journal_kind_find(value);
        return out->filter.kind ? NULL : "--kind must be one of those that --help names";
    case 'p':
        out->filter.partner = value;
        return NULL;
    case 'a':
        out->filter.after = out->after;
        return read_id(out->after, value) ? NULL : "--after must be an id: 32 small hex digits";
    case 'n':
        out->filter.limit = (unsigned)strtoul(value, &end, 10);
        return !*end && out->filter.limit >= 1 && out->filter.limit <= TS_JOURNAL_LIMIT_MAX
                   ? NULL
                   : "--limit must be 1 to 1000";
    case 'j':
        out->json = true;
        return NULL;
    }
    return "";
}

static int
read_arguments(struct arguments *out, const char *program, int argc, char **argv)
{
    static const struct option options[] = {{"status", required_argument, NULL, 's'},
        {"kind", required_argument, NULL, 'k'}, {"partner", required_argument, NULL, 'p'},
        {"after", required_argument, NULL, 'a'}, {"limit", required_argument, NULL, 'n'},
        {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int option;

    out->filter.limit = LIMIT_DEFAULT;
    while ((option = getopt_long(argc, argv, "s:k:p:a:n:j", options, NULL)) != -1) {
        const char *wrong = read_option(out, option, optarg);
        if (wrong)
            return *wrong ? ts_complain_usage(program, "sessions", "%s", wrong) : TS_EXIT_USAGE;
    }
    if (argc - optind > 1)
        return ts_complain_usage(program, "sessions", "\"%s\" is one argument too many", argv[optind + 1]);
    out->one = argc - optind == 1;
    if (out->one && !read_id(out->id, argv[optind]))
        return ts_complain_usage(program, "sessions", "an id has 32 small hex digits");
    return TS_EXIT_OK;
}

static void
format_time(char out[TIME_BYTES], int64_t ms)
{
    char day[TS_TEXT_DATE_BYTES];

    ts_text_date(day, ms / 1000);
    (void)snprintf(out, TIME_BYTES, "%.19s.%03dZ", day, (int)(ms % 1000));
}

/* --- JSON --- */

static void
put_text(json_t *object, const char *name, const char *value)
{
    if (*value)
        (void)json_object_set_new(object, name, json_string(value));
}

static void
put_id(json_t *object, const char *name, const uint8_t id[TS_ID_BYTES])
{
    static const uint8_t none[TS_ID_BYTES];
    char hex[2 * TS_ID_BYTES + 1];

    if (memcmp(id, none, TS_ID_BYTES) == 0)
        return;
    ts_text_hex(hex, id, TS_ID_BYTES);
    (void)json_object_set_new(object, name, json_string(hex));
}

static void
put_time(json_t *object, const char *name, int64_t ms)
{
    char text[TIME_BYTES];

    format_time(text, ms);
    (void)json_object_set_new(object, name, json_string(text));
}

static json_t *
to_json(const struct ts_journal_row *row)
{
    json_t *out = json_object();

    put_id(out, "id", row->id);
    put_text(out, "kind", ts_journal_kind_name(row->kind));
    put_text(out, "status", ts_journal_status_name(row->status));
    put_text(out, "step", row->step);
    put_text(out, "partner", row->partner);
    if (row->has_key)
        put_id(out, "key", row->key);
    put_text(out, "label", row->label);
    if (row->error != TS_OK)
        put_text(out, "error", ts_error_text(row->error));
    put_text(out, "words", row->words);
    put_time(out, "started", row->started_ms);
    put_time(out, "updated", row->updated_ms);
    put_text(out, "application", row->application);
    put_text(out, "host", row->host);
    put_text(out, "user", row->user);
    put_id(out, "conversation", row->conversation);
    put_id(out, "presignature", row->presignature);
    put_id(out, "request", row->request);
    put_id(out, "answer", row->answer);
    return out;
}

static int
print_json(json_t *tree)
{
    int failed = !tree || json_dumpf(tree, stdout, JSON_INDENT(2)) != 0 || printf("\n") < 0;

    json_decref(tree);
    return failed ? ts_complain("standard output cannot be written") : TS_EXIT_OK;
}

/* --- for people --- */

static void
print_line(const struct ts_journal_row *row)
{
    char time_text[TIME_BYTES], id[2 * TS_ID_BYTES + 1];

    format_time(time_text, row->started_ms);
    ts_text_hex(id, row->id, TS_ID_BYTES);
    (void)printf(
        "%s  %s  %-7s %s", id, time_text, ts_journal_kind_name(row->kind), ts_journal_status_name(row->status));
    if (row->status != TS_JOURNAL_COMPLETED)
        (void)printf(" at %s", row->step);
    if (*row->label)
        (void)printf(", key \"%s\"", row->label);
    (void)printf(", with \"%s\"", row->partner);
    if (row->error != TS_OK)
        (void)printf(": %s%s%s", ts_error_text(row->error), *row->words ? ", " : "", row->words);
    (void)printf("\n");
}

static void
print_record(const struct ts_journal_row *row)
{
    json_t *object = to_json(row);
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)(void) printf("%-13s %s\n", name, json_string_value(value));
    json_decref(object);
}

static int
show_one(struct ts_journal *journal, const struct arguments *arguments)
{
    struct ts_journal_row row;
    enum ts_error error = ts_journal_get(&row, journal, arguments->id);

    if (error == TS_NOT_FOUND)
        return ts_complain("there is no such session, or its record has been forgotten");
    if (error != TS_OK)
        return ts_complain("the journal of sessions cannot be read: %s", ts_error_text(error));
    if (arguments->json)
        return print_json(to_json(&row));
    print_record(&row);
    return TS_EXIT_OK;
}

static int
show_list(struct ts_journal *journal, const struct arguments *arguments)
{
    struct ts_journal_row *rows = NULL;
    size_t count = 0;
    enum ts_error error = ts_journal_list(&rows, &count, journal, &arguments->filter);
    int code = TS_EXIT_OK;

    if (error == TS_NOT_FOUND)
        return ts_complain("there is no session of the id that --after names");
    if (error != TS_OK)
        return ts_complain("the journal of sessions cannot be read: %s", ts_error_text(error));
    if (arguments->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(list, to_json(&rows[i]));
        code = print_json(json_pack("{s:o}", "sessions", list));
    } else {
        for (size_t i = 0; i < count; i++)
            print_line(&rows[i]);
    }
    free(rows);
    return code;
}

int
ts_sessions_show(
    const char *program, const struct ts_env *env, const char *store, uint32_t keep_s, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct ts_journal *journal = NULL;
    int code = read_arguments(&arguments, program, argc, argv);

    if (code != TS_EXIT_OK)
        return code;
    if (ts_journal_open(&journal, env, store, keep_s, NULL) != TS_OK)
        return ts_complain("out of memory");
    code = arguments.one ? show_one(journal, &arguments) : show_list(journal, &arguments);
    ts_journal_close(journal);
    return code;
}
