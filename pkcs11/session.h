#ifndef TS_PKCS11_SESSION_H
#define TS_PKCS11_SESSION_H

#include "pkcs11/ec.h"
#include "pkcs11/instance.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/slot.h"

/** A search under way: the handles that matched when it began. */
struct ts_find {
    bool active;
    CK_OBJECT_HANDLE *handles;
    size_t count, next;
};

struct ts_digest {
    EVP_MD_CTX *hash; /**< NULL: not active */
    bool multipart;   /**< C_DigestUpdate was called */
    bool whole;       /**< C_Digest was asked for the length: the data comes at once */
};

/** A signature: what is needed of the key is copied, so that the key may go meanwhile. */
struct ts_sign {
    bool active;
    bool busy;      /**< a thread is at the peer with it */
    bool multipart; /**< C_SignUpdate was called */
    const struct ts_mechanism *mechanism;
    const struct ts_curve_info *curve;
    uint8_t key[TS_ID_BYTES];
    char label[TS_NAME_MAX];
    bool has_session_id; /**< the caller has chosen one */
    uint8_t session_id[TS_ID_BYTES];
    uint32_t wait_ms;
    struct ts_buf message;
};

struct ts_verify {
    EVP_PKEY *key; /**< NULL: not active */
    bool multipart;
    const struct ts_mechanism *mechanism;
    const struct ts_curve_info *curve;
    EVP_MD_CTX *hash; /**< NULL for CKM_ECDSA */
};

struct ts_ck_session {
    CK_SESSION_HANDLE handle;
    struct ts_slot *slot;
    bool writable;
    struct ts_find find;
    struct ts_digest digest;
    struct ts_sign sign;
    struct ts_verify verify;
    struct ts_cancel *cancel; /**< of the key or signature that a thread is at the peer with; NULL: none */
};

/** NULL when there is no such session. Instance locked. */
struct ts_ck_session *ts_ck_session_find(const struct ts_instance *instance, CK_SESSION_HANDLE handle);
/** Open sessions with a slot; or only the read-only or writable ones. */
size_t ts_ck_session_count(const struct ts_instance *instance, const struct ts_slot *slot);
size_t ts_ck_session_count_writable(const struct ts_instance *instance, const struct ts_slot *slot);
CK_STATE ts_ck_session_state(const struct ts_ck_session *session);
void ts_ck_sessions_free(struct ts_instance *instance);

/** May the session write an object with this CKA_TOKEN and CKA_PRIVATE?
 *  Returns: CKR_OK; CKR_SESSION_READ_ONLY; CKR_USER_NOT_LOGGED_IN. */
CK_RV ts_ck_session_check_write(const struct ts_ck_session *session, bool token, bool is_private);

/** A key or signature of the session goes to the peer, and has come back: C_SessionCancel ends the first that is there,
 *  when threads run several at once. */
void ts_ck_session_run(struct ts_ck_session *session, struct ts_cancel *cancel);
void ts_ck_session_ran(struct ts_ck_session *session, const struct ts_cancel *cancel);

/** End an operation, in any state of it; in the file of its chapter. */
void ts_find_end(struct ts_find *find);
void ts_digest_end(struct ts_digest *digest);
void ts_sign_end(struct ts_sign *sign);
void ts_verify_end(struct ts_verify *verify);

/** C_Digest, C_Sign and C_Verify do not end what an ...Update has begun: PKCS#11 3.0, 5.10, 5.13, 5.15. The operation ends
 *  as by any error. CKR_OPERATION_ACTIVE tells it from an operation that was never begun; openCryptoki does the same.
 *  Returns: CKR_OK; CKR_OPERATION_ACTIVE. */
CK_RV ts_check_unmixed(bool other_way);

/** A C_...Init call whose mechanism is NULL cancels (3.0), unless there is nothing to cancel.
 *  Returns: CKR_OK; CKR_ARGUMENTS_BAD. */
CK_RV ts_cancel_by_null(bool active);

#endif
