#include "store/pin_source.h"

#include "base/secret.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One more than the longest PIN with a final "\r\n", so that a longer one is noticed. */
#define READ_MAX (TS_PIN_MAX + 3)

static enum ts_error
accept_pin(struct ts_buf *out, const struct ts_env *env, const char *source, const uint8_t *bytes, size_t len)
{
    if (len > 0 && bytes[len - 1] == '\n')
        len--;
    if (len > 0 && bytes[len - 1] == '\r')
        len--;
    if (len >= 1 && len <= TS_PIN_MAX)
        return ts_buf_put(out, bytes, len) == TS_OK ? TS_OK : TS_INTERNAL;
    ts_log(env, TS_LOG_ERROR, "the PIN in %s is %s; put 1 to %d bytes there", source, len ? "too long" : "empty",
        TS_PIN_MAX);
    return TS_USAGE;
}

static ssize_t
read_all(uint8_t *bytes, size_t size, int fd)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = read(fd, bytes + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

static enum ts_error
read_file(struct ts_buf *out, const struct ts_env *env, const char *path)
{
    struct stat status;
    uint8_t *bytes = NULL;
    enum ts_error result = TS_IO;

    /* Not blocking: a pipe without a writer must not stop the host process; it is refused below. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        ts_log(env, TS_LOG_ERROR, "the PIN file %s cannot be read: %s", path, strerrordesc_np(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        ts_log(env, TS_LOG_ERROR, "the PIN file %s is not a regular file", path);
        goto out;
    }
    if ((status.st_mode & 077) != 0)
        ts_log(env, TS_LOG_WARNING, "the PIN file %s is open to others than its owner; chmod 600 it", path);
    bytes = ts_secret_new(READ_MAX);
    ssize_t len = bytes ? read_all(bytes, READ_MAX, fd) : 0;
    if (len < 0)
        ts_log(env, TS_LOG_ERROR, "the PIN file %s cannot be read: %s", path, strerrordesc_np(errno));
    else
        result = bytes ? accept_pin(out, env, path, bytes, (size_t)len) : TS_INTERNAL;
out:
    ts_secret_free(bytes);
    if (fd >= 0)
        (void)close(fd);
    return result;
}

static enum ts_error
read_variable(struct ts_buf *out, const struct ts_env *env, const char *name)
{
    /* secure_: a program with raised rights must not take PINs from whoever started it. */
    const char *value = secure_getenv(name);

    if (value)
        return accept_pin(out, env, name, (const uint8_t *)value, strlen(value));
    ts_log(env, TS_LOG_ERROR, "the environment variable %s, which should hold a PIN, is not set", name);
    return TS_IO;
}

static enum ts_error
read_credential(struct ts_buf *out, const struct ts_env *env, const char *name)
{
    const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX];

    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        ts_log(env, TS_LOG_ERROR, "credential:%s is not the name of a credential", name);
        return TS_USAGE;
    }
    int len = folder ? snprintf(path, sizeof path, "%s/%s", folder, name) : -1;
    if (len > 0 && (size_t)len < sizeof path)
        return read_file(out, env, path);
    ts_log(
        env, TS_LOG_ERROR, "no credential %s: CREDENTIALS_DIRECTORY is not set; use LoadCredential= of systemd", name);
    return TS_IO;
}

enum ts_error
ts_pin_source_read(struct ts_buf *out, const struct ts_env *env, const char *source)
{
    if (*source == '/')
        return read_file(out, env, source);
    if (strncmp(source, "file:///", 8) == 0)
        return read_file(out, env, source + 7);
    if (strncmp(source, "file:", 5) == 0 && source[5] && strncmp(source + 5, "//", 2) != 0)
        return read_file(out, env, source + 5);
    if (strncmp(source, "env:", 4) == 0 && source[4])
        return read_variable(out, env, source + 4);
    if (strncmp(source, "credential:", 11) == 0)
        return read_credential(out, env, source + 11);
    /* The text itself is not logged: somebody may have written the PIN here. */
    ts_log(env, TS_LOG_ERROR, "a PIN source must be file:/PATH, /PATH, env:NAME or credential:NAME");
    return TS_USAGE;
}
