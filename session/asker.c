#include "base/text.h"
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

void
ts_asker_to_context(struct ts_context *out, const struct ts_asker *asker)
{
    ts_text_copy(out->label, sizeof out->label, asker->label);
    ts_text_copy(out->application, sizeof out->application, asker->application);
    ts_text_copy(out->host, sizeof out->host, asker->host);
    ts_text_copy(out->user, sizeof out->user, asker->user);
}
