#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Runs one fuzz target on its seeds, without libFuzzer: each as it is, cut in half, and with one byte changed.
 * The program's name says which: replay_<target>, seeds in tests/fuzz/corpus/<target>. */

#define INPUT_MAX ((size_t)1 << 20)

static void
try_copy(const uint8_t *bytes, size_t len, size_t change)
{
    uint8_t *copy = malloc(len ? len : 1); /* exactly as long, so that valgrind sees a byte too far */

    fuzz_need(copy != NULL);
    memcpy(copy, bytes, len);
    if (change < len)
        copy[change] ^= 1;
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static int
replay_file(const char *folder, const char *name)
{
    static uint8_t bytes[INPUT_MAX];
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    try_copy(bytes, len, len);
    try_copy(bytes, len / 2, len);
    try_copy(bytes, len, 2 * len / 3);
    return 1;
}

int
main(void)
{
    const char *target = strchr(program_invocation_short_name, '_');
    char folder[2048];
    struct dirent *entry;
    int count = 0;

    if (!target || !getenv("TS_SRCDIR"))
        return 99;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", getenv("TS_SRCDIR"), target + 1);
    DIR *seeds = opendir(folder);
    while (seeds && (entry = readdir(seeds)) != NULL) {
        if (entry->d_name[0] != '.')
            count += replay_file(folder, entry->d_name);
    }
    if (seeds)
        closedir(seeds);
    printf("%sok 1 - %s: %d seeds\n1..1\n", count ? "" : "not ", target + 1, count);
    return count ? 0 : 1;
}
