#ifndef TS_SESSION_PARAMETERS_H
#define TS_SESSION_PARAMETERS_H

#include "mpc/half.h"
#include "store/store.h"

#include <pthread.h>

/** The pairings' parameters that a process has in use, loaded once and shared by its threads; the same on both sides. A
 *  refresh brings new ones: then the old ones leave memory with their last user. */

struct ts_parameters_entry;

struct ts_parameters_cache {
    pthread_mutex_t lock; /**< held while reading the store, never across network I/O */
    struct ts_parameters_entry *entries;
};

struct ts_parameters_source {
    const struct ts_mpc *mpc;
    struct ts_store *store;
    const struct ts_keyring *keyring;
};

/** Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_parameters_init(struct ts_parameters_cache *cache);
/** Nobody may be using any. */
void ts_parameters_clear(struct ts_parameters_cache *cache);

/** The parameters of a pairing by their aux; zero: the first ones. To be given back.
 *  Returns: TS_OK; TS_NOT_FOUND (erased, or never there); TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_parameters_use(const struct ts_pairing **out, struct ts_parameters_cache *cache,
    const struct ts_parameters_source *source, const uint8_t pairing[TS_ID_BYTES], const uint8_t aux[TS_AUX_BYTES]);
/** NULL is allowed. */
void ts_parameters_release(struct ts_parameters_cache *cache, const struct ts_pairing *parameters);

/** Read a half: the generation of the row.
 *  Returns: TS_OK and a half to free; TS_NOT_FOUND; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_half_open(
    struct ts_half **out, const struct ts_parameters_source *source, const struct ts_half_row *row);

/** Forget those of a pairing: at once, or with their last user. */
void ts_parameters_drop(struct ts_parameters_cache *cache, const uint8_t pairing[TS_ID_BYTES]);

#endif
