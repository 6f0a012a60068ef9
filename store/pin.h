#ifndef TS_STORE_PIN_H
#define TS_STORE_PIN_H

#include "store/keyring.h"
#include "store/store.h"

/** Inside store/ only. A token key under one PIN: HSM-AES-GCM( AES-GCM_scrypt(PIN)( token key ) ), the outer layer left
 *  out where there is no HSM. The bytes are
 *      version (1) | layers (1: scrypt, 2: scrypt and HSM) | log2 N | r | p | salt (16) | sealed
 *  and everything before `sealed` is, with the place, associated data of both layers. */

#define TS_SCRYPT_LOG_N 15
#define TS_SCRYPT_R 8
#define TS_SCRYPT_P 1

/** Longest such value. */
#define TS_PIN_SEALED_MAX 256

/** Where the value belongs; it opens nowhere else. */
struct ts_pin_place {
    uint64_t token;
    char serial[17];
    uint8_t key_id[TS_KEY_ID_BYTES];
    enum ts_user user;
};

/** Seal.
 *  In:   hsm  NULL: scrypt layer only; key  the token key, 32 bytes
 *  Returns: TS_OK; TS_IO, TS_NOT_FOUND, TS_STORAGE (HSM); TS_INTERNAL. Secrets: pin, key. */
enum ts_error ts_pin_seal(struct ts_buf *out, const struct ts_env *env, struct ts_hsm *hsm,
    const struct ts_pin_place *place, const uint8_t *pin, size_t pin_len, const uint8_t key[TS_TOKEN_KEY_BYTES]);

/** Are version, layers and scrypt parameters ones that this program uses? Cheap, before a try is counted.
 *  Returns: TS_OK; TS_STORAGE when not, or when it has no HSM layer although there is an HSM: whoever can write the
 *  database must not be able to do without the HSM; TS_IO when it needs an HSM and `hsm` is NULL. All logged. */
enum ts_error ts_pin_check(const struct ts_env *env, const struct ts_hsm *hsm, const uint8_t *sealed, size_t len);

/** Open: the HSM's layer first, then scrypt, so that a PIN is only judged by somebody who has the HSM.
 *  Returns: TS_OK; TS_PIN_INCORRECT; TS_IO, TS_STORAGE (key gone, another key, or damaged); TS_INTERNAL. */
enum ts_error ts_pin_open(uint8_t key[TS_TOKEN_KEY_BYTES], const struct ts_env *env, struct ts_hsm *hsm,
    const struct ts_pin_place *place, const uint8_t *pin, size_t pin_len, const uint8_t *sealed, size_t len);

#endif
