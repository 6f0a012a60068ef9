#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.5 slot and token management. */

#define NOWHERE 0x7fffff11

START_TEST(test_slot_list)
{
    CK_SLOT_ID list[16];
    CK_ULONG count = 0, less = 0;

    RV(p11->C_GetSlotList(CK_FALSE, NULL, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetSlotList(CK_FALSE, list, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    ck_assert_uint_ge(count, 1);
    RV(p11->C_GetSlotList(CK_FALSE, list, &less), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(less, count);
    less = LENGTH(list);
    RV(p11->C_GetSlotList(CK_TRUE, list, &less), CKR_OK);
    ck_assert_uint_le(less, count);
    for (CK_ULONG i = 0; i < less; i++) {
        CK_SLOT_INFO info;
        RV(p11->C_GetSlotInfo(list[i], &info), CKR_OK);
        ck_assert(info.flags & CKF_TOKEN_PRESENT);
    }
}
END_TEST

START_TEST(test_infos)
{
    CK_SLOT_INFO slot_info;
    CK_TOKEN_INFO info;

    RV(p11->C_GetSlotInfo(slot, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetSlotInfo(NOWHERE, &slot_info), CKR_SLOT_ID_INVALID);
    RV(p11->C_GetSlotInfo(slot, &slot_info), CKR_OK);
    ck_assert_ptr_null(memchr(slot_info.slotDescription, 0, sizeof(slot_info.slotDescription)));
    ck_assert_ptr_null(memchr(slot_info.manufacturerID, 0, sizeof(slot_info.manufacturerID)));
    RV(p11->C_GetTokenInfo(slot, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetTokenInfo(NOWHERE, &info), CKR_SLOT_ID_INVALID);
    RV(p11->C_GetTokenInfo(slot, &info), CKR_OK);
    ck_assert_ptr_null(memchr(info.label, 0, sizeof(info.label)));
    ck_assert_ptr_null(memchr(info.serialNumber, 0, sizeof(info.serialNumber)));
    CK_FLAGS wanted = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;
    ck_assert_uint_eq(info.flags & wanted, wanted);
    ck_assert_uint_eq(info.flags & CKF_WRITE_PROTECTED, 0);
    ck_assert(info.ulSessionCount == 0 || info.ulSessionCount == CK_UNAVAILABLE_INFORMATION);
    ck_assert_uint_le(info.ulMinPinLen, info.ulMaxPinLen);
    (void)session_rw();
    (void)session_ro();
    RV(p11->C_GetTokenInfo(slot, &info), CKR_OK);
    if (live_ours()) { /* the other module has no count */
        ck_assert_uint_eq(info.ulSessionCount, 2);
        ck_assert_uint_eq(info.ulRwSessionCount, 1);
    }
}
END_TEST

START_TEST(test_mechanisms)
{
    CK_MECHANISM_TYPE list[256];
    CK_MECHANISM_INFO info;
    CK_ULONG count = 0, less = 1;

    RV(p11->C_GetMechanismList(slot, NULL, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetMechanismList(NOWHERE, NULL, &count), CKR_SLOT_ID_INVALID);
    RV(p11->C_GetMechanismList(slot, NULL, &count), CKR_OK);
    RV(p11->C_GetMechanismList(slot, list, &less), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(less, count);
    less = LENGTH(list);
    RV(p11->C_GetMechanismList(slot, list, &less), CKR_OK);
    ck_assert_uint_eq(less, count);
    for (CK_ULONG i = 0; i < count; i++)
        RV(p11->C_GetMechanismInfo(slot, list[i], &info), CKR_OK);
    RV(p11->C_GetMechanismInfo(slot, CKM_ECDSA, NULL), CKR_ARGUMENTS_BAD);
    RV(p11->C_GetMechanismInfo(NOWHERE, CKM_ECDSA, &info), CKR_SLOT_ID_INVALID);
    RV(p11->C_GetMechanismInfo(slot, CKM_VENDOR_DEFINED | 77, &info), CKR_MECHANISM_INVALID);
    RV(p11->C_GetMechanismInfo(slot, CKM_ECDSA, &info), CKR_OK);
    ck_assert_uint_eq(info.flags & (CKF_SIGN | CKF_VERIFY), CKF_SIGN | CKF_VERIFY);
    RV(p11->C_GetMechanismInfo(slot, CKM_EC_KEY_PAIR_GEN, &info), CKR_OK);
    ck_assert(info.flags & CKF_GENERATE_KEY_PAIR);
    RV(p11->C_GetMechanismInfo(slot, CKM_SHA256, &info), CKR_OK);
    ck_assert(info.flags & CKF_DIGEST);
    OURS(p11->C_GetMechanismInfo(slot, CKM_RSA_PKCS, &info), CKR_MECHANISM_INVALID);
    OURS(p11->C_GetMechanismInfo(slot, CKM_ECDH1_DERIVE, &info), CKR_MECHANISM_INVALID);
    OURS(p11->C_GetMechanismInfo(slot, CKM_ECDSA_SHA3_512, &info), CKR_OK);
}
END_TEST

START_TEST(test_events)
{
    CK_SLOT_ID id = 0;

    RV(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL), CKR_NO_EVENT);
    OURS(p11->C_WaitForSlotEvent(0, &id, NULL), CKR_FUNCTION_NOT_SUPPORTED);
    OURS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
    OURS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, &id), CKR_ARGUMENTS_BAD);
}
END_TEST

START_TEST(test_init_token)
{
    CK_UTF8CHAR label[32];
    const char *so_pin = live_so_pin();

    memset(label, ' ', sizeof(label));
    label[0] = 'x';
    RV(p11->C_InitToken(NOWHERE, BYTES(so_pin), strlen(so_pin), label), CKR_SLOT_ID_INVALID);
    OURS(p11->C_InitToken(slot, NULL, 8, label), CKR_ARGUMENTS_BAD);
    OURS(p11->C_InitToken(slot, BYTES(so_pin), strlen(so_pin), NULL), CKR_ARGUMENTS_BAD);
    OURS(p11->C_InitToken(slot, BYTES(so_pin), 3, label), CKR_PIN_INCORRECT);
    RV(p11->C_InitToken(slot, BYTES("wrong-pin"), 9, label), CKR_PIN_INCORRECT);
    CK_SESSION_HANDLE session = session_rw();
    RV(p11->C_InitToken(slot, BYTES(so_pin), strlen(so_pin), label), CKR_SESSION_EXISTS);
    RV(p11->C_CloseSession(session), CKR_OK);
}
END_TEST

START_TEST(test_pins)
{
    const char *pin = live_pin(), *so_pin = live_so_pin();
    CK_UTF8CHAR long_pin[300];
    CK_SESSION_HANDLE session = session_rw(), ro = session_ro();

    memset(long_pin, '1', sizeof(long_pin));
    RV(p11->C_InitPIN(session, BYTES(pin), strlen(pin)), CKR_USER_NOT_LOGGED_IN);
    RV(p11->C_InitPIN(999, BYTES(pin), strlen(pin)), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_SetPIN(999, BYTES(pin), strlen(pin), BYTES(pin), strlen(pin)), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_SetPIN(ro, BYTES(pin), strlen(pin), BYTES(pin), strlen(pin)), CKR_SESSION_READ_ONLY);
    RV(p11->C_SetPIN(session, BYTES("nonsense"), 8, BYTES(pin), strlen(pin)), CKR_PIN_INCORRECT);
    RV(p11->C_SetPIN(session, BYTES(pin), strlen(pin), BYTES(pin), 1), CKR_PIN_LEN_RANGE);
    RV(p11->C_SetPIN(session, BYTES(pin), strlen(pin), long_pin, sizeof(long_pin)), CKR_PIN_LEN_RANGE);
    OURS(p11->C_SetPIN(session, NULL, 5, BYTES(pin), strlen(pin)), CKR_ARGUMENTS_BAD);
    OURS(p11->C_SetPIN(session, BYTES(pin), strlen(pin), NULL, 5), CKR_ARGUMENTS_BAD);
    RV(p11->C_SetPIN(session, BYTES(pin), strlen(pin), BYTES("other-pin"), 9), CKR_OK);
    RV(login(session, CKU_USER), CKR_PIN_INCORRECT);
    RV(p11->C_Login(session, CKU_USER, BYTES("other-pin"), 9), CKR_OK);
    RV(p11->C_InitPIN(session, BYTES(pin), strlen(pin)), CKR_USER_NOT_LOGGED_IN);
    RV(p11->C_Logout(session), CKR_OK);
    RV(p11->C_CloseSession(ro), CKR_OK);
    RV(login(session, CKU_SO), CKR_OK);
    RV(p11->C_InitPIN(session, BYTES(pin), 1), CKR_PIN_LEN_RANGE);
    OURS(p11->C_InitPIN(session, NULL, 5), CKR_ARGUMENTS_BAD);
    RV(p11->C_InitPIN(session, BYTES(pin), strlen(pin)), CKR_OK);
    RV(p11->C_SetPIN(session, BYTES(so_pin), strlen(so_pin), BYTES(so_pin), strlen(so_pin)), CKR_OK);
    RV(p11->C_Logout(session), CKR_OK);
    RV(login(session, CKU_USER), CKR_OK);
}
END_TEST

void
chapter_slots(TCase *tests)
{
    tcase_add_test(tests, test_slot_list);
    tcase_add_test(tests, test_infos);
    tcase_add_test(tests, test_mechanisms);
    tcase_add_test(tests, test_events);
    tcase_add_test(tests, test_init_token);
    tcase_add_test(tests, test_pins);
}
