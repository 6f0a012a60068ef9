#ifndef TS_TRANSPORT_MESSAGE_H
#define TS_TRANSPORT_MESSAGE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The messages of transport/tallystick.proto as plain structures: nothing above this folder touches protobuf.
 *
 *  Rules for all of them:
 *  - `encode` appends to `out`, whose bound must be large enough. It checks what `decode` of the other side will check.
 *    Returns: TS_OK; TS_USAGE when a field is outside its bounds; TS_FORMAT when `out` is too small; TS_INTERNAL.
 *  - `decode` fills `out`, which the caller gives back with `clear` (after a failure too, where it does nothing).
 *    Pointers in a decoded structure point into memory owned by it (`owned`) and are valid until `clear`, whatever
 *    happens to the bytes that were decoded. In a structure filled by hand `owned` is NULL and the pointers are the
 *    caller's.
 *    Returns: TS_OK; TS_FORMAT; TS_INTERNAL without memory.
 *  - Only the canonical encoding is read: an unknown, repeated or out-of-order field, a default value written out, a
 *    number in more bytes than needed are TS_FORMAT. So one value has one encoding, which matters where it is hashed.
 *  - Texts are valid UTF-8 without control characters, and at most as long as their array less one; ids, nonces,
 *    hashes have exactly their length; byte strings are at most as long as the constants say.
 *  - Nothing here is a secret from the other side; structures without `clear` own nothing. */

#define TS_KEY_ID_BYTES 16
#define TS_NONCE_BYTES 32
#define TS_CONFIRMATION_BYTES 32
#define TS_PARAMETERS_BYTES 32
#define TS_TEXT_BYTES 65       /**< room of a name or label, with the final NUL */
#define TS_REASON_BYTES 201    /**< room of a reason, with the final NUL */
#define TS_MECHANISM_BYTES 32  /**< room of a mechanism's name, with the final NUL */
#define TS_DIGEST_MAX_BYTES 66 /**< what the largest curve uses (P-521); none is empty */
#define TS_SIGN_MESSAGE_MAX_BYTES ((size_t)64 << 10)
#define TS_SIGN_REQUEST_MAX_BYTES ((size_t)72 << 10)
#define TS_ROUND_PAYLOAD_MAX_BYTES ((size_t)1 << 20)
#define TS_SMALL_PAYLOAD_MAX_BYTES ((size_t)4 << 10)

/** The values of MessageType in transport/tallystick.proto. */
enum ts_message_type {
    TS_MESSAGE_NONE = 0, /**< no message: the state before the first one */

    TS_MESSAGE_FAILURE = 1,
    TS_MESSAGE_ACKNOWLEDGE = 2,
    TS_MESSAGE_SESSION_OVER = 3,

    TS_MESSAGE_SESSION_HELLO = 10,
    TS_MESSAGE_SESSION_HELLO_REPLY = 11,

    TS_MESSAGE_PAIR_PROVE = 20,
    TS_MESSAGE_PAIR_PROVE_REPLY = 21,
    TS_MESSAGE_PAIR_INIT = 22,
    TS_MESSAGE_PRE_PARAMS_P2 = 23,
    TS_MESSAGE_PRE_PARAMS_P1 = 24,
    TS_MESSAGE_PRE_PARAMS_CONFIRM = 25,
    TS_MESSAGE_PRE_PARAMS_COMMIT = 26,
    TS_MESSAGE_PRE_PARAMS_DONE = 27,
    TS_MESSAGE_PAIR_CODE = 28,
    TS_MESSAGE_PAIR_CODE_REPLY = 29,

    TS_MESSAGE_KEYGEN_INIT = 30,
    TS_MESSAGE_KEYGEN_INIT_REPLY = 31,
    TS_MESSAGE_KEYGEN_P1_COMMIT = 32,
    TS_MESSAGE_KEYGEN_P2 = 33,
    TS_MESSAGE_KEYGEN_P1_OPEN = 34,
    TS_MESSAGE_KEYGEN_CONFIRM = 35,
    TS_MESSAGE_COMMIT = 36,
    TS_MESSAGE_COMMIT_DONE = 37,
    TS_MESSAGE_ABORT = 38,
    TS_MESSAGE_ABORT_DONE = 39,
    TS_MESSAGE_DESTROY = 40,
    TS_MESSAGE_DESTROY_DONE = 41,

    TS_MESSAGE_SIGN_ROUND_1 = 50,
    TS_MESSAGE_SIGN_ROUND_1_REPLY = 51,
    TS_MESSAGE_SIGN_ROUND_2 = 52,
    TS_MESSAGE_SIGN_ROUND_2_REPLY = 53,
    TS_MESSAGE_SIGN_REQUEST = 54,
    TS_MESSAGE_SIGN_ROUND_3 = 55,
    TS_MESSAGE_LOCK = 56,
    TS_MESSAGE_LOCK_DONE = 57,

    TS_MESSAGE_REFRESH_INIT = 70,
    TS_MESSAGE_REFRESH_INIT_REPLY = 71,
    TS_MESSAGE_REFRESH_P1_COMMIT = 72,
    TS_MESSAGE_REFRESH_P2 = 73,
    TS_MESSAGE_REFRESH_P1_OPEN = 74,
    TS_MESSAGE_REFRESH_CONFIRM = 75,
    TS_MESSAGE_REFRESH_ASK = 76,
    TS_MESSAGE_REFRESH_GRANTED = 77
};

/** Which party sends a type; TS_FROM_LINK: neither, the links of both sides say it to each other. */
enum ts_message_sender { TS_FROM_NOBODY = 0, TS_FROM_P1 = 1, TS_FROM_P2 = 2, TS_FROM_BOTH = 3, TS_FROM_LINK = 4 };

/** Name of a type as in the schema, "SIGN_ROUND_1". Returns: a static string; "unknown type" for no type. */
const char *ts_message_name(int type);

/** Largest payload of a type in bytes. Returns: 0 for a type that does not exist, and for those that are empty. */
size_t ts_message_max(int type);

/** Who sends a type. Returns: TS_FROM_NOBODY for a type that does not exist. */
enum ts_message_sender ts_message_sender(int type);

/** The state of a session is the type of its last message, of either side; TS_MESSAGE_NONE before the first. Here is what
 *  comes next; a FAILURE may come in every state.
 *  Returns: TS_MESSAGE_NONE when nothing does, and before the first message, where several may. */
int ts_message_next(int state);

/** May this type come in this state? */
bool ts_message_is_due(int state, int type);

/** What the person on the other side is shown. Texts may be empty. */
struct ts_context {
    char label[TS_TEXT_BYTES];
    char application[TS_TEXT_BYTES];
    char host[TS_TEXT_BYTES];
    char user[TS_TEXT_BYTES];
};

/** Ends a session. An error without a class in the schema is sent as TS_INTERNAL. */
struct ts_failure {
    enum ts_error error; /**< not TS_OK */
    char reason[TS_REASON_BYTES];
};
enum ts_error ts_failure_encode(struct ts_buf *out, const struct ts_failure *failure);
enum ts_error ts_failure_decode(struct ts_failure *out, const uint8_t *bytes, size_t len);

/** SESSION_HELLO, SESSION_HELLO_REPLY. */
struct ts_session_hello {
    uint8_t nonce[TS_NONCE_BYTES];
};
enum ts_error ts_session_hello_encode(struct ts_buf *out, const struct ts_session_hello *hello);
enum ts_error ts_session_hello_decode(struct ts_session_hello *out, const uint8_t *bytes, size_t len);

/** PAIR_PROVE, PAIR_PROVE_REPLY. The proof is ts_pair_proof's. The name is not empty. */
struct ts_pair_prove {
    uint8_t proof[32];
    char name[TS_TEXT_BYTES];
    uint8_t code[32]; /**< ts_pair_code_commit of the dialling side; the nonce of the other */
};
enum ts_error ts_pair_prove_encode(struct ts_buf *out, const struct ts_pair_prove *prove);
enum ts_error ts_pair_prove_decode(struct ts_pair_prove *out, const uint8_t *bytes, size_t len);

/** KEYGEN_INIT. payload: 1 to TS_SMALL_PAYLOAD_MAX_BYTES / 2 bytes. */
struct ts_keygen_init {
    const uint8_t *payload;
    size_t payload_len;
    struct ts_context context;
    void *owned;
    bool temporary;                          /**< the key lives only as long as a session of the enterprise */
    uint8_t parameters[TS_PARAMETERS_BYTES]; /**< aux of the pairing's parameters that a refresh brought; zero: first */
};
enum ts_error ts_keygen_init_encode(struct ts_buf *out, const struct ts_keygen_init *init);
enum ts_error ts_keygen_init_decode(struct ts_keygen_init *out, const uint8_t *bytes, size_t len);
void ts_keygen_init_clear(struct ts_keygen_init *init);

/** COMMIT, COMMIT_DONE, ABORT, ABORT_DONE, DESTROY, DESTROY_DONE. */
struct ts_commit {
    uint8_t key[TS_KEY_ID_BYTES];
    uint32_t generation;
    uint8_t confirmation[TS_CONFIRMATION_BYTES];
};
enum ts_error ts_commit_encode(struct ts_buf *out, const struct ts_commit *commit);
enum ts_error ts_commit_decode(struct ts_commit *out, const uint8_t *bytes, size_t len);

/** SIGN_ROUND_1. payload: 1 to TS_ROUND_PAYLOAD_MAX_BYTES bytes. */
struct ts_sign_round1 {
    uint8_t key[TS_KEY_ID_BYTES];
    uint32_t generation;
    uint64_t batch;
    const uint8_t *payload;
    size_t payload_len;
    void *owned;
};
enum ts_error ts_sign_round1_encode(struct ts_buf *out, const struct ts_sign_round1 *round);
enum ts_error ts_sign_round1_decode(struct ts_sign_round1 *out, const uint8_t *bytes, size_t len);
void ts_sign_round1_clear(struct ts_sign_round1 *round);

/** SIGN_ROUND_2. payload: 1 to TS_ROUND_PAYLOAD_MAX_BYTES bytes; request: the bytes of an encoded ts_sign_request, at
 *  most TS_SIGN_REQUEST_MAX_BYTES, or none (length 0). */
struct ts_sign_round2 {
    const uint8_t *payload;
    size_t payload_len;
    const uint8_t *request;
    size_t request_len;
    void *owned;
};
enum ts_error ts_sign_round2_encode(struct ts_buf *out, const struct ts_sign_round2 *round);
enum ts_error ts_sign_round2_decode(struct ts_sign_round2 *out, const uint8_t *bytes, size_t len);
void ts_sign_round2_clear(struct ts_sign_round2 *round);

/** SIGN_ROUND_2_REPLY. payload: 1 to TS_ROUND_PAYLOAD_MAX_BYTES bytes; answer: what SIGN_ROUND_3 would carry, at most
 *  TS_SMALL_PAYLOAD_MAX_BYTES, or none (length 0). */
struct ts_sign_round2_reply {
    const uint8_t *payload;
    size_t payload_len;
    const uint8_t *answer;
    size_t answer_len;
    void *owned;
};
enum ts_error ts_sign_round2_reply_encode(struct ts_buf *out, const struct ts_sign_round2_reply *reply);
enum ts_error ts_sign_round2_reply_decode(struct ts_sign_round2_reply *out, const uint8_t *bytes, size_t len);
void ts_sign_round2_reply_clear(struct ts_sign_round2_reply *reply);

/** SIGN_REQUEST, and the request inside SIGN_ROUND_2. Hashed exactly as sent: keep the encoded bytes.
 *  mechanism: not empty. digest: 1 to TS_DIGEST_MAX_BYTES bytes. message: with has_message 0 to
 *  TS_SIGN_MESSAGE_MAX_BYTES bytes, without it none. */
struct ts_sign_request {
    uint64_t batch;
    uint32_t index;
    uint8_t key[TS_KEY_ID_BYTES];
    uint32_t generation;
    char mechanism[TS_MECHANISM_BYTES];
    const uint8_t *digest;
    size_t digest_len;
    const uint8_t *message;
    size_t message_len;
    bool has_message;
    struct ts_context context;
    void *owned;
};
enum ts_error ts_sign_request_encode(struct ts_buf *out, const struct ts_sign_request *request);
enum ts_error ts_sign_request_decode(struct ts_sign_request *out, const uint8_t *bytes, size_t len);
void ts_sign_request_clear(struct ts_sign_request *request);

/** LOCK. LOCK_DONE carries the same structure. */
struct ts_lock {
    uint8_t key[TS_KEY_ID_BYTES];
    char reason[TS_REASON_BYTES];
};
enum ts_error ts_lock_encode(struct ts_buf *out, const struct ts_lock *lock);
enum ts_error ts_lock_decode(struct ts_lock *out, const uint8_t *bytes, size_t len);

/** REFRESH_INIT. generation: the new one. payload: 1 to TS_SMALL_PAYLOAD_MAX_BYTES / 2 bytes. */
struct ts_refresh_init {
    uint8_t key[TS_KEY_ID_BYTES];
    uint32_t generation;
    const uint8_t *payload;
    size_t payload_len;
    void *owned;
};
enum ts_error ts_refresh_init_encode(struct ts_buf *out, const struct ts_refresh_init *init);
enum ts_error ts_refresh_init_decode(struct ts_refresh_init *out, const uint8_t *bytes, size_t len);
void ts_refresh_init_clear(struct ts_refresh_init *init);

/** REFRESH_ASK, REFRESH_GRANTED. generation: the new one. In the answer all texts are empty. */
struct ts_refresh_ask {
    uint8_t key[TS_KEY_ID_BYTES];
    uint32_t generation;
    struct ts_context context;
};
enum ts_error ts_refresh_ask_encode(struct ts_buf *out, const struct ts_refresh_ask *ask);
enum ts_error ts_refresh_ask_decode(struct ts_refresh_ask *out, const uint8_t *bytes, size_t len);

#endif
