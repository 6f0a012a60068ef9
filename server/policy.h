#ifndef TS_SERVER_POLICY_H
#define TS_SERVER_POLICY_H

#include "base/env.h"
#include "session/config.h"

#include <stdatomic.h>
#include <stdbool.h>

/** Tokens that come back with time: `rate` a minute, at most `rate` at once. Used by one thread. */
struct ts_bucket {
    unsigned rate;
    double level;
    uint64_t at_ms;
};
/** Take one. Returns: false when there is none. */
bool ts_bucket_take(struct ts_bucket *bucket, uint64_t now_ms);

/** One who calls. */
struct ts_caller {
    const struct ts_config_caller *config; /**< its name and grants */
    bool has_token, has_certificate;
    uint8_t token[32], certificate[32]; /**< SHA-256 */
    struct ts_bucket bucket;            /**< of the event loop */
};

/** What the configuration says at one time. SIGHUP makes a new one; calls under way keep theirs. */
struct ts_policy {
    atomic_uint references;
    struct ts_config *config; /**< owned */
    struct ts_caller *callers;
    unsigned count;
};

/** Takes config over, also on failure. Returns: NULL without memory. */
struct ts_policy *ts_policy_new(struct ts_config *config, uint64_t now_ms);
struct ts_policy *ts_policy_hold(struct ts_policy *policy);
/** NULL is allowed. */
void ts_policy_release(struct ts_policy *policy);

/** Who has the bearer token with this hash (compared in constant time), or the certificate. Returns: NULL for nobody. */
struct ts_caller *ts_policy_by_token(struct ts_policy *policy, const uint8_t hash[32]);
struct ts_caller *ts_policy_by_certificate(struct ts_policy *policy, const uint8_t hash[32]);

/** Is there a grant of the operation (keygen, sign, read, cancel) for a key with the label? */
bool ts_caller_may(const struct ts_caller *caller, const char *operation, const char *label);
/** For any key at all? */
bool ts_caller_may_some(const struct ts_caller *caller, const char *operation);

#endif
