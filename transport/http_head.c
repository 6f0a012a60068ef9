#include "transport/http_head.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 5.6.2 */
#define TOKEN_CHARACTERS "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool
is_token(const struct ts_http_view *view)
{
    for (size_t i = 0; i < view->len; i++)
        if (view->text[i] == 0 || !strchr(TOKEN_CHARACTERS, view->text[i]))
            return false;
    return view->len > 0;
}

/* Only printable ASCII, space and tab: nothing that this handshake needs has more. */
static bool
is_field_text(const struct ts_http_view *view)
{
    for (size_t i = 0; i < view->len; i++)
        if (view->text[i] != '\t' && (view->text[i] < 0x20 || view->text[i] > 0x7e))
            return false;
    return true;
}

static struct ts_http_view
trim(struct ts_http_view view)
{
    while (view.len && (*view.text == ' ' || *view.text == '\t')) {
        view.text++;
        view.len--;
    }
    while (view.len && (view.text[view.len - 1] == ' ' || view.text[view.len - 1] == '\t'))
        view.len--;
    return view;
}

/* Take a line up to its CRLF. Returns: false when there is none. */
static bool
take_line(struct ts_http_view *line, const char **place, const char *end)
{
    const char *found = memchr(*place, '\r', (size_t)(end - *place));

    if (!found || found + 1 >= end || found[1] != '\n')
        return false;
    *line = (struct ts_http_view){*place, (size_t)(found - *place)};
    *place = found + 2;
    return is_field_text(line);
}

static bool
take_header(struct ts_http_head *out, const struct ts_http_view *line)
{
    const char *colon = memchr(line->text, ':', line->len);

    if (!colon || out->count == TS_HTTP_HEADERS_MAX)
        return false;
    size_t len = (size_t)(colon - line->text);
    out->names[out->count] = (struct ts_http_view){line->text, len};
    out->values[out->count] = trim((struct ts_http_view){colon + 1, line->len - len - 1});
    return is_token(&out->names[out->count++]);
}

enum ts_error
ts_http_head_parse(struct ts_http_head *out, const uint8_t *bytes, size_t len)
{
    const char *place = (const char *)bytes;
    const char *end = place + len;
    struct ts_http_view line;

    memset(out, 0, sizeof *out);
    if (!take_line(&out->start, &place, end))
        return TS_FORMAT;
    while (take_line(&line, &place, end)) {
        if (line.len == 0)
            return place == end ? TS_OK : TS_FORMAT;
        if (!take_header(out, &line))
            return TS_FORMAT;
    }
    return TS_FORMAT;
}

static bool
view_matches(const struct ts_http_view *view, const char *text, bool fold)
{
    if (view->len != strlen(text))
        return false;
    return (fold ? strncasecmp : strncmp)(view->text, text, view->len) == 0;
}

bool
ts_http_view_is(const struct ts_http_view *view, const char *text)
{
    return view_matches(view, text, false);
}

size_t
ts_http_head_find(struct ts_http_view *value, const struct ts_http_head *head, const char *name)
{
    size_t found = 0;

    *value = (struct ts_http_view){"", 0};
    for (size_t i = 0; i < head->count; i++)
        if (view_matches(&head->names[i], name, true)) {
            *value = head->values[i];
            found++;
        }
    return found;
}

static bool
list_has(struct ts_http_view list, const char *token, bool fold)
{
    while (list.len > 0) {
        const char *comma = memchr(list.text, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.text) : list.len;
        struct ts_http_view item = trim((struct ts_http_view){list.text, len});
        if (view_matches(&item, token, fold))
            return true;
        size_t used = comma ? len + 1 : len;
        list.text += used;
        list.len -= used;
    }
    return false;
}

bool
ts_http_head_has_token(const struct ts_http_head *head, const char *name, const char *token, bool fold)
{
    for (size_t i = 0; i < head->count; i++)
        if (view_matches(&head->names[i], name, true) && list_has(head->values[i], token, fold))
            return true;
    return false;
}
