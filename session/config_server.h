#ifndef TS_SESSION_CONFIG_SERVER_H
#define TS_SESSION_CONFIG_SERVER_H

#include "session/config.h"
#include "session/config_outline.h"

/** The numbers of a server's section that says nothing: docs/configuration.md has them. */
void ts_config_server_numbers(struct ts_config *config);

/** Check what stands in the lists: partners, capabilities, callers.
 *  Out:  name  of the faulty key, "server.callers[1].token"
 *  Returns: NULL when all is good; else what was expected, to stand after "not ". Secrets: hashes of tokens. */
const char *ts_config_lists_fault(const struct ts_config *config, char name[TS_OUTLINE_NAME_BYTES]);

/** What "operation:pattern" names.
 *  Out:  operation  bytes of the operation's name before the colon
 *  Returns: the pattern; NULL when it is not of that form or names no operation. */
const char *ts_config_grant(size_t *operation, const char *text);

#endif
