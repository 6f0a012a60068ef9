#include "session/enterprise_internal.h"
#include "transport/tcp.h"

#include <stdlib.h>
#include <string.h>

/* The active peer of that name. */
static enum ts_error
find_peer(struct ts_peer_row *out, struct ts_enterprise *enterprise, uint64_t token, const char *name)
{
    struct ts_peer_row *rows = NULL;
    size_t count = 0;
    enum ts_error error = ts_peer_list(&rows, &count, enterprise->store, token);
    enum ts_error found = TS_NOT_FOUND;

    for (size_t i = 0; error == TS_OK && i < count; i++)
        if (rows[i].state == TS_PEER_ACTIVE && strcmp(rows[i].name, name) == 0) {
            *out = rows[i];
            found = TS_OK;
        }
    free(rows);
    return error == TS_OK ? found : error;
}

static enum ts_error
forget(struct ts_peer_row *row, struct ts_enterprise *enterprise, uint64_t token, const char *name)
{
    enum ts_error error = find_peer(row, enterprise, token, name);
    return error == TS_OK ? ts_peer_delete(enterprise->store, row->pairing) : error;
}

enum ts_error
ts_peer_forget(struct ts_enterprise *enterprise, uint64_t token, const char *name)
{
    struct ts_peer_row row;
    return forget(&row, enterprise, token, name);
}

enum ts_error
ts_peer_unpair(struct ts_enterprise *enterprise, uint64_t token, const char *name)
{
    struct ts_peer_row row;
    enum ts_error error = forget(&row, enterprise, token, name);

    if (error == TS_OK)
        ts_partners_drop(enterprise, token, row.pairing);
    return error;
}

/* One address or several with commas between; "-" for none. */
static bool
addresses_good(const char *addresses)
{
    char one[TS_TCP_HOST_BYTES + 16], host[TS_TCP_HOST_BYTES];
    uint16_t port;

    for (const char *at = addresses;; at++) {
        size_t len = strcspn(at, ",");
        if (len >= sizeof one)
            return false;
        memcpy(one, at, len);
        one[len] = 0;
        if (ts_tcp_address_split(host, &port, one) != TS_OK || port == 0)
            return false;
        at += len;
        if (!*at)
            return true;
    }
}

enum ts_error
ts_peer_move(struct ts_enterprise *enterprise, uint64_t token, const char *name, const char *address)
{
    struct ts_peer_row row;
    bool none = strcmp(address, "-") == 0;

    if (!none && !addresses_good(address))
        return TS_USAGE;
    enum ts_error error = find_peer(&row, enterprise, token, name);
    return error == TS_OK ? ts_peer_set_address(enterprise->store, row.pairing, none ? "" : address) : error;
}
