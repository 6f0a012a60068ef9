#ifndef TS_TOOLS_REPORT_H
#define TS_TOOLS_REPORT_H

#include "tools/tool.h"

#include <jansson.h>

/** What the store knows about its tokens, as JSON; the readable output is printed from the same tree.
 *  In:   label  only this token; NULL: all
 *  Returns: an array of objects {label, serial, user_pin_set, user_tries_left, so_tries_left, primes_waiting,
 *  peers: [{name, address, pairing, key_hash, bits, state, acknowledged, created, last_seen}],
 *  keys: [{id, label, curve, generation, state, locked, lock_reason, acknowledged, peer, created, public_key}]};
 *  NULL after it has complained. */
json_t *ts_report_tokens(const struct ts_tool *tool, const char *label);

/** Print the tree of ts_report_tokens for a person. A peer's "reachable" is shown when it is there. */
void ts_report_print(const json_t *tokens);

/** Print JSON for a program. Returns: exit code. */
int ts_report_print_json(const json_t *tree);

#endif
