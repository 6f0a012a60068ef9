#include "tests/check_main.h"
#include "tests/store_fixture.h"

#include <string.h>

static struct fixture fx;
static uint8_t label[] = "a label", secret[] = "the secret value of the object", other[] = "other";

static void
open_fixture(void)
{
    fixture_open(&fx);
    fixture_token(&fx);
}

static void
close_fixture(void)
{
    fixture_close(&fx);
}

#define PLAIN(number, bytes)                                                                                           \
    {                                                                                                                  \
        .type = (number), .value = (bytes), .len = sizeof(bytes)                                                       \
    }
#define SEALED(number, bytes)                                                                                          \
    {                                                                                                                  \
        .type = (number), .sealed = true, .value = (bytes), .len = sizeof(bytes)                                       \
    }

static uint64_t
put(const struct ts_attribute *attributes, size_t count)
{
    uint64_t id = 0;

    ck_assert_int_eq(ts_object_put(&id, fx.store, fx.keyring, fx.token, attributes, count), TS_OK);
    ck_assert_uint_gt(id, 0);
    return id;
}

static enum ts_error
list_error(void)
{
    struct ts_object_row *list;
    size_t count;

    enum ts_error result = ts_object_list(&list, &count, fx.store, fx.keyring, fx.token);
    ts_object_list_free(list, count);
    return result;
}

START_TEST(objects_come_back_as_they_were)
{
    const struct ts_attribute mixed[] = {SEALED(0x11, secret), PLAIN(3, label), PLAIN(0x80000001, other),
        {.type = 5, .value = NULL, .len = 0}, {.type = 6, .sealed = true, .value = NULL, .len = 0}};
    struct ts_object_row *list;
    size_t count;

    uint64_t first = put(mixed, 5), second = put(NULL, 0), third = put(mixed + 1, 1);
    fixture_reopen(&fx);
    ck_assert_int_eq(ts_object_list(&list, &count, fx.store, fx.keyring, fx.token), TS_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert(list[0].id == first && list[1].id == second && list[2].id == third);
    ck_assert_uint_eq(list[0].token, fx.token);
    ck_assert(list[0].count == 5 && list[1].count == 0 && list[2].count == 1);
    static const size_t order[] = {1, 3, 4, 0, 2};
    for (size_t i = 0; i < 5; i++) {
        const struct ts_attribute *back = &list[0].attributes[i], *put_in = &mixed[order[i]];
        ck_assert_uint_eq(back->type, put_in->type);
        ck_assert_int_eq(back->sealed, put_in->sealed);
        ck_assert_uint_eq(back->len, put_in->len);
        ck_assert_ptr_nonnull(back->value);
        ck_assert(put_in->len == 0 || memcmp(back->value, put_in->value, put_in->len) == 0);
    }
    ts_object_list_free(list, count);
    ck_assert(fixture_holds(&fx, label, sizeof label));
    ck_assert(!fixture_holds(&fx, secret, sizeof secret));
}
END_TEST

START_TEST(sealed_values_need_the_keyring)
{
    const struct ts_attribute mixed[] = {PLAIN(3, label), SEALED(0x11, secret)};
    struct ts_object_row *list;
    uint64_t id = 99;
    size_t count;

    ck_assert_int_eq(ts_object_put(&id, fx.store, NULL, fx.token, mixed, 2), TS_USAGE);
    ck_assert_uint_eq(id, 0);
    ck_assert_int_eq(ts_object_list(&list, &count, fx.store, NULL, fx.token), TS_OK);
    ck_assert_uint_eq(count, 0); /* nothing of it was stored */
    ts_object_list_free(list, count);
    ck_assert_int_eq(ts_object_put(&id, fx.store, NULL, fx.token, mixed, 1), TS_OK);
    ck_assert_int_eq(ts_object_put(&id, fx.store, NULL, fx.token + 1, mixed, 1), TS_NOT_FOUND);
    ck_assert_int_eq(ts_object_list(&list, &count, fx.store, fx.keyring, fx.token + 1), TS_USAGE);
    put(mixed, 2);
    ck_assert_int_eq(ts_object_list(&list, &count, fx.store, NULL, fx.token), TS_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_mem_eq(list[1].attributes[0].value, label, sizeof label);
    ck_assert(list[1].attributes[1].sealed);
    ck_assert_ptr_null(list[1].attributes[1].value);
    ck_assert_uint_eq(list[1].attributes[1].len, 0);
    ts_object_list_free(list, count);
}
END_TEST

START_TEST(attributes_are_replaced_all_or_none)
{
    const struct ts_attribute before[] = {PLAIN(3, label), SEALED(0x11, secret)};
    const struct ts_attribute after[] = {SEALED(0x11, other), PLAIN(4, other)};
    struct ts_attribute bad[] = {PLAIN(3, other), {.type = 7, .value = other, .len = (size_t)1 << 30}};
    struct ts_object_row *list;
    size_t count;

    uint64_t id = put(before, 2);
    ck_assert_int_eq(ts_object_set(fx.store, fx.keyring, id, bad, 2), TS_USAGE);
    ck_assert_int_eq(ts_object_set(fx.store, fx.keyring, id + 1, after, 2), TS_NOT_FOUND);
    ck_assert_int_eq(ts_object_set(fx.store, fx.keyring, id, after, 2), TS_OK);
    ck_assert_int_eq(ts_object_list(&list, &count, fx.store, fx.keyring, fx.token), TS_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(list[0].count, 3);
    ck_assert_mem_eq(list[0].attributes[0].value, label, sizeof label);
    ck_assert_mem_eq(list[0].attributes[1].value, other, sizeof other);
    ck_assert_mem_eq(list[0].attributes[2].value, other, sizeof other);
    ts_object_list_free(list, count);
}
END_TEST

START_TEST(deleted_objects_and_their_ids_are_gone)
{
    const struct ts_attribute attribute = PLAIN(3, label);

    uint64_t first = put(&attribute, 1);
    ck_assert_int_eq(ts_object_delete(fx.store, first), TS_OK);
    ck_assert_int_eq(ts_object_delete(fx.store, first), TS_NOT_FOUND);
    ck_assert_uint_gt(put(NULL, 0), first);
    fixture_tamper(&fx, "INSERT INTO value VALUES(1, 'count', (SELECT count(*) FROM attribute) || '')");
    ck_assert(fixture_holds(&fx, "count0", 6)); /* its attributes went with it */
}
END_TEST

/* Give the first object's attribute 17 the value of attribute WHAT. */
#define GIVE_FIRST(what)                                                                                               \
    "UPDATE attribute SET value = (SELECT value FROM attribute WHERE " what ") WHERE object = 1 AND type = 17"

static const char *const tampering[] = {
    GIVE_FIRST("object = 2 AND type = 17"),
    GIVE_FIRST("object = 1 AND type = 18"),
    "UPDATE attribute SET generation = 2 WHERE type = 17",
    "UPDATE attribute SET type = 99 WHERE type = 17",
    "UPDATE attribute SET value = zeroblob(28) WHERE type = 17",
    "UPDATE attribute SET value = x'' WHERE type = 17",
};

START_TEST(a_moved_value_does_not_open)
{
    const struct ts_attribute attributes[] = {SEALED(17, secret), SEALED(18, secret)};

    put(attributes, 2);
    put(attributes, 2);
    ck_assert_int_eq(list_error(), TS_OK);
    fixture_tamper(&fx, tampering[_i]);
    ck_assert_int_eq(list_error(), TS_STORAGE);
}
END_TEST

START_TEST(an_old_value_does_not_come_back)
{
    const struct ts_attribute before[] = {SEALED(17, secret)}, after[] = {SEALED(17, other)};

    uint64_t id = put(before, 1);
    fixture_tamper(&fx, "INSERT INTO value SELECT 1, 'old', value FROM attribute");
    ck_assert_int_eq(ts_object_set(fx.store, fx.keyring, id, after, 1), TS_OK);
    ck_assert_int_eq(list_error(), TS_OK);
    fixture_tamper(&fx, "UPDATE attribute SET value = (SELECT sealed FROM value WHERE name = 'old')");
    ck_assert_int_eq(list_error(), TS_STORAGE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("object");
    TCase *tests = tcase_create("object");

    tcase_add_checked_fixture(tests, open_fixture, close_fixture);
    tcase_add_test(tests, objects_come_back_as_they_were);
    tcase_add_test(tests, sealed_values_need_the_keyring);
    tcase_add_test(tests, attributes_are_replaced_all_or_none);
    tcase_add_test(tests, deleted_objects_and_their_ids_are_gone);
    tcase_add_loop_test(tests, a_moved_value_does_not_open, 0, sizeof tampering / sizeof tampering[0]);
    tcase_add_test(tests, an_old_value_does_not_come_back);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
