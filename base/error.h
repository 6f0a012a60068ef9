#ifndef TS_BASE_ERROR_H
#define TS_BASE_ERROR_H

/** What a function of this project answers. Anything but TS_OK is a failure; a result starts as failure and
 *  success is assigned last. The PKCS#11 module turns these into CK_RV in one table (pkcs11/rv.c). */
enum ts_error {
    TS_OK = 0,
    TS_USAGE,         /**< the caller's arguments or the configuration are wrong; nothing was done */
    TS_FORMAT,        /**< received bytes do not decode, have a wrong version, or exceed a length or range */
    TS_IO,            /**< the other side, the HSM or a file cannot be reached, or the connection was lost */
    TS_TIMEOUT,       /**< connected, but no answer before the deadline */
    TS_REFUSED,       /**< the person or the policy on the other side said no */
    TS_CHEATED,       /**< a proof, an opening or a final verification failed: somebody cheats or a fault happened */
    TS_LOCKED,        /**< the key is locked after cheating; only a refresh by the administrator lifts it */
    TS_STORAGE,       /**< the database or the HSM key is damaged, missing, or full */
    TS_INTERNAL,      /**< out of memory, a failed library call, a broken invariant */
    TS_NOT_FOUND,     /**< no such token, key, peer or object */
    TS_EXISTS,        /**< there is one already */
    TS_PIN_INCORRECT, /**< wrong PIN or passphrase; the failure has been counted durably */
    TS_PIN_LOCKED,    /**< too many wrong PINs */
    TS_INCAPABLE      /**< the configuration of the side that was asked leaves it out of `capabilities` */
};

/** One short English word group for an error, for logs and the command line.
 *  Returns: a static string, never NULL, also for values outside the enum. */
const char *ts_error_text(enum ts_error error);

#endif
