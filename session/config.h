#ifndef TS_SESSION_CONFIG_H
#define TS_SESSION_CONFIG_H

#include "base/env.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The one YAML configuration file, for both sides. Source of keys and defaults: docs/configuration.md. */
struct ts_config {
    char *path; /**< file that was read, NULL when there was none (then all is default) */

    char *store;            /**< enterprise database; default $XDG_STATE_HOME/tallystick/token.db, else
                              ~/.local/state/tallystick/token.db,           for root /var/lib/tallystick/token.db */
    char *hsm;              /**< PKCS#11 URI of the HSM's AES key; NULL when not set */
    uint32_t modulus_bits;  /**< 3072 (default), 2048, 4096 */
    unsigned threads;       /**< for the safe-prime search; default: online CPUs */
    unsigned presignatures; /**< how many to keep ready for a key that signs often, 0 to 64; default 8 */

    struct {
        char *to; /**< "syslog" (default), "stderr", or a file's path */
        enum ts_log_level level;
    } log;

    char *listen; /**< where devices may dial in, host:port; NULL: nowhere */

    struct {                /**< milliseconds */
        uint32_t connect;   /**< default 5000 */
        uint32_t step;      /**< an answer of the peer's machine; default 15000 */
        uint32_t approval;  /**< a person's decision; default 60000 */
        uint32_t heartbeat; /**< silence of the other side until it is asked whether it lives; default 5000 */
        uint32_t resume;    /**< how long sessions outlive a lost connection; default 60000 */
        uint32_t wait;      /**< for a peer that is away; default 0: fail at once */
    } timeout;

    struct {
        uint32_t keep; /**< how long the record of a session is kept, in seconds; default 30 days */
    } sessions;

    struct {             /**< the mobile side */
        char *store;     /**< default like store, peer.db */
        char *listen;    /**< default "[::]:8083" */
        char *connect;   /**< where to dial in to, host:port with commas between; NULL: nowhere */
        char *advertise; /**< host:port written into the pairing URI; default derived from listen and the host's name */
        char *name;      /**< shown to the other side; default the host's name */
        char *passphrase; /**< pin-source of the store's passphrase; NULL: asked on the terminal */
        char *approval;   /**< "ask" (default) or "auto" */
    } peer;
};

/** Read the file named by $TALLYSTICK_CONF, else $XDG_CONFIG_HOME/tallystick/tallystick.yaml (or ~/.config/...), else
 *  TS_SYSCONFDIR/tallystick.yaml; fill in defaults. A missing default file is no error; a missing $TALLYSTICK_CONF file
 * is. `explicit_path` (may be NULL) wins over all. `error` gets one line naming file, key and line when the answer is
 * not TS_OK. Returns: TS_OK; TS_USAGE (unknown key, bad value, not readable); TS_INTERNAL. */
enum ts_error ts_config_load(struct ts_config **out, const char *explicit_path, char *error, size_t error_size);
void ts_config_free(struct ts_config *config);

/** Point the environment's log to where the configuration says. The configuration must outlive the log. */
void ts_config_log(struct ts_log *log, const struct ts_config *config);

#endif
