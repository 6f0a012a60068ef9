#include "session/enterprise_internal.h"
#include "transport/tcp.h"

#include <stdlib.h>
#include <string.h>

enum ts_error
ts_peer_move(struct ts_enterprise *enterprise, uint64_t token, const char *name, const char *address)
{
    char host[TS_TCP_HOST_BYTES];
    uint16_t port;
    struct ts_peer_row *rows = NULL;
    size_t count = 0;

    if (ts_tcp_address_split(host, &port, address) != TS_OK || port == 0)
        return TS_USAGE;
    enum ts_error error = ts_peer_list(&rows, &count, enterprise->store, token);
    size_t found = count;
    for (size_t i = 0; error == TS_OK && i < count; i++)
        if (rows[i].state == TS_PEER_ACTIVE && strcmp(rows[i].name, name) == 0)
            found = i;
    if (error == TS_OK)
        error = found < count ? ts_peer_set_address(enterprise->store, rows[found].pairing, address) : TS_NOT_FOUND;
    free(rows);
    return error;
}
