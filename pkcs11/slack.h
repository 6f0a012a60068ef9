#ifndef TS_PKCS11_SLACK_H
#define TS_PKCS11_SLACK_H

/** A help for pkcs11-tool of OpenSC 0.23 (Debian 12): when it exports an EC public key, it goes on to use three blocks
 *  that it has just freed (their sizes depend on the curve). Their content survives while glibc's per-thread cache has
 *  room for them, and whether it has depends on what else in the process has freed blocks of these sizes: a module that
 *  allocates more than others makes the tool fail with "cannot create EVP_PKEY". So blocks of these sizes are taken out
 *  of the cache when CKA_EC_POINT is handed out, and kept. */
#define TS_SLACK_BLOCKS 28

struct ts_slack {
    void *blocks[TS_SLACK_BLOCKS];
};

/** Take blocks, giving back those of the last time. Never fails. */
void ts_slack_take(struct ts_slack *slack);
void ts_slack_clear(struct ts_slack *slack);

#endif
