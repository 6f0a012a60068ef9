#ifndef TS_TESTS_SOFTHSM_H
#define TS_TESTS_SOFTHSM_H

#include <stdbool.h>
#include <stddef.h>

#define SOFTHSM_TOKEN "hsm"
#define SOFTHSM_PIN "hsm-pin-2718"
#define SOFTHSM_SO_PIN "hsm-so-pin-3141"

/** A throwaway SoftHSM2 with one initialised token, in an own temporary folder. Use it in an unchecked fixture, which
 *  also runs its teardown after a failed test, and give each test keys of its own. */
struct softhsm {
    char dir[64];     /**< the folder; tests may keep their files here too */
    char module[256]; /**< libsofthsm2.so */
};

/** Make folder, configuration (SOFTHSM2_CONF of this process and its children) and token.
 *  Returns: false when a step fails; then nothing is left behind. */
bool softhsm_start(struct softhsm *hsm);

/** Remove the folder with everything in it. */
void softhsm_stop(struct softhsm *hsm);

/** URI of a key on the token.
 *  In:   key  its label; pin  e.g. "pin-value=..." or "pin-source=file:..."; NULL: the right PIN as pin-value */
void softhsm_uri(char *out, size_t size, const struct softhsm *hsm, const char *key, const char *pin);

/** Path of a file in the folder. */
void softhsm_path(char *out, size_t size, const struct softhsm *hsm, const char *name);

/** Work on the token from another process: make an AES-256 key (any more arguments of pkcs11-tool, up to NULL), or
 *  delete one. Returns: true when the program says so. */
bool softhsm_make_key(const struct softhsm *hsm, const char *key, const char *option);
bool softhsm_delete_key(const struct softhsm *hsm, const char *key);

/** Remove a folder and everything in it. */
void remove_tree(const char *dir);

#endif
