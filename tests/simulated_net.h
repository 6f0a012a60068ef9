#ifndef TS_TESTS_SIMULATED_NET_H
#define TS_TESTS_SIMULATED_NET_H

#include "transport/mux.h"

/** Two sides with a mux each and a bad network between them, in memory, with a clock of its own. Everything that
 *  happens follows from the seed. */

#define NET_PACKETS 4096
#define NET_SESSIONS 96 /**< that a side may hold open at the other */

struct net_faults {
    unsigned lost, doubled;     /* per thousand */
    uint64_t delay_ms;          /* each packet has its own delay up to this: later ones overtake */
    uint64_t cut_ms, repair_ms; /* about how often the connection breaks, and for how long; 0: never */
    uint64_t restart_ms;        /* about how often one of the sides loses its memory; 0: never */
};

struct net_packet {
    uint64_t at;
    int to;
    uint8_t *bytes;
    size_t len;
};

struct net {
    struct ts_env *env;
    struct net_faults faults;
    uint64_t random, now;
    struct ts_mux *sides[2];
    bool connected;
    uint64_t cut_at, repair_at, restart_at;
    struct net_packet packets[NET_PACKETS];
    unsigned packet_count;
    unsigned restarts, cuts, violations;
    /* Told before a side's mux goes. */
    void (*restarted)(void *ctx);
    void *ctx;
};

uint64_t net_draw(struct net *net);

/** A number from 1 to most. */
uint64_t net_between(struct net *net, uint64_t most);

void net_init(struct net *net, struct ts_env *env, const struct net_faults *faults, uint64_t seed);
void net_clear(struct net *net);

/** Let both sides send what they have, then go to the next moment at which something happens, at most `until`. */
void net_step(struct net *net, uint64_t until);

#endif
