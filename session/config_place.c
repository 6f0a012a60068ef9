#include "session/config_place.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_MAX_BYTES 64
#define PASSWD_BYTES 4096

const char *
ts_place_variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

static char *
join(const char *a, const char *b, const char *c)
{
    char *out;
    return asprintf(&out, "%s%s%s", a, b, c) < 0 ? NULL : out;
}

char *
ts_place_home(const char *tail)
{
    const char *home = ts_place_variable("HOME");
    struct passwd entry, *found = NULL;
    char room[PASSWD_BYTES];

    if (home && *home == '/')
        return join(home, tail, "");
    if (getpwuid_r(geteuid(), &entry, room, sizeof room, &found) != 0 || !found || !found->pw_dir)
        return NULL;
    return join(found->pw_dir, tail, "");
}

/* XDG base directory specification: a relative path in the variable is to be ignored. */
static const char *
xdg(const char *name)
{
    const char *value = ts_place_variable(name);
    return value && *value == '/' ? value : NULL;
}

char *
ts_place_user_config(void)
{
    static const char tail[] = "/tallystick/tallystick.yaml";
    const char *folder = xdg("XDG_CONFIG_HOME");

    return folder ? join(folder, tail, "") : ts_place_home("/.config/tallystick/tallystick.yaml");
}

char *
ts_place_state(const char *file)
{
    const char *folder = xdg("XDG_STATE_HOME");
    char *tail, *out;

    if (folder)
        return join(folder, "/tallystick/", file);
    if (geteuid() == 0)
        return join("/var/lib/tallystick/", file, "");
    tail = join("/.local/state/tallystick/", file, "");
    out = tail ? ts_place_home(tail) : NULL;
    free(tail);
    return out;
}

char *
ts_place_host_name(void)
{
    char name[HOST_MAX_BYTES + 1];

    if (gethostname(name, sizeof name) != 0 || !*name)
        return strdup("localhost");
    name[HOST_MAX_BYTES] = 0;
    return strdup(name);
}

char *
ts_place_advertise(const char *listen)
{
    static const char *const wildcards[] = {"[::]", "0.0.0.0", "*"};
    const char *colon = strrchr(listen, ':');
    char *host, *out;

    for (unsigned i = 0; colon && i < sizeof wildcards / sizeof *wildcards; i++)
        if (strncmp(listen, wildcards[i], (size_t)(colon - listen)) == 0 &&
            strlen(wildcards[i]) == (size_t)(colon - listen)) {
            host = ts_place_host_name();
            out = host ? join(host, colon, "") : NULL;
            free(host);
            return out;
        }
    return strdup(listen);
}
