#include "mpc/num_internal.h"

#include "base/secret.h"

#include <stdlib.h>

/* Making and giving back locked pages takes longer than arithmetic on small numbers, so a small computation gets one
   chunk of few pages, and its scratch memory lies in it. */
#define FIRST_CHUNK ((size_t)16 << 10)
#define LARGEST_CHUNK ((size_t)1 << 20)
#define SECRET_HEAD ((size_t)64) /* room for what ts_secret_new puts in front, so that no page is begun for it */
#define FIRST_SCRATCH ((size_t)128)
#define ALIGNMENT ((size_t)16)

struct chunk {
    struct chunk *next;
    size_t room, used;
};

#define CHUNK_HEAD ((sizeof(struct chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

/* Something foreign that must be released with the scope. */
struct owned {
    struct owned *next;
    void *object;
    void (*release)(void *object);
};

struct ts_scope {
    enum ts_error error;
    struct chunk *chunks; /* newest first */
    size_t next_chunk;
    struct owned *owned; /* newest first */
    BN_CTX *bn_ctx;
    mp_limb_t *scratch;
    size_t scratch_limbs;
};

enum ts_error
ts_scope_new(struct ts_scope **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return TS_INTERNAL;
    (*out)->next_chunk = FIRST_CHUNK;
    return TS_OK;
}

static void
release_owned(struct ts_scope *scope)
{
    for (struct owned *owned = scope->owned; owned; owned = owned->next)
        owned->release(owned->object);
    scope->owned = NULL;
}

static void
free_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        ts_secret_free(chunk);
        chunk = next;
    }
}

void
ts_scope_free(struct ts_scope *scope)
{
    if (!scope)
        return;
    release_owned(scope);
    BN_CTX_free(scope->bn_ctx);
    free_chunks(scope->chunks);
    free(scope);
}

void
ts_scope_reset(struct ts_scope *scope)
{
    if (!scope)
        return;
    release_owned(scope);
    scope->scratch = NULL; /* lies in a chunk */
    scope->scratch_limbs = 0;
    scope->error = TS_OK;
    if (!scope->chunks)
        return;
    if (scope->chunks->used < CHUNK_HEAD) { /* a forked child: the pages are zero here */
        scope->chunks = NULL;
        return;
    }
    struct chunk *kept = scope->chunks; /* the newest, hence the largest ordinary one */
    free_chunks(kept->next);
    ts_wipe((uint8_t *)kept + CHUNK_HEAD, kept->used - CHUNK_HEAD);
    kept->next = NULL;
    kept->used = CHUNK_HEAD;
}

void
ts_scope_rest(struct ts_scope *scope)
{
    if (!scope)
        return;
    ts_scope_reset(scope);
    BN_CTX_free(scope->bn_ctx); /* erases its numbers */
    scope->bn_ctx = NULL;
    if (scope->chunks && scope->chunks->room > TS_SCOPE_KEPT) {
        free_chunks(scope->chunks);
        scope->chunks = NULL;
        scope->next_chunk = TS_SCOPE_KEPT;
    }
}

enum ts_error
ts_scope_error(const struct ts_scope *scope)
{
    return scope ? scope->error : TS_INTERNAL;
}

void
ts_scope_fail(struct ts_scope *scope, enum ts_error error)
{
    if (scope && scope->error == TS_OK)
        scope->error = error;
}

bool
ts_scope_ready(struct ts_scope *scope, bool arguments_present)
{
    if (!scope)
        return false;
    /* A missing argument comes from a failure elsewhere, such as in another scope. */
    if (!arguments_present)
        ts_scope_fail(scope, TS_INTERNAL);
    return scope->error == TS_OK;
}

static bool
add_chunk(struct ts_scope *scope, size_t size)
{
    size_t room = scope->next_chunk;

    while (room - SECRET_HEAD < size + CHUNK_HEAD)
        room *= 2;
    room -= SECRET_HEAD;
    struct chunk *chunk = ts_secret_new(room);
    if (!chunk)
        return false;
    *chunk = (struct chunk){scope->chunks, room, CHUNK_HEAD};
    scope->chunks = chunk;
    if (scope->next_chunk < LARGEST_CHUNK)
        scope->next_chunk *= 2;
    return true;
}

void *
ts_scope_memory(struct ts_scope *scope, size_t size)
{
    if (!ts_scope_ready(scope, true))
        return NULL;
    if (size > (size_t)1 << 29) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if ((!scope->chunks || scope->chunks->room - scope->chunks->used < size) && !add_chunk(scope, size)) {
        ts_scope_fail(scope, TS_INTERNAL);
        return NULL;
    }
    void *memory = (uint8_t *)scope->chunks + scope->chunks->used;
    scope->chunks->used += size;
    return memory;
}

mp_limb_t *
ts_scope_scratch(struct ts_scope *scope, size_t limbs)
{
    if (!ts_scope_ready(scope, true))
        return NULL;
    if (limbs <= scope->scratch_limbs)
        return scope->scratch;
    /* The smaller one stays in its chunk, unused; all of them together are less than twice the largest. */
    size_t room = scope->scratch_limbs ? scope->scratch_limbs : FIRST_SCRATCH;
    while (room < limbs)
        room *= 2;
    mp_limb_t *scratch = ts_scope_memory(scope, room * sizeof(mp_limb_t));
    if (!scratch)
        return NULL;
    scope->scratch = scratch;
    scope->scratch_limbs = room;
    return scratch;
}

void *
ts_scope_own(struct ts_scope *scope, void *object, void (*release)(void *object))
{
    struct owned *owned = object ? ts_scope_memory(scope, sizeof *owned) : NULL;

    if (!owned) {
        ts_scope_fail(scope, TS_INTERNAL);
        if (object)
            release(object);
        return NULL;
    }
    *owned = (struct owned){scope->owned, object, release};
    scope->owned = owned;
    return object;
}

BN_CTX *
ts_scope_bn_ctx(struct ts_scope *scope)
{
    if (!ts_scope_ready(scope, true))
        return NULL;
    /* The library context of a BN_CTX only serves BN's random generator, which is never used here. */
    if (!scope->bn_ctx)
        scope->bn_ctx = BN_CTX_secure_new_ex(NULL);
    if (!scope->bn_ctx)
        ts_scope_fail(scope, TS_INTERNAL);
    return scope->bn_ctx;
}
