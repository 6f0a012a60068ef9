#ifndef TS_TESTS_PKCS11_ARBITRARY_H
#define TS_TESTS_PKCS11_ARBITRARY_H

#include "tests/pkcs11/live.h"

#include <stddef.h>
#include <stdint.h>

/** Arbitrary calls of the C API, out of bytes: for the stress program (bytes from a seed) and the fuzz target. */

/** Bytes that are used up; then zeros come. */
struct arbitrary {
    const uint8_t *bytes;
    size_t len;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE sessions[8]; /**< that were opened; some are closed already */
    CK_OBJECT_HANDLE objects[16];  /**< that were seen; some are gone */
    unsigned session_next, object_next;
    bool peer; /**< there is one that answers: calls that go to it are made, too */
};

/** Make one call. It may not crash, must answer with a code of the standard, and must leave the memory after every
 *  output alone: else the process is aborted. */
void arbitrary_call(struct arbitrary *state);

/** A pair, on the token or of the session, that no arbitrary call can change or destroy. */
CK_RV arbitrary_keys(
    CK_SESSION_HANDLE session, CK_BBOOL token, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);

#endif
