#ifndef TS_TOOLS_CALLS_H
#define TS_TOOLS_CALLS_H

#include "tools/report.h"

/** Call the HSM. Returns: the outcome in words; *good is cleared when something is wrong. */
const char *ts_calls_hsm(bool *good, const struct ts_tool *tool);

/** Call every peer of one token; the outcome is added to its peers in the tree of ts_report_tokens as "reachable".
 *  In:   label   NULL: the only token
 *        source  of the user's PIN; "ask": the terminal
 *  Returns: whether all answered; complains itself. */
bool ts_calls_peers(const struct ts_tool *tool, json_t *tokens, const char *label, const char *source);

#endif
