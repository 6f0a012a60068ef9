#ifndef TS_TESTS_CONFIG_TEXT_H
#define TS_TESTS_CONFIG_TEXT_H

#include "session/config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A configuration from its text, read like a file. NULL: refused, and `message` (256 bytes) tells why after the name of
 *  the file. */
static inline struct ts_config *
config_from(const char *text, char message[256])
{
    char path[] = "/tmp/tallystick-XXXXXX", words[512] = "";
    struct ts_config *config = NULL;
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    (void)ts_config_load(&config, path, words, sizeof words);
    (void)unlink(path);
    (void)snprintf(message, 256, "%s", *words ? words + strlen(path) : "");
    return config;
}

#endif
