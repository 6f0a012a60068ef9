#include "session/config_outline.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* server: callers: [i]: allow: [i] */
#define DEPTH_MAX 4

struct walk {
    struct ts_outline *out;
    yaml_parser_t parser;
    yaml_event_t event;
    size_t *line;
    char *fault;
    size_t fault_size;
};

static enum ts_error fault(struct walk *walk, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum ts_error
fault(struct walk *walk, size_t line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(walk->fault, walk->fault_size, format, arguments);
    va_end(arguments);
    *walk->line = line;
    return TS_USAGE;
}

static size_t
event_line(const struct walk *walk)
{
    return walk->event.start_mark.line + 1;
}

/* Anchors, aliases and tags have no use here, and an alias may make a small file large. */
static enum ts_error
refuse_extras(struct walk *walk)
{
    const yaml_event_t *event = &walk->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        return fault(walk, event_line(walk), "an alias (*name) is not allowed here");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    }
    if (anchor)
        return fault(walk, event_line(walk), "an anchor (&name) is not allowed here");
    if (tag)
        return fault(walk, event_line(walk), "a tag (!name) is not allowed here");
    return TS_OK;
}

static enum ts_error
next(struct walk *walk)
{
    yaml_event_delete(&walk->event);
    if (yaml_parser_parse(&walk->parser, &walk->event))
        return refuse_extras(walk);
    return fault(walk, walk->parser.problem_mark.line + 1, "not valid YAML: %s",
        walk->parser.problem ? walk->parser.problem : "out of memory");
}

/* Keep a name and its line, and give its place. */
static enum ts_error
add_name(struct walk *walk, size_t *place, const char *name)
{
    struct ts_outline_key *key;

    if (walk->out->count == TS_OUTLINE_KEYS_MAX)
        return fault(walk, event_line(walk), "more than %d keys", TS_OUTLINE_KEYS_MAX);
    size_t before = ts_outline_line(walk->out, name);
    if (before)
        return fault(walk, event_line(walk), "%s: set before, in line %zu", name, before);
    *place = walk->out->count++;
    key = &walk->out->keys[*place];
    *key = (struct ts_outline_key){.line = event_line(walk)};
    (void)snprintf(key->name, sizeof key->name, "%s", name);
    return TS_OK;
}

static enum ts_error
check_value(struct walk *walk, const char *name)
{
    size_t len = walk->event.data.scalar.length;

    if (len > TS_OUTLINE_VALUE_MAX)
        return fault(walk, event_line(walk), "%s: a value has at most %d bytes", name, TS_OUTLINE_VALUE_MAX);
    if (strlen((const char *)walk->event.data.scalar.value) != len)
        return fault(walk, event_line(walk), "%s: a NUL byte is not allowed", name);
    return TS_OK;
}

static enum ts_error read_value(struct walk *walk, size_t place, unsigned depth);

static enum ts_error
read_list(struct walk *walk, size_t place, unsigned depth)
{
    char name[TS_OUTLINE_NAME_BYTES + 8];
    enum ts_error error = TS_OK;
    size_t item;

    walk->out->keys[place].list = true;
    for (unsigned i = 0; error == TS_OK; i++) {
        if ((error = next(walk)) != TS_OK || walk->event.type == YAML_SEQUENCE_END_EVENT)
            return error;
        (void)snprintf(name, sizeof name, "%s[%u]", walk->out->keys[place].name, i);
        if (strlen(name) >= TS_OUTLINE_NAME_BYTES)
            return fault(walk, event_line(walk), "%.40s: too deep", name);
        if ((error = add_name(walk, &item, name)) == TS_OK)
            error = read_value(walk, item, depth);
    }
    return error;
}

/* place: of the section; SIZE_MAX for the top */
static enum ts_error
read_section(struct walk *walk, size_t place, unsigned depth)
{
    const char *section = place == SIZE_MAX ? "" : walk->out->keys[place].name;
    char name[TS_OUTLINE_NAME_BYTES];
    enum ts_error error = TS_OK;
    size_t key;

    if (place != SIZE_MAX)
        walk->out->keys[place].section = true;
    while (error == TS_OK) {
        if ((error = next(walk)) != TS_OK || walk->event.type == YAML_MAPPING_END_EVENT)
            return error;
        if (walk->event.type != YAML_SCALAR_EVENT)
            return fault(walk, event_line(walk), "%s%sa key must be a word", section, *section ? ": " : "");
        const char *word = (const char *)walk->event.data.scalar.value;
        if (strlen(word) != walk->event.data.scalar.length)
            return fault(walk, event_line(walk), "a key with a NUL byte");
        (void)snprintf(name, sizeof name, "%s%s%s", section, *section ? "." : "", word);
        if ((error = add_name(walk, &key, name)) == TS_OK && (error = next(walk)) == TS_OK)
            error = read_value(walk, key, depth);
    }
    return error;
}

static enum ts_error
read_value(struct walk *walk, size_t place, unsigned depth)
{
    const struct ts_outline_key *key = &walk->out->keys[place];

    if (walk->event.type == YAML_SCALAR_EVENT)
        return check_value(walk, key->name);
    if (depth == DEPTH_MAX)
        return fault(walk, key->line, "%s: one value is expected, not a list or section", key->name);
    if (walk->event.type == YAML_SEQUENCE_START_EVENT)
        return read_list(walk, place, depth + 1);
    return read_section(walk, place, depth + 1);
}

static enum ts_error
read_stream(struct walk *walk)
{
    enum ts_error error;

    if ((error = next(walk)) != TS_OK || (error = next(walk)) != TS_OK)
        return error;
    if (walk->event.type == YAML_STREAM_END_EVENT)
        return TS_OK;
    if ((error = next(walk)) != TS_OK)
        return error;
    if (walk->event.type != YAML_MAPPING_START_EVENT)
        return fault(walk, event_line(walk), "\"key: value\" lines are expected");
    if ((error = read_section(walk, SIZE_MAX, 0)) != TS_OK || (error = next(walk)) != TS_OK ||
        (error = next(walk)) != TS_OK)
        return error;
    if (walk->event.type != YAML_STREAM_END_EVENT)
        return fault(walk, event_line(walk), "a second document (---) is not allowed");
    return TS_OK;
}

enum ts_error
ts_outline_read(struct ts_outline *out, const char *text, size_t len, size_t *line, char *fault_text, size_t fault_size)
{
    struct walk walk = {.out = out, .line = line, .fault = fault_text, .fault_size = fault_size};
    enum ts_error error;

    out->count = 0;
    if (!yaml_parser_initialize(&walk.parser))
        return fault(&walk, 1, "out of memory");
    yaml_parser_set_input_string(&walk.parser, (const unsigned char *)text, len);
    error = read_stream(&walk);
    yaml_event_delete(&walk.event);
    yaml_parser_delete(&walk.parser);
    return error;
}

size_t
ts_outline_line(const struct ts_outline *outline, const char *name)
{
    for (size_t i = 0; i < outline->count; i++)
        if (strcmp(outline->keys[i].name, name) == 0)
            return outline->keys[i].line;
    return 0;
}
