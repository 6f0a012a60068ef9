#include "session/store_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum ts_error
ts_store_place(const char *path)
{
    char *copy = strdup(path);
    enum ts_error error = copy ? TS_OK : TS_INTERNAL;

    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash && error == TS_OK; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            error = TS_STORAGE;
        *slash = '/';
    }
    free(copy);
    return error;
}

enum ts_error
ts_store_open_at(struct ts_store **out, const struct ts_env *env, const char *path)
{
    enum ts_error error = ts_store_place(path);
    if (error == TS_OK)
        error = ts_store_open(out, env, path);
    if (error != TS_OK)
        ts_log(env, TS_LOG_ERROR,
            "the store %s cannot be opened (%s): check that its folder exists and belongs to this user", path,
            ts_error_text(error));
    return error;
}
