#include "session/config_server.h"
#include "session/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_DIGITS 64

static const char *const operations[] = {"keygen", "sign", "read", "cancel"};

void
ts_config_server_numbers(struct ts_config *config)
{
    config->server.workers = 4;
    config->server.queue = 256;
    config->server.rate = 600;
    config->server.body = 131072;
    config->server.deadline = 60000;
    config->server.read = 10000;
    config->server.stop = 20000;
    config->server.keep = 86400;
    config->server.audit_keep = 365 * 86400;
}

const char *
ts_config_grant(size_t *operation, const char *text)
{
    const char *colon = strchr(text, ':');

    if (!colon || !colon[1])
        return NULL;
    *operation = (size_t)(colon - text);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strlen(operations[i]) == *operation && strncmp(operations[i], text, *operation) == 0)
            return colon + 1;
    return NULL;
}

static const char *
hash_fault(const char *text)
{
    if (!text || (strlen(text) == HASH_DIGITS && strspn(text, "0123456789abcdef") == HASH_DIGITS))
        return NULL;
    return "64 lower-case hexadecimal digits of a SHA-256";
}

static const char *
name_fault(const char *text)
{
    char *copy = NULL;
    const char *fault = text ? ts_value_name(&copy, text) : "there";

    free(copy);
    return fault;
}

static const char *
rate_fault(const char *text)
{
    unsigned rate;

    return text ? ts_value_count(&rate, text) : NULL;
}

static const char *
caller_fault(const struct ts_config_caller *caller, char *key, size_t size)
{
    const char *fault;
    size_t operation;

    if ((fault = name_fault(caller->name)))
        (void)snprintf(key, size, ".name");
    else if ((fault = hash_fault(caller->token)))
        (void)snprintf(key, size, ".token");
    else if ((fault = hash_fault(caller->certificate)))
        (void)snprintf(key, size, ".certificate");
    else if ((fault = rate_fault(caller->rate)))
        (void)snprintf(key, size, ".rate");
    if (fault)
        return fault;
    for (unsigned i = 0; i < caller->allow_count; i++)
        if (!ts_config_grant(&operation, caller->allow[i])) {
            (void)snprintf(key, size, ".allow[%u]", i);
            return "operation:pattern with one of keygen, sign, read, cancel";
        }
    *key = 0;
    return caller->token || caller->certificate ? NULL : "complete: a token or a certificate is needed";
}

static const char *
callers_fault(const struct ts_config *config, char name[TS_OUTLINE_NAME_BYTES])
{
    for (unsigned i = 0; i < config->server.callers_count; i++) {
        char key[32] = "";
        const char *fault = caller_fault(&config->server.callers[i], key, sizeof key);
        if (fault) {
            (void)snprintf(name, TS_OUTLINE_NAME_BYTES, "server.callers[%u]%s", i, key);
            return fault;
        }
        for (unsigned before = 0; before < i; before++)
            if (strcmp(config->server.callers[i].name, config->server.callers[before].name) == 0) {
                (void)snprintf(name, TS_OUTLINE_NAME_BYTES, "server.callers[%u].name", i);
                return "a name of its own";
            }
    }
    return NULL;
}

const char *
ts_config_lists_fault(const struct ts_config *config, char name[TS_OUTLINE_NAME_BYTES])
{
    for (unsigned i = 0; i < config->partners_count; i++) {
        const char *fault = name_fault(config->partners[i]);
        (void)snprintf(name, TS_OUTLINE_NAME_BYTES, "partners[%u]", i);
        if (fault)
            return fault;
    }
    for (unsigned i = 0; i < config->capabilities_count; i++) {
        (void)snprintf(name, TS_OUTLINE_NAME_BYTES, "capabilities[%u]", i);
        if (strcmp(config->capabilities[i], "keygen") != 0 && strcmp(config->capabilities[i], "sign") != 0)
            return "one of keygen, sign";
    }
    return callers_fault(config, name);
}

static bool
is_in(char *const *list, unsigned count, const char *word)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

bool
ts_config_capable(const struct ts_config *config, const char *capability)
{
    return !config->capabilities_set || is_in(config->capabilities, config->capabilities_count, capability);
}

bool
ts_config_partner(const struct ts_config *config, const char *name)
{
    return !config->partners_set || is_in(config->partners, config->partners_count, name);
}
