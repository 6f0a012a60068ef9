#ifndef TALLYSTICK_PKCS11_H
#define TALLYSTICK_PKCS11_H

/** What tallystick's module offers beyond PKCS#11 3.0. Include a PKCS#11 header first (p11-kit/pkcs11.h or OASIS'). */

/** A private key's 16-byte id, the same on both sides, in the journal of sessions and at the second device. Read-only,
 *  not secret. */
#define CKA_TALLYSTICK_KEY (CKA_VENDOR_DEFINED | 0x54535401UL)

/** The 16-byte id of the session that makes the key, as the journal lists it. A template for C_GenerateKeyPair's private
 *  key may choose it (never used before, else CKR_FUNCTION_FAILED); without it a random one is taken. Readable on the
 *  private key afterwards. */
#define CKA_TALLYSTICK_SESSION_ID (CKA_VENDOR_DEFINED | 0x54535402UL)

/** The name of the paired peer that holds the other half: only in a private key's template for C_GenerateKeyPair; without
 *  it the token's only peer is asked, or the one paired last. UTF-8, 1 to 64 bytes. A name that no peer has:
 *  CKR_DEVICE_ERROR. Readable on the private key afterwards, as it was asked for. */
#define CKA_TALLYSTICK_PARTNER (CKA_VENDOR_DEFINED | 0x54535403UL)

/** CK_ULONG, milliseconds: how long C_GenerateKeyPair waits for a peer that is away; 0, and without it, as configured. Only
 *  in a private key's template; not kept. */
#define CKA_TALLYSTICK_WAIT (CKA_VENDOR_DEFINED | 0x54535404UL)

/** A signature with a chosen session: C_SignInit with CK_TALLYSTICK_ECDSA_PARAMS, then as with the inner mechanism. It is
 *  not in C_GetMechanismList, signs only, and the key's CKA_ALLOWED_MECHANISMS must allow the inner mechanism. */
#define CKM_TALLYSTICK_ECDSA (CKM_VENDOR_DEFINED | 0x54535401UL)

typedef struct CK_TALLYSTICK_ECDSA_PARAMS {
    CK_MECHANISM_TYPE mechanism; /**< CKM_ECDSA, CKM_ECDSA_SHA256, ... without a parameter of its own */
    CK_BYTE session_id[16];      /**< of the session, in the journal; used before: CKR_FUNCTION_FAILED from C_Sign */
    CK_ULONG wait_ms;            /**< how long to wait for a peer that is away; 0: as configured */
} CK_TALLYSTICK_ECDSA_PARAMS;

/** C_SessionCancel(session, CKF_SIGN), or CKF_GENERATE_KEY_PAIR, from another thread ends a running C_Sign, C_SignFinal or
 *  C_GenerateKeyPair of the session, which then returns CKR_FUNCTION_CANCELED, unless it had its result already. The
 *  second device is told to stop asking. */

#endif
