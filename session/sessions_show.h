#ifndef TS_SESSION_SESSIONS_SHOW_H
#define TS_SESSION_SESSIONS_SHOW_H

#include "session/journal.h"

/** Options and arguments of `sessions`, and their help, the same in both programs. */
#define TS_SESSIONS_USAGE "[ID] [options]"
#define TS_SESSIONS_HELP                                                                                               \
    "  -s, --status STATUS          only these: running, waiting_for_partner, completed, failed, refused, "            \
    "timed_out,\n"                                                                                                     \
    "                               cancelled, interrupted\n"                                                          \
    "  -k, --kind KIND              only these: pairing, keygen, presign, sign, refresh\n"                             \
    "  -p, --partner NAME           only those with this partner\n"                                                    \
    "  -a, --after ID               the page after this one\n"                                                         \
    "  -n, --limit COUNT            at most so many, 1 to 1000; default: 20\n"                                         \
    "  -j, --json                   for programs\n"

/** For programs only: the command `sessions`, which prints the journal beside a store, newest first, or one record.
 *  In:   program  its name, for complaints; keep_s as for ts_journal_open
 *  Returns: exit code. */
int ts_sessions_show(
    const char *program, const struct ts_env *env, const char *store, uint32_t keep_s, int argc, char **argv);

#endif
