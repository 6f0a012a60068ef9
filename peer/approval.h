#ifndef TS_PEER_APPROVAL_H
#define TS_PEER_APPROVAL_H

#include "session/mobile.h"

/** Who answers the questions of the enterprise side. Safe for several threads. */
struct ts_approval;

enum ts_approval_mode {
    TS_APPROVAL_ASK,    /**< a person at the terminal; the default answer is no */
    TS_APPROVAL_AUTO,   /**< always yes, but to a refresh that would lift a lock */
    TS_APPROVAL_REFUSE, /**< always no; for tests */
    TS_APPROVAL_NEVER   /**< no answer until the deadline; for tests */
};

/** Read the name of a mode: ask, auto, refuse, never. Returns: TS_OK; TS_USAGE. */
enum ts_error ts_approval_mode_parse(enum ts_approval_mode *out, const char *text);

struct ts_approval_options {
    const struct ts_env *env;
    enum ts_approval_mode mode;
    int in, out; /**< descriptors of the terminal, for TS_APPROVAL_ASK */
};

/** Returns: TS_OK; TS_INTERNAL. The options' env must outlive it. */
enum ts_error ts_approval_new(struct ts_approval **out, const struct ts_approval_options *options);
void ts_approval_free(struct ts_approval *approval);

/** Every question, open or to come, is answered with no. */
void ts_approval_stop(struct ts_approval *approval);

/** A ts_decide for ts_mobile_options, ctx a struct ts_approval. With a person one question is shown at a time; the
 * others wait, each with its own deadline. The end of the input, and every answer but "y" or "yes", is no. */
enum ts_error ts_approval_decide(
    void *ctx, const struct ts_question *question, uint64_t deadline_ms, bool (*cancelled)(void *), void *cancel_ctx);

#endif
