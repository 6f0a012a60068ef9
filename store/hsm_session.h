#ifndef TS_STORE_HSM_SESSION_H
#define TS_STORE_HSM_SESSION_H

/* Inside store/ only: the way to the HSM (module, slot, session, login) and its key; hsm.c uses both. */

#include "store/hsm.h"

#include <pthread.h>

#define CRYPTOKI_COMPAT 1
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

struct ts_hsm {
    const struct ts_env *env;
    P11KitUri *uri;
    struct ts_buf pin_value;   /**< from the URI, secret; empty when there is a pin-source */
    struct ts_buf refused_pin; /**< secret; not tried again, or the HSM would lock it */
    pthread_mutex_t mutex;     /**< over everything below, and over each use of the session */
    CK_FUNCTION_LIST *module;  /**< NULL while not loaded */
    CK_SESSION_HANDLE session; /**< CK_INVALID_HANDLE while closed */
    bool writable;             /**< the session may make objects */
    CK_OBJECT_HANDLE key;      /**< CK_INVALID_HANDLE until found and checked in this session */
    bool away;                 /**< the last attempt to connect found no token: another look may help */
    bool lost;                 /**< the last failure looks like a lost session: connecting once more may help */
};

/** Load the module, open a session on the URI's token and log in; nothing happens when that was done before.
 *  In:   writable  a read/write session is needed
 *  Returns: TS_OK; TS_IO, TS_USAGE (PIN source), TS_INTERNAL, all logged. */
enum ts_error ts_hsm_connect(struct ts_hsm *hsm, bool writable);

/** Close session and module. */
void ts_hsm_disconnect(struct ts_hsm *hsm);

/** Find the key of the URI in the open session and check what it may do.
 *  Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE for several, or one that is not as ts_hsm_generate makes it; TS_IO. */
enum ts_error ts_hsm_find_key(struct ts_hsm *hsm);

/** Log a failed Cryptoki call, and note whether the session is lost.
 *  Returns: TS_IO. */
enum ts_error ts_hsm_failed(struct ts_hsm *hsm, const char *call, CK_RV rv);

#endif
