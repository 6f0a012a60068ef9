#ifndef TS_TESTS_PKCS11_LIVE_H
#define TS_TESTS_PKCS11_LIVE_H

#include "pkcs11/attribute.h"
#include "pkcs11/cryptoki.h"

/** For programs that use a token with a live peer through a module that they load themselves, ours or
 * (TS_PKCS11_MODULE) another's. They run themselves again through tests/with-token, or tests/pkcs11/with-softhsm, which
 * set MODULE, TOKEN, PIN and SOPIN. */
void live_ensure(char **argv);

/** Is it our own module? */
bool live_ours(void);

const char *live_pin(void);
const char *live_so_pin(void);

/** dlopen(MODULE) and its function lists; p11_3 stays NULL where there is no C_GetInterface. Exits when it cannot. */
extern void *live_library;
extern CK_FUNCTION_LIST *p11;
extern CK_FUNCTION_LIST_3_0 *p11_3;
void live_load(void);
void live_unload(void);

/** Slot of the token named TOKEN. Exits when there is none. */
CK_SLOT_ID live_slot(CK_FUNCTION_LIST *module);

/** Templates of a P-256 pair; on the token or of the session. */
CK_RV live_generate(CK_SESSION_HANDLE session, CK_BBOOL token, const char *label, CK_OBJECT_HANDLE *public_key,
    CK_OBJECT_HANDLE *private_key);

#define BYTES(text) ((CK_BYTE *)(text))
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

extern CK_BYTE p256_oid[10];
extern CK_BBOOL yes, no;

#endif
