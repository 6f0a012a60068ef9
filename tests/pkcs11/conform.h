#ifndef TS_TESTS_PKCS11_CONFORM_H
#define TS_TESTS_PKCS11_CONFORM_H

#include "tests/pkcs11/live.h"

#include <check.h>
#include <string.h>

/** The conformance program: one file for each chapter of the standard's functions, each check an exact return code.
 *  It runs on any module; what only our token promises is OURS. */

/** The call answers exactly this, and the standard lets it. Counted. */
#define RV(call, expected) conform_check((call), (expected), #call, __FILE__, __LINE__)
/** The same, but only with our module: where the standard leaves a choice, or the other module has no such mechanism.
 */
#define OURS(call, expected)                                                                                           \
    do {                                                                                                               \
        if (live_ours())                                                                                               \
            RV(call, expected);                                                                                        \
    } while (0)

void conform_check(CK_RV got, CK_RV expected, const char *call, const char *file, int line);

/** Slot of the token. */
extern CK_SLOT_ID slot;

/** Sessions. user: with the user logged in. */
CK_SESSION_HANDLE session_rw(void);
CK_SESSION_HANDLE session_ro(void);
CK_SESSION_HANDLE session_user(void);
CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user);

/** Objects. */
CK_OBJECT_HANDLE data_object(CK_SESSION_HANDLE session, CK_BBOOL token, CK_BBOOL is_private, const char *label);
CK_OBJECT_HANDLE public_key_object(CK_SESSION_HANDLE session);
CK_ULONG matching(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count);
/** A P-256 pair on the token, made at first use and kept for all tests of the process's parent: found by its label. */
void token_pair(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);

/** Chapters. */
void chapter_general(TCase *tests);    /* 5.4, on a module that is loaded but not initialised */
void chapter_slots(TCase *tests);      /* 5.5 */
void chapter_sessions(TCase *tests);   /* 5.6 */
void chapter_objects(TCase *tests);    /* 5.7 */
void chapter_attributes(TCase *tests); /* 4 */
void chapter_search(TCase *tests);     /* 5.7, C_FindObjects */
void chapter_refused(TCase *tests);    /* 5.8, 5.9, 5.12, 5.16, 5.18 and parts of others */
void chapter_digest(TCase *tests);     /* 5.10 */
void chapter_sign(TCase *tests);       /* 5.13 */
void chapter_verify(TCase *tests);     /* 5.15 */
void chapter_keys(TCase *tests);       /* 5.18 */
void chapter_random(TCase *tests);     /* 5.19 */
void chapter_version3(TCase *tests);   /* what 3.0 adds */

#endif
