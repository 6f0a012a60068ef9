#include "session/enterprise_internal.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The program's file name, also when the host has changed its process title. */
static void
program_name(char *out, size_t size)
{
    char path[512];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

    if (len <= 0) {
        (void)snprintf(out, size, "%s", program_invocation_short_name);
        return;
    }
    path[len] = 0;
    const char *slash = strrchr(path, '/');
    (void)snprintf(out, size, "%.64s", slash ? slash + 1 : path);
}

static void
user_name(char *out, size_t size)
{
    struct passwd entry, *found = NULL;
    char room[4096];

    if (getpwuid_r(geteuid(), &entry, room, sizeof room, &found) == 0 && found)
        (void)snprintf(out, size, "%.64s", found->pw_name);
    else
        (void)snprintf(out, size, "uid %lu", (unsigned long)geteuid());
}

void
ts_asker_from_process(struct ts_asker *asker, struct ts_asker_text *text)
{
    program_name(text->application, sizeof text->application);
    user_name(text->user, sizeof text->user);
    if (gethostname(text->host, sizeof text->host) != 0)
        text->host[0] = 0;
    text->host[sizeof text->host - 1] = 0;
    asker->application = text->application;
    asker->host = text->host;
    asker->user = text->user;
}

/* The schema takes UTF-8 without control characters. A label is the caller's bytes: whatever is not plain becomes '?',
   so that the peer sees something and the request stays valid. UTF-8 sequences are kept whole or not at all. */
static size_t
utf8_length(const unsigned char *at)
{
    size_t len = *at < 0x80 ? 1 : (*at & 0xe0) == 0xc0 && *at > 0xc1 ? 2 : (*at & 0xf0) == 0xe0 ? 3 : 0;

    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    /* overlong forms, surrogates, and the C1 control characters (two bytes c2 80 to c2 9f) */
    if (len == 3 && ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f)))
        return 0;
    if (len == 2 && at[0] == 0xc2 && at[1] < 0xa0)
        return 0;
    return len;
}

static void
clean_text(char out[TS_TEXT_BYTES], const char *in)
{
    const unsigned char *at = (const unsigned char *)(in ? in : "");
    size_t used = 0;

    while (*at) {
        size_t len = utf8_length(at);
        bool plain = len > 1 || (len == 1 && *at >= 0x20 && *at != 0x7f);
        size_t put = plain ? len : 1;
        if (used + put >= TS_TEXT_BYTES)
            break;
        if (plain)
            memcpy(out + used, at, len);
        else
            out[used] = '?';
        used += put;
        at += plain ? len : 1;
    }
    out[used] = 0;
}

void
ts_asker_to_context(struct ts_context *out, const struct ts_asker *asker)
{
    clean_text(out->label, asker->label);
    clean_text(out->application, asker->application);
    clean_text(out->host, asker->host);
    clean_text(out->user, asker->user);
}
