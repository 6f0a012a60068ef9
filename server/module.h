#ifndef TS_SERVER_MODULE_H
#define TS_SERVER_MODULE_H

#include "base/buffer.h"
#include "base/env.h"
#include "pkcs11/cryptoki.h"
#include "pkcs11/tallystick.h"
#include "store/store.h"

#include <stdbool.h>

/** The PKCS#11 module as the server uses it: through its C API, like any other application. */
struct ts_module;

struct ts_module_options {
    const struct ts_env *env;
    const char *path;  /**< of the shared object */
    const char *token; /**< label; NULL: the only one */
    const char *pin;   /**< pin-source of the user's PIN */
    unsigned sessions; /**< of the workers */
};

/** Load, initialise, log in, open one session for each worker and one more for questions that need no peer. Each failure
 *  has its log line.
 *  Returns: TS_OK; TS_USAGE (no such module, token or PIN source); TS_PIN_INCORRECT; TS_PIN_LOCKED; TS_IO (anything else
 *  the module refused); TS_INTERNAL. env must outlive it. Secrets: the PIN is erased. */
enum ts_error ts_module_open(struct ts_module **out, const struct ts_module_options *options);
/** Log out, C_Finalize (which ends what still runs), unload. NULL is allowed. */
void ts_module_close(struct ts_module *module);

/** The slot's number, which is the token's id in the store. */
uint64_t ts_module_token(const struct ts_module *module);
/** Does the token still answer, logged in? */
bool ts_module_ready(struct ts_module *module);

/** A key as the token shows it. */
struct ts_key {
    uint8_t id[TS_ID_BYTES];
    uint8_t session[TS_ID_BYTES]; /**< that made it; zeros when it is older than that attribute */
    char label[TS_NAME_MAX];
    char curve[16];     /**< P-256, P-384, P-521, secp256k1; "" for another */
    uint8_t point[133]; /**< uncompressed */
    size_t point_len;
    uint8_t info[256]; /**< SubjectPublicKeyInfo, DER */
    size_t info_len;
};

/** Every private key. Free with free(). Returns: CKR_OK or what the module said. Thread-safe. */
CK_RV ts_module_keys(struct ts_key **out, size_t *count, struct ts_module *module);
/** The key with this id, or made by this session; one of the two is NULL.
 *  Returns: CKR_OK; CKR_KEY_HANDLE_INVALID when there is none; what the module said. Thread-safe. */
CK_RV ts_module_key(struct ts_key *out, struct ts_module *module, const uint8_t *id, const uint8_t *session);

struct ts_module_sign {
    const uint8_t *key;          /**< its id */
    CK_MECHANISM_TYPE mechanism; /**< CKM_ECDSA, ... */
    const uint8_t *data;
    size_t len;
    const uint8_t *session; /**< TS_ID_BYTES, never used before */
    uint32_t wait_ms;       /**< for a partner that is away */
};
#define TS_SIGNATURE_MAX 132

/** Sign on a worker's session. signature: r || s. Returns: CKR_OK or what the module said. */
CK_RV ts_module_sign(uint8_t signature[TS_SIGNATURE_MAX], size_t *len, struct ts_module *module, unsigned worker,
    const struct ts_module_sign *job);

struct ts_module_keygen {
    const char *curve;      /**< P-256, ... */
    const char *label;      /**< may be "" */
    const char *partner;    /**< NULL: the token's only one */
    const uint8_t *session; /**< TS_ID_BYTES, never used before */
    uint32_t wait_ms;
};
/** Make a key of the token. Returns: CKR_OK; CKR_CURVE_NOT_SUPPORTED; what the module said. */
CK_RV ts_module_keygen(
    struct ts_key *out, struct ts_module *module, unsigned worker, const struct ts_module_keygen *job);

/** End what the worker's session is doing. From any thread.
 *  Returns: false when the module has no C_SessionCancel or it failed. */
bool ts_module_cancel(struct ts_module *module, unsigned worker);

#endif
