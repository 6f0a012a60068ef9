#ifndef TS_SERVER_MODULE_INTERNAL_H
#define TS_SERVER_MODULE_INTERNAL_H

/* Inside server/module*.c only. */

#include "server/module.h"

#include <pthread.h>

struct ts_module {
    const struct ts_env *env;
    void *library;
    CK_FUNCTION_LIST_3_0 *p11;
    bool initialized;
    CK_SLOT_ID slot;
    pthread_mutex_t lock;  /**< of `ask`: a search is an operation of its session */
    CK_SESSION_HANDLE ask; /**< for searches of any thread */
    unsigned count;
    CK_SESSION_HANDLE sessions[]; /**< one for each worker */
};

/** The handle of a private key by one attribute. session: whose search it becomes. */
CK_RV ts_module_find(CK_OBJECT_HANDLE *out, struct ts_module *module, CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE type,
    const uint8_t value[TS_ID_BYTES]);
/** What the token shows of a private key. */
CK_RV ts_module_read(struct ts_key *out, struct ts_module *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle);

/** DER of a curve's CKA_EC_PARAMS. Returns: NULL for a name that is none. */
const uint8_t *ts_module_curve(size_t *len, const char *name);

#endif
