#include "session/config_outline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

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

/* Keep the key under `section` ("" at the top) and give its place. */
static enum ts_error
add_key(struct walk *walk, struct ts_outline_key **out, const char *section)
{
    const char *name = (const char *)walk->event.data.scalar.value;
    struct ts_outline_key *key;

    if (strlen(name) != walk->event.data.scalar.length)
        return fault(walk, event_line(walk), "a key with a NUL byte");
    if (walk->out->count == TS_OUTLINE_KEYS_MAX)
        return fault(walk, event_line(walk), "more than %d keys", TS_OUTLINE_KEYS_MAX);
    key = &walk->out->keys[walk->out->count];
    (void)snprintf(key->name, sizeof key->name, "%s%s%s", section, *section ? "." : "", name);
    size_t before = ts_outline_line(walk->out, key->name);
    if (before)
        return fault(walk, event_line(walk), "%s: set before, in line %zu", key->name, before);
    key->line = event_line(walk);
    key->section = false;
    walk->out->count++;
    *out = key;
    return TS_OK;
}

static enum ts_error
check_value(struct walk *walk, const struct ts_outline_key *key)
{
    size_t len = walk->event.data.scalar.length;

    if (len > TS_OUTLINE_VALUE_MAX)
        return fault(walk, key->line, "%s: a value has at most %d bytes", key->name, TS_OUTLINE_VALUE_MAX);
    if (strlen((const char *)walk->event.data.scalar.value) != len)
        return fault(walk, key->line, "%s: a NUL byte is not allowed", key->name);
    return TS_OK;
}

static enum ts_error
read_section(struct walk *walk, struct ts_outline_key *section)
{
    struct ts_outline_key *key;
    enum ts_error error;

    section->section = true;
    for (;;) {
        if ((error = next(walk)) != TS_OK)
            return error;
        if (walk->event.type == YAML_MAPPING_END_EVENT)
            return TS_OK;
        if (walk->event.type != YAML_SCALAR_EVENT)
            return fault(walk, event_line(walk), "%s: a key must be a word", section->name);
        if ((error = add_key(walk, &key, section->name)) != TS_OK || (error = next(walk)) != TS_OK)
            return error;
        if (walk->event.type != YAML_SCALAR_EVENT)
            return fault(walk, key->line, "%s: one value is expected, not a list or section", key->name);
        if ((error = check_value(walk, key)) != TS_OK)
            return error;
    }
}

static enum ts_error
read_top(struct walk *walk)
{
    struct ts_outline_key *key;
    enum ts_error error;

    for (;;) {
        if ((error = next(walk)) != TS_OK)
            return error;
        if (walk->event.type == YAML_MAPPING_END_EVENT)
            return TS_OK;
        if (walk->event.type != YAML_SCALAR_EVENT)
            return fault(walk, event_line(walk), "a key must be a word");
        if ((error = add_key(walk, &key, "")) != TS_OK || (error = next(walk)) != TS_OK)
            return error;
        if (walk->event.type == YAML_MAPPING_START_EVENT)
            error = read_section(walk, key);
        else if (walk->event.type == YAML_SCALAR_EVENT)
            error = check_value(walk, key);
        else
            error = fault(walk, key->line, "%s: a list is not allowed here", key->name);
        if (error != TS_OK)
            return error;
    }
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
    if ((error = read_top(walk)) != TS_OK || (error = next(walk)) != TS_OK || (error = next(walk)) != TS_OK)
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
