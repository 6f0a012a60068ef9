#include "base/secret.h"
#include "tests/check_main.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* True when /proc/self/smaps shows the flag for the mapping that holds the address. */
static bool
mapping_has_flag(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false, found = false;
    unsigned long start, end;

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            inside = (unsigned long)(uintptr_t)address >= start && (unsigned long)(uintptr_t)address < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(maps);
    return found;
}

START_TEST(secret_memory_is_kept_out_of_dumps)
{
    uint8_t *memory = ts_secret_new(100);

    ck_assert_ptr_nonnull(memory);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(memory[i], 0);
    ck_assert(mapping_has_flag(memory, " dd"));
    ck_assert(mapping_has_flag(memory, " wf"));
    ts_secret_free(memory);
    ts_secret_free(NULL);
    ck_assert_ptr_null(ts_secret_new(0));
}
END_TEST

START_TEST(a_forked_child_sees_zeros)
{
    uint8_t *memory = ts_secret_new(8);
    int status = -1;

    memset(memory, 0xaa, 8);
    pid_t pid = fork();
    if (pid == 0) {
        int seen = 0;
        for (int i = 0; i < 8; i++)
            seen |= memory[i];
        ts_secret_free(memory);
        _exit(seen == 0 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_uint_eq(memory[0], 0xaa);
    ts_secret_free(memory);
}
END_TEST

START_TEST(comparing)
{
    ck_assert(ts_equal("abc", "abc", 3));
    ck_assert(!ts_equal("abc", "abd", 3));
    ck_assert(ts_equal("abc", "xyz", 0));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("secret");
    TCase *tests = tcase_create("secret");

    tcase_add_test(tests, secret_memory_is_kept_out_of_dumps);
    tcase_add_test(tests, a_forked_child_sees_zeros);
    tcase_add_test(tests, comparing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
