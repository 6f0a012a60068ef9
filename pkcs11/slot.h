#ifndef TS_PKCS11_SLOT_H
#define TS_PKCS11_SLOT_H

#include "pkcs11/instance.h"
#include "pkcs11/objects.h"

/** Somebody is logged in to a token. Counted, so that a signature under way keeps the keyring when another thread logs
 *  out. */
struct ts_login {
    unsigned uses; /**< guarded by the instance's lock */
    CK_USER_TYPE user;
    struct ts_keyring *keyring;
};

/** A slot and its token. A slot's id is the id of the token in the store; the last slot is empty: its token is not
 *  initialised, and C_InitToken makes one there. */
struct ts_slot {
    CK_SLOT_ID id;
    struct ts_login *login; /**< NULL: public */
    struct ts_object_list token_objects;
    struct ts_object_list session_objects;
    uint64_t version; /**< of the store when token_objects were read */
    bool loaded;      /**< token_objects are for the present login */
    bool farewell;    /**< a session's key has ended: ts_call_end tells the peer, when the lock is given back */
    bool dropped;     /**< logged out: ts_call_end closes the token's connections, when the lock is given back */
};

/** Read the tokens from the store: new slots are added, old ones keep their state.
 *  Returns: CKR_OK; CKR_DEVICE_ERROR; CKR_HOST_MEMORY. Instance locked, or not yet shared. */
CK_RV ts_slots_refresh(struct ts_instance *instance);
void ts_slots_free(struct ts_instance *instance);
/** NULL when there is no such slot. */
struct ts_slot *ts_slot_find(const struct ts_instance *instance, CK_SLOT_ID id);

/** Token in the slot. Returns: CKR_OK; CKR_TOKEN_NOT_RECOGNIZED when it is not initialised; CKR_DEVICE_ERROR. */
CK_RV ts_slot_token(struct ts_token_row *out, const struct ts_instance *instance, const struct ts_slot *slot);

bool ts_slot_has_user(const struct ts_slot *slot);
bool ts_slot_has_so(const struct ts_slot *slot);

/** Take and give back a use of the login. Instance locked. */
struct ts_login *ts_login_hold(struct ts_slot *slot);
void ts_login_release(struct ts_login *login);

/** Log out: private session objects and the keyring go, cached objects are read again. Instance locked. */
void ts_slot_logout(struct ts_instance *instance, struct ts_slot *slot);

#endif
