#include "store/holder.h"

#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_MASK (((uint64_t)1 << 62) - 1)
/* Two holders that choose the same number is a matter of luck; more than that is not. */
#define TRIES 3

struct ts_holder {
    const struct ts_env *env;
    int fd;
    uint64_t number;
};

static struct flock
byte_at(uint64_t number)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)number, .l_len = 1};
}

static enum ts_error
choose_number(struct ts_holder *holder)
{
    enum ts_error error = TS_STORAGE;

    for (int i = 0; i < TRIES; i++) {
        uint8_t bytes[8];
        error = ts_random(holder->env, bytes, sizeof bytes);
        if (error != TS_OK)
            return error;
        memcpy(&holder->number, bytes, sizeof holder->number);
        holder->number = (holder->number & NUMBER_MASK) | 1;
        struct flock lock = byte_at(holder->number);
        if (fcntl(holder->fd, F_OFD_SETLK, &lock) == 0)
            return TS_OK;
        error = TS_STORAGE;
    }
    return error;
}

/* The file beside the database, without a lock. */
static enum ts_error
open_file(struct ts_holder **out, const struct ts_env *env, const char *path)
{
    char name[4096];
    struct ts_holder *holder = calloc(1, sizeof *holder);

    *out = NULL;
    if (!holder)
        return TS_INTERNAL;
    int len = snprintf(name, sizeof name, "%s-live", path);
    *holder = (struct ts_holder){.env = env, .fd = -1};
    if (len > 0 && (size_t)len < sizeof name)
        holder->fd = ts_descriptor_raise(open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600));
    if (holder->fd < 0) {
        free(holder);
        return TS_STORAGE;
    }
    *out = holder;
    return TS_OK;
}

static enum ts_error
failed(const struct ts_env *env, const char *path, enum ts_error error)
{
    ts_log(env, TS_LOG_ERROR, "%s-live cannot be opened and locked: %s; check its permissions and the file system",
        path, strerrordesc_np(errno));
    return error;
}

enum ts_error
ts_holder_open(struct ts_holder **out, const struct ts_env *env, const char *path)
{
    enum ts_error error = open_file(out, env, path);

    if (error == TS_OK)
        error = choose_number(*out);
    if (error == TS_OK)
        return TS_OK;
    error = failed(env, path, error);
    ts_holder_close(*out);
    *out = NULL;
    return error;
}

/* Above the numbers of the living. */
static uint64_t
claim_number(const uint8_t id[16])
{
    uint64_t number;

    memcpy(&number, id, sizeof number);
    return (number & NUMBER_MASK) | (NUMBER_MASK + 1);
}

enum ts_error
ts_holder_claim(struct ts_holder **out, const struct ts_env *env, const char *path, const uint8_t id[16])
{
    enum ts_error error = open_file(out, env, path);

    if (error != TS_OK)
        return failed(env, path, error);
    (*out)->number = claim_number(id);
    struct flock lock = byte_at((*out)->number);
    if (fcntl((*out)->fd, F_OFD_SETLK, &lock) == 0)
        return TS_OK;
    error = errno == EAGAIN || errno == EACCES ? TS_EXISTS : failed(env, path, TS_STORAGE);
    ts_holder_close(*out);
    *out = NULL;
    return error;
}

void
ts_holder_close(struct ts_holder *holder)
{
    if (!holder)
        return;
    if (holder->fd >= 0)
        (void)close(holder->fd);
    free(holder);
}

uint64_t
ts_holder_number(const struct ts_holder *holder)
{
    return holder->number;
}

bool
ts_holder_alive(const struct ts_holder *holder, uint64_t number)
{
    struct flock lock = byte_at(number);

    if (number == holder->number || number > NUMBER_MASK)
        return true;
    return fcntl(holder->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
