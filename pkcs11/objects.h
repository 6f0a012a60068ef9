#ifndef TS_PKCS11_OBJECTS_H
#define TS_PKCS11_OBJECTS_H

#include "pkcs11/attrs.h"
#include "pkcs11/index.h"
#include "pkcs11/instance.h"

/** One object. The handle of a token object is twice its row in the store; that of a session object is an odd number.
 *  Both name the same object for ever, and neither is used again. */
struct ts_object {
    CK_OBJECT_HANDLE handle;
    uint64_t row;            /**< 0 for session objects and for profiles, which are not stored */
    CK_SESSION_HANDLE owner; /**< session objects: they go with this session */
    unsigned class_bit;
    bool is_private;
    struct ts_attrs attrs;
};

/** By rising handle. */
struct ts_object_list {
    struct ts_object *items;
    size_t count;
    struct ts_index index;
};

/** Append, taking the attributes over when it succeeds. Returns: CKR_OK; CKR_HOST_MEMORY. */
CK_RV ts_object_list_append(struct ts_object_list *list, const struct ts_object *object);

struct ts_call;

CK_OBJECT_HANDLE ts_handle_from_row(uint64_t row);

/** Bring the cached token objects up to date. Returns: CKR_OK; CKR_DEVICE_ERROR; CKR_HOST_MEMORY. */
CK_RV ts_objects_refresh(struct ts_instance *instance, struct ts_slot *slot);

/** An object that the session may see. Valid while the call is locked.
 *  Returns: CKR_OK; CKR_OBJECT_HANDLE_INVALID; CKR_USER_NOT_LOGGED_IN when it is private and the user is not logged in;
 *  as ts_objects_refresh. */
CK_RV ts_object_get(struct ts_object **out, struct ts_call *call, CK_OBJECT_HANDLE handle);

/** Does it belong to the token, not to a session? */
bool ts_object_of_token(const struct ts_object *object);

/** May the present login see it? */
bool ts_object_visible(const struct ts_slot *slot, const struct ts_object *object);

/** Add an object of the session, or of the token when CKA_TOKEN says so. Takes the attributes over, also on failure.
 *  Returns: CKR_OK and the handle; CKR_DEVICE_ERROR; CKR_HOST_MEMORY. */
CK_RV ts_object_add(CK_OBJECT_HANDLE *handle, struct ts_call *call, unsigned class_bit, struct ts_attrs *attrs);
/** The same for the token's part of it, usable without the instance's lock: only the store is touched. */
enum ts_error ts_object_store(uint64_t *row, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token,
    unsigned class_bit, struct ts_attrs *attrs);

/** Replace or add attributes, all or none. Returns: as ts_object_add. */
CK_RV ts_object_change(struct ts_call *call, struct ts_object *object, struct ts_attrs *changes);

/** Delete; the half of a private key goes with the last object that refers to it. Returns: as ts_object_add. */
CK_RV ts_object_remove(struct ts_instance *instance, struct ts_slot *slot, struct ts_object *object);

/** Delete session objects: of one session; or all private ones (C_Logout). */
void ts_objects_remove_session(struct ts_instance *instance, struct ts_slot *slot, CK_SESSION_HANDLE owner);
void ts_objects_remove_private(struct ts_instance *instance, struct ts_slot *slot);

void ts_object_list_clear(struct ts_object_list *list);

#endif
