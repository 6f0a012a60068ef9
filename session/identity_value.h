#ifndef TS_SESSION_IDENTITY_VALUE_H
#define TS_SESSION_IDENTITY_VALUE_H

#include "base/secret.h"
#include "mpc/hedge.h"
#include "store/store.h"
#include "transport/identity.h"

/** A device's identity and hedge key as sealed values of its token, the same on both sides. */

/** Make both where absent. Returns: TS_OK; TS_USAGE (name); TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_identity_prepare(const struct ts_env *env, struct ts_store *store, uint64_t token,
    const struct ts_keyring *keyring, const char *name);

/** Returns: TS_OK and an identity to free; TS_NOT_FOUND; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_identity_load(struct ts_identity **out, const struct ts_env *env, struct ts_store *store,
    uint64_t token, const struct ts_keyring *keyring);

/** The name that the identity was made with, by which the other side is to know this one. "" when there is none. */
void ts_identity_name(char out[TS_NAME_MAX], struct ts_store *store, uint64_t token, const struct ts_keyring *keyring);

/** Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. Secret: wipe hk after use. */
enum ts_error ts_hedge_key_load(
    uint8_t hk[TS_HEDGE_KEY_BYTES], struct ts_store *store, uint64_t token, const struct ts_keyring *keyring);

#endif
