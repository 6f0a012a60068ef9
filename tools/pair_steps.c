#include "tools/pair_steps.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *step, *words;
} table[] = {
    {"PAIR_PROVE", "connected; showing the one-time secret"},
    {"PAIR_PROVE_REPLY", "the device knows the secret, too"},
    {"PAIR_CODE_REPLY", "the device's person agrees"},
    {"PAIR_INIT", "the device makes its parameters and their proof; it may have to search primes first"},
    {"PRE_PARAMS_P2", "checking the device's proof, making ours"},
    {"PRE_PARAMS_P1", "the device checks our proofs"},
    {"PRE_PARAMS_CONFIRM", "both have checked everything; storing"},
};

static void
reached(void *ctx, const char *step)
{
    struct ts_pair_steps *steps = ctx;

    if (steps->searching)
        ts_progress_end(&steps->progress, true);
    steps->searching = false;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].step, step) == 0)
            (void)fprintf(stderr, "%s ...\n", table[i].words);
}

void
ts_pair_steps_start(struct ts_pair_steps *steps, struct ts_env *env)
{
    *steps = (struct ts_pair_steps){.env = env};
    ts_progress_start(&steps->progress, env, "looking for safe primes");
    steps->searching = true;
    env->steps = (struct ts_steps){steps, reached};
}

void
ts_pair_steps_end(struct ts_pair_steps *steps, struct ts_env *env)
{
    env->steps = (struct ts_steps){0};
    if (steps->searching)
        ts_progress_end(&steps->progress, false);
}

bool
ts_pair_steps_search(void *ctx, uint64_t candidates)
{
    struct ts_pair_steps *steps = ctx;

    ts_progress_show(&steps->progress, candidates);
    return true;
}
