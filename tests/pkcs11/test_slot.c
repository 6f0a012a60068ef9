#include "tests/pkcs11/module.h"

#include "tests/check_main.h"

#include <string.h>

static CK_UTF8CHAR new_label[32];

static void
start(void)
{
    module_start();
    memset(new_label, ' ', sizeof(new_label));
    memcpy(new_label, "second", 6);
}

START_TEST(test_slot_list)
{
    CK_SLOT_ID slots[4] = {0};
    CK_ULONG count = 0;

    ck_rv(p11->C_GetSlotList(CK_FALSE, NULL, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    ck_assert_uint_eq(count, 2);
    count = 1;
    ck_rv(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(count, 2);
    ck_rv(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    ck_assert_uint_eq(slots[0], 1);
    ck_assert_uint_eq(slots[1], 2);
}
END_TEST

START_TEST(test_slot_info)
{
    CK_SLOT_INFO info;

    ck_rv(p11->C_GetSlotInfo(1, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetSlotInfo(77, &info), CKR_SLOT_ID_INVALID);
    ck_rv(p11->C_GetSlotInfo(1, &info), CKR_OK);
    ck_assert_uint_eq(info.flags, CKF_TOKEN_PRESENT);
    ck_assert_mem_eq(info.slotDescription, "tallystick slot 1   ", 20);
    ck_assert_uint_eq(info.slotDescription[63], ' ');
    ck_assert_mem_eq(info.manufacturerID, "tallystick                      ", 32);
}
END_TEST

START_TEST(test_token_info)
{
    CK_TOKEN_INFO info;

    ck_rv(p11->C_GetTokenInfo(1, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetTokenInfo(77, &info), CKR_SLOT_ID_INVALID);
    ck_rv(p11->C_GetTokenInfo(1, &info), CKR_OK);
    ck_assert_mem_eq(info.label, MODULE_LABEL "               ", 32);
    ck_assert_mem_eq(info.model, "two-party ECDSA ", 16);
    ck_assert_uint_eq(info.flags, CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED);
    ck_assert_uint_eq(info.ulMinPinLen, 4);
    ck_assert_uint_eq(info.ulMaxPinLen, 255);
    ck_assert_uint_eq(info.ulSessionCount, 0);
    for (size_t i = 0; i < sizeof(info.serialNumber); i++)
        ck_assert_ptr_nonnull(strchr("0123456789abcdef", info.serialNumber[i]));
    (void)open_rw();
    (void)open_ro();
    ck_rv(p11->C_GetTokenInfo(1, &info), CKR_OK);
    ck_assert_uint_eq(info.ulSessionCount, 2);
    ck_assert_uint_eq(info.ulRwSessionCount, 1);
    ck_rv(p11->C_GetTokenInfo(2, &info), CKR_OK);
    ck_assert_uint_eq(info.flags, CKF_RNG | CKF_LOGIN_REQUIRED);
    ck_assert_mem_eq(info.label, "                                ", 32);
}
END_TEST

START_TEST(test_mechanisms)
{
    CK_MECHANISM_TYPE list[64];
    CK_MECHANISM_INFO info;
    CK_ULONG count = 0;

    ck_rv(p11->C_GetMechanismList(1, NULL, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetMechanismList(9, NULL, &count), CKR_SLOT_ID_INVALID);
    ck_rv(p11->C_GetMechanismList(1, NULL, &count), CKR_OK);
    ck_assert_uint_ge(count, 11);
    ck_assert_uint_le(count, 64);
    count--;
    ck_rv(p11->C_GetMechanismList(1, list, &count), CKR_BUFFER_TOO_SMALL);
    ck_rv(p11->C_GetMechanismList(1, list, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        ck_rv(p11->C_GetMechanismInfo(1, list[i], &info), CKR_OK);
        ck_assert_uint_ne(info.flags, 0);
        ck_assert_uint_eq(info.flags & CKF_HW, 0);
    }
    ck_rv(p11->C_GetMechanismInfo(1, CKM_ECDSA, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_GetMechanismInfo(1, CKM_RSA_PKCS, &info), CKR_MECHANISM_INVALID);
    ck_rv(p11->C_GetMechanismInfo(1, CKM_ECDSA, &info), CKR_OK);
    ck_assert_uint_eq(info.ulMinKeySize, 256);
    ck_assert_uint_eq(info.ulMaxKeySize, 521);
    ck_assert_uint_eq(info.flags & (CKF_SIGN | CKF_VERIFY), CKF_SIGN | CKF_VERIFY);
    ck_rv(p11->C_GetMechanismInfo(1, CKM_EC_KEY_PAIR_GEN, &info), CKR_OK);
    ck_assert_uint_ne(info.flags & CKF_GENERATE_KEY_PAIR, 0);
    ck_rv(p11->C_GetMechanismInfo(1, CKM_SHA256, &info), CKR_OK);
    ck_assert_uint_eq(info.flags, CKF_DIGEST);
    ck_assert_uint_eq(info.ulMaxKeySize, 0);
}
END_TEST

START_TEST(test_wait_for_slot_event)
{
    CK_SLOT_ID slot = 0;

    ck_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &slot), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    ck_rv(p11->C_WaitForSlotEvent(0, &slot, NULL), CKR_FUNCTION_NOT_SUPPORTED);
}
END_TEST

START_TEST(test_init_token_arguments)
{
    CK_UTF8CHAR blank[32];

    memset(blank, ' ', sizeof(blank));
    ck_rv(p11->C_InitToken(2, NULL, 4, new_label), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_InitToken(2, BYTES("1234"), 4, NULL), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_InitToken(2, BYTES("1234"), 4, blank), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_InitToken(2, BYTES("123"), 3, new_label), CKR_PIN_INCORRECT);
    ck_rv(p11->C_InitToken(77, BYTES("1234"), 4, new_label), CKR_SLOT_ID_INVALID);
}
END_TEST

/* A new token: it stays in its slot, and another empty slot appears. */
START_TEST(test_init_new_token)
{
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session = 0;
    CK_ULONG count = 0;

    ck_rv(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    CK_SLOT_ID slot = count; /* the last one: ids count from 1 */
    ck_rv(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_TOKEN_NOT_RECOGNIZED);
    ck_rv(p11->C_InitToken(slot, BYTES("sopin"), 5, new_label), CKR_OK);
    ck_rv(p11->C_GetTokenInfo(slot, &info), CKR_OK);
    ck_assert_uint_eq(info.flags, CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED);
    ck_assert_mem_eq(info.label, new_label, 32);
    ck_rv(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    ck_assert_uint_eq(count, slot + 1);
    ck_rv(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES("12345"), 5), CKR_USER_PIN_NOT_INITIALIZED);
    ck_rv(p11->C_InitPIN(session, BYTES("12345"), 5), CKR_USER_NOT_LOGGED_IN);
    ck_rv(p11->C_Login(session, CKU_SO, BYTES("sopin"), 5), CKR_OK);
    ck_rv(p11->C_InitPIN(session, NULL, 5), CKR_ARGUMENTS_BAD);
    ck_rv(p11->C_InitPIN(session, BYTES("123"), 3), CKR_PIN_LEN_RANGE);
    ck_rv(p11->C_InitPIN(session, BYTES("12345"), 5), CKR_OK);
    ck_rv(p11->C_Logout(session), CKR_OK);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES("12345"), 5), CKR_OK);
}
END_TEST

/* Initialised anew: only with its SO PIN, never under an open session; what was in it is gone. */
START_TEST(test_init_token_again)
{
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &data, sizeof(data)}, {CKA_TOKEN, &yes, 1}};
    CK_OBJECT_HANDLE object = 0;
    CK_TOKEN_INFO before, after;

    ck_rv(p11->C_GetTokenInfo(1, &before), CKR_OK);
    CK_SESSION_HANDLE session = open_rw();
    ck_rv(p11->C_CreateObject(session, template, 2, &object), CKR_OK);
    ck_assert_uint_eq(count_matching(session, template, 2), 1);
    ck_rv(p11->C_InitToken(1, BYTES(MODULE_SO_PIN), strlen(MODULE_SO_PIN), new_label), CKR_SESSION_EXISTS);
    ck_rv(p11->C_CloseSession(session), CKR_OK);
    ck_rv(p11->C_InitToken(1, BYTES("wrong"), 5, new_label), CKR_PIN_INCORRECT);
    session = open_rw();
    ck_assert_uint_eq(count_matching(session, template, 2), 1);
    ck_rv(p11->C_CloseAllSessions(1), CKR_OK);
    ck_rv(p11->C_InitToken(1, BYTES(MODULE_SO_PIN), strlen(MODULE_SO_PIN), new_label), CKR_OK);
    session = open_rw();
    ck_assert_uint_eq(count_matching(session, template, 2), 0);
    ck_rv(p11->C_Login(session, CKU_USER, BYTES(MODULE_PIN), strlen(MODULE_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
    ck_rv(p11->C_GetTokenInfo(1, &after), CKR_OK);
    ck_assert_mem_eq(before.serialNumber, after.serialNumber, sizeof(before.serialNumber));
    ck_assert_mem_eq(after.label, new_label, 32);
}
END_TEST

START_TEST(test_init_token_without_hsm)
{
    ck_rv(p11->C_InitToken(1, BYTES("sopin"), 5, new_label), CKR_DEVICE_ERROR);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11-slot");
    TCase *tests = tcase_create("slot");
    TCase *change = tcase_create("init-token");
    TCase *again = tcase_create("init-token-again");
    TCase *empty = tcase_create("no-hsm");

    tcase_add_unchecked_fixture(tests, module_setup, module_teardown);
    tcase_add_checked_fixture(tests, start, module_stop);
    tcase_add_test(tests, test_slot_list);
    tcase_add_test(tests, test_slot_info);
    tcase_add_test(tests, test_token_info);
    tcase_add_test(tests, test_mechanisms);
    tcase_add_test(tests, test_wait_for_slot_event);
    tcase_add_test(tests, test_init_token_arguments);
    suite_add_tcase(suite, tests);
    tcase_add_unchecked_fixture(change, module_setup, module_teardown);
    tcase_add_checked_fixture(change, start, module_stop);
    tcase_add_test(change, test_init_new_token);
    suite_add_tcase(suite, change);
    tcase_add_unchecked_fixture(again, module_setup, module_teardown);
    tcase_add_checked_fixture(again, start, module_stop);
    tcase_add_test(again, test_init_token_again);
    suite_add_tcase(suite, again);
    tcase_add_unchecked_fixture(empty, module_setup_empty, module_teardown);
    tcase_add_checked_fixture(empty, start, module_stop);
    tcase_add_test(empty, test_init_token_without_hsm);
    suite_add_tcase(suite, empty);
    return run_suite(suite);
}
