#include "session/config.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The configuration file. The input is its text; a refusal has words on one line. */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ts_config *config = NULL;
    char path[64], error[512] = "";
    int file = memfd_create("config", 0);

    fuzz_need(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    enum ts_error result = ts_config_load(&config, path, error, sizeof error);
    fuzz_need((result == TS_OK) == (config != NULL));
    fuzz_need(result == TS_OK || (error[0] && !strchr(error, '\n')));
    ts_config_free(config);
    close(file);
    return 0;
}
