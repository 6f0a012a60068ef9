#ifndef TS_TOOLS_PAIR_STEPS_H
#define TS_TOOLS_PAIR_STEPS_H

#include "base/env.h"
#include "base/terminal.h"

/** What a pairing is doing, told to the person who waits for it on standard error: the search of safe primes with its
 *  progress, then each step by what it means. */
struct ts_pair_steps {
    struct ts_progress progress;
    bool searching;
    const struct ts_env *env;
};

/** Watch the steps of the environment until ts_pair_steps_end. */
void ts_pair_steps_start(struct ts_pair_steps *steps, struct ts_env *env);
void ts_pair_steps_end(struct ts_pair_steps *steps, struct ts_env *env);

/** A ts_search progress that draws the search in ctx and never stops it. */
bool ts_pair_steps_search(void *ctx, uint64_t candidates);

#endif
