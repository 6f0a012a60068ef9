#include "peer/question.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIELD_BYTES 520
#define TEXT_SHOWN 4096
#define DUMP_SHOWN 512
#define DUMP_ROW 16

static void put(struct ts_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct ts_buf *out, const char *format, ...)
{
    char line[FIELD_BYTES + 64];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)ts_buf_put(out, line, strlen(line));
}

static void
put_field(struct ts_buf *out, const char *name, const char *value)
{
    char safe[FIELD_BYTES];

    if (value && *value)
        put(out, "  %-12s %s\n", name, ts_text_safe(safe, sizeof safe, value, strlen(value)));
}

static void
put_hex_field(struct ts_buf *out, const char *name, const uint8_t *bytes, size_t len)
{
    char hex[2 * 64 + 1];

    if (!bytes || len == 0)
        return;
    ts_text_hex(hex, bytes, len <= 64 ? len : 64);
    put(out, "  %-12s %s\n", name, hex);
}

/* Behind a bar, so that no line of the message can pass for one of ours. */
static void
put_text(struct ts_buf *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end ? (size_t)(end - text) - at : len - at;

        (void)ts_buf_put(out, "    | ", 6);
        (void)ts_buf_put(out, text + at, line);
        (void)ts_buf_put(out, "\n", 1);
        at += line + (end ? 1 : 0);
    }
}

static void
put_dump(struct ts_buf *out, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += DUMP_ROW) {
        char row[2 * DUMP_ROW + 1];
        ts_text_hex(row, bytes + at, len - at < DUMP_ROW ? len - at : DUMP_ROW);
        put(out, "    | %04zx  %s\n", at, row);
    }
}

/* At most `most` bytes, without cutting a character of UTF-8. */
static size_t
cut_text(const uint8_t *text, size_t len, size_t most)
{
    if (len <= most)
        return len;
    while (most > 0 && (text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static void
put_message(struct ts_buf *out, const uint8_t *message, size_t len)
{
    bool plain = ts_text_is_plain((const char *)message, len, true);
    size_t shown = plain ? cut_text(message, len, TEXT_SHOWN) : len <= DUMP_SHOWN ? len : DUMP_SHOWN;

    put(out, "  %-12s %zu bytes%s\n", "message", len, plain ? "" : ", not plain text");
    if (plain)
        put_text(out, (const char *)message, shown);
    else
        put_dump(out, message, shown);
    if (shown < len)
        put(out, "    ... %zu more bytes are NOT shown\n", len - shown);
}

enum ts_error
ts_question_show(struct ts_buf *out, const struct ts_question *question)
{
    static const char *const titles[] = {[TS_ASK_PAIR] = "A new partner wants to pair with this device",
        [TS_ASK_KEYGEN] = "A partner wants to make a new key with this device",
        [TS_ASK_SIGN] = "A partner asks for a signature"};

    put(out, "\n%s\n", titles[question->kind]);
    put_field(out, "partner", question->partner);
    if (question->code)
        put(out, "  %-12s %.3s %.3s: allow it only when the partner shows the same\n", "code", question->code,
            question->code + 3);
    put_field(out, "key label", question->label);
    put_hex_field(out, "key", question->key, TS_ID_BYTES);
    put_field(out, "curve", question->curve);
    put_field(out, "application", question->application);
    put_field(out, "host", question->host);
    put_field(out, "user", question->user);
    if (question->kind == TS_ASK_SIGN) {
        put_field(out, "mechanism", question->mechanism);
        put_hex_field(out, "digest", question->digest, question->digest_len);
        if (question->message)
            put_message(out, question->message, question->message_len);
        else
            put(out, "  %-12s not given: only its digest is known here\n", "message");
    }
    return ts_buf_error(out);
}
