#include "tests/pkcs11/conform.h"

/* PKCS#11 3.0, 5.19 random numbers. */

START_TEST(test_random)
{
    CK_BYTE one[64] = {0}, two[64] = {0};
    CK_SESSION_HANDLE session = session_ro();

    RV(p11->C_GenerateRandom(999, one, sizeof(one)), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_SeedRandom(999, one, sizeof(one)), CKR_SESSION_HANDLE_INVALID);
    RV(p11->C_GenerateRandom(session, NULL, 5), CKR_ARGUMENTS_BAD);
    RV(p11->C_SeedRandom(session, NULL, 5), CKR_ARGUMENTS_BAD);
    OURS(p11->C_SeedRandom(session, one, 0), CKR_ARGUMENTS_BAD);
    OURS(p11->C_GenerateRandom(session, NULL, 0), CKR_OK);
    RV(p11->C_SeedRandom(session, one, sizeof(one)), CKR_OK);
    RV(p11->C_GenerateRandom(session, one, sizeof(one)), CKR_OK);
    RV(p11->C_GenerateRandom(session, two, sizeof(two)), CKR_OK);
    ck_assert_mem_ne(one, two, sizeof(one));
}
END_TEST

void
chapter_random(TCase *tests)
{
    tcase_add_test(tests, test_random);
}
