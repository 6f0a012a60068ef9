#ifndef TS_PEER_PEER_H
#define TS_PEER_PEER_H

#include "base/command.h"
#include "session/config.h"
#include "session/mobile.h"

/** What every subcommand of the mobile side works with. */
struct ts_peer {
    struct ts_env env;
    const char *config_path; /**< --config, or NULL */
    struct ts_config *config;
    struct ts_store *store;
    uint64_t token; /**< the store's one token; 0: not set up */
    struct ts_keyring *keyring;
};

/** Read the configuration and open the store; complains itself. Everything is released by ts_peer_clear.
 *  In:   make  also when there is none yet (`init`)
 *  Returns: exit code. */
int ts_peer_open(struct ts_peer *peer, bool make);

/** Unlock the store with the passphrase from `source`, else from the configuration's source, else asked; complains
 *  itself. Returns: exit code. */
int ts_peer_unlock(struct ts_peer *peer, const char *source);

void ts_peer_clear(struct ts_peer *peer);

/** Complain about a failed step. Returns: TS_EXIT_FAILURE. */
int ts_peer_failed(const char *what, enum ts_error error);

/** `address` with port 0 replaced by `port`. Returns: allocated; NULL without memory. */
char *ts_peer_address(const char *address, uint16_t port);

/** The program: tallystick-peer and the test program that cheats. Returns: exit code. */
int ts_peer_main(int argc, char **argv);

/* The subcommands; each in the file of its name. */
int ts_peer_init(void *ctx, int argc, char **argv);
int ts_peer_run(void *ctx, int argc, char **argv);
int ts_peer_list_command(void *ctx, int argc, char **argv);
int ts_peer_uri(void *ctx, int argc, char **argv);
int ts_peer_sessions(void *ctx, int argc, char **argv);
int ts_peer_unpair_command(void *ctx, int argc, char **argv);
int ts_peer_forget(void *ctx, int argc, char **argv);

#endif
