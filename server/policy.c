#include "server/policy.h"

#include "base/secret.h"
#include "session/config_server.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

bool
ts_bucket_take(struct ts_bucket *bucket, uint64_t now_ms)
{
    bucket->level += (double)(now_ms - bucket->at_ms) * bucket->rate / 60000.0;
    bucket->at_ms = now_ms;
    if (bucket->level > bucket->rate)
        bucket->level = bucket->rate;
    if (bucket->level < 1)
        return false;
    bucket->level -= 1;
    return true;
}

static uint8_t
nibble(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* The configuration has seen to 64 digits. */
static bool
read_hash(uint8_t out[32], const char *digits)
{
    for (size_t i = 0; digits && i < 32; i++)
        out[i] = (uint8_t)(nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]));
    return digits != NULL;
}

struct ts_policy *
ts_policy_new(struct ts_config *config, uint64_t now_ms)
{
    struct ts_policy *policy = calloc(1, sizeof *policy);
    unsigned count = config->server.callers_count;

    if (policy)
        policy->callers = calloc(count ? count : 1, sizeof *policy->callers);
    if (!policy || !policy->callers) {
        free(policy);
        ts_config_free(config);
        return NULL;
    }
    atomic_init(&policy->references, 1);
    policy->config = config;
    policy->count = count;
    for (unsigned i = 0; i < count; i++) {
        const struct ts_config_caller *from = &config->server.callers[i];
        struct ts_caller *caller = &policy->callers[i];
        unsigned rate = from->rate ? (unsigned)strtoul(from->rate, NULL, 10) : config->server.rate;
        caller->config = from;
        caller->has_token = read_hash(caller->token, from->token);
        caller->has_certificate = read_hash(caller->certificate, from->certificate);
        caller->bucket = (struct ts_bucket){rate, rate, now_ms};
    }
    return policy;
}

struct ts_policy *
ts_policy_hold(struct ts_policy *policy)
{
    atomic_fetch_add(&policy->references, 1);
    return policy;
}

void
ts_policy_release(struct ts_policy *policy)
{
    if (!policy || atomic_fetch_sub(&policy->references, 1) != 1)
        return;
    ts_config_free(policy->config);
    free(policy->callers);
    free(policy);
}

struct ts_caller *
ts_policy_by_token(struct ts_policy *policy, const uint8_t hash[32])
{
    struct ts_caller *found = NULL;

    for (unsigned i = 0; i < policy->count; i++)
        if (policy->callers[i].has_token && ts_equal(policy->callers[i].token, hash, 32))
            found = &policy->callers[i];
    return found;
}

struct ts_caller *
ts_policy_by_certificate(struct ts_policy *policy, const uint8_t hash[32])
{
    struct ts_caller *found = NULL;

    for (unsigned i = 0; i < policy->count; i++)
        if (policy->callers[i].has_certificate && ts_equal(policy->callers[i].certificate, hash, 32))
            found = &policy->callers[i];
    return found;
}

static const char *
granted(const char *grant, const char *operation)
{
    size_t len = 0;
    const char *pattern = ts_config_grant(&len, grant);

    return pattern && strlen(operation) == len && strncmp(grant, operation, len) == 0 ? pattern : NULL;
}

bool
ts_caller_may(const struct ts_caller *caller, const char *operation, const char *label)
{
    for (unsigned i = 0; i < caller->config->allow_count; i++) {
        const char *pattern = granted(caller->config->allow[i], operation);
        if (pattern && fnmatch(pattern, label, 0) == 0)
            return true;
    }
    return false;
}

bool
ts_caller_may_some(const struct ts_caller *caller, const char *operation)
{
    for (unsigned i = 0; i < caller->config->allow_count; i++)
        if (granted(caller->config->allow[i], operation))
            return true;
    return false;
}
