#ifndef TS_TESTS_PKCS11_MODULE_H
#define TS_TESTS_PKCS11_MODULE_H

#include "pkcs11/attribute.h"
#include "pkcs11/cryptoki.h"

#include <check.h>

#define MODULE_SO_PIN "so-pin-1618"
#define MODULE_PIN "user-pin-0577"
#define MODULE_LABEL "token of the test"
#define MODULE_KEY_LABEL "a key"

/** The built module, loaded as any application loads it. */
extern CK_FUNCTION_LIST *p11;
extern CK_FUNCTION_LIST_3_0 *p11_3;

/** Bytes as a C_ function wants them, which takes no const. */
#define BYTES(text) ((CK_BYTE *)(text))

#define ck_rv(call, expected) ck_assert_uint_eq((call), (expected))

/** Unchecked fixture: a temporary folder with configuration, a SoftHSM2 token, and a tallystick token in slot 1 (PINs
 *  above), all made by child processes, so that every test starts with a process that has not used the module. */
void module_setup(void);
/** The same, but the store is empty and no HSM is configured. */
void module_setup_empty(void);
void module_teardown(void);

/** Path of a file in the folder. */
const char *module_path(const char *name);

/** Load the module (not initialised). Checked fixture. */
void module_load(void);
void module_unload(void);
/** Load and initialise; finalise and unload. */
void module_start(void);
void module_stop(void);

/** Sessions with slot 1. */
CK_SESSION_HANDLE open_rw(void);
CK_SESSION_HANDLE open_ro(void);
/** Read-write, with the user logged in. */
CK_SESSION_HANDLE open_user(void);

/** Before module_start, by a child process: put a private key whose peer does not answer and its public key into the
 *  token; lock that key. */
void module_make_key(void);
void module_lock_key(void);

/** Has the store no half of that key any more? Opens the store beside the module. */
bool module_half_is_gone(void);

/** First object of a class. 0 when there is none. */
CK_OBJECT_HANDLE find_class(CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class);
/** The profile objects, which every search without a class finds. */
#define PROFILES 4

/** How many objects match. */
CK_ULONG count_matching(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count);

/** P-256: its OID, and a public key as DER OCTET STRING. */
extern CK_BYTE p256_oid[10];
extern CK_BYTE p256_point[67];
/** r || s by that key over 32 bytes 0x00 01 02 ... and over the message "abc" with SHA-256. */
extern CK_BYTE p256_signature[64];
extern CK_BYTE p256_signature_abc[64];

/** Make the values above with a fresh key. Called by module_load. */
void make_vectors(void);

#endif
