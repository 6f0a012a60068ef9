#include "session/parameters.h"

#include <stdlib.h>
#include <string.h>

#define PAIRING_MAX_BYTES 65536
#define HALF_MAX_BYTES 16384

struct ts_parameters_entry {
    struct ts_parameters_entry *next;
    struct ts_pairing *parameters;
    uint8_t aux[TS_AUX_BYTES]; /* as asked for: zero for the first */
    unsigned users;
    bool gone; /* not given out any more */
};

enum ts_error
ts_parameters_init(struct ts_parameters_cache *cache)
{
    cache->entries = NULL;
    return pthread_mutex_init(&cache->lock, NULL) == 0 ? TS_OK : TS_INTERNAL;
}

/* Under the lock: free what nobody may use any more. */
static void
sweep(struct ts_parameters_cache *cache)
{
    for (struct ts_parameters_entry **at = &cache->entries; *at;) {
        struct ts_parameters_entry *entry = *at;
        if (!entry->gone || entry->users > 0) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        ts_pairing_free(entry->parameters);
        free(entry);
    }
}

void
ts_parameters_clear(struct ts_parameters_cache *cache)
{
    for (struct ts_parameters_entry *entry = cache->entries; entry; entry = entry->next) {
        entry->gone = true;
        entry->users = 0;
    }
    sweep(cache);
    pthread_mutex_destroy(&cache->lock);
}

static enum ts_error
load(struct ts_parameters_entry *entry, const struct ts_parameters_source *source, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, PAIRING_MAX_BYTES);
    enum ts_error error = ts_parameters_data(&bytes, source->store, source->keyring, pairing, entry->aux);
    if (error == TS_OK) {
        error = ts_pairing_decode(&entry->parameters, source->mpc, bytes.data, bytes.len);
        error = error == TS_FORMAT ? TS_STORAGE : error;
    }
    ts_buf_clear(&bytes);
    return error;
}

/* Under the lock. New parameters mean a refresh, perhaps in another process: what it erased leaves memory, too. */
static void
drop_erased(struct ts_parameters_cache *cache, const struct ts_parameters_source *source, const uint8_t *pairing)
{
    struct ts_buf bytes;

    for (struct ts_parameters_entry *entry = cache->entries; entry; entry = entry->next) {
        if (entry->gone || memcmp(entry->parameters->id, pairing, TS_ID_BYTES) != 0)
            continue;
        ts_buf_init_secret(&bytes, PAIRING_MAX_BYTES);
        entry->gone = ts_parameters_data(&bytes, source->store, source->keyring, pairing, entry->aux) == TS_NOT_FOUND;
        ts_buf_clear(&bytes);
    }
    sweep(cache);
}

static enum ts_error
add(struct ts_parameters_entry **out, struct ts_parameters_cache *cache, const struct ts_parameters_source *source,
    const uint8_t *pairing, const uint8_t *aux)
{
    struct ts_parameters_entry *entry = calloc(1, sizeof *entry);

    if (!entry)
        return TS_INTERNAL;
    memcpy(entry->aux, aux, sizeof entry->aux);
    enum ts_error error = load(entry, source, pairing);
    if (error != TS_OK) {
        free(entry);
        return error;
    }
    drop_erased(cache, source, pairing);
    entry->next = cache->entries;
    cache->entries = entry;
    *out = entry;
    return TS_OK;
}

enum ts_error
ts_parameters_use(const struct ts_pairing **out, struct ts_parameters_cache *cache,
    const struct ts_parameters_source *source, const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES])
{
    enum ts_error error = TS_OK;

    *out = NULL;
    pthread_mutex_lock(&cache->lock);
    struct ts_parameters_entry *entry = cache->entries;
    while (entry && (entry->gone || memcmp(entry->parameters->id, pairing, TS_ID_BYTES) != 0 ||
                        memcmp(entry->aux, aux, TS_AUX_BYTES) != 0))
        entry = entry->next;
    if (!entry)
        error = add(&entry, cache, source, pairing, aux);
    if (error == TS_OK) {
        entry->users++;
        *out = entry->parameters;
    }
    pthread_mutex_unlock(&cache->lock);
    return error;
}

void
ts_parameters_release(struct ts_parameters_cache *cache, const struct ts_pairing *parameters)
{
    if (!parameters)
        return;
    pthread_mutex_lock(&cache->lock);
    for (struct ts_parameters_entry *entry = cache->entries; entry; entry = entry->next)
        if (entry->parameters == parameters)
            entry->users--;
    sweep(cache);
    pthread_mutex_unlock(&cache->lock);
}

void
ts_parameters_drop(struct ts_parameters_cache *cache, const uint8_t pairing[TS_ID_BYTES])
{
    pthread_mutex_lock(&cache->lock);
    for (struct ts_parameters_entry *entry = cache->entries; entry; entry = entry->next)
        entry->gone |= memcmp(entry->parameters->id, pairing, TS_ID_BYTES) == 0;
    sweep(cache);
    pthread_mutex_unlock(&cache->lock);
}

enum ts_error
ts_half_open(struct ts_half **out, const struct ts_parameters_source *source, const struct ts_half_row *row)
{
    struct ts_buf bytes;

    *out = NULL;
    ts_buf_init_secret(&bytes, HALF_MAX_BYTES);
    enum ts_error error = ts_half_data(&bytes, source->store, source->keyring, row->key, row->generation);
    if (error == TS_OK) {
        error = ts_half_decode(out, source->mpc, bytes.data, bytes.len);
        error = error == TS_FORMAT ? TS_STORAGE : error;
    }
    ts_buf_clear(&bytes);
    return error;
}
